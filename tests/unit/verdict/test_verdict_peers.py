"""Which flows a fault touches, what their ends counted, and what happened to the others."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from fakes import injection, peer_count, request, target

from chaos_modules.model.impairment import Direction
from chaos_modules.model.outcome import Judged
from chaos_modules.model.program import Effect
from chaos_modules.model.traffic import Flow, PortRange, Protocol, TrafficFilter, TrafficRule
from chaos_modules.verdict.peers import at_peer, bystanders, resolved, touches


def test_host_names_become_the_addresses_that_were_found() -> None:
    rule = TrafficRule(peers=(ip_network("10.0.0.0/8"),), hosts=("api", "gone"), protocols=(Protocol.TCP,))
    found = resolved(TrafficFilter(include=(rule,), exclude=(rule,), link_layer=True), {"api": ["192.0.2.1", "2001:db8::1"]})
    expected = TrafficRule(
        peers=(ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"), ip_network("2001:db8::1/128")), protocols=(Protocol.TCP,)
    )
    assert found == TrafficFilter(include=(expected,), exclude=(expected,), link_layer=True)


@pytest.mark.parametrize(("direction", "ends", "expected"), [
    (Direction.EGRESS, {"sender": "shop/web-0"}, True),
    (Direction.EGRESS, {"sender": "shop/web-1"}, False),
    (Direction.EGRESS, {"sender": "load/client-0", "receiver": "shop/web-0"}, False),
    (Direction.INGRESS, {"sender": "load/client-0", "receiver": "shop/web-0"}, True),
    (Direction.INGRESS, {"sender": "shop/web-0"}, False),
])
def test_a_flow_is_touched_where_it_passes_the_target_in_the_direction(direction: Direction, ends: dict[str, Any], expected: bool) -> None:
    made = injection(request(), target(), direction=direction)
    assert touches(made, TrafficFilter(), peer_count(**ends)) is expected


@pytest.mark.parametrize(("port", "expected"), [(9000, True), (9100, False)])
def test_a_flow_is_touched_only_if_the_filter_matches(port: int, expected: bool) -> None:
    traffic = TrafficFilter(include=(TrafficRule(remote_ports=(PortRange(port, port),)),))
    assert touches(injection(request(), target()), traffic, peer_count()) is expected


def test_what_the_peers_missed_and_got_twice() -> None:
    found = dict(at_peer(Effect(loss=200_000, duplicate=500_000), [
        peer_count(sent=3000, distinct=2400, received=3600), peer_count(sent=2000, distinct=1600, received=2400),
    ]))
    assert (found["loss"].value, found["loss"].samples, found["loss"].source) == (0.2, 5000, "peer")
    assert (found["duplicate"].value, found["duplicate"].samples) == (0.5, 4000)


def test_a_capped_queue_loses_packets_of_its_own_so_that_loss_tells_nothing() -> None:
    assert at_peer(Effect(loss=200_000, rate=10**6), [peer_count()]) == ()


def test_downloads_are_added_up_against_the_rate() -> None:
    stream = {"sent": None, "distinct": None, "seconds": 20.0}
    [(name, found)] = at_peer(Effect(rate=10**6), [peer_count(goodput=4e5, **stream), peer_count(goodput=5e5, **stream), peer_count()])
    assert (name, found.value, found.samples) == ("goodput", 9e5, 20)


@pytest.mark.parametrize("effect", [Effect(loss=1), Effect(duplicate=1), Effect(rate=1000)])
def test_no_flow_is_no_measurement(effect: Effect) -> None:
    assert at_peer(effect, []) == ()


def test_everything_lost_leaves_nothing_to_copy() -> None:
    assert [name for name, _ in at_peer(Effect(loss=10**6, duplicate=10**6), [peer_count(distinct=0, received=0)])] == ["loss"]


def test_bystanders_are_added_up() -> None:
    ping = Flow(protocol=Protocol.ICMP, source=ip_address("10.0.0.1"), destination=ip_address("10.0.0.2"))
    found = bystanders([
        peer_count(sent=100, distinct=99, received=101), peer_count(sent=10, distinct=10, received=10),
        peer_count(flow=ping, sent=None, distinct=None),
    ])
    assert (found.flows, found.sent, found.lost, found.copied) == (3, 110, 1, 2)


def test_what_an_unjudgeable_share_shows() -> None:
    [(name, found)] = at_peer(Effect(loss=200_000, independent=False), [peer_count(sent=5000, distinct=5000, received=5000)])
    assert (name, found.judged, found.within_tolerance) == ("loss", Judged.INSUFFICIENT, True)
    # A few damaged bits are not covered by any checksum.
    [(name, found)] = at_peer(Effect(corrupt=200_000), [peer_count(sent=5000, distinct=4050, received=4050)])
    assert (name, found.judged, found.value) == ("corrupt", Judged.INSUFFICIENT, 0.19)


@pytest.mark.parametrize("effect", [
    Effect(loss=200_000, corrupt=100_000), Effect(duplicate=500_000, rate=10**6),
    Effect(delay=100_000, rate=10**6), Effect(delay=100_000, reorder=250_000),
])
def test_what_the_fault_alone_does_not_explain_is_no_measurement(effect: Effect) -> None:
    usual, now = peer_count(times=(0.001, 0.002, 0.003)), peer_count(received=1500, times=(0.1, 0.3, 0.9))
    assert at_peer(effect, [now], [usual]) == ()


def test_a_damaged_copy_is_missed_like_any_damaged_packet() -> None:
    assert [name for name, _ in at_peer(Effect(corrupt=500_000, duplicate=500_000), [peer_count()])] == ["corrupt"]


def test_a_delay_is_the_difference_to_the_time_before() -> None:
    before = [peer_count(name="a", times=(0.001, 0.010, 0.020)), peer_count(name="b", times=(0.001, 0.002, 0.003)), peer_count(name="new")]
    during = [
        peer_count(name="a", times=(0.1, 0.112, 0.2), distinct=300), peer_count(name="b", times=(0.1, 0.102, 0.2), distinct=50),
        peer_count(name="new", times=(9.0, 9.0, 9.0)), peer_count(name="silent", times=None),
    ]
    [(name, found)] = at_peer(Effect(delay=100_000), during, before)
    assert (name, found.value, found.samples) == ("delay", pytest.approx(0.101), 350)
    assert (found.judged, found.within_tolerance) == (Judged.YES, True)


def test_without_a_time_before_a_delay_cannot_be_told() -> None:
    assert at_peer(Effect(delay=100_000), [peer_count(times=(0.1, 0.1, 0.1))]) == ()
    assert at_peer(Effect(delay=100_000), [peer_count(times=(0.1, 0.1, 0.1))], [peer_count(times=None)]) == ()
