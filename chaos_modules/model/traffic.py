"""Which packets are impaired, always described as the workload sees its conversations.

`local` is the workload's end and `remote` the peer's end, so that one filter serves both directions: at egress a local port is
the packet's source port, at ingress its destination port.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from .impairment import Direction

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Protocol(StrEnum):
    """Transport protocols that a filter can name."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"
    ICMP = "icmp"
    ICMPV6 = "ipv6-icmp"


WITH_PORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports `first` … `last`, both included."""

    first: int
    last: int

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.first <= port <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRule:
    """A packet matches when every part that is not empty matches (AND).

    `hosts` are resolved in the target's namespace and join `peers`; so do the addresses of the pods that `pod_labels` and `namespace_labels`
    (label selectors) name, when the run is planned.
    """

    peers: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()
    pod_labels: str = ""
    namespace_labels: str = ""
    local_ports: tuple[PortRange, ...] = ()
    remote_ports: tuple[PortRange, ...] = ()
    protocols: tuple[Protocol, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficFilter:
    """A packet is impaired when no `exclude` rule matches and any `include` rule does (OR); no `include` rule at all means every packet.

    IPv6 neighbour discovery is always exempt and ARP is never steered, unless `link_layer` is set.
    """

    include: tuple[TrafficRule, ...] = ()
    exclude: tuple[TrafficRule, ...] = ()
    link_layer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One direction of a conversation on the wire: what a packet of it carries."""

    protocol: Protocol
    source: Address
    destination: Address
    source_port: int = 0
    destination_port: int = 0


def _rule_matches(rule: TrafficRule, flow: Flow, direction: Direction) -> bool:
    outward = direction is Direction.EGRESS
    peer = flow.destination if outward else flow.source
    local, remote = (flow.source_port, flow.destination_port) if outward else (flow.destination_port, flow.source_port)
    protocols = rule.protocols or (WITH_PORTS if rule.local_ports or rule.remote_ports else ())
    return (
        ((not rule.peers and not rule.hosts) or any(peer.version == network.version and peer in network for network in rule.peers))
        and (not rule.local_ports or any(local in ports for ports in rule.local_ports))
        and (not rule.remote_ports or any(remote in ports for ports in rule.remote_ports))
        and (not protocols or flow.protocol in protocols)
    )


def matches(traffic: TrafficFilter, flow: Flow, direction: Direction) -> bool:
    """Whether a packet of `flow`, passing the workload's device in `direction`, is impaired. Host names must have been resolved into `peers`."""
    if any(_rule_matches(rule, flow, direction) for rule in traffic.exclude):
        return False
    return not traffic.include or any(_rule_matches(rule, flow, direction) for rule in traffic.include)
