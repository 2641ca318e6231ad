"""What only netem does, on a kernel that has it: delay, jitter, correlation, bursts, damage, overtaking, and all of it at once."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
from two_ends import ADDRESSES, NAMES, Running, job_for, state
from wire import Exchange, UdpFlow, send_paced

from chaos_modules.model.impairment import (
    Chance,
    Delay,
    Direction,
    Distribution,
    GilbertElliott,
    Impairment,
    Loss,
    Reorder,
    StateLoss,
    TokenBucket,
)
from chaos_modules.model.quantities import Duration, Percentage, Rate, Size
from chaos_modules.model.traffic import PortRange, TrafficFilter, TrafficRule

BOTH_WAYS = pytest.mark.parametrize("direction", list(Direction))
pytestmark = pytest.mark.usefixtures("ends")


def percent(text: str) -> Percentage:
    return Percentage.parse(text)


def chance(text: str, correlation: str = "0") -> Chance:
    return Chance(percentage=percent(text), correlation=percent(correlation))


def delay(latency: str, jitter: str = "0", distribution: Distribution = Distribution.UNIFORM) -> Delay:
    return Delay(latency=Duration.parse(latency), jitter=Duration.parse(jitter), distribution=distribution)


def only_9000(direction: Direction) -> TrafficFilter:
    port = (PortRange(9000, 9000),)
    return TrafficFilter(include=(TrafficRule(remote_ports=port) if direction is Direction.EGRESS else TrafficRule(local_ports=port),))


def impaired(
    impairment: Impairment, direction: Direction, *, per_second: float = 250, seconds: float = 4
) -> tuple[Exchange, Exchange, dict[str, Any]]:  # fmt: skip
    """(matched, the unmatched control beside it, the kernel's last counters); everything as before afterwards."""
    before = state(NAMES[0])
    with Running(job_for(impairment, only_9000(direction), direction, engine="netem")) as running:
        running.until("armed")
        ends = NAMES if direction is Direction.EGRESS else NAMES[::-1]
        flows = [UdpFlow(*ends, ADDRESSES[direction is Direction.EGRESS], port) for port in (9000, 9001)]
        send_paced(flows, per_second, seconds)
        time.sleep(0.4)  # what is delayed must have come before the fault is taken away
        matched, control = (flow.finish() for flow in flows)
        assert running.stop() == 0, running.events
    assert state(NAMES[0]) == before
    assert control.distinct == control.sent
    assert control.copies == 0
    return matched, control, next(event["counters"] for event in running.events if event["event"] == "measured")


@BOTH_WAYS
def test_fifty_milliseconds(direction: Direction) -> None:
    matched, control, _ = impaired(Impairment(delay=delay("50ms")), direction)
    assert matched.distinct == matched.sent
    added = statistics.median(matched.latencies()) - statistics.median(control.latencies())
    assert added == pytest.approx(0.050, rel=0.1)


@pytest.mark.parametrize("distribution", list(Distribution))
def test_jitter_spreads_the_delay(distribution: Distribution) -> None:
    matched, control, _ = impaired(Impairment(delay=delay("60ms", "20ms", distribution)), Direction.EGRESS)
    usual = statistics.median(control.latencies())
    times = [moment - usual for moment in matched.latencies()]
    assert statistics.median(times) == pytest.approx(0.060, rel=0.25)
    # The lower half: a busy machine stretches the upper one.
    below = statistics.median(times) - times[len(times) // 20]
    assert 0.006 < below < 0.060
    if distribution is Distribution.UNIFORM:
        assert times[0] >= 0.038
        assert below == pytest.approx(0.018, rel=0.35)


def near(hits: int, of: int, share: float) -> bool:
    return abs(hits - share * of) <= 5 * (share * (1 - share) * of) ** 0.5


@BOTH_WAYS
def test_plain_loss_by_netem(direction: Direction) -> None:
    matched, _, counters = impaired(Impairment(loss=chance("20%")), direction, per_second=500)
    assert near(matched.sent - matched.distinct, matched.sent, 0.2)
    assert counters["matched"][0] == matched.sent
    assert counters["queue"]["drops"] == matched.sent - matched.distinct


@BOTH_WAYS
def test_loss_and_copies_beside_a_delay_are_independent(direction: Direction) -> None:
    """Within one netem a copy would make up for a loss; nftables draws them beside it."""
    everything = Impairment(delay=delay("30ms"), loss=chance("20%"), duplicate=chance("30%"))
    matched, control, counters = impaired(everything, direction, per_second=500)
    assert near(matched.sent - matched.distinct, matched.sent, 0.2)
    assert near(matched.copies, matched.distinct, 0.3)
    assert counters["dropped"][0] == matched.sent - matched.distinct
    assert statistics.median(matched.latencies()) - statistics.median(control.latencies()) == pytest.approx(0.03, rel=0.3)


@BOTH_WAYS
def test_every_packet_twice_by_netem(direction: Direction) -> None:
    matched, _, _ = impaired(Impairment(duplicate=chance("100%")), direction, seconds=2)
    assert set(matched.arrived.values()) == {2}


def mean_run(exchange: Exchange) -> float:
    return statistics.mean(exchange.lost_runs())


@BOTH_WAYS
def test_correlated_losses_come_in_clumps(direction: Direction) -> None:
    clumped, _, _ = impaired(Impairment(loss=chance("30%", "75%")), direction, per_second=600)
    independent, _, _ = impaired(Impairment(loss=chance("30%")), direction, per_second=600)
    assert mean_run(clumped) > 1.12 * mean_run(independent)


@pytest.mark.parametrize(
    ("model", "burst", "share"),
    [
        (GilbertElliott(p=percent("2%"), r=percent("20%")), 5, 2 / 22),
        (StateLoss(p13=percent("2%"), p31=percent("20%")), 5, 2 / 22),
    ],
    ids=["gemodel", "state"],
)  # fmt: skip
def test_burst_models_by_their_run_lengths(model: Loss, burst: float, share: float) -> None:
    matched, _, _ = impaired(Impairment(loss=model), Direction.EGRESS, per_second=700, seconds=5)
    assert mean_run(matched) == pytest.approx(burst, rel=0.4)
    assert (matched.sent - matched.distinct) / matched.sent == pytest.approx(share, rel=0.5)


@BOTH_WAYS
def test_damaged_packets_do_not_reach_the_application(direction: Direction) -> None:
    matched, _, _ = impaired(Impairment(corrupt=chance("25%")), direction, per_second=500)
    missed = matched.sent - len([number for number in matched.arrived if number < matched.sent])
    assert 0.15 * matched.sent < missed < 0.25 * matched.sent + 5 * (0.25 * 0.75 * matched.sent) ** 0.5


@BOTH_WAYS
def test_reordering_really_reorders(direction: Direction) -> None:
    matched, control, _ = impaired(Impairment(delay=delay("50ms"), reorder=Reorder(chance=chance("20%"))), direction)
    early = sum(one < 0.025 for one in matched.latencies())
    assert abs(early - 0.2 * matched.sent) <= 5 * (0.2 * 0.8 * matched.sent) ** 0.5
    assert matched.order != sorted(matched.order)
    assert control.order == sorted(control.order)


@BOTH_WAYS
def test_a_link_profile(direction: Direction) -> None:
    """A bad radio link: delay, jitter, loss and a rate at once."""
    bucket = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("256kb"))
    profile = Impairment(delay=delay("80ms", "10ms"), loss=chance("5%"), rate=bucket)
    matched, control, counters = impaired(profile, direction, per_second=400, seconds=5)
    added = statistics.median(matched.latencies()) - statistics.median(control.latencies())
    assert 0.07 < added < 0.14
    assert near(matched.sent - matched.distinct, matched.sent, 0.05)
    assert counters["dropped"][0] == matched.sent - matched.distinct


@BOTH_WAYS
def test_the_rate_behind_a_delay(direction: Direction) -> None:
    slow = Impairment(delay=delay("5ms"), rate=TokenBucket(rate=Rate.parse("500kbit"), burst=Size.parse("32kb"), limit=Size.parse("512kb")))
    matched, _, _ = impaired(slow, direction, per_second=200, seconds=2)
    assert matched.distinct == matched.sent
    assert min(matched.latencies()) >= 0.005


def test_a_killed_injector_leaves_no_delay_behind_its_lease() -> None:
    with Running(job_for(Impairment(delay=delay("500ms")))) as running:
        running.until("armed")
        running.process.kill()
        flow = UdpFlow(*NAMES, ADDRESSES[1], 9000)
        end = time.monotonic() + 3 + 2
        while True:
            number = flow.exchange.sent
            flow.send()
            time.sleep(0.1)
            if number in flow.exchange.came:
                break
            assert time.monotonic() < end, "packets are still delayed"
        flow.finish()


@pytest.mark.parametrize("first", ["10%", "0"])
def test_approximate_takes_netem_where_it_is(first: str) -> None:
    wanted = Impairment(loss=chance("20%", first), approximate=True)
    with Running(job_for(wanted)) as running:
        assert running.until("applied")["engine"] == ("netem" if first != "0" else "blackhole")
        assert running.stop() == 0
