"""The same faults on devices of every kind that a target can have."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from devices import FLAGS, KINDS, TUN_DEVICE, ends_with
from two_ends import ADDRESSES, NAMES, Running, job_for, state, within
from wire import Exchange, UdpFlow, send_paced

from chaos_modules.model.impairment import Chance, Direction, Impairment, TokenBucket
from chaos_modules.model.quantities import Percentage, Rate, Size
from chaos_modules.model.traffic import PortRange, TrafficFilter, TrafficRule

HALF = Chance(percentage=Percentage.parse("50%"))
SLOW = TokenBucket(rate=Rate.parse("256kbit"), burst=Size.parse("2kb"), limit=Size.parse("1mb"))
FAULTS = {"loss": Impairment(loss=HALF), "duplicate": Impairment(duplicate=HALF), "rate": Impairment(rate=SLOW)}
BOTH_WAYS = pytest.mark.parametrize("direction", list(Direction))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param in FLAGS and not TUN_DEVICE.exists():
        pytest.skip(f"needs {TUN_DEVICE}")
    with ends_with(request.param):
        yield request.param


def exchanged(impairment: Impairment, direction: Direction, **changes: str) -> tuple[Exchange, Exchange]:
    """(matched, unmatched) traffic during one fault on the first end's eth0, which is as before afterwards."""
    port = (PortRange(9000, 9000),)
    rule = TrafficRule(remote_ports=port) if direction is Direction.EGRESS else TrafficRule(local_ports=port)
    before = state(NAMES[0])
    with Running(job_for(impairment, TrafficFilter(include=(rule,)), direction, **changes)) as running:
        running.until("armed")
        ends = NAMES if direction is Direction.EGRESS else NAMES[::-1]
        flows = [UdpFlow(*ends, ADDRESSES[direction is Direction.EGRESS], number).meet() for number in (9000, 9001)]
        send_paced(flows, 400, 1)
        results = [flow.finish() for flow in flows]
        assert running.stop() == 0, running.events
    assert state(NAMES[0]) == before
    return results[0], results[1]


def holds(name: str, matched: Exchange) -> bool:
    """Whether the peer saw the fault: half of 400 packets, or 400 × 142 bytes no faster than 256 kbit/s."""
    if name == "loss":
        return 150 <= matched.sent - matched.distinct <= 250
    if name == "duplicate":
        return matched.distinct == matched.sent and 150 <= matched.copies <= 250
    return matched.times[-1] - matched.times[0] > 1.4


@BOTH_WAYS
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("kind")
def test_a_fault_on_a_device_of_every_kind(fault: str, direction: Direction) -> None:
    matched, unmatched = exchanged(FAULTS[fault], direction)
    assert holds(fault, matched), matched
    assert (unmatched.distinct, unmatched.copies) == (unmatched.sent, 0)


@pytest.mark.parametrize("kind", ["multi-queue tap"], indirect=True)
@pytest.mark.usefixtures("kind")
def test_a_root_with_several_queues_comes_back() -> None:
    before = json.loads(within(NAMES[0], "tc", "-j", "qdisc", "show", "dev", "eth0"))
    assert before[0]["kind"] == "mq"
    exchanged(FAULTS["rate"], Direction.EGRESS)
    after = json.loads(within(NAMES[0], "tc", "-j", "qdisc", "show", "dev", "eth0"))
    assert [item["kind"] for item in after] == [item["kind"] for item in before]


@pytest.mark.usefixtures("ends")
def test_somebody_elses_ifb_is_left_alone() -> None:
    within(NAMES[0], "ip", "-batch", "-", text="link add ifb0 type ifb\nlink set ifb0 up\n")
    within(NAMES[0], *"tc qdisc add dev ifb0 root tbf rate 1mbit burst 32kb limit 1mb".split())  # noqa: SIM905
    matched, _ = exchanged(FAULTS["rate"], Direction.INGRESS)
    assert holds("rate", matched)


@pytest.mark.parametrize("fault", ["loss", "rate"])
@pytest.mark.usefixtures("ends")
def test_steering_from_postrouting(fault: str) -> None:
    """The way of kernels without the egress hook."""
    matched, unmatched = exchanged(FAULTS[fault], Direction.EGRESS, engine="postrouting")
    assert holds(fault, matched)
    assert (unmatched.distinct, unmatched.copies) == (unmatched.sent, 0)
