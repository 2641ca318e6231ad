"""A whole run: order, waits, iterations, residue, verdict, and the document that tells it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fakes import RUN_ID, FakeCarrier, FakeCluster, FakeInterruption, FakeLauncher, FakePeers, Stage, peer_count, plan, request, scenario, target

from chaos_modules.engine.interruption import Interruption
from chaos_modules.engine.result import result_document
from chaos_modules.engine.run import execute
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.plan import ScenarioPlan, Unplannable


def one(name: str, file: str = "a.yaml", **parts: Any) -> ScenarioPlan:
    return scenario(request(id=name, file=file, **parts), target())


def order(stage: Stage) -> list[str]:
    """What the engine said, as `event target`."""
    return [f"{event['event']} {event['target']}" for event in stage.said]


class LeavingCarrier(FakeCarrier):
    left = ["nft delete table netdev squall_x"]


def test_scenarios_run_in_their_order() -> None:
    stage = Stage(plan(one("first"), one("second", "b.yaml")))
    result = execute(stage.session)
    assert order(stage) == [
        f"run-started {RUN_ID}", "scenario-started first", "scenario-finished first", "window first", "scenario-started second",
        "scenario-finished second", "window second", f"run-finished {RUN_ID}",
    ]
    assert (str(result.verdict.status), result.verdict.exit_code, result.verdict.reasons, result.residue) == ("passed", 0, (), ())
    assert stage.cluster.calls == [f"audit {RUN_ID}"]
    assert result.started <= result.ended
    assert stage.said[-1]["exit_code"] == 0


def test_it_waits_after_each_file_and_not_between_the_scenarios_of_one() -> None:
    stage = Stage(plan(one("a1"), one("a2"), one("b1", "b.yaml")))
    execute(stage.session, wait_seconds=60.0)
    assert stage.interruption.waits == [60.0, 60.0]
    assert [line for line in order(stage) if line.startswith("waiting")] == ["waiting a2", "waiting b1"]


def test_no_wait_is_no_event() -> None:
    stage = Stage(plan(one("a1")))
    execute(stage.session)
    assert (stage.interruption.waits, [line for line in order(stage) if line.startswith("waiting")]) == ([], [])


@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_iterations(iterations: int) -> None:
    stage = Stage(plan(one("a1"), one("b1", "b.yaml")))
    result = execute(stage.session, iterations=iterations)
    assert [outcome.id for outcome in result.scenarios] == ["a1", "b1"] * iterations
    assert result.verdict.exit_code == (0 if iterations else 1)


def test_for_ever_is_until_interrupted() -> None:
    stage = Stage(plan(one("a1")), interruption=FakeInterruption(asked_during=4))
    result = execute(stage.session, iterations=None, wait_seconds=1.0)
    assert (len(result.scenarios), str(result.verdict.status), result.verdict.exit_code) == (4, "interrupted", 130)


def test_a_run_that_breaks_ends_after_the_scenario() -> None:
    broken = iter(["", "the disk is full", "the disk is full"])
    stage = Stage(plan(one("a1"), one("b1", "b.yaml")))
    result = execute(stage.session, broken=lambda: next(broken))
    assert [outcome.id for outcome in result.scenarios] == ["a1"]
    assert (result.verdict.exit_code, result.verdict.reasons) == (1, ("the disk is full",))


def test_what_an_injector_left_is_residue() -> None:
    stage = Stage(plan(one("a1")), launcher=FakeLauncher(LeavingCarrier))
    result = execute(stage.session)
    assert result.residue == ("pod/shop/web-0: nft delete table netdev squall_x",)
    assert result.verdict.exit_code == 4


def test_what_the_audit_finds_is_residue_once_though_every_injector_was_content() -> None:
    result = execute(Stage(plan(one("a1"), one("b1")), FakeCluster(residue=["ip link del dev sq1", "ip link del dev sq1"])).session)
    assert (result.residue, result.verdict.exit_code) == (("ip link del dev sq1",), 4)


def test_not_being_able_to_look_is_residue_too() -> None:
    stage = Stage(plan(one("a1")), FakeCluster(residue=ClusterProblem("the node is gone")), FakeLauncher(LeavingCarrier))
    result = execute(stage.session)
    assert result.residue == ("could not look for residue: the node is gone", "pod/shop/web-0: nft delete table netdev squall_x")


def test_one_scenario_without_target_stops_all_before_anything_is_done() -> None:
    wrong = replace(one("wrong"), injections=(), unplannable=Unplannable(status="no-target", what="no pod", remedy="look again"))
    stage = Stage(plan(one("right"), wrong), launcher=FakeLauncher(OSError("must not be launched")))
    result = execute(stage.session)
    assert stage.launcher.journal == []
    assert order(stage) == [f"run-started {RUN_ID}", f"run-finished {RUN_ID}"]
    right, other = result.scenarios
    assert (str(right.status), right.targets, right.reason) == ("failed", (), "not started, because another scenario has no target")
    [missing] = other.targets
    assert (other.reason, str(missing.status), missing.reverted) == ("no pod → look again", "no-target", None)
    assert missing.target == "deployment web in shop"
    assert result.verdict.exit_code == 1


def test_the_document_is_what_the_design_says() -> None:
    peers = FakePeers(peer_count(sent=5000, distinct=4000, received=4000))
    stage = Stage(plan(one("a1")), FakeCluster(peers))
    result = json.loads(json.dumps(result_document(stage.session.plan, execute(stage.session), "a-run")))
    assert list(result) == [
        "schema", "run_id", "run_uuid", "seed", "cluster", "versions", "started", "ended", "verdict", "scenarios", "windows", "checks", "alerts",
        "health", "findings", "problems", "resiliency", "residue",
    ]
    assert (result["schema"], result["run_id"], result["seed"], result["cluster"]) == (1, RUN_ID, 42, "fake")
    assert result["verdict"] == {"status": "passed", "exit_code": 0, "reasons": []}
    [told] = result["scenarios"]
    assert set(told) == {
        "type", "file", "id", "style", "status", "reason", "targets", "skew_seconds", "together_seconds", "bystanders",
        "started", "ended", "halted",
    }
    [aim] = told["targets"]
    assert set(aim) == {
        "target", "node", "device", "direction", "engine", "requested", "status", "in_effect", "traffic", "measured", "at_peer", "reverted",
        "started", "ended", "reason", "fidelity", "rehearsed", "rejected", "residue",
    }
    assert (aim["requested"], aim["traffic"], aim["reverted"], aim["in_effect"]) == ({"loss": "20%"}, 5000, True, True)
    measured = {"requested", "value", "low", "high", "samples", "unit", "source", "judged", "within_tolerance", "detail"}
    assert (set(aim["measured"]["loss"]), set(aim["at_peer"]["loss"])) == (measured, measured)
    assert (aim["measured"]["loss"]["source"], aim["at_peer"]["loss"]["source"], aim["measured"]["loss"]["judged"]) == ("kernel", "peer", "yes")


@pytest.fixture
def handlers() -> Iterator[None]:
    """The process's own signal handlers, put back afterwards."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_signals_end_every_wait_and_the_first_one_names_the_exit_code(number: signal.Signals, code: int) -> None:
    interruption = Interruption()
    assert interruption.wait(0) is False
    interruption.install()
    os.kill(os.getpid(), number)
    assert interruption.wait(600) is True
    os.kill(os.getpid(), signal.SIGINT)
    assert (interruption.code, interruption.count) == (code, 2)
    assert interruption.wait(600) is True
