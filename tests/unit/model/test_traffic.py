"""What a filter means: the reference that compiled programs are held against."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from chaos_modules.model.impairment import Direction
from chaos_modules.model.traffic import Flow, PortRange, Protocol, TrafficFilter, TrafficRule, matches

POD, PEER, OTHER = ip_address("10.0.0.1"), ip_address("10.0.0.2"), ip_address("fd00::2")
OUT, IN = Direction.EGRESS, Direction.INGRESS


def flow(protocol: Protocol = Protocol.TCP, *, peer: object = PEER, local: int = 8080, remote: int = 443) -> Flow:
    return Flow(protocol=protocol, source=POD, destination=ip_address(str(peer)), source_port=local, destination_port=remote)


def answer(packet: Flow) -> Flow:
    return Flow(
        protocol=packet.protocol, source=packet.destination, destination=packet.source,
        source_port=packet.destination_port, destination_port=packet.source_port,
    )


def only(**parts: object) -> TrafficFilter:
    return TrafficFilter(include=(TrafficRule(**parts),))  # type: ignore[arg-type]


@pytest.mark.parametrize(("traffic", "packet", "expected"), [
    (TrafficFilter(), flow(), True),
    (only(peers=(ip_network("10.0.0.0/24"),)), flow(), True),
    (only(peers=(ip_network("10.0.1.0/24"),)), flow(), False),
    (only(peers=(ip_network("10.0.0.0/24"),)), flow(peer=OTHER), False),
    (only(peers=(ip_network("fd00::/8"),)), flow(peer=OTHER), True),
    (only(hosts=("unresolved",)), flow(), False),
    (only(local_ports=(PortRange(8000, 8100),)), flow(), True),
    (only(local_ports=(PortRange(443, 443),)), flow(), False),
    (only(remote_ports=(PortRange(80, 80), PortRange(443, 443))), flow(), True),
    (only(remote_ports=(PortRange(443, 443),)), flow(Protocol.UDP), True),
    (only(remote_ports=(PortRange(443, 443),)), flow(Protocol.ICMP), False),
    (only(protocols=(Protocol.UDP,)), flow(), False),
    (only(protocols=(Protocol.ICMP,)), flow(Protocol.ICMP), True),
    (only(remote_ports=(PortRange(443, 443),), protocols=(Protocol.TCP,)), flow(Protocol.UDP), False),
    (only(peers=(ip_network("10.0.0.2"),), remote_ports=(PortRange(80, 80),)), flow(), False),
    (TrafficFilter(include=(TrafficRule(protocols=(Protocol.UDP,)), TrafficRule(protocols=(Protocol.TCP,)))), flow(), True),
    (TrafficFilter(exclude=(TrafficRule(remote_ports=(PortRange(443, 443),)),)), flow(), False),
    (TrafficFilter(exclude=(TrafficRule(remote_ports=(PortRange(80, 80),)),)), flow(), True),
    (TrafficFilter(include=(TrafficRule(),), exclude=(TrafficRule(peers=(ip_network("10.0.0.2"),)),)), flow(), False),
])
def test_a_filter_sees_both_directions_of_a_conversation_alike(traffic: TrafficFilter, packet: Flow, expected: bool) -> None:
    assert matches(traffic, packet, OUT) is expected
    assert matches(traffic, answer(packet), IN) is expected


def test_port_ranges() -> None:
    assert 80 in PortRange(80, 90)
    assert "80" not in PortRange(80, 90)
    assert [str(PortRange(80, 80)), str(PortRange(80, 90))] == ["80", "80-90"]
