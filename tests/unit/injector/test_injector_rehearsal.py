"""What the rehearsal concludes from the frames that arrive, without a kernel."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from chaos_modules.model.program import Effect

sys.path.insert(0, str(Path(__file__).parents[3] / "containers" / "injector"))

import rehearsal
from exchange import Exchanged

PROBE = {"source": "192.0.2.1", "destination": "198.51.100.7", "protocol": "udp", "source_port": 40001, "destination_port": 9000, "size": 128}


def judged(received: int, distinct: int, seconds: float = 0.0, count: int = 400, size: int = 128, **effect: Any) -> str:
    done = Exchanged(sent=count, received=received, seconds=seconds, left=dict.fromkeys(range(count), 0.0), came=dict.fromkeys(range(distinct), 0.0))
    return rehearsal.judge(asdict(Effect(**effect)), {"count": count, "size": size}, done)


def taken(latencies: list[float], damaged: int = 0, copies: int = 0, count: int = 400, **effect: Any) -> str:
    """The judgement of frames that took so many milliseconds each; the others of `count` did not come."""
    came = {number: moment / 1000 for number, moment in enumerate(latencies)}
    done = Exchanged(sent=count, left=dict.fromkeys(range(count), 0.0), came=came, received=len(came) + damaged + copies, damaged=damaged)
    return rehearsal.judge(asdict(Effect(**effect)), {"count": count, "size": 128}, done)


@pytest.mark.parametrize(("received", "effect", "proven"), [
    (320, {"loss": 200_000}, True),
    (281, {"loss": 200_000}, True),     # 119 lost where 80 ± 41 are within five standard errors
    (279, {"loss": 200_000}, True),
    (278, {"loss": 200_000}, False),
    (400, {"loss": 200_000}, False),
    (0, {"loss": 10**6}, True),
    (1, {"loss": 10**6}, False),
    (400, {"loss": 0}, True),
    (399, {"loss": 0}, False),
    (0, {}, False),
    (400, {}, True),
])
def test_a_loss_is_disproved_beyond_five_standard_errors(received: int, effect: dict[str, int], proven: bool) -> None:
    assert (judged(received, received, **effect) == "") is proven


@pytest.mark.parametrize(("received", "distinct", "effect", "proven"), [
    (600, 400, {"duplicate": 500_000}, True),
    (800, 400, {"duplicate": 500_000}, False),
    (800, 400, {"duplicate": 10**6}, True),
    (799, 400, {"duplicate": 10**6}, False),
    (400, 400, {"duplicate": 500_000}, False),
    (401, 400, {}, False),
    (480, 320, {"loss": 200_000, "duplicate": 500_000}, True),
    (320, 320, {"loss": 200_000, "duplicate": 500_000}, False),
])
def test_copies(received: int, distinct: int, effect: dict[str, int], proven: bool) -> None:
    assert (judged(received, distinct, **effect) == "") is proven


def test_the_numbers_are_told() -> None:
    assert judged(400, 400, loss=200_000) == "0 of 400 frames were lost instead of 20.0000%"
    assert judged(400, 400, duplicate=500_000) == "0 of 400 frames were copied instead of 50.0000%"


@pytest.mark.parametrize(("seconds", "received", "proven"), [
    (0.04, 30, True), (0.0, 30, False), (0.018, 30, False), (5.0, 30, False), (0.04, 0, False),
])
def test_a_rate_takes_its_time(seconds: float, received: int, proven: bool) -> None:
    # 30 frames of 1250 bytes are 37.5 kB: 32 kB of burst at once, the rest in 37.8 ms at 1 Mbit/s.
    problem = judged(received, received, seconds, count=30, size=1250, rate=10**6, burst=32768)
    assert (problem == "") is proven


def test_a_rate_beside_a_loss_is_not_timed_but_must_let_something_through() -> None:
    assert judged(10, 10, 0.0, count=30, size=1250, rate=10**6, burst=32768, loss=500_000) == ""
    assert judged(0, 0, 0.0, count=30, size=1250, rate=10**6, burst=32768, loss=500_000) == "no frame passed"


@pytest.mark.parametrize("probe", [{**PROBE, "count": 0}, {**PROBE, "count": 5, "source": ""}])
def test_no_sample_packet_is_no_rehearsal(probe: dict[str, Any]) -> None:
    result = rehearsal.rehearse({"probe": probe, "direction": "egress", "effect": asdict(Effect())}, 10.0, [["2001:db8::1"]])
    assert result == {"rehearsed": "unavailable", "detail": "no sample packet could be made for this filter"}


@pytest.mark.parametrize(("milliseconds", "proven"), [
    (100, True), (86, True), (84, False), (0.1, False), (179, True), (181, False), (1000, False),
])
def test_a_delay_is_the_median_of_the_frames(milliseconds: float, proven: bool) -> None:
    assert (taken([milliseconds] * 400, delay=100_000) == "") is proven
    assert (taken([0.1] * 199 + [milliseconds] * 201, delay=100_000) == "") is proven


def test_a_delay_that_is_not_there_is_told() -> None:
    assert taken([0.2] * 400, delay=100_000) == "frames took 0.2 ms instead of 100.0 ms"
    assert taken([], delay=100_000) == "no frame passed"


def test_a_lost_frame_beside_a_delay_is_still_lost() -> None:
    assert taken([100.0] * 399, delay=100_000) == "1 of 400 frames were lost instead of 0.0000%"
    assert taken([100.0] * 320, delay=100_000, loss=200_000) == ""


def evenly(least: float, most: float) -> list[float]:
    return [least + (most - least) * number / 399 for number in range(400)]


@pytest.mark.parametrize(("latencies", "spread", "proven"), [
    (evenly(80, 120), 20_000, True),
    (evenly(93.5, 106.5), 20_000, True),    # from the tenth to the ninetieth percentile 10.4 ms
    (evenly(94, 106), 20_000, False),
    ([100.0] * 400, 20_000, False),
    ([100.0] * 400, 0, True),               # correlation of 100 % leaves nothing of it
    (evenly(97, 103), 8000, True),
    ([100.0] * 50, 20_000, True),           # too few to tell
])
def test_jitter_spreads_the_frames(latencies: list[float], spread: int, proven: bool) -> None:
    problem = taken(latencies, delay=100_000, jitter=20_000, spread=spread, count=len(latencies))
    assert (problem == "") is proven
    assert proven or "for a jitter of 20.00 ms" in problem


@pytest.mark.parametrize(("damaged", "effect", "proven"), [
    (200, {"corrupt": 500_000}, True),
    (149, {"corrupt": 500_000}, True),   # 200 ± 50 are within five standard errors
    (148, {"corrupt": 500_000}, False),
    (0, {"corrupt": 500_000}, False),
    (400, {"corrupt": 10**6}, True),
    (399, {"corrupt": 10**6}, False),
    (0, {"corrupt": 0}, True),
    (1, {}, False),                      # nobody asked for it
])
def test_damage(damaged: int, effect: dict[str, int], proven: bool) -> None:
    assert (taken([0.1] * (400 - damaged), damaged, **effect) == "") is proven


def test_damage_is_told_and_is_no_loss() -> None:
    assert taken([0.1] * 400, corrupt=500_000) == "0 of 400 frames were damaged instead of 50.0000%"
    assert taken([0.1] * 160, damaged=160, corrupt=500_000, loss=200_000) == ""
    assert "were lost" in taken([0.1] * 200, damaged=200, corrupt=500_000, loss=200_000)


def test_a_damaged_frame_does_not_tell_whether_it_is_a_copy() -> None:
    # Every frame twice, half of all damaged: 300 numbers come whole, 100 of them twice.
    assert taken([0.1] * 300, damaged=400, copies=100, corrupt=500_000, duplicate=10**6) == ""
    assert "were copied" in taken([0.1] * 200, damaged=200, corrupt=500_000, duplicate=10**6)
    assert taken([0.1] * 250, damaged=320, copies=70, corrupt=500_000, duplicate=10**6, loss=200_000) == ""


@pytest.mark.parametrize(("ahead", "effect", "proven"), [
    (100, {"reorder": 250_000}, True),
    (57, {"reorder": 250_000}, True),    # 100 ± 43.3
    (55, {"reorder": 250_000}, False),
    (0, {"reorder": 250_000}, False),
    (400, {"reorder": 10**6}, True),
    (300, {"reorder": 750_000}, True),   # most overtake, so that the median is no delay
    (0, {}, True),
    (40, {}, True),                      # jitter and slow machines are not asked about
])
def test_the_frames_ahead_of_their_turn(ahead: int, effect: dict[str, int], proven: bool) -> None:
    assert (taken([0.1] * ahead + [10.0] * (400 - ahead), delay=10_000, **effect) == "") is proven


def test_what_is_early_by_jitter_is_not_counted_as_overtaking() -> None:
    assert taken(evenly(0.1, 19.9), delay=10_000, jitter=10_000, spread=10_000, reorder=250_000) == ""


@pytest.mark.parametrize(("received", "effect", "proven"), [
    (100, {"loss": 200_000}, True),      # clumps: far from the long-run average, and still a loss
    (400, {"loss": 200_000}, False),
    (400, {"loss": 40_000}, True),       # 16 expected are too few to miss
    (0, {"loss": 200_000}, False),
    (300, {}, True),                     # a burst model has no plain share
])
def test_where_packets_share_their_fate_it_is_enough_that_something_happened(received: int, effect: dict[str, int], proven: bool) -> None:
    assert (judged(received, received, independent=False, **effect) == "") is proven


def test_a_rate_behind_a_delay_takes_longer() -> None:
    parts: dict[str, Any] = {"count": 30, "size": 1250, "rate": 10**6, "burst": 32768, "delay": 200_000}
    assert judged(30, 30, 0.238, **parts) == ""
    assert judged(30, 30, 0.038, **parts) == "30 frames of 1250 bytes took 38 ms instead of 238 ms"
    assert judged(30, 30, 0.038, **parts, independent=False) == ""


def test_a_delay_too_long_to_be_waited_for_is_not_rehearsed() -> None:
    program = {"probe": {**PROBE, "count": 5}, "direction": "egress", "family": "netdev", "effect": asdict(Effect(delay=5_000_001))}
    assert rehearsal.rehearse(program, 10.0, []) == {"rehearsed": "unavailable", "detail": "a delay of more than 5 s is not waited for"}
