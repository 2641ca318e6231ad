"""A run that is watched: the windows, a system that must not be attacked, a fault that is ended early, and what stops the list."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from fakes import FakeCarrier, FakeLauncher, Stage, plan, request, scenario, target

from chaos_modules.engine.interruption import Interruption
from chaos_modules.engine.result import result_document, series_document
from chaos_modules.engine.run import execute
from chaos_modules.model.observation import AlertFact, AlertSource, Finding, FindingKind, Observation, Observed, Phase, Series, Window
from chaos_modules.model.outcome import RunStatus, ScenarioOutcome, Verdict
from chaos_modules.model.plan import ScenarioPlan
from chaos_modules.verdict.run import decide


class FakeWatch:
    """A watcher whose answers the test gives, and who keeps what it was told."""

    baseline_seconds, recovery_seconds = 5.0, 10.0

    def __init__(self, *, unsteady: str = "", stop: str = "", findings: Sequence[Finding] = ()) -> None:
        self.reason, self.stop, self.findings = unsteady, stop, tuple(findings)
        self.halted = ""
        self.calls: list[str] = []
        self.windows: Sequence[Window] = ()

    def begin(self) -> None:
        self.calls.append("begin")

    def unsteady(self, window: Window) -> str:
        self.calls.append(f"unsteady {window.scenario} {window.phase}")
        return self.reason

    def stop_after(self, scenario: int, started: float) -> str:
        self.calls.append(f"stop_after {scenario}")
        return self.stop

    def finish(self, outcomes: Sequence[ScenarioOutcome], windows: Sequence[Window], started: float) -> Observation:
        self.calls.append("finish")
        self.windows = windows
        return Observation(windows=tuple(windows), findings=self.findings)

    def close(self) -> None:
        self.calls.append("close")


class HaltingCarrier(FakeCarrier):
    """Its fault is halted as soon as it is there."""

    watch: FakeWatch

    def say(self, word: str) -> None:
        if word == "start":
            self.watch.halted = "halt_on: too many errors"
        super().say(word)


def one(name: str, file: str = "a.yaml") -> ScenarioPlan:
    return scenario(request(id=name, file=file), target())


def watched(watch: FakeWatch, *scenarios: ScenarioPlan, **changes: Any) -> Stage:
    return Stage(plan(*(scenarios or (one("a1"),))), watch=watch, **changes)


def test_every_scenario_has_its_three_windows() -> None:
    watch = FakeWatch()
    stage = watched(watch, one("a1"), one("a2"))
    result = execute(stage.session, wait_seconds=2.0)
    assert [(window.scenario, str(window.phase)) for window in watch.windows] == [
        (number, phase) for number in (0, 1) for phase in ("baseline", "fault", "recovery")
    ]
    assert all(window.start <= window.end for window in watch.windows)
    told = [(event["scenario"], event["phase"]) for event in stage.said if event["event"] == "window"]
    assert told == [(window.scenario, str(window.phase)) for window in watch.windows]
    assert stage.interruption.waits == [5.0, 10.0, 5.0, 10.0]
    assert watch.calls == ["begin", "unsteady 0 baseline", "stop_after 0", "unsteady 1 baseline", "stop_after 1", "finish"]
    assert [outcome.started is not None and outcome.ended is not None for outcome in result.scenarios] == [True, True]


def test_the_recovery_is_as_long_as_the_wait_after_the_file() -> None:
    stage = watched(FakeWatch())
    execute(stage.session, wait_seconds=60.0)
    assert stage.interruption.waits == [5.0, 60.0]
    assert [event["why"] for event in stage.said if event["event"] == "waiting"] == ["squall.baseline_seconds", "tunings.wait_duration"]


def test_a_system_that_is_broken_already_is_not_attacked() -> None:
    finding = Finding(kind=FindingKind.STEADY_STATE, reason="it is broken already")
    stage = watched(FakeWatch(unsteady="it is broken already", findings=[finding]), one("a1"), one("b1", "b.yaml"))
    result = execute(stage.session)
    assert stage.launcher.journal == []
    [outcome] = result.scenarios
    assert (outcome.status, outcome.reason, outcome.targets) == (RunStatus.FAILED, "it is broken already", ())
    assert (result.verdict.exit_code, result.verdict.reasons) == (1, ("a1 (a.yaml): it is broken already",))


def test_a_halted_fault_is_stopped_and_nothing_more_begins() -> None:
    watch = FakeWatch(findings=[Finding(kind=FindingKind.HALT, reason="halt_on: too many errors")])
    HaltingCarrier.watch = watch
    stage = watched(watch, one("a1"), one("b1", "b.yaml"), launcher=FakeLauncher(HaltingCarrier))
    result = execute(stage.session)
    assert ("worker-1", "stop") in stage.launcher.journal
    [outcome] = result.scenarios
    assert outcome.halted == "halt_on: too many errors"
    assert not [call for call in watch.calls if call.startswith("stop_after")]
    assert result.verdict.reasons[-1] == "halt_on: too many errors"


def test_what_halts_before_the_fault_keeps_it_from_beginning() -> None:
    watch = FakeWatch()
    watch.halted = "halt_on: too many errors"
    stage = watched(watch)
    result = execute(stage.session)
    assert (stage.launcher.journal, result.verdict.exit_code) == ([], 1)


def test_a_reason_to_stop_ends_the_list_and_not_the_scenario() -> None:
    stage = watched(FakeWatch(stop="a critical alert fires"), one("a1"), one("b1", "b.yaml"))
    result = execute(stage.session, iterations=None)
    assert [outcome.id for outcome in result.scenarios] == ["a1"]
    assert result.scenarios[0].status is RunStatus.PASSED


def outcome(status: RunStatus = RunStatus.PASSED, halted: str = "") -> ScenarioOutcome:
    return ScenarioOutcome(type="t", file="a.yaml", id="a1", style="harness", status=status, reason="", targets=(), halted=halted)


@pytest.mark.parametrize(("kinds", "code"), [
    ((), 0), ((FindingKind.OBJECTIVE,), 2), ((FindingKind.ALERT,), 2), ((FindingKind.CRITICAL_ALERT,), 2), ((FindingKind.HALT,), 2),
    ((FindingKind.HEALTH,), 3), ((FindingKind.ALERT, FindingKind.HEALTH), 3), ((FindingKind.HEALTH, FindingKind.UNKNOWN), 1),
    ((FindingKind.STEADY_STATE,), 1), ((FindingKind.CERBERUS, FindingKind.ALERT), 1),
])  # fmt: skip
def test_the_order_of_codes_is_that_of_krkn(kinds: Sequence[FindingKind], code: int) -> None:
    found = [Finding(kind=kind, reason=str(kind)) for kind in kinds]
    verdict = decide([outcome()], (), None, (), found)
    assert verdict == Verdict(status=RunStatus.FAILED if code else RunStatus.PASSED, exit_code=code, reasons=tuple(map(str, kinds)))


@pytest.mark.parametrize("kind", FindingKind)
def test_residue_and_interruption_outrank_every_finding(kind: FindingKind) -> None:
    found = [Finding(kind=kind, reason="found")]
    assert decide([outcome()], ("left",), None, (), found).exit_code == 4
    assert decide([outcome()], (), 130, (), found).exit_code == 130
    assert "found" in decide([outcome()], (), 130, (), found).reasons


def test_a_scenario_that_we_halted_did_not_fail_by_itself() -> None:
    found = [Finding(kind=FindingKind.HALT, reason="halted")]
    assert decide([outcome(RunStatus.INTERRUPTED, "halted")], (), None, (), found).exit_code == 2
    assert decide([outcome(RunStatus.INTERRUPTED)], (), None, (), found).exit_code == 1
    assert decide([outcome(RunStatus.FAILED, "halted")], (), None, (), found).exit_code == 1


def test_the_documents_have_mappings_for_pairs() -> None:
    labels = (("alertname", "Burns"), ("severity", "critical"))
    alert = AlertFact(source=AlertSource.CRITICAL, name="Burns", expr="x", severity="critical", labels=labels, intervals=((1.0, 2.0),))
    seen = Observation(alerts=(alert,), series=(
        Observed(name="a", query="b", limit="<= 1", step=1.0, series=(Series(labels=labels, points=((1.0, 2.0), (2.0, math.inf))),)),
    ))  # fmt: skip
    watch = FakeWatch()
    watch.finish = lambda *_: seen  # type: ignore[method-assign]
    stage = watched(watch)
    result = execute(stage.session)
    [told] = result_document(stage.session.plan, result, "an-id")["alerts"]
    assert (told["labels"], told["fired"], told["intervals"]) == ({"alertname": "Burns", "severity": "critical"}, True, [[1.0, 2.0]])
    assert series_document(seen) == {"schema": 1, "series": [{
        "name": "a", "query": "b", "limit": "<= 1", "step": 1.0, "problem": "",
        "series": [{"labels": {"alertname": "Burns", "severity": "critical"}, "points": [[1.0, 2.0]]}],
    }]}  # fmt: skip


def test_a_nudge_ends_one_wait_and_is_no_interruption() -> None:
    interruption, halted = Interruption(), threading.Event()

    def halt() -> None:
        halted.set()
        interruption.nudge()

    threading.Timer(0.05, halt).start()
    assert interruption.wait(60, halted.is_set) is False
    assert (halted.is_set(), interruption.code) == (True, None)
    assert interruption.wait(60, halted.is_set) is False  # it holds already
    assert interruption.wait(0.01, lambda: False) is False  # an old nudge ends no new wait


def test_phases_are_in_the_order_of_time() -> None:
    assert [str(phase) for phase in Phase] == ["baseline", "fault", "recovery"]
