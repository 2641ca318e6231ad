"""The checks as people read them: grouped, what was seen, and for every problem what mends it and where more is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from ..model.check import Check, CheckState
from ..model.wording import printable
from .style import Style

_SYMBOLS = {CheckState.PASSED: "√", CheckState.WARNING: "‼", CheckState.FAILED: "×", CheckState.SKIPPED: "·"}
PROBLEMS = (CheckState.WARNING, CheckState.FAILED)


def checks_screen(checks: Sequence[Check], cluster: str, style: Style, *, short: bool) -> str:
    """The whole text for standard output; `short` shows problems only."""
    shown = [check for check in checks if not short or check.state in PROBLEMS]
    lines: list[str] = []
    for heading, members in groupby(shown, lambda check: check.heading):
        lines += [style.bold(heading), "-" * len(heading), *(line for check in members for line in _lines(check, style)), ""]
    counts = Counter(str(check.state) for check in checks)
    told = ", ".join(f"{counts[state]} {state}" for state in CheckState if counts[state])
    lines.append(f"{printable(cluster)}: {told}")
    return "\n".join(style.encodable(line) for line in lines) + "\n"


def _lines(check: Check, style: Style) -> Iterator[str]:
    symbol = _SYMBOLS[check.state]
    paint = {CheckState.PASSED: style.good, CheckState.FAILED: style.bad}.get(check.state, style.bold)
    yield from _indented(f"{paint(style.encodable(symbol))} ", f"{check.name}: {check.seen}")
    if check.state in PROBLEMS:
        yield from _indented("    fix:   ", check.remedy)
        yield f"    more:  {check.anchor}"


def _indented(head: str, text: str) -> Iterator[str]:
    """A text whose further lines stand under its first."""
    first, *rest = printable(text).splitlines() or [""]
    yield head + first
    yield from (f"           {line}" for line in rest)


def checks_document(checks: Sequence[Check], cluster: str) -> dict[str, Any]:
    """The same for programs."""
    return {
        "cluster": cluster,
        "passed": not any(check.state is CheckState.FAILED for check in checks),
        "checks": [
            {
                "name": check.name, "group": check.heading, "state": str(check.state), "seen": check.seen, "remedy": check.remedy,
                "more": check.anchor,
            }
            for check in checks
        ],
    }  # fmt: skip
