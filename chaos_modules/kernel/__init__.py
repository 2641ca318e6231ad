"""Impairment + traffic filter + direction → kernel programs. Pure, and the only place that spells tc and nft."""
