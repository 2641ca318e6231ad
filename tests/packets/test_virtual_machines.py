"""Faults at the tap of a virtual machine: direction as the machine sees it, counted inside and outside of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_shop import MARKS, until
from two_ends import RUN, Running, state, within

from chaos_modules.carriers.job import JobSettings, Window, build_job
from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.clusters.sandbox.description import describe
from chaos_modules.clusters.sandbox.network import TUN_DEVICE
from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.impairment import Chance, Direction, Impairment, TokenBucket
from chaos_modules.model.peer import PeerCount
from chaos_modules.model.plan import Injection
from chaos_modules.model.quantities import Percentage, Rate, Size
from chaos_modules.model.target import Target
from chaos_modules.model.traffic import PortRange, TrafficFilter, TrafficRule

pytestmark = [*MARKS, pytest.mark.skipif(not TUN_DEVICE.exists(), reason=f"needs {TUN_DEVICE}")]

TARGET = Target(kind="vm", namespace="vms", name="db", node="one")
LAUNCHER, GUEST = "squall.vms.virt-launcher-db", "squall-vm.vms.db"
HALF, TENTH, ALL = (Chance(percentage=Percentage.parse(text)) for text in ("50%", "10%", "100%"))
# Short queues: what is sent into a long one is counted when it was sent, and arrives after the count.
MEGABIT = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("16kb"), limit=Size.parse("16kb"))
FIVE = TokenBucket(rate=Rate.parse("5mbit"), burst=Size.parse("32kb"), limit=Size.parse("128kb"))
PORT = (PortRange(9000, 9000),)
# The machine's viewpoint: what it sends goes to somebody's port 9000, what it receives comes to its own.
MATCHED = {
    Direction.EGRESS: TrafficFilter(include=(TrafficRule(remote_ports=PORT),)),
    Direction.INGRESS: TrafficFilter(include=(TrafficRule(local_ports=PORT),)),
}
LEG = {Direction.EGRESS: "udp vms/db > default/client:9000", Direction.INGRESS: "udp default/client > vms/db:9000"}
DOWNLOAD = "http default/client > vms/db:5432 (reply)"
PER_SECOND = 1000
BOTH_WAYS = pytest.mark.parametrize("direction", list(Direction))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Two machines on one node, and a pod on the other that everybody talks with."""
    machine = {"namespace": "vms", "serve": {"tcp": [5432], "udp": [9000, 9001]}}
    ends = [("vms/db", "client"), ("client", "vms/db")]
    described = describe({
        "nodes": ["one", "two"],
        "pods": [{"name": "client", "node": "two", "serve": {"udp": [9000, 9001]}}],
        "virtual_machines": [{"name": "db", **machine}, {"name": "bystander", **machine}],
        "traffic": [
            *({"from": one, "to": other, "udp": 9000, "rate": PER_SECOND} for one, other in ends),
            *({"from": one, "to": other, "udp": 9000, "rate": 100, "family": 6} for one, other in ends),
            *({"from": one, "to": other, "udp": 9001, "rate": 400} for one, other in ends),
            {"from": "vms/bystander", "to": "client", "udp": 9000, "rate": 400},
            {"from": "client", "to": "vms/bystander", "udp": 9000, "rate": 400},
            {"from": "client", "to": "vms/bystander", "ping": 50},
            {"from": "client", "to": "vms/db", "http": 5432, "bytes": 2_000_000, "pause": 0.2},
        ],
    })  # fmt: skip
    with Sandbox(described, "machines.yaml", tmp_path_factory.mktemp("machines") / "state") as started:
        yield started


def counted(sandbox: Sandbox, seconds: float) -> dict[str, PeerCount]:
    """Every leg's counts of the next seconds; what was under way has arrived."""
    assert sandbox.peers
    start = time.time()
    time.sleep(seconds + 0.3)
    return {leg.name: leg for leg in sandbox.peers.count(start, start + seconds)}


def job(
    sandbox: Sandbox, impairment: Impairment, traffic: TrafficFilter, direction: Direction, *, reverse: bool = True, engine: str = ""
) -> dict[str, Any]:  # fmt: skip
    wish = Wish(
        impairment=impairment, traffic=traffic, direction=direction, table=f"squall_{RUN}_{direction}", ifb=f"sq{RUN}",
        reversed=TARGET.reversed and reverse,
    )  # fmt: skip
    programs = tuple(program for program in compile_programs(wish) if engine in program.engine)
    injection = Injection(index=0, target=TARGET, direction=str(direction), device="tap0", programs=programs)
    settings = JobSettings(run_id=RUN, lease_seconds=3, serial=False, stream=False, on_runner_loss="finish", cleanup="cleanup --sandbox")
    return build_job(settings, [(injection, Window(hold_seconds=60, deadline=time.time() + 70))], sandbox.locate)


def impaired(
    sandbox: Sandbox, impairment: Impairment, traffic: TrafficFilter, direction: Direction, *, seconds: float = 3, **choice: Any
) -> tuple[dict[str, PeerCount], dict[str, Any]]:
    """The counts of all legs during one fault, and the kernel's own; everything is as before afterwards."""
    before = state(LAUNCHER)
    with Running(job(sandbox, impairment, traffic, direction, **choice)) as running:
        armed = running.until("armed")
        assert armed["target"] == f"vm/vms/db/{direction}"
        time.sleep(0.5)  # the bucket is full at first, and the queue empty
        legs = counted(sandbox, seconds)
        assert running.stop() == 0, running.events
    assert state(LAUNCHER) == before
    assert sandbox.audit(RUN, ()) == []
    return legs, next(event["counters"] for event in running.events if event["event"] == "measured")


