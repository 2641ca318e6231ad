"""`report.md`, also GitHub's step summary: the verdict first, then tables. A fold over the record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..model.errors import CLEANUP_COMMAND
from ..model.wording import one_line
from ..verdict.quantiles import seconds_text
from .findings import FAILED, PASSED, alert_rows, check_rows, clock, day, health_rows, tally
from .recorded import Recorded
from .text import count, quantities

Json = dict[str, Any]
MOST_BYTES = 1_000_000  # GitHub takes a step summary of 1 MiB (1,048,576 bytes), and none at all that is larger
_MOST_ROWS = 500
_MOST_IN_A_CELL = 1_000
_MARKS = re.compile(r"([\\`*_\[\]<>|~&$#@])")


def markdown(recorded: Recorded, most_bytes: int = MOST_BYTES) -> str:
    """The whole text, in at most so many bytes: what comes last, the details, is cut off and said to be."""
    result = recorded.result
    lines = [*_verdict(result), *_observed(result)]
    for number, scenario in enumerate(result["scenarios"], start=1):
        lines += _scenario(number, scenario)
    lines += _section("Problems of the run itself", [f"- {_cell(problem)}" for problem in result.get("problems", ())])
    return _bounded(lines, most_bytes)


def _bounded(lines: Sequence[str], most_bytes: int) -> str:
    text = "\n".join(lines) + "\n"
    if len(text.encode()) <= most_bytes:
        return text
    note = "\n\n*Cut here: the rest is in the record.*\n"
    kept = text.encode()[: max(0, most_bytes - len(note.encode()))].decode("utf-8", "ignore")
    return kept.rpartition("\n")[0] + note if most_bytes > len(note.encode()) else ""


def _verdict(result: Json) -> list[str]:
    verdict, targets = result["verdict"], [target for scenario in result["scenarios"] for target in scenario["targets"]]
    put = [target for target in targets if target["reverted"] is not None]
    watched = tally(result)
    real = f"In effect on {sum(target['in_effect'] for target in targets)} of {len(targets)} targets"
    clean = f"removed on {sum(bool(target['reverted']) for target in put)} of {len(put)}" if put else "nothing was touched"
    left = f"{len(result['residue'])} things: `{CLEANUP_COMMAND}` removes them" if result["residue"] else "nothing that was seen"
    facts = [
        ("Fault", f"{real}; {clean}"), ("Left", left),
        ("System", _cell(watched) if watched else "not observed"), ("Cluster", _cell(result["cluster"])),
        ("Run", f"{_cell(result['run_id'])}, seed {result['seed']}"),
        ("Time", f"{day(result['started'])}, {seconds_text(result['ended'] - result['started'])}"),
    ]  # fmt: skip
    if result.get("resiliency"):
        facts.append(("Resiliency score", f"{result['resiliency']['score']:g} of 100"))
    reasons = [f"- {_cell(reason)}" for reason in verdict["reasons"][:_MOST_ROWS]]
    return [
        f"# Squall: {_cell(verdict['status'])}, exit {verdict['exit_code']}", "", *reasons, *([""] if reasons else []),
        *_table(("", ""), [(f"**{name}**", fact) for name, fact in facts]),
        *_section("Left behind", [f"- {_cell(item)}" for item in result["residue"]]),
    ]  # fmt: skip


def _observed(result: Json) -> list[str]:
    checks, alerts, health = check_rows(result), alert_rows(result), health_rows(result)
    names = [f"{number}. {_cell(scenario['id'])}" for number, scenario in enumerate(result["scenarios"], start=1)]

    def scenario(number: int) -> str:
        return names[number] if number < len(names) else str(number + 1)

    head = ("Scenario", "Check", "Baseline", "During", "Recovery", "Limit", "Result", "")
    rows = [
        (scenario(row.scenario), *map(_cell, (row.name, *row.values, row.limit)), _result(row.result), "<br>".join(map(_cell, row.remarks)))
        for row in checks
    ]
    return [
        *_section("Checks", _table(head, rows)),
        *_section("Alerts", _table(("Alert", "Severity", "Fired (UTC)", "Result", ""), [_row(row) for row in alerts])),
        *_section("Health", _table(("URL", "Answer", "Unhealthy (UTC)", "Result", ""), [_row(row) for row in health])),
    ]  # fmt: skip


def _row(row: Any) -> tuple[str, ...]:
    return (_cell(row.name), _cell(row.detail), _cell(row.when), _result(row.result), _cell(row.remark))


def _result(result: str) -> str:
    return f"**{result}**" if result == FAILED else result if result == PASSED else f"*{result}*"


def _scenario(number: int, scenario: Json) -> list[str]:
    lines = ["", f"## {number}. {_cell(scenario['id'])}: {_cell(scenario['status'])}", "", f"{_cell(scenario['file'])}, {_cell(scenario['type'])}"]
    lines += ["", f"**{_cell(scenario['reason'])}**"] if scenario["reason"] else []
    lines += ["", f"**Halted**: the fault was ended early: {_cell(scenario['halted'])}"] if scenario.get("halted") else []
    head = ("Target", "Requested", "In effect", "Measured", "At peer", "Reverted", "Status", "From (UTC)", "To (UTC)")
    # The worst first: with many targets, the others are cut off.
    targets = sorted(scenario["targets"], key=lambda target: target["status"] == "passed")
    return [*lines, *(["", *_table(head, [_target(target) for target in targets])] if targets else ["", "No target."])]


def _target(target: Json) -> tuple[str, ...]:
    requested = ", ".join(f"{name} {value}" for name, value in target["requested"].items())
    measured = f"{quantities(target['measured'])} ({count(target['traffic'])} packets)" if target["measured"] else "not measured"
    reverted = {True: "yes", False: "**NO**", None: "nothing to revert"}[target["reverted"]]
    status = f"{target['status']}: {target['reason']}" if target["reason"] else target["status"]
    return (
        _cell(f"{target['target']} ({target['direction']})"), _cell(requested), "yes" if target["in_effect"] else "**NO**", _cell(measured),
        _cell(quantities(target["at_peer"]) or "not measured"), reverted, _cell(status), clock(target["started"]), clock(target["ended"]),
    )  # fmt: skip


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def _table(head: Sequence[str], rows: Sequence[Iterable[str]]) -> list[str]:
    if not rows:
        return []
    shown = [head, ["---"] * len(head), *rows[:_MOST_ROWS]]
    further = [f"\nand {len(rows) - _MOST_ROWS} more, which are in the record"] if len(rows) > _MOST_ROWS else []
    return [*(f"| {' | '.join(line)} |" for line in shown), *further]


def _cell(text: str) -> str:
    """Text that means nothing to Markdown or HTML, on one line."""
    text = one_line(text)
    shown = text if len(text) <= _MOST_IN_A_CELL else f"{text[:_MOST_IN_A_CELL]}…"
    return _MARKS.sub(r"\\\1", shown)
