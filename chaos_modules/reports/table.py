"""The final screen: verdict, was the fault real, is everything clean, where is the record, exit code. A fold over `result.json`."""

from __future__ import annotations

from typing import Any

from ..model.errors import CLEANUP_COMMAND
from ..model.wording import printable, printable_parts
from .style import Style
from .text import columns, count, quantities

HEAD = ("TARGET", "REQUESTED", "IN EFFECT", "MEASURED", "AT PEER", "REVERTED")


def final_screen(result: dict[str, Any], record: str, style: Style, width: int) -> str:
    """The whole text for standard output."""
    lines: list[str] = []
    result, record = printable_parts(result), printable(record)
    for scenario in result["scenarios"]:
        lines += _scenario(scenario, style, width)
    lines += _verdict(result, style)
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
    return [*lines, *_meanwhile(scenario), ""]


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


def _meanwhile(scenario: dict[str, Any]) -> list[str]:
    other = scenario.get("bystanders")
    if not other or not other["flows"]:
        return []
    return [f"  {other['flows']} other flows meanwhile: {count(other['sent'])} packets, {other['lost']} lost, {other['copied']} copied"]


def _verdict(result: dict[str, Any], style: Style) -> list[str]:
    targets = [target for scenario in result["scenarios"] for target in scenario["targets"]]
    real = sum(target["in_effect"] for target in targets)
    put = [target for target in targets if target["reverted"] is not None]
    clean = f"removed on {sum(bool(target['reverted']) for target in put)} of {len(put)}" if put else "nothing was touched"
    lines = [f"{_status(result['verdict']['status'], style)}  The fault was in effect on {real} of {len(targets)} targets; {clean}."]
    above = tuple(scenario["reason"] for scenario in result["scenarios"] if scenario["reason"] and scenario["targets"])
    lines += [f"  {reason}" for reason in result["verdict"]["reasons"] if not (above and reason.endswith(above))]
    if result["residue"]:
        lines.append(f"  to remove it all: {CLEANUP_COMMAND}{' --sandbox' if str(result.get('cluster')).startswith('sandbox') else ''}")
    return lines


def _status(status: str, style: Style) -> str:
    paint = style.good if status == "passed" else style.bad
    return paint(status.upper() if status != "passed" else "passed")
