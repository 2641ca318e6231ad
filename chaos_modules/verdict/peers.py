"""What the peers counted, as measurements of one target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network
from statistics import median

from ..model.impairment import Direction
from ..model.outcome import Bystanders, Measurement
from ..model.peer import PeerCount
from ..model.plan import Injection
from ..model.program import Effect
from ..model.traffic import TrafficFilter, TrafficRule, matches
from .measure import delay, goodput, share

# The peer's own sockets and the hosts between may lose a packet that no fault touched.
PEER_TOLERANCE = 0.005


def resolved(traffic: TrafficFilter, addresses: Mapping[str, Sequence[str]]) -> TrafficFilter:
    """The filter with the addresses that the injector found for its host names."""

    def resolve(rule: TrafficRule) -> TrafficRule:
        found = tuple(ip_network(address) for name in rule.hosts for address in addresses.get(name, ()))
        return replace(rule, peers=(*rule.peers, *found), hosts=())

    return replace(traffic, include=tuple(map(resolve, traffic.include)), exclude=tuple(map(resolve, traffic.exclude)))


def touches(injection: Injection, traffic: TrafficFilter, count: PeerCount) -> bool:
    """Whether a flow passes the target's device in the fault's direction and is matched."""
    direction = Direction(injection.direction)
    mine = count.sender if direction is Direction.EGRESS else count.receiver
    return mine == f"{injection.target.namespace}/{injection.target.name}" and matches(traffic, count.flow, direction)


def at_peer(effect: Effect, counts: Sequence[PeerCount], before: Sequence[PeerCount] = ()) -> tuple[tuple[str, Measurement], ...]:
    """The touched flows' counts as measurements; shares only where the fault alone explains them (a capped queue loses packets of its own, and a
    damaged packet is missed whether it is a copy or not).

    `before` are the same flows' counts before the fault, for the difference that a delay makes.
    """
    numbered = [count for count in counts if count.sent is not None and count.distinct is not None]
    sent, distinct = sum(count.sent or 0 for count in numbered), sum(count.distinct or 0 for count in numbered)
    found = []
    missing = [(name, wanted) for name, wanted in (("loss", effect.loss), ("corrupt", effect.corrupt)) if wanted is not None]
    if sent and len(missing) == 1 and effect.rate is None:
        # A damaged packet has a wrong checksum, so that its receiver misses it, but for the few whose bit no checksum covers.
        (name, wanted), = missing
        judged = effect.independent and name == "loss"
        found.append((name, share(sent - distinct, sent, wanted / 1e6, "peer", PEER_TOLERANCE, independent=judged)))
    if distinct and effect.duplicate is not None and effect.corrupt is None and effect.rate is None:
        copies = sum(count.received for count in numbered) - distinct
        found.append(("duplicate", share(copies, distinct, effect.duplicate / 1e6, "peer", PEER_TOLERANCE, independent=effect.independent)))
    usual = {count.name: count.times[1] for count in before if count.times}
    added = [(count.times[1] - usual[count.name], count.distinct or 0) for count in numbered if count.times and count.name in usual]
    if added and effect.delay is not None and effect.reorder is None and effect.rate is None:
        found.append(("delay", delay(median(value for value, _ in added), sum(of for _, of in added), effect.delay / 1e6, effect.jitter / 1e6)))
    streams = [count for count in counts if count.sent is None and count.seconds]
    if streams and effect.rate is not None:
        found.append(("goodput", goodput(sum(count.goodput for count in streams), streams[0].seconds, effect.rate)))
    return tuple(found)


def bystanders(counts: Sequence[PeerCount]) -> Bystanders:
    """What happened meanwhile to the flows that no fault matches."""
    numbered = [count for count in counts if count.sent is not None and count.distinct is not None]
    return Bystanders(
        flows=len(counts), sent=sum(count.sent or 0 for count in numbered),
        lost=sum((count.sent or 0) - (count.distinct or 0) for count in numbered),
        copied=sum(count.received - (count.distinct or 0) for count in numbered),
    )  # fmt: skip
