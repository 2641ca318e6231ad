"""No fault outlives its lease, whoever is killed or stopped, and nothing is left after the injector's own end."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from two_ends import ADDRESSES, NAMES, RUN, Running, job_for, state, within
from wire import UdpFlow

from chaos_modules.model.impairment import Chance, Direction, Impairment, TokenBucket
from chaos_modules.model.quantities import Percentage, Rate, Size

NOTHING_PASSES = Impairment(loss=Chance(percentage=Percentage.parse("100%")))
A_TRICKLE = Impairment(rate=TokenBucket(rate=Rate.parse("64kbit"), burst=Size.parse("2kb"), limit=Size.parse("16kb")))
LEASE = 3
pytestmark = pytest.mark.usefixtures("ends")


def passes(flow: UdpFlow) -> bool:
    """Whether a packet sent now arrives soon."""
    number = flow.exchange.sent
    flow.send()
    for _ in range(20):
        if flow.exchange.arrived[number]:
            return True
        time.sleep(0.005)
    return False


def seconds_until_normal(flow: UdpFlow, limit: float) -> float:
    begin = time.monotonic()
    while not passes(flow):
        assert time.monotonic() - begin < limit, "packets are still impaired"
    return time.monotonic() - begin


def blocked() -> UdpFlow:
    """A flow whose packets do not arrive."""
    flow = UdpFlow(*NAMES, ADDRESSES[1], 9000)
    assert not passes(flow)
    return flow


def test_a_killed_injector_leaves_no_fault_behind_its_lease() -> None:
    with Running(job_for(NOTHING_PASSES)) as running:
        running.until("armed")
        flow = blocked()
        running.process.kill()
        seconds_until_normal(flow, LEASE + 2)
        flow.finish()
    left = state(NAMES[0])
    assert any(item.get("table", {}).get("name", "").startswith("squall_") for item in left["nft"]), "the inert objects stay until somebody cleans up"


def test_the_lease_is_renewed_as_long_as_the_injector_lives() -> None:
    with Running(job_for(NOTHING_PASSES)) as running:
        running.until("armed")
        flow = blocked()
        begin = time.monotonic()
        while time.monotonic() < begin + 2.5 * LEASE:
            assert not passes(flow)
        assert running.stop() == 0
        assert passes(flow)
        flow.finish()


def test_the_next_try_of_the_same_run_clears_what_a_killed_one_left() -> None:
    before = state(NAMES[0])
    for direction in Direction:
        for impairment in (NOTHING_PASSES, A_TRICKLE):
            with Running(job_for(impairment, direction=direction)) as running:
                running.until("armed")
                running.process.kill()
            assert state(NAMES[0]) != before
            with Running(job_for(impairment, direction=direction)) as running:
                running.until("armed")
                assert running.stop() == 0, running.events
            assert state(NAMES[0]) == before


def test_another_runs_leftovers_are_refused_and_stay() -> None:
    with Running(job_for(A_TRICKLE)) as running:
        running.until("armed")
        running.process.kill()
    left = state(NAMES[0])
    with Running(job_for(NOTHING_PASSES, run="ffffffff", cleanup="run_chaos.py cleanup --sandbox")) as running:
        assert running.end() == 14
    assert RUN in running.events[-1]["reason"]
    assert "cleanup --sandbox" in running.events[-1]["reason"]
    assert [item for item in state(NAMES[0])["qdiscs"]] == left["qdiscs"]


def test_stopped_past_its_lease_is_lapsed_and_never_arms_again() -> None:
    before = state(NAMES[0])
    with Running(job_for(NOTHING_PASSES)) as running:
        running.until("armed")
        flow = blocked()
        os.kill(running.process.pid, signal.SIGSTOP)
        seconds_until_normal(flow, LEASE + 2)
        os.kill(running.process.pid, signal.SIGCONT)
        running.until("finished")
        assert passes(flow)
        assert running.end() == 11
        flow.finish()
    assert running.events[-1]["status"] == "lapsed"
    assert state(NAMES[0]) == before


def test_the_deadline_ends_the_lease_even_of_a_dead_injector() -> None:
    """The last lease is cut to what is left until the deadline."""
    deadline = time.time() + 2.5
    with Running(job_for(NOTHING_PASSES, lease_seconds=60, deadline=deadline)) as running:
        running.until("armed")
        flow = blocked()
        running.process.kill()
        seconds_until_normal(flow, 4)
        assert time.time() < deadline + 1
        flow.finish()


def test_without_a_beat_for_one_lease_the_fault_ends() -> None:
    before = state(NAMES[0])
    with Running(job_for(NOTHING_PASSES, stream=True, on_runner_loss="stop")) as running:
        running.until("applied")
        running.say("start")
        running.until("armed")
        flow = blocked()
        for _ in range(10):
            time.sleep(LEASE / 6)
            running.say("beat")
        assert not passes(flow), "beats keep it alive"
        seconds_until_normal(flow, LEASE + 2)
        assert running.end() == 0
        flow.finish()
    assert running.events[-1]["status"] == "interrupted"
    assert "lost" in running.events[-1]["reason"]
    assert state(NAMES[0]) == before


@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "stop"])
def test_told_to_end_it_reverts_at_once(way: str) -> None:
    before = state(NAMES[0])
    with Running(job_for(A_TRICKLE, stream=True)) as running:
        running.until("applied")
        running.say("start")
        running.until("armed")
        begin = time.time()
        if way == "stop":
            running.say("stop")
        else:
            running.process.send_signal(signal.Signals[way])
        assert running.until("reverted")["time"] - begin < 1
        assert running.end() == 0
    assert running.events[-1]["status"] == "interrupted"
    assert state(NAMES[0]) == before


def test_nobody_listening_is_no_reason_to_stop() -> None:
    before = state(NAMES[0])
    with Running(job_for(NOTHING_PASSES, hold=1.5)) as running:
        running.until("armed")
        flow = blocked()
        assert running.process.stdout
        running.process.stdout.close()
        seconds_until_normal(flow, 5)
        assert running.process.wait(10) == 0
        flow.finish()
    assert state(NAMES[0]) == before


def test_a_late_start_is_not_applied(tmp_path: Path) -> None:
    before = state(NAMES[0])
    word = tmp_path / "word"
    with Running(job_for(NOTHING_PASSES, latest_start=time.time() - 1), SQUALL_TERMINATION_LOG=str(word)) as running:
        assert running.end() == 10
    assert running.events[-1]["status"] == "not-applied"
    assert word.read_text().startswith("n\n")
    assert state(NAMES[0]) == before


def test_it_waits_for_the_agreed_time() -> None:
    start = time.time() + 1.5
    with Running(job_for(NOTHING_PASSES, not_before=start, hold=0.2)) as running:
        armed = running.until("armed")
        assert running.end() == 0
    assert start <= armed["time"] < start + 0.5


def test_the_root_that_was_there_comes_back_with_its_parameters() -> None:
    within(NAMES[0], "tc", "qdisc", "add", "dev", "eth0", "root", "pfifo_fast")
    before = json.loads(within(NAMES[0], "tc", "-j", "qdisc", "show", "dev", "eth0"))
    with Running(job_for(A_TRICKLE, hold=0.2)) as running:
        assert running.end() == 0, running.events
    after = json.loads(within(NAMES[0], "tc", "-j", "qdisc", "show", "dev", "eth0"))
    assert [(item["kind"], item["options"]) for item in after] == [(item["kind"], item["options"]) for item in before]
