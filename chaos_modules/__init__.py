"""Squall: network chaos scenarios whose faults are proven at the packets and end by themselves."""

__version__ = "0.1.0"
