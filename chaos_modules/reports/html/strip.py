"""What is read first: the verdict, why, whether the fault was real and is gone, and how to run it again."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from ...model.errors import (
    CLEANUP_COMMAND,
    EXIT_FAILED,
    EXIT_HEALTH,
    EXIT_INTERRUPTED,
    EXIT_PASSED,
    EXIT_RESIDUE,
    EXIT_TERMINATED,
)  # fmt: skip
from ...model.observation import FindingKind
from ..recorded import Json, Recorded
from ..text import count
from .figures import duration, plural, utc
from .history import History

_MEANINGS = {
    EXIT_PASSED: "every fault was in effect and is gone, and nothing it was held against failed",
    EXIT_HEALTH: "a health check failed", EXIT_RESIDUE: "something of ours is left", EXIT_INTERRUPTED: "interrupted", EXIT_TERMINATED: "terminated",
}  # fmt: skip
_KINDS = {
    FindingKind.UNKNOWN: "a query that decides could not be answered", FindingKind.STEADY_STATE: "the system was not well before the fault",
    FindingKind.CERBERUS: "Cerberus says no-go", FindingKind.ALERT: "an alert fired", FindingKind.CRITICAL_ALERT: "a critical alert fired",
    FindingKind.OBJECTIVE: "an objective failed", FindingKind.HALT: "halted",
}  # fmt: skip
_SANDBOX = re.compile(r"sandbox \((.*)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the strip; `key` names it for readers and tests."""

    key: str
    label: str
    value: str
    state: str = "plain"


@dataclass(frozen=True, slots=True)
class Strip:
    """The head of the page."""

    status: str
    state: str
    exit_code: int
    meaning: str
    reasons: tuple[str, ...]
    facts: tuple[Fact, ...]
    rerun: str
    cleanup: str


def strip(recorded: Recorded) -> Strip:
    """The head of a record's page."""
    result = recorded.result
    verdict = result["verdict"]
    state = {"passed": "good", "interrupted": "unknown"}.get(verdict["status"], "bad")
    sandbox = _SANDBOX.fullmatch(result["cluster"])
    cleanup = CLEANUP_COMMAND + (" --sandbox" if sandbox else "") if result["residue"] else ""
    return Strip(
        verdict["status"], state, verdict["exit_code"], _meaning(result), tuple(verdict["reasons"]), _facts(result),
        _rerun(result, recorded.plan, sandbox), cleanup,
    )  # fmt: skip


def _meaning(result: Json) -> str:
    """Why it is this exit code, in a few words; the reasons say it in full."""
    code = result["verdict"]["exit_code"]
    if code in _MEANINGS:
        return _MEANINGS[code]
    kinds = [one["kind"] for one in result.get("findings", ()) if one.get("exit_code") == code]
    failed = ["a scenario failed"] if code == EXIT_FAILED and any(one["status"] == "failed" for one in result["scenarios"]) else []
    return ", ".join(dict.fromkeys([*failed, *(_KINDS[kind] for kind in kinds if kind in _KINDS)]))


def _facts(result: Json) -> tuple[Fact, ...]:
    targets = [target for scenario in result["scenarios"] for target in scenario["targets"]]
    real = sum(target["in_effect"] for target in targets)
    facts = [
        Fact("effect", "Fault in effect", f"{count(real)} of {plural(len(targets), 'target')}", "good" if 0 < real == len(targets) else "bad"),
        _removed(result, targets),
        Fact("duration", "Duration", duration(result["ended"] - result["started"])),
        Fact("started", "Started", utc(result["started"], day=True)),
        Fact("cluster", "Cluster", result["cluster"]),
        Fact("scenarios", "Scenarios", count(len(result["scenarios"]))),
        Fact("seed", "Seed", str(result["seed"])),
        Fact("run", "Run", result["run_id"]),
    ]
    versions = result.get("versions")
    if isinstance(versions, dict) and versions:
        facts.append(Fact("versions", "Versions", ", ".join(f"{name} {version}" for name, version in versions.items())))
    return tuple(facts)


def _removed(result: Json, targets: list[Json]) -> Fact:
    put = [target for target in targets if target["reverted"] is not None]
    clean = sum(bool(target["reverted"]) for target in put)
    if result["residue"] or clean < len(put):
        left = f", {plural(len(result['residue']), 'thing')} left" if result["residue"] else ""
        return Fact("removed", "Everything removed", f"no: on {count(clean)} of {count(len(put))}{left}", "bad")
    if not put:
        return Fact("removed", "Everything removed", "nothing was touched")
    return Fact("removed", "Everything removed", f"yes: on {count(clean)} of {count(len(put))}", "good")


def _rerun(result: Json, plan: Json, sandbox: re.Match[str] | None) -> str:
    """Which configuration was used is not in the record: the command is for where that is the same."""
    words = ["python", "run_chaos.py", "run", "--seed", str(result["seed"])]
    if sandbox:
        words += ["--sandbox"] if sandbox[1] == "config/sandbox.yaml" else ["--sandbox-file", sandbox[1]]
    return shlex.join([*words, *dict.fromkeys(scenario["request"]["file"] for scenario in plan["scenarios"])])


def problems(result: Json, history: History, series: tuple[Json, ...]) -> tuple[str, ...]:
    """What went wrong with the run itself, or with our sight of the system: never what was found about the system."""
    told = [str(one) for one in result.get("problems", ())]
    unanswered = _unanswered(result, series)
    further = [f"{_listed(names)}: {problem}" for problem, names in unanswered.items() if not any(problem in one for one in told)]
    further += [f"{one.get('documents')} documents were not sent: {one.get('problem')}" for one in history.unsent]
    carriers = [event for run in history.executed for event in run.carriers]
    further += [f"injector on {event['target']}: {event['state']}" for event in carriers if event["state"].startswith("failed")]
    return tuple(dict.fromkeys([*told, *further]))


def _unanswered(result: Json, series: tuple[Json, ...]) -> dict[str, list[str]]:
    """Which queries had each problem."""
    names: dict[str, list[str]] = {}
    for one in (*series, *result.get("alerts", ())):
        if one.get("problem"):
            names.setdefault(one["problem"], []).append(one["name"])
    return names


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
