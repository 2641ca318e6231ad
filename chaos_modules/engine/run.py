"""A whole run: the scenarios in their order, then what is left, then the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.errors import ClusterProblem
from ..model.outcome import RunStatus, ScenarioOutcome, TargetOutcome, TargetStatus, Verdict
from ..model.plan import ScenarioPlan
from ..verdict.run import decide
from .scenario import ScenarioRun, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The whole of `result.json`, before it is written. Times are seconds since the epoch."""

    started: float
    ended: float
    verdict: Verdict
    scenarios: tuple[ScenarioOutcome, ...]
    residue: tuple[str, ...]


def execute(session: Session, *, iterations: int | None = 1, wait_seconds: float = 0.0, broken: Callable[[], str] = lambda: "") -> RunResult:
    """Run the plan `iterations` times (None: until interrupted), waiting after each file (krkn's `tunings.wait_duration`).

    `broken` tells what of the run itself went wrong (such as a record that cannot be written), which ends it.
    """
    started = time.time()
    session.emit("run-started", session.plan.run_id, cluster=session.plan.cluster, seed=session.plan.seed)
    outcomes = _refused(session) or _all(session, iterations, wait_seconds, broken)
    residue = _residue(session, outcomes)
    faults = [text for text in (broken(),) if text]
    verdict = decide(outcomes, residue, session.interruption.code, faults)
    session.emit("run-finished", session.plan.run_id, status=str(verdict.status), exit_code=verdict.exit_code, reasons=list(verdict.reasons))
    return RunResult(started=started, ended=time.time(), verdict=verdict, scenarios=tuple(outcomes), residue=residue)


def _refused(session: Session) -> list[ScenarioOutcome]:
    """If any scenario has no target, nothing is done at all: everything is decided before anything is done."""
    if not any(scenario.unplannable for scenario in session.plan.scenarios):
        return []
    return [_not_started(scenario) for scenario in session.plan.scenarios]


def _not_started(scenario: ScenarioPlan) -> ScenarioOutcome:
    request, problem = scenario.request, scenario.unplannable
    reason = f"{problem.what} → {problem.remedy}" if problem else "not started, because another scenario has no target"
    targets: tuple[TargetOutcome, ...] = ()
    if problem:
        targets = (_without_target(scenario, request.selector.words, TargetStatus(problem.status), reason),)
    return ScenarioOutcome(
        type=request.type, file=request.file, id=request.id, style=request.style, status=RunStatus.FAILED, reason=reason, targets=targets
    )  # fmt: skip


def _without_target(scenario: ScenarioPlan, where: str, status: TargetStatus, reason: str) -> TargetOutcome:
    request = scenario.request
    return TargetOutcome(
        target=where, node="", device=request.device, direction=str(request.directions[0]), engine="", requested=request.requested,
        status=status, in_effect=False, traffic=0, measured=(), at_peer=(), reverted=None, started=None, ended=None, reason=reason,
    )  # fmt: skip


def _all(session: Session, iterations: int | None, wait_seconds: float, broken: Callable[[], str]) -> list[ScenarioOutcome]:
    outcomes: list[ScenarioOutcome] = []
    number, scenarios = 0, session.plan.scenarios
    while iterations is None or number < iterations:
        number += 1
        for position, scenario in enumerate(scenarios):
            if session.interruption.code is not None or broken():
                return outcomes
            outcomes.append(_one(session, scenario))
            last_of_file = position + 1 == len(scenarios) or scenarios[position + 1].request.file != scenario.request.file
            if last_of_file and wait_seconds and session.interruption.code is None:
                session.emit("waiting", scenario.request.id, seconds=wait_seconds, why="tunings.wait_duration")
                session.interruption.wait(wait_seconds)
    return outcomes


def _one(session: Session, scenario: ScenarioPlan) -> ScenarioOutcome:
    request = scenario.request
    session.emit("scenario-started", request.id, file=request.file, targets=[one.key for one in scenario.injections], hold=request.hold.seconds)
    outcome = ScenarioRun(scenario, session).run()
    session.emit("scenario-finished", request.id, status=str(outcome.status), reason=outcome.reason)
    return outcome


def _residue(session: Session, outcomes: list[ScenarioOutcome]) -> tuple[str, ...]:
    """What the injectors said is left, and what an independent look finds."""
    targets = [target for outcome in outcomes for target in outcome.targets]
    found = [f"{target.target}: {item}" for target in targets for item in target.residue]
    doubtful = dict.fromkeys(target.node for target in targets if target.reverted is False and not target.residue)
    looked = _or_problem("look for residue", lambda: session.cluster.audit(session.plan.run_id, tuple(doubtful)))
    kept = _or_problem("remove the carriers", session.launcher.close)
    return tuple(dict.fromkeys([*looked, *kept, *found]))


def _or_problem(what: str, act: Callable[[], Sequence[str] | None]) -> Sequence[str]:
    try:
        return act() or ()
    except ClusterProblem as problem:
        return (f"could not {what}: {problem}",)


def result_document(session: Session, result: RunResult, to_plain: Callable[[Any], Any]) -> dict[str, Any]:
    """`result.json`, schema 1."""
    plan = session.plan
    head = {"schema": 1, "run_id": plan.run_id, "seed": plan.seed, "started": result.started, "ended": result.ended, "cluster": plan.cluster}
    scenarios = to_plain(result.scenarios)
    for scenario in scenarios:
        for target in scenario["targets"]:
            for key in ("requested", "measured", "at_peer"):
                target[key] = dict(target[key])
    return {
        **head, "verdict": to_plain(result.verdict), "scenarios": scenarios,
        "checks": [], "alerts": [], "health": [], "residue": list(result.residue),
    }  # fmt: skip
