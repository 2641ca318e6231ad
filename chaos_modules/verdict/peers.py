"""What the peers counted, as measurements of one target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network

from ..model.impairment import Direction
from ..model.outcome import Bystanders, Measurement
from ..model.peer import PeerCount
from ..model.plan import Injection
from ..model.program import Effect
from ..model.traffic import TrafficFilter, TrafficRule, matches
from .measure import goodput, share

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


def at_peer(effect: Effect, counts: Sequence[PeerCount]) -> tuple[tuple[str, Measurement], ...]:
    """The touched flows' counts as measurements; shares only where the fault alone explains them (a capped queue loses packets of its own)."""
    numbered = [count for count in counts if count.sent is not None and count.distinct is not None]
    sent, distinct = sum(count.sent or 0 for count in numbered), sum(count.distinct or 0 for count in numbered)
    found = []
    if sent and effect.loss is not None and effect.rate is None:
        found.append(("loss", share(sent - distinct, sent, effect.loss / 1e6, "peer", PEER_TOLERANCE)))
    if distinct and effect.duplicate is not None:
        copies = sum(count.received for count in numbered) - distinct
        found.append(("duplicate", share(copies, distinct, effect.duplicate / 1e6, "peer", PEER_TOLERANCE)))
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