def untouched(legs: dict[str, PeerCount], *, but: tuple[str, ...]) -> None:
    """All numbered flows but those: every packet arrived, and once."""
    for name, leg in legs.items():
        if leg.sent is not None and name not in but:
            assert leg.sent == leg.distinct == leg.received > 0, name


def both_families(direction: Direction) -> tuple[str, str]:
    return LEG[direction], LEG[direction].replace("udp", "udp6")


def agrees(hits: int, of: int, share: float) -> bool:
    return abs(hits - of * share) <= 5 * math.sqrt(of * share * (1 - share))


def numbers(leg: PeerCount) -> tuple[int, int, int]:
    """(sent, lost, copies)."""
    assert leg.sent is not None and leg.distinct is not None
    return leg.sent, leg.sent - leg.distinct, leg.received - leg.distinct


def test_without_a_fault_every_packet_arrives_once_and_downloads_are_fast(sandbox: Sandbox) -> None:
    legs = counted(sandbox, 2)
    untouched(legs, but=())
    assert legs[LEG[Direction.EGRESS]].sent == pytest.approx(2 * PER_SECOND, rel=0.06)
    assert legs[DOWNLOAD].goodput > 20e6


@BOTH_WAYS
def test_a_tenth_is_lost_on_this_leg_alone(sandbox: Sandbox, direction: Direction) -> None:
    legs, counters = impaired(sandbox, Impairment(loss=TENTH), MATCHED[direction], direction)
    for name in both_families(direction):
        sent, lost, copies = numbers(legs[name])
        assert agrees(lost, sent, 0.1), name
        assert copies == legs[name].errors == 0
    assert agrees(counters["dropped"][0], counters["matched"][0], 0.1)
    untouched(legs, but=both_families(direction))
    untouched(counted(sandbox, 0.5), but=())


def test_loss_steered_from_the_bridge_family(sandbox: Sandbox) -> None:
    """The way of kernels without the egress hook; what the machine receives leaves by its tap."""
    legs, counters = impaired(sandbox, Impairment(loss=TENTH), MATCHED[Direction.INGRESS], Direction.INGRESS, engine="postrouting")
    for name in both_families(Direction.INGRESS):
        sent, lost, copies = numbers(legs[name])
        assert agrees(lost, sent, 0.1), name
        assert copies == 0
    assert agrees(counters["dropped"][0], counters["matched"][0], 0.1)
    untouched(legs, but=both_families(Direction.INGRESS))


@BOTH_WAYS
def test_half_arrives_twice_on_this_leg_alone(sandbox: Sandbox, direction: Direction) -> None:
    legs, counters = impaired(sandbox, Impairment(duplicate=HALF), MATCHED[direction], direction)
    for name in both_families(direction):
        sent, lost, copies = numbers(legs[name])
        assert agrees(copies, sent, 0.5), name
        assert lost == 0
    assert agrees(counters["duplicated"][0], counters["matched"][0], 0.5)
    untouched(legs, but=both_families(direction))


@BOTH_WAYS
def test_a_megabit_on_this_leg_alone(sandbox: Sandbox, direction: Direction) -> None:
    """The two flows of this leg send 2 Mbit/s, frames of 234 and 254 bytes."""
    legs, counters = impaired(sandbox, Impairment(rate=MEGABIT), MATCHED[direction], direction, seconds=5)
    v4, v6 = (legs[name] for name in both_families(direction))
    assert (v4.received * 234 + v6.received * 254) * 8 / v4.seconds == pytest.approx(1e6, rel=0.03)
    assert counters["queue"]["drops"] > 0
    untouched(legs, but=both_families(direction))
    untouched(counted(sandbox, 0.5), but=())


def test_without_the_reversal_the_other_leg_would_be_hit(sandbox: Sandbox) -> None:
    """The negative control of this module: the same programs in the device's sense, as krkn has them."""
    for direction in Direction:
        legs, _ = impaired(sandbox, Impairment(loss=HALF), MATCHED[direction], direction, seconds=1, reverse=False)
        assert numbers(legs[LEG[direction]])[1] == 0
        assert numbers(legs[LEG[direction.opposite]])[1] > PER_SECOND / 4


@BOTH_WAYS
def test_neighbours_stay_alive_under_total_loss(sandbox: Sandbox, direction: Direction) -> None:
    everything = TrafficFilter()

    def neighbours() -> str:
        return within(GUEST, "ip", "neigh", "show", "10.244.2.2") + within(GUEST, "ip", "-6", "neigh", "show", "fd00:5c::2:2")

    with Running(job(sandbox, Impairment(loss=ALL), everything, direction)) as running:
        running.until("armed")
        within(GUEST, "ip", "neigh", "flush", "dev", "eth0")
        until(lambda: neighbours().count("lladdr") == 2)
        legs = counted(sandbox, 1)
        assert running.stop() == 0, running.events
    for name in both_families(direction):
        assert legs[name].received == 0
    untouched({name: legs[name] for name in both_families(direction.opposite)}, but=())
    untouched({name: leg for name, leg in legs.items() if "bystander" in name}, but=())
    untouched(counted(sandbox, 0.5), but=())


def test_a_download_from_the_machine_is_slowed_and_recovers(sandbox: Sandbox) -> None:
    served = TrafficFilter(include=(TrafficRule(local_ports=(PortRange(5432, 5432),)),))
    legs, _ = impaired(sandbox, Impairment(rate=FIVE), served, Direction.EGRESS, seconds=5)
    assert 4.0e6 < legs[DOWNLOAD].goodput < 5.1e6
    untouched(legs, but=())
    assert until(lambda: counted(sandbox, 0.5)[DOWNLOAD].goodput > 20e6)
