"""A run that is asked to end: stop once, then by signal; and an injector that outstays its deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes import ARMED, FakeCarrier, FakeLauncher, Stage, counters, plan, request, scenario, target

from chaos_modules.engine import scenario as engine_scenario
from chaos_modules.engine.scenario import ScenarioRun
from chaos_modules.model.outcome import ScenarioOutcome
from chaos_modules.model.quantities import Duration
from chaos_modules.model.request import Sequence

HERE, THERE = target("web-0", "worker-1"), target("web-1", "worker-2")


def ran(stage: Stage) -> ScenarioOutcome:
    return ScenarioRun(stage.session.plan.scenarios[0], stage.session).run()


def staged(*targets: Any, wish: Any = None, **parts: Any) -> Stage:
    return Stage(plan(scenario(wish or request(), *(targets or (HERE, THERE)))), **parts)


def statuses(outcome: ScenarioOutcome) -> list[str]:
    return [str(one.status) for one in outcome.targets]


class HoldingCarrier(FakeCarrier):
    """Armed, and holding until it is stopped."""

    def on_start(self) -> None:
        for key in self.keys:
            self.arm(key)
        self.meanwhile()

    def meanwhile(self) -> None:
        """What happens in the hold; nothing by default."""


def holding(meanwhile: Callable[[], object]) -> type[HoldingCarrier]:
    """A carrier in whose hold something happens."""
    return type("Holding", (HoldingCarrier,), {"meanwhile": lambda _: meanwhile()})


def test_an_interruption_stops_once() -> None:
    stage = staged(launcher=FakeLauncher(holding(lambda: stage.interruption.count or stage.interruption.ask(130))))
    outcome = ran(stage)
    assert (str(outcome.status), outcome.reason) == ("interrupted", "stopped by the runner")
    assert [one.in_effect for one in outcome.targets] == [True, True]
    words = [word for _, word in stage.launcher.journal]
    assert (words.count("stop"), words.count("SIGTERM")) == (2, 0)


def test_a_second_interruption_ends_the_injector_by_signal() -> None:
    class Deaf(HoldingCarrier):
        def meanwhile(self) -> None:
            stage.interruption.ask(130)

        def on_stop(self) -> None:
            stage.interruption.ask(130)

    stage = staged(HERE, launcher=FakeLauncher(Deaf))
    outcome = ran(stage)
    assert [word for _, word in stage.launcher.journal if word not in ("beat", "launched", "start")] == ["stop", "SIGTERM"]
    assert "killed by SIGTERM" in outcome.targets[0].reason
    assert (statuses(outcome), outcome.targets[0].reverted) == (["not-in-effect"], False)


def test_an_injector_that_does_not_end_after_its_deadline_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    years_later = holding(lambda: monkeypatch.setattr(engine_scenario, "PATIENCE_SECONDS", -1e9))
    stage = staged(HERE, launcher=FakeLauncher(years_later))
    assert statuses(ran(stage)) == ["not-in-effect"]
    assert stage.launcher.journal.count(("worker-1", "SIGTERM")) == 1


def test_an_interruption_is_heard_though_the_injectors_never_fall_silent() -> None:
    class Talkative(HoldingCarrier):
        beats = 0

        def meanwhile(self) -> None:
            stage.interruption.ask(130)

        def on_beat(self) -> None:
            type(self).beats += 1
            assert self.beats < 1000, "the loop listens only, and never looks up"
            self.tell("holding", self.keys[0], at=ARMED + 1, counters=counters(10))

    stage = staged(HERE, launcher=FakeLauncher(Talkative))
    assert statuses(ran(stage)) == ["interrupted"]


def test_a_serial_scenario_that_is_interrupted_has_no_further_turn() -> None:
    wish = request(sequence=Sequence.SERIAL)
    stage = staged(wish=wish, launcher=FakeLauncher(holding(lambda: stage.interruption.ask(143))))
    outcome = ran(stage)
    assert statuses(outcome) == ["interrupted", "not-applied"]
    assert [node for node, word in stage.launcher.journal if word == "launched"] == ["worker-1"]


def test_an_interruption_in_the_ramp_launches_nothing() -> None:
    stage = staged(HERE, wish=request(ramp=Duration.of_seconds(7)))
    stage.interruption.asked_during = 1
    assert statuses(ran(stage)) == ["not-applied"]
    assert stage.launcher.journal == []
