"""The rehearsal's packet: whatever the filter, a probe that is found is one that the filter matches."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.probe import find_probe
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.impairment import Chance, Direction, Impairment
from chaos_modules.model.program import Effect, Probe
from chaos_modules.model.quantities import Percentage
from chaos_modules.model.traffic import Flow, PortRange, Protocol, TrafficFilter, TrafficRule, matches

EFFECT = Effect(loss=200_000)
RESOLVED = ip_network("203.0.113.5/32")

ports = st.tuples(st.integers(1, 65535), st.integers(0, 200)).map(lambda pair: PortRange(pair[0], min(65535, sum(pair))))
networks = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(lambda pair: IPv4Network(pair, strict=False)),
    st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)).map(lambda pair: IPv6Network(pair, strict=False)),
)
rules = st.builds(
    TrafficRule, peers=st.lists(networks, max_size=3).map(tuple), hosts=st.sampled_from([(), (), ("api.example",)]),
    local_ports=st.lists(ports, max_size=2).map(tuple), remote_ports=st.lists(ports, max_size=2).map(tuple),
    protocols=st.lists(st.sampled_from(Protocol), max_size=2, unique=True).map(tuple),
)
filters = st.builds(
    TrafficFilter, include=st.lists(rules, max_size=2).map(tuple), exclude=st.lists(rules, max_size=2).map(tuple), link_layer=st.booleans()
)


def as_flow(probe: Probe) -> Flow:
    """The probe on the wire, after the injector has put the resolved address in."""
    source, destination = (ip_address(text or str(RESOLVED.network_address)) for text in (probe.source, probe.destination))
    return Flow(
        protocol=Protocol(probe.protocol), source=source, destination=destination,
        source_port=probe.source_port, destination_port=probe.destination_port,
    )


def injected(traffic: TrafficFilter) -> TrafficFilter:
    """The filter as it is in the kernel, once the included hosts are resolved."""
    include = tuple(replace(rule, peers=(*rule.peers, RESOLVED), hosts=()) if rule.hosts else rule for rule in traffic.include)
    return replace(traffic, include=include)


@given(traffic=filters, direction=st.sampled_from(Direction))
def test_a_probe_matches_its_filter(traffic: TrafficFilter, direction: Direction) -> None:
    probe = find_probe(traffic, direction, EFFECT)
    if probe is not None and not any(RESOLVED.overlaps(peer) for rule in traffic.exclude for peer in rule.peers if peer.version == 4):
        assert matches(injected(traffic), as_flow(probe), direction)


def test_the_address_that_stands_for_host_names_is_not_another_rule_s_packet() -> None:
    impossible = TrafficRule(protocols=(Protocol.ICMP,), remote_ports=(PortRange(1, 1),))
    probe = find_probe(TrafficFilter(include=(impossible, TrafficRule(hosts=("api.example",)))), Direction.EGRESS, EFFECT)
    assert probe is not None
    assert (probe.protocol, probe.destination) == ("udp", "")


@given(rule=rules.filter(lambda rule: not set(rule.protocols) & {Protocol.ICMP, Protocol.ICMPV6}), direction=st.sampled_from(Direction))
def test_a_filter_without_excludes_always_has_one(rule: TrafficRule, direction: Direction) -> None:
    assert find_probe(TrafficFilter(include=(rule,)), direction, EFFECT) is not None


def test_excluded_candidates_are_passed_over() -> None:
    traffic = TrafficFilter(exclude=(TrafficRule(peers=(ip_network("0.0.0.0/0"),)), TrafficRule(protocols=(Protocol.UDP,))))
    probe = find_probe(traffic, Direction.EGRESS, EFFECT)
    assert probe is not None
    assert (probe.protocol, probe.destination) == ("tcp", "2001:db8::7")


def test_no_probe_where_everything_is_excluded() -> None:
    assert find_probe(TrafficFilter(exclude=(TrafficRule(),)), Direction.EGRESS, EFFECT) is None
    loss = Impairment(loss=Chance(percentage=Percentage.parse(5)))
    wish = Wish(impairment=loss, traffic=TrafficFilter(exclude=(TrafficRule(),)), direction=Direction.INGRESS, table="squall_t", ifb="sq")
    assert compile_programs(wish)[0].probe.count == 0


@pytest.mark.parametrize(("direction", "source", "destination"), [
    (Direction.EGRESS, "192.0.2.1", ""), (Direction.INGRESS, "", "192.0.2.1"),
])
def test_the_address_of_a_host_is_left_to_the_injector(direction: Direction, source: str, destination: str) -> None:
    probe = find_probe(TrafficFilter(include=(TrafficRule(hosts=("api.example",)),)), direction, EFFECT)
    assert probe is not None
    assert (probe.source, probe.destination) == (source, destination)


@pytest.mark.parametrize(("effect", "count", "size"), [
    (Effect(loss=10**6), 400, 128),
    (Effect(loss=200_000), 400, 128),
    (Effect(duplicate=10_000), 2500, 128),
    (Effect(loss=500_000, duplicate=10_000), 2500, 128),
    (Effect(loss=1), 5000, 128),
    (Effect(loss=0), 400, 128),
    (Effect(rate=10**6, burst=32768), 30, 1250),
    (Effect(rate=8000, burst=3200), 29, 128),
    (Effect(rate=10**12, burst=10**6), 5000, 1400),
])
def test_enough_frames_to_see_the_effect(effect: Effect, count: int, size: int) -> None:
    probe = find_probe(TrafficFilter(), Direction.EGRESS, effect)
    assert probe is not None
    assert (probe.count, probe.size) == (count, size)
