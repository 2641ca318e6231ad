"""The final screen: verdict, was the fault real, is everything clean, where is the record, exit code. A fold over `result.json`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ..model.errors import CLEANUP_COMMAND
from ..model.wording import one_line, printable, printable_parts
from .findings import FAILED, PASSED, CheckRow, Row, alert_rows, check_rows, fired, health_rows, tally
from .style import Style
from .text import clipped, columns, count, quantities

HEAD = ("TARGET", "REQUESTED", "IN EFFECT", "MEASURED", "AT PEER", "REVERTED")
CHECK_HEAD = ("CHECK", "BASELINE", "DURING", "RECOVERY", "LIMIT", "RESULT")
ALERT_HEAD = ("ALERT", "SEVERITY", "FIRED (UTC)", "RESULT")
HEALTH_HEAD = ("URL", "ANSWER", "UNHEALTHY (UTC)", "RESULT")
WIDE = 120


def final_screen(result: dict[str, Any], record: str, style: Style, width: int, *, report: str = "") -> str:
    """The whole text for standard output; `record` and `report` are the paths that it names, `width` the columns that a table may take."""
    lines: list[str] = []
    result, record = printable_parts(result), printable(record)
    for scenario in result["scenarios"]:
        lines += _scenario(scenario, style, width)
    lines += _checks(result, style, width)
    lines += _rows(ALERT_HEAD, alert_rows(result), style, width, _quiet(result))
    lines += _rows(HEALTH_HEAD, health_rows(result), style, width, "")
    lines += _verdict(result, style)
    lines += [f"report  {printable(report)}"] if report else []
    lines.append(f"record  {record}  run {result['run_id']}  seed {result['seed']}  exit {result['verdict']['exit_code']}")
    return "\n".join(style.encodable(line) for line in lines) + "\n"


def _scenario(scenario: dict[str, Any], style: Style, width: int) -> list[str]:
    rows = [HEAD, *(_row(target) for target in scenario["targets"])]
    lines = [f"{style.bold(scenario['id'])}  {scenario['file']}  {_status(scenario['status'], style)}"]
    lines += columns(rows, width) if scenario["targets"] else ["no target"]
    lines += [f"  {_name(target)}: {_status(target['status'], style)}: {target['reason']}" for target in scenario["targets"] if target["reason"]]
    lines += [f"  {_name(target)}: {target['engine']} is {target['fidelity']}" for target in scenario["targets"] if target["fidelity"]]
    if not scenario["targets"] or (scenario["status"] == "failed" and not any(target["reason"] for target in scenario["targets"])):
        lines.append(f"  {scenario['reason']}")
    return [*lines, *_halted(scenario, style), *_meanwhile(scenario), ""]


def _name(target: dict[str, Any]) -> str:
    return str(target["target"]) + (" (ingress)" if target["direction"] == "ingress" else "")


def _row(target: dict[str, Any]) -> tuple[str, ...]:
    # Only what can be measured: the parameters around it (burst, limit) are in the plan and the record.
    requested = [f"{name} {value}" for name, value in target["requested"].items() if " " not in name]
    measured = quantities(target["measured"])
    reverted = {True: "yes", False: "NO", None: "-"}[target["reverted"]]
    shares = any(one["unit"] == "share" for one in target["measured"].values())
    packets = f" of {count(target['traffic'])}" if shares else ""
    cells = (measured + packets or "not measured", quantities(target["at_peer"]) or "not measured")
    return (_name(target), ", ".join(requested), "yes" if target["in_effect"] else "NO", *cells, reverted)


def _halted(scenario: dict[str, Any], style: Style) -> list[str]:
    return [f"  {style.bad('HALTED')}: the fault was ended early: {scenario['halted']}"] if scenario.get("halted") else []


def _meanwhile(scenario: dict[str, Any]) -> list[str]:
    other = scenario.get("bystanders")
    if not other or not other["flows"]:
        return []
    return [f"  {other['flows']} other flows meanwhile: {count(other['sent'])} packets, {other['lost']} lost, {other['copied']} copied"]


def _checks(result: dict[str, Any], style: Style, width: int) -> list[str]:
    """A table for each scenario, named where there are several."""
    lines: list[str] = []
    for number, group in groupby(check_rows(result), key=lambda row: row.scenario):
        rows = list(group)
        if len(result["scenarios"]) > 1 and number < len(result["scenarios"]):
            lines.append(f"during {style.bold(result['scenarios'][number]['id'])} ({number + 1} of {len(result['scenarios'])})")
        head, *table = columns([CHECK_HEAD, *(_check(row, width) for row in rows)], width)
        lines += [head, *(_painted(line, row.result, style) for line, row in zip(table, rows, strict=True))]
        lines += [f"  {one_line(row.name)}: {one_line(remark)}" for row in rows for remark in row.remarks]
        lines.append("")
    return lines


def _check(row: CheckRow, width: int) -> tuple[str, ...]:
    return (row.name, *(clipped(value, 12) for value in row.values), clipped(row.limit, 14 if width < WIDE else 40), row.result)


def _painted(line: str, result: str, style: Style) -> str:
    """The row with its result, which is its end, in colour."""
    if result not in (PASSED, FAILED) or not line.endswith(result):
        return line
    paint = style.good if result == PASSED else style.bad
    return line.removesuffix(result) + paint(result)


def _rows(head: tuple[str, ...], rows: Sequence[Row], style: Style, width: int, rest: str) -> list[str]:
    lines: list[str] = []
    if rows:
        spare = (width - 80) // 3
        table = [(row.name, clipped(row.detail, 12 + spare), clipped(row.when, 20 + spare), row.result) for row in rows]
        first, *others = columns([head, *table], width)
        lines += [first, *(_painted(line, row.result, style) for line, row in zip(others, rows, strict=True))]
        lines += [f"  {one_line(row.name)}: {row.when}" for row, cells in zip(rows, table, strict=True) if cells[2] != row.when]
        lines += _remarks(rows)
    return [*lines, *([f"  {rest}"] if rest else []), *([""] if lines or rest else [])]


def _remarks(rows: Sequence[Row]) -> list[str]:
    """Why, and of many with the same reason only once."""
    named: dict[str, list[str]] = {}
    for row in rows:
        named.setdefault(row.remark, []).append(row.name)
    told = {remark: f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}" for remark, names in named.items() if remark}
    return [f"  {one_line(name)}: {one_line(remark)}" for remark, name in told.items()]


def _quiet(result: dict[str, Any]) -> str:
    """How many alerts were asked for and did not fire."""
    alerts = result.get("alerts", ())
    quiet = sum(not fired(alert) and not alert.get("problem") for alert in alerts)
    return f"{quiet} of {len(alerts)} alerts did not fire" if alerts else ""


def _verdict(result: dict[str, Any], style: Style) -> list[str]:
    targets = [target for scenario in result["scenarios"] for target in scenario["targets"]]
    real = sum(target["in_effect"] for target in targets)
    put = [target for target in targets if target["reverted"] is not None]
    clean = f"removed on {sum(bool(target['reverted']) for target in put)} of {len(put)}" if put else "nothing was touched"
    lines = [f"{_status(result['verdict']['status'], style)}  The fault was in effect on {real} of {len(targets)} targets; {clean}."]
    watched = tally(result)
    lines += [f"  {watched}"] if watched else []
    above = tuple(scenario["reason"] for scenario in result["scenarios"] if scenario["reason"] and scenario["targets"])
    lines += [f"  {reason}" for reason in result["verdict"]["reasons"] if not (above and reason.endswith(above))]
    lines += [f"  about the run itself: {one_line(problem)}" for problem in result.get("problems", ())]
    if result["residue"]:
        lines.append(f"  to remove it all: {CLEANUP_COMMAND}{' --sandbox' if str(result.get('cluster')).startswith('sandbox') else ''}")
    return lines


def _status(status: str, style: Style) -> str:
    paint = style.good if status == "passed" else style.bad
    return paint(status.upper() if status != "passed" else "passed")
