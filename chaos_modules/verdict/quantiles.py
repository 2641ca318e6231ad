"""Quantiles of latencies, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The smallest of the values, in ascending order and not empty, that at least this share of them does not exceed: one that really occurred."""
    return ordered[max(0, math.ceil(round(share * len(ordered), 9)) - 1)]


def quantile_name(share: float) -> str:
    """`p95` for 0.95, `p99.9` for 0.999."""
    return f"p{100 * share:g}"


def seconds_text(seconds: float) -> str:
    """`250 ms` below one second, else `1.5 s`."""
    return f"{seconds * 1000:.3g} ms" if 0 < seconds < 0.9995 else f"{seconds:.4g} s"
