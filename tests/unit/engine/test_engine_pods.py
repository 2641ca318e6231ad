"""Injectors that are pods: nobody tells them when to begin, their log may be lost or late, and their node may keep what they left."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fakes import ARMED, RUN_ID, FakeCarrier, FakeCluster, FakeLauncher, Stage, plan, request, scenario, target

from chaos_modules.carriers.protocol import Pace, Said
from chaos_modules.engine.run import RunResult, execute
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.outcome import TargetOutcome
from chaos_modules.model.request import Sequence

HERE, BESIDE, THERE = target("web-0", "worker-1"), target("web-1", "worker-1"), target("web-2", "worker-2")
TABLE = "nft delete table netdev squall_x"


def staged(*targets: Any, wish: Any = None, **parts: Any) -> Stage:
    return Stage(plan(scenario(wish or request(), *(targets or (HERE,)))), **parts)


def ran(stage: Stage) -> tuple[RunResult, tuple[TargetOutcome, ...]]:
    result = execute(stage.session)
    return result, result.scenarios[0].targets


class Speechless(FakeCarrier):
    """Its log cannot be read: it leaves its last word in its termination message."""

    status, reason = "passed", ""

    def launched(self) -> None:
        """Nothing is heard."""

    def on_beat(self) -> None:
        for key in () if self.ended else self.keys:
            self.tell("last-word", key, status=self.status, reason=self.reason)
        self.leave()

    on_stop = on_beat


def speechless(status: str, reason: str = "", **parts: Any) -> type[Speechless]:
    return type("Told", (Speechless,), {"status": status, "reason": reason, **parts})


class Silent(Speechless):
    """Not even that."""

    status = ""

    def on_beat(self) -> None:
        self.leave("exit status 137 (SIGKILL)")


class Killed(FakeCarrier):
    """It dies in mid-fault."""

    def on_start(self) -> None:
        self.arm(self.keys[0])
        self.leave("exit status 137 (SIGKILL)")


class Leaving(FakeCarrier):
    left = [TABLE]


# The last word


@pytest.mark.parametrize(("status", "in_effect", "run"), [
    ("passed", True, "passed"), ("no-traffic", True, "failed"), ("interrupted", False, "interrupted"), ("refused", False, "failed"),
    ("lapsed", False, "failed"), ("not-in-effect", False, "failed"), ("not-applied", False, "failed"),
])
def test_without_a_log_the_last_word_is_the_verdict(status: str, in_effect: bool, run: str) -> None:
    stage = staged(launcher=FakeLauncher(speechless(status)))
    result, [one] = ran(stage)
    assert (str(one.status), one.in_effect, one.reverted, one.residue) == (status, in_effect, True, ())
    assert one.reason == "by its injector's last word, since its log could not be read"
    assert (str(result.scenarios[0].status), result.residue, stage.cluster.looked_at) == (run, (), [()])
    assert (one.traffic, one.measured, one.started) == (0, (), None)


def test_the_last_word_tells_why() -> None:
    _, [one] = ran(staged(launcher=FakeLauncher(speechless("not-applied", "device eth9 is not there"))))
    assert one.reason == "by its injector's last word, since its log could not be read: device eth9 is not there"


@pytest.mark.parametrize("status", ["passed", "lapsed"])
def test_the_last_word_tells_what_is_left(status: str) -> None:
    stage = staged(launcher=FakeLauncher(speechless(status, f"residue: {TABLE}")))
    result, [one] = ran(stage)
    assert (one.reverted, one.residue, str(one.status)) == (False, (TABLE,), status)
    assert (result.residue, result.verdict.exit_code) == ((f"pod/shop/web-0: {TABLE}",), 4)
    assert stage.cluster.looked_at == [()]  # it is known already


def test_the_log_outranks_the_last_word() -> None:
    class Both(FakeCarrier):
        def leave(self, how: str = "exit status 0") -> None:
            self.tell("last-word", self.keys[0], status="lapsed", reason="")
            super().leave(how)

    _, [one] = ran(staged(launcher=FakeLauncher(Both)))
    assert (str(one.status), one.reason, one.traffic) == ("passed", "", 5000)


def test_a_log_that_broke_off_is_completed_by_the_last_word() -> None:
    """What was heard before stays: it was armed, and its counters are known."""

    class Broken(FakeCarrier):
        def on_start(self) -> None:
            for key in self.keys:
                self.arm(key)
                self.tell("last-word", key, status="passed", reason="")
            self.leave()

    stage = staged(HERE, BESIDE, launcher=FakeLauncher(Broken))
    _, outcomes = ran(stage)
    assert [(str(one.status), one.reverted, one.started, one.engine) for one in outcomes] == [("passed", True, ARMED, "blackhole")] * 2
    assert stage.cluster.looked_at == [()]


def test_one_without_a_word_beside_one_with_a_last_word() -> None:
    stage = staged(HERE, THERE, launcher=FakeLauncher(speechless("passed"), worker_2=Silent))
    result, [told, silent] = ran(stage)
    assert (str(told.status), str(silent.status)) == ("passed", "not-applied")
    assert silent.reason == "its injector ended before the fault was in effect (exit status 137 (SIGKILL))"
    assert (silent.in_effect, str(result.verdict.status)) == (False, "failed")


# The clock


class Late(FakeCarrier):
    """Its log is read again from its beginning, a minute later."""

    fresh = False


@pytest.mark.parametrize("offset", [60.0, -60.0])
@pytest.mark.parametrize(("kind", "status"), [(Late, "passed"), (FakeCarrier, "refused")])
def test_what_was_delivered_late_tells_nothing_of_the_clock(kind: type[FakeCarrier], status: str, offset: float) -> None:
    stage = staged(launcher=FakeLauncher(kind), clock=lambda: ARMED + offset)
    _, [one] = ran(stage)
    assert str(one.status) == status
    assert (("worker-1", "stop") in stage.launcher.journal) is (status == "refused")


def test_a_wrong_clock_is_noticed_as_soon_as_something_is_fresh() -> None:
    class Caught(Late):
        def on_start(self) -> None:
            self.fresh = True
            super().on_start()

    _, [one] = ran(staged(launcher=FakeLauncher(Caught), clock=lambda: ARMED + 60))
    assert (str(one.status), one.reason) == ("refused", "the node's clock is 60 s behind the runner's")


def test_a_wrong_clock_is_that_of_one_node(monkeypatch: pytest.MonkeyPatch) -> None:
    class Behind(FakeCarrier):
        def tell(self, event: str, key: str, **facts: Any) -> None:
            monkeypatch.setattr("fakes.ARMED", ARMED - 60)
            super().tell(event, key, **facts)
            monkeypatch.undo()

    _, outcomes = ran(staged(HERE, THERE, launcher=FakeLauncher(worker_1=Behind)))
    assert [str(one.status) for one in outcomes] == ["refused", "passed"]


def test_late_events_reach_the_record_all_the_same() -> None:
    late, prompt = staged(launcher=FakeLauncher(Late)), staged()
    ran(late)
    ran(prompt)
    assert late.relayed == prompt.relayed != []


# What may be left


def test_nodes_of_killed_injectors_are_doubtful_once_each() -> None:
    stage = staged(HERE, BESIDE, THERE, launcher=FakeLauncher(worker_1=Killed))
    _, outcomes = ran(stage)
    assert [one.reverted for one in outcomes] == [False, False, True]
    assert (stage.cluster.calls, stage.cluster.looked_at) == ([f"audit {RUN_ID}"], [("worker-1",)])


def test_nodes_on_which_all_is_gone_are_not_doubtful() -> None:
    stage = staged(HERE, BESIDE, THERE)
    ran(stage)
    assert stage.cluster.looked_at == [()]


@pytest.mark.parametrize("kind", [OSError("no memory"), Leaving])
def test_nor_is_one_without_a_fault_nor_one_whose_residue_is_known(kind: Any) -> None:
    stage = staged(launcher=FakeLauncher(kind))
    result, _ = ran(stage)
    assert stage.cluster.looked_at == [()]
    assert bool(result.residue) is (kind is Leaving)


def test_what_the_look_finds_is_residue() -> None:
    stage = staged(cluster=FakeCluster(residue=[f"worker-1, uid-0: {TABLE}"]), launcher=FakeLauncher(Killed))
    result, _ = ran(stage)
    assert (result.residue, result.verdict.exit_code) == ((f"worker-1, uid-0: {TABLE}",), 4)


def test_a_look_that_failed_and_carriers_that_stay_are_both_told() -> None:
    stage = staged(cluster=FakeCluster(residue=ClusterProblem("node worker-1: its pod did not end")), launcher=FakeLauncher(Killed))
    stage.launcher.kept = ClusterProblem("the Jobs could not be deleted", "namespace squall", "clean up --run 0badcafe")
    result, _ = ran(stage)
    assert result.residue == (
        "could not look for residue: node worker-1: its pod did not end",
        "could not remove the carriers: namespace squall: the Jobs could not be deleted\n  → clean up --run 0badcafe",
    )


def test_carriers_that_cannot_be_taken_away_are_residue_of_a_run_that_passed() -> None:
    stage = staged()
    stage.launcher.kept = ClusterProblem("the Jobs could not be deleted")
    result, [one] = ran(stage)
    assert (str(one.status), one.reverted) == ("passed", True)
    assert (result.residue, result.verdict.exit_code) == (("could not remove the carriers: the Jobs could not be deleted",), 4)
    assert (stage.launcher.closed, stage.cluster.looked_at) == (1, [()])


def test_carriers_that_are_taken_away_are_not_told() -> None:
    stage = staged()
    result, _ = ran(stage)
    assert (result.residue, stage.launcher.closed) == ((), 1)


@pytest.mark.parametrize(("kind", "words"), [
    (Silent, "its injector ended before the fault was in effect (exit status 137 (SIGKILL))"),
    (Killed, "its injector ended in mid-fault (exit status 137 (SIGKILL)); the kernel ends the fault within its lease"),
])
def test_how_an_injector_ended_that_was_lost(kind: type[FakeCarrier], words: str) -> None:
    _, [one] = ran(staged(launcher=FakeLauncher(kind)))
    assert one.reason == words


def test_the_first_loss_is_the_one_that_is_told() -> None:
    class Twice(Silent):
        def leave(self, how: str = "exit status 0") -> None:
            super().leave(how)
            self.hear(Said(node=self.node, event=None, ended="again"))

    _, [one, other] = ran(staged(HERE, THERE, launcher=FakeLauncher(worker_1=Twice)))
    assert ("SIGKILL" in one.reason, str(other.status)) == (True, "passed")


# When they begin


def windows(stage: Stage) -> list[Any]:
    """(not_before, latest_start, deadline) of every injection, in seconds from the launch."""
    before = time.time()
    ran(stage)
    items = [item for job in stage.launcher.jobs for item in job["injections"]]
    return [tuple(None if item[key] is None else item[key] - before for key in ("not_before", "latest_start", "deadline")) for item in items]


def paced(start: float, together: float | None) -> FakeLauncher:
    """A launcher that takes so long."""
    return type("Paced", (FakeLauncher,), {"pace": Pace(start_seconds=start, together_seconds=together)})()


@pytest.mark.parametrize(("targets", "together", "begin"), [
    ((HERE,), None, None), ((HERE, THERE), None, None),          # at the word `start`
    ((HERE,), 5.0, 0.0), ((HERE, BESIDE), 5.0, 0.0),             # one carrier need not wait for anybody
    ((HERE, THERE), 5.0, 5.0), ((HERE, BESIDE, THERE), 8.0, 8.0),
])
def test_several_carriers_agree_on_a_time_and_one_begins_at_once(targets: Any, together: float | None, begin: float | None) -> None:
    found = windows(staged(*targets, launcher=paced(60.0, together)))
    assert len(found) == len(targets)
    assert len(set(found)) == 1
    [(not_before, latest, deadline)] = set(found)
    assert not_before == (None if begin is None else pytest.approx(begin, abs=2))
    assert (latest, deadline) == (pytest.approx(60, abs=2), pytest.approx(90, abs=2))


def test_nodes_that_take_turns_begin_each_at_once() -> None:
    found = windows(staged(HERE, BESIDE, THERE, wish=request(sequence=Sequence.SERIAL), launcher=paced(60.0, 5.0)))
    assert [one[0] for one in found] == [pytest.approx(0, abs=2)] * 3
    assert [one[1] for one in found] == [pytest.approx(seconds, abs=2) for seconds in (60, 100, 60)]
