"""Numbers as people read them: times in UTC and relative to the run's start, durations, shares, counts."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from ..text import bits, count

NOT_MEASURED = "not measured"
NONE = "–"


def utc(time: float | None, *, day: bool = False) -> str:
    """`13:39:08.2` (with its day: `2026-11-21 13:39:08 UTC`); a time that no calendar has is shown as the number."""
    if time is None:
        return NONE
    try:
        moment = datetime.fromtimestamp(round(time, 1), UTC)
    except (OverflowError, ValueError, OSError):
        return number(time)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if day else f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}"


def duration(seconds: float | None) -> str:
    """`48 ms`, `12.3 s`, `2 min 5 s`, `1 h 2 min`."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    if abs(seconds) < 1:
        return f"{seconds * 1000:.3g} ms" if seconds else "0 s"
    if abs(seconds) < 120:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def number(value: float | None) -> str:
    """Four significant digits, thousands apart; whole numbers as they are."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e12:
        return count(int(value))
    return f"{value:,.1f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"


def share(value: float | None) -> str:
    """`98.7%`; never rounded to 100% or to 0% unless it is."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:.1%}"
    if text == "100.0%" and value < 1:
        return "> 99.9%"
    return "< 0.1%" if text == "0.0%" and value > 0 else text.replace(".0%", "%")


def quantity(value: float | None, unit: str) -> str:
    """A measured value in its unit: a share, seconds, or bit/s."""
    if value is None:
        return NONE
    known = {"share": share, "s": duration, "bit/s": bits}.get(unit) if math.isfinite(value) else None
    return known(value) if known else f"{number(value)} {unit}".strip()


def labels(pairs: Any) -> str:
    """`{job="shop"}` as Prometheus writes it; empty for no labels."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in dict(pairs).items()) + "}" if pairs else ""


def plural(amount: int, thing: str) -> str:
    """`1 target`, `2 targets`."""
    return f"{count(amount)} {thing}{'' if amount == 1 else 's'}"
