"""A packet that a filter matches, so that the rehearsal can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from itertools import product

from ..model.impairment import Direction
from ..model.program import Effect, Probe
from ..model.traffic import WITH_PORTS, Address, Flow, Network, PortRange, Protocol, TrafficFilter, TrafficRule, matches

# Addresses for documentation (RFC 5737, RFC 3849): no host ever has them.
_WORKLOAD = {4: ip_address("192.0.2.1"), 6: ip_address("2001:db8::1")}
_PEER = {4: ip_network("198.51.100.7/32"), 6: ip_network("2001:db8::7/128")}
_FREE_PORTS = (PortRange(40001, 40001), PortRange(9, 9), PortRange(53219, 53219))
_LARGEST_COUNT = 5000
_RATE_SECONDS = 0.04


def find_probe(traffic: TrafficFilter, direction: Direction, effect: Effect) -> Probe | None:
    """The first candidate that the filter matches; None where none of the tried ones does. A rule's host names count as matching peers."""
    for rule in traffic.include or (TrafficRule(),):
        # By itself: the address that stands for one rule's host names must not make another rule's packet match.
        alone = TrafficFilter(include=(_resolved(rule),), exclude=traffic.exclude)
        for flow in _candidates(rule, direction):
            if matches(alone, flow, direction):
                return _probe(flow, effect, rule)
    return None


def _resolved(rule: TrafficRule) -> TrafficRule:
    peers = (*rule.peers, _PEER[4]) if rule.hosts else rule.peers
    return TrafficRule(peers=peers, local_ports=rule.local_ports, remote_ports=rule.remote_ports, protocols=rule.protocols)


def _candidates(rule: TrafficRule, direction: Direction) -> Iterator[Flow]:
    protocols = rule.protocols or (Protocol.UDP, Protocol.TCP)
    networks = (_PEER[4],) if rule.hosts else rule.peers or (_PEER[4], _PEER[6])
    local, remote = rule.local_ports or _FREE_PORTS, rule.remote_ports or _FREE_PORTS
    for protocol, network, mine, theirs in product(protocols, networks, local, remote):
        for peer, (here, there) in product(_addresses(network), ((mine.first, theirs.first), (mine.last, theirs.last))):
            yield _flow(protocol, peer, here, there, direction)


def _addresses(network: Network) -> tuple[Address, ...]:
    return tuple(dict.fromkeys((network[min(1, network.num_addresses - 1)], network[0], network[-1])))


def _flow(protocol: Protocol, peer: Address, local: int, remote: int, direction: Direction) -> Flow:
    workload = _WORKLOAD[peer.version]
    if protocol not in WITH_PORTS:
        local = remote = 0
    if direction is Direction.EGRESS:
        return Flow(protocol=protocol, source=workload, destination=peer, source_port=local, destination_port=remote)
    return Flow(protocol=protocol, source=peer, destination=workload, source_port=remote, destination_port=local)


def _probe(flow: Flow, effect: Effect, rule: TrafficRule) -> Probe:
    count, size = _amount(effect)
    from_hosts = bool(rule.hosts)
    source, destination = str(flow.source), str(flow.destination)
    if from_hosts:  # filled in by the injector with the first address that it resolved
        source, destination = ("", destination) if flow.destination in _WORKLOAD.values() else (source, "")
    return Probe(
        source=source, destination=destination, protocol=str(flow.protocol), source_port=flow.source_port,
        destination_port=flow.destination_port, count=count, size=size,
    )  # fmt: skip


def _amount(effect: Effect) -> tuple[int, int]:
    """How many frames of which size: enough to see a share, or to fill the bucket and then some 40 ms of the rate."""
    if effect.rate is None:
        smallest = min(share for share in (effect.loss, effect.duplicate, effect.corrupt, effect.reorder, 10**6) if share)
        return min(_LARGEST_COUNT, max(400, 25 * 10**6 // smallest)), 128
    extra = effect.rate * _RATE_SECONDS / 8
    size = int(min(1400, max(128, extra / 4)))
    return int(min(_LARGEST_COUNT, effect.burst / size + max(4, extra / size))), size
