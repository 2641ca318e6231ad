"""The loop: start, beats and stop out, events in, and an outcome whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import ARMED, ENDED, FakeCarrier, FakeCluster, FakeLauncher, FakePeers, Stage, peer_count, plan, request, scenario, target

from chaos_modules.engine import scenario as engine_scenario
from chaos_modules.engine.scenario import ScenarioRun
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.impairment import Impairment, TokenBucket
from chaos_modules.model.outcome import ScenarioOutcome
from chaos_modules.model.quantities import Duration, Rate, Size
from chaos_modules.model.request import Sequence

HERE, THERE = target("web-0", "worker-1"), target("web-1", "worker-2")


class SlowCarrier(FakeCarrier):
    """Ready only when it has heard three beats."""

    beats = 0

    def launched(self) -> None:
        """Not yet."""

    def on_beat(self) -> None:
        self.beats += 1
        if self.beats == 3:
            super().launched()


class DyingCarrier(FakeCarrier):
    """Killed as soon as it is armed."""

    def on_start(self) -> None:
        for key in self.keys:
            self.arm(key)
        self.leave("killed by SIGKILL")


def ran(stage: Stage) -> ScenarioOutcome:
    return ScenarioRun(stage.session.plan.scenarios[0], stage.session).run()


def staged(*targets: Any, wish: Any = None, **parts: Any) -> Stage:
    return Stage(plan(scenario(wish or request(), *(targets or (HERE, THERE)))), **parts)


def statuses(outcome: ScenarioOutcome) -> list[str]:
    return [str(one.status) for one in outcome.targets]


def test_a_scenario_that_passes() -> None:
    stage = staged()
    outcome = ran(stage)
    assert (str(outcome.status), outcome.reason, statuses(outcome)) == ("passed", "", ["passed", "passed"])
    assert (outcome.id, outcome.file, outcome.type, outcome.style) == ("pod-network-loss", "loss.yaml", "pod_network_fault_scenarios", "harness")
    assert (outcome.skew_seconds, outcome.together_seconds, outcome.bystanders) == (0.0, 30.0, None)
    assert {event["target"] for event in stage.relayed} == {"pod/shop/web-0/egress", "pod/shop/web-1/egress"}
    assert [node for node, word in stage.launcher.journal if word == "launched"] == ["worker-1", "worker-2"]


def test_one_injector_has_all_targets_of_its_node() -> None:
    stage = staged(HERE, target("web-2", "worker-1"), THERE)
    ran(stage)
    assert [[item["key"] for item in job["injections"]] for job in stage.launcher.jobs] == [
        ["pod/shop/web-0/egress", "pod/shop/web-2/egress"], ["pod/shop/web-1/egress"],
    ]


def test_the_start_is_said_once_when_the_last_is_ready() -> None:
    ready_at_start: list[set[str]] = []

    class Watched(FakeCarrier):
        def on_start(self) -> None:
            ready_at_start.append({event["target"] for event in stage.relayed if event["event"] == "applied"})
            super().on_start()

    class WatchedSlow(Watched, SlowCarrier):
        pass

    stage = staged(launcher=FakeLauncher(Watched, worker_2=WatchedSlow))
    assert statuses(ran(stage)) == ["passed", "passed"]
    assert ready_at_start == [{"pod/shop/web-0/egress", "pod/shop/web-1/egress"}] * 2
    assert [node for node, word in stage.launcher.journal if word == "start"] == ["worker-1", "worker-2"]


def test_beats_come_with_every_look() -> None:
    stage = staged(launcher=FakeLauncher(SlowCarrier))
    ran(stage)
    assert stage.launcher.journal.count(("worker-1", "beat")) >= 3


def test_a_lost_injector_fails_its_own_targets_only() -> None:
    stage = staged(HERE, target("web-2", "worker-1"), THERE, launcher=FakeLauncher(worker_1=DyingCarrier))
    outcome = ran(stage)
    assert statuses(outcome) == ["not-in-effect", "not-in-effect", "passed"]
    assert outcome.targets[0].reason.startswith("its injector ended in mid-fault (killed by SIGKILL); the kernel ends the fault")
    assert [one.reverted for one in outcome.targets] == [False, False, True]
    assert (outcome.skew_seconds, outcome.together_seconds) == (None, None)


@pytest.mark.parametrize("parts", [
    {"launcher": FakeLauncher(worker_2=OSError("no memory"))},
    {"launcher": FakeLauncher(worker_2=ClusterProblem("no memory"))},
    {"cluster": FakeCluster(lost=["web-1"])},
])
def test_an_injector_that_cannot_be_started_keeps_nobody_waiting(parts: dict[str, Any]) -> None:
    stage = staged(**parts)
    outcome = ran(stage)
    assert statuses(outcome) == ["passed", "not-applied"]
    assert outcome.targets[1].reason.startswith("no injector could be started: ")
    assert outcome.targets[1].reverted is None


def test_nothing_at_all_could_be_started() -> None:
    stage = staged(launcher=FakeLauncher(OSError("no memory")))
    assert statuses(ran(stage)) == ["not-applied", "not-applied"]


def test_events_of_strangers_are_relayed_and_change_nothing() -> None:
    class Chatty(FakeCarrier):
        def launched(self) -> None:
            self.tell("armed", "pod/other/x/egress", counters={})
            super().launched()

    stage = staged(HERE, launcher=FakeLauncher(Chatty))
    assert statuses(ran(stage)) == ["passed"]
    assert stage.relayed[0]["target"] == "pod/other/x/egress"


def test_serial_targets_take_turns_node_by_node() -> None:
    ended: list[str] = []

    class Turn(FakeCarrier):
        def launched(self) -> None:
            self.journal.append((self.node, f"after {len(ended)}"))
            super().launched()

        def leave(self, how: str = "exit status 0") -> None:
            ended.append(self.node)
            super().leave(how)

    stage = staged(HERE, THERE, target("web-2", "worker-1"), wish=request(sequence=Sequence.SERIAL), launcher=FakeLauncher(Turn))
    assert statuses(ran(stage)) == ["passed", "passed", "passed"]
    assert [pair for pair in stage.launcher.journal if pair[1].startswith("after")] == [("worker-1", "after 0"), ("worker-2", "after 1")]
    assert next(word for _, word in stage.launcher.journal if word in ("start", "beat")) == "start"
    first, second = stage.launcher.jobs[0]["injections"]
    assert stage.launcher.jobs[0]["serial"] is True
    assert second["latest_start"] - first["latest_start"] == pytest.approx(30 + engine_scenario.TURN_SECONDS)
    assert second["deadline"] - second["latest_start"] == pytest.approx(30)


def test_parallel_targets_share_their_window() -> None:
    stage = staged(HERE, target("web-2", "worker-1"))
    ran(stage)
    [job] = stage.launcher.jobs
    first, second = job["injections"]
    assert (job["serial"], job["stream"], job["on_runner_loss"], job["cleanup"]) == (False, True, "stop", "clean up")
    assert (first["latest_start"], first["deadline"]) == (second["latest_start"], second["deadline"])


def test_the_ramp_comes_before_and_after() -> None:
    stage = staged(HERE, wish=request(ramp=Duration.of_seconds(7)))
    ran(stage)
    assert stage.interruption.waits == [7.0, 7.0]
    assert [(event["event"], event["why"]) for event in stage.said] == [("waiting", "ramp before the fault"), ("waiting", "ramp after the fault")]


def test_the_peers_are_asked_about_the_hold_without_its_edges() -> None:
    peers = FakePeers(peer_count(sent=5000, distinct=4000, received=4000), peer_count(sender="load/x", receiver="load/y", sent=10, distinct=10))
    stage = staged(HERE, cluster=FakeCluster(peers))
    outcome = ran(stage)
    assert dict(outcome.targets[0].at_peer)["loss"].value == 0.2
    assert peers.windows == [(ARMED + 0.2, ENDED - 0.2), (ARMED - 3.0, ARMED - 0.02), (ARMED - 0.2, ENDED + 0.2)]
    assert outcome.bystanders is not None
    assert (outcome.bystanders.flows, outcome.bystanders.sent, outcome.bystanders.lost) == (1, 10, 0)


def test_the_peers_of_a_rate_are_asked_after_the_bucket_is_empty() -> None:
    bucket = TokenBucket(rate=Rate.parse("8kbit"), burst=Size(4000), limit=Size.parse("64kb"))
    peers = FakePeers(peer_count(sent=None, distinct=None, goodput=7000.0, seconds=20.0))
    outcome = ran(staged(HERE, wish=request(impairment=Impairment(rate=bucket)), cluster=FakeCluster(peers)))
    assert peers.windows[0] == (ARMED + 0.2 + 4 + 1, ENDED - 0.2)
    assert dict(outcome.targets[0].at_peer)["goodput"].value == 7000.0


def test_nobody_is_asked_about_a_fault_that_never_was() -> None:
    peers = FakePeers(peer_count())
    outcome = ran(staged(HERE, launcher=FakeLauncher(OSError("no")), cluster=FakeCluster(peers)))
    assert (peers.windows, outcome.bystanders) == ([], None)


class LostPeers(FakePeers):
    """They answer so often, and then no more."""

    answers = 0

    def count(self, start: float, end: float) -> Any:
        if len(self.windows) == self.answers:
            raise ClusterProblem("the receiver is gone")
        return super().count(start, end)


@pytest.mark.parametrize(("answers", "status", "reason"), [
    (0, "failed", "the peers' counts were lost: the receiver is gone"),
    (2, "failed", "the peers' counts were lost: the receiver is gone"),   # only the bystanders are missing
    (3, "passed", ""),
])
def test_peers_that_are_lost_fail_the_scenario_and_not_its_targets(answers: int, status: str, reason: str) -> None:
    peers = LostPeers(peer_count(sent=5000, distinct=4000, received=4000))
    peers.answers = answers
    outcome = ran(staged(HERE, cluster=FakeCluster(peers)))
    assert (str(outcome.status), outcome.reason, statuses(outcome)) == (status, reason, ["passed"])
    assert (outcome.bystanders is None) is (answers < 3)


@pytest.mark.parametrize(("clock", "status"), [(ARMED, "passed"), (ARMED + 5, "passed"), (ARMED + 60, "refused"), (ARMED - 2, "refused")])
def test_a_node_whose_clock_is_wrong_is_stopped(clock: float, status: str) -> None:
    """An event may be late by some seconds, and never come from the future."""
    stage = Stage(plan(scenario(request(), HERE)), clock=lambda: clock)
    outcome = ScenarioRun(stage.session.plan.scenarios[0], stage.session).run()
    assert str(outcome.targets[0].status) == status
