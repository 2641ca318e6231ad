"""A whole run: the scenarios in their order with their windows, then what is left, then the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..model.errors import ClusterProblem
from ..model.observation import Observation, Phase, Window
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
    observation: Observation


def execute(session: Session, *, iterations: int | None = 1, wait_seconds: float = 0.0, broken: Callable[[], str] = lambda: "") -> RunResult:
    """Run the plan `iterations` times (None: until interrupted), waiting after each file (krkn's `tunings.wait_duration`).

    `broken` tells what of the run itself went wrong (such as a record that cannot be written), which ends it.
    """
    started = time.time()
    session.emit("run-started", session.plan.run_id, cluster=session.plan.cluster, seed=session.plan.seed)
    rounds = _Rounds(session, wait_seconds, broken)
    refused = _refused(session)
    if not refused:
        session.watch.begin()
    outcomes = refused or rounds.run(iterations)
    residue = _residue(session, outcomes)
    observation = Observation() if refused else session.watch.finish(outcomes, rounds.windows, started)
    faults = [text for text in (broken(),) if text]
    verdict = decide(outcomes, residue, session.interruption.code, faults, observation.findings)
    session.emit("run-finished", session.plan.run_id, status=str(verdict.status), exit_code=verdict.exit_code, reasons=list(verdict.reasons))
    return RunResult(
        started=started, ended=time.time(), verdict=verdict, scenarios=tuple(outcomes), residue=residue, observation=observation
    )  # fmt: skip


def _refused(session: Session) -> list[ScenarioOutcome]:
    """If any scenario has no target, nothing is done at all: everything is decided before anything is done."""
    if not any(scenario.unplannable for scenario in session.plan.scenarios):
        return []
    return [_without_targets(scenario) for scenario in session.plan.scenarios]


def _without_targets(scenario: ScenarioPlan) -> ScenarioOutcome:
    request, problem = scenario.request, scenario.unplannable
    if not problem:
        return _not_started(scenario, "not started, because another scenario has no target")
    reason = f"{problem.what} → {problem.remedy}"
    target = TargetOutcome(
        target=request.selector.words, node="", device=request.device, direction=str(request.directions[0]), engine="", requested=request.requested,
        status=TargetStatus(problem.status), in_effect=False, traffic=0, measured=(), at_peer=(), reverted=None, started=None, ended=None,
        reason=reason,
    )  # fmt: skip
    return replace(_not_started(scenario, reason), targets=(target,))


def _not_started(scenario: ScenarioPlan, reason: str) -> ScenarioOutcome:
    request = scenario.request
    return ScenarioOutcome(
        type=request.type, file=request.file, id=request.id, style=request.style, status=RunStatus.FAILED, reason=reason, targets=()
    )  # fmt: skip


class _Rounds:
    """The scenarios one after the other, with the time before and after each in which the system is watched."""

    def __init__(self, session: Session, wait_seconds: float, broken: Callable[[], str]) -> None:
        self.session, self.wait_seconds, self.broken = session, wait_seconds, broken
        self.outcomes: list[ScenarioOutcome] = []
        self.windows: list[Window] = []
        self.stopped = ""

    def run(self, iterations: int | None) -> list[ScenarioOutcome]:
        number, scenarios = 0, self.session.plan.scenarios
        while iterations is None or number < iterations:
            number += 1
            for position, scenario in enumerate(scenarios):
                if self.session.interruption.code is not None or self.broken() or self.stopped:
                    return self.outcomes
                last_of_file = position + 1 == len(scenarios) or scenarios[position + 1].request.file != scenario.request.file
                self._one(scenario, last_of_file=last_of_file)
        return self.outcomes

    def _one(self, scenario: ScenarioPlan, *, last_of_file: bool) -> None:
        watch, begun = self.session.watch, time.time()
        self.stopped = self._unsteady(scenario)
        if self.stopped:
            self.outcomes.append(_not_started(scenario, self.stopped))
            return
        if self.session.interruption.code is not None:
            return
        outcome = self._faulted(scenario)
        self._recover(scenario, self.wait_seconds if last_of_file else 0.0)
        self.outcomes.append(replace(outcome, started=begun, ended=time.time(), halted=watch.halted))
        self.stopped = watch.halted or ("" if self.session.interruption.code else watch.stop_after(len(self.outcomes) - 1, begun))

    def _unsteady(self, scenario: ScenarioPlan) -> str:
        watch = self.session.watch
        if not watch.baseline_seconds:
            return watch.halted
        start = self._wait(scenario, watch.baseline_seconds, "squall.baseline_seconds")
        window = self._window(scenario, Phase.BASELINE, start, time.time())
        return watch.halted or ("" if self.session.interruption.code is not None else watch.unsteady(window))

    def _faulted(self, scenario: ScenarioPlan) -> ScenarioOutcome:
        request, begun = scenario.request, time.time()
        keys = [one.key for one in scenario.injections]
        self.session.emit("scenario-started", request.id, file=request.file, targets=keys, hold=request.hold.seconds)
        outcome = ScenarioRun(scenario, self.session).run()
        self.session.emit("scenario-finished", request.id, status=str(outcome.status), reason=outcome.reason)
        starts = [one.started for one in outcome.targets if one.started]
        ends = [one.ended for one in outcome.targets if one.ended]
        self._window(scenario, Phase.FAULT, min(starts, default=begun), max(ends, default=time.time()))
        return outcome

    def _recover(self, scenario: ScenarioPlan, pause: float) -> None:
        recovery = self.session.watch.recovery_seconds
        if max(pause, recovery) and self.session.interruption.code is None:
            self._wait(scenario, max(pause, recovery), "tunings.wait_duration" if pause >= recovery else "squall.recovery_seconds")
            self._window(scenario, Phase.RECOVERY, self.windows[-1].end, time.time())

    def _wait(self, scenario: ScenarioPlan, seconds: float, why: str) -> float:
        """Wait, but not longer than the run goes on; when it began."""
        begun, halted = time.time(), self.session.watch.halted
        if seconds:
            self.session.emit("waiting", scenario.request.id, seconds=seconds, why=why)
            self.session.interruption.wait(seconds, lambda: self.session.watch.halted != halted)
        return begun

    def _window(self, scenario: ScenarioPlan, phase: Phase, start: float, end: float) -> Window:
        window = Window(scenario=len(self.outcomes), phase=phase, start=start, end=end)
        self.windows.append(window)
        self.session.emit("window", scenario.request.id, scenario=window.scenario, phase=str(phase), start=start, end=end)
        return window


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
