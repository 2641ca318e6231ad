"""Numbers and columns for people: at most 80 columns unless the terminal is wider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.wording import one_line


def quantities(measured: dict[str, Any]) -> str:
    """Measurements as one cell, named only where there are several; `~` marks one with too few samples to be judged."""
    named = len(measured) > 1
    return ", ".join(f"{name} {_value(one)}" if named else _value(one) for name, one in measured.items())


def _value(one: dict[str, Any]) -> str:
    value, unit = one["value"], one["unit"]
    text = f"{value:.1%}" if unit == "share" else f"{value * 1000:.3g}ms" if unit == "s" else bits(value)
    return f"~{text}" if one["judged"] == "insufficient" else text


def bits(value: float) -> str:
    """A rate with three significant digits."""
    for unit, size in (("tbit", 1e12), ("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3)):
        if value >= 0.9995 * size:  # what would round to 1000 of the next smaller unit
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}bit"


def count(number: int) -> str:
    """A number with thousands apart."""
    return f"{number:,}"


def columns(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Left-aligned columns; where a line would not fit, the first column (a path) loses its beginning."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    sizes = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    over = sum(sizes) + 2 * (len(sizes) - 1) - width
    sizes[0] = max(12, sizes[0] - max(0, over))
    return ["  ".join(_fit(cell, size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in rows]


def _fit(cell: str, size: int) -> str:
    return cell.ljust(size) if len(cell) <= size else "…" + cell[len(cell) - size + 1 :]


def clipped(text: str, size: int) -> str:
    """The beginning of a text that is too long for its cell."""
    return text if len(text) <= size else f"{text[: size - 1]}…"
