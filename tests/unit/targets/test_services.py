"""Host names that are Services become what their packets carry before and behind the translation; other names stay."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from chaos_modules.model.impairment import Direction
from chaos_modules.model.target import Service, ServicePort, Snapshot
from chaos_modules.model.traffic import Flow, PortRange, Protocol, TrafficFilter, TrafficRule, matches
from chaos_modules.targets.services import service_name, with_services

DB = Service(
    namespace="shop", name="db", cluster_ips=("10.96.0.7", "fd00:96::7"), endpoints=("10.244.1.5", "10.244.2.6", "fd00:244::5"),
    ports=(ServicePort(port=5432, targets=(15432,)), ServicePort(port=53, protocol="udp", targets=(1053,)), ServicePort(port=53, targets=(1153,))),
)
QUEUE = Service(namespace="shop", name="queue", endpoints=("10.244.1.8",), ports=(ServicePort(port=80, targets=(8080,)),))
SNAPSHOT = Snapshot(cluster="test", nodes=(), pods=(), services=(
    DB, QUEUE, Service(namespace="shop", name="idle", cluster_ips=("10.96.0.9",)), Service(namespace="shop", name="nobody"),
    Service(namespace="shop", name="mail", external_name="smtp.example.com"), Service(namespace="other", name="db", cluster_ips=("10.96.9.9",)),
), hidden_services=(("secret", "vault"),))


def ports(*numbers: int) -> tuple[PortRange, ...]:
    return tuple(PortRange(number, number) for number in numbers)


def included(**rule: Any) -> list[TrafficRule]:
    return list(with_services(TrafficFilter(include=(TrafficRule(**rule),)), SNAPSHOT, "shop")[0].include)


def peers(*addresses: str) -> tuple[Any, ...]:
    return tuple(ip_network(address) for address in addresses)


@pytest.mark.parametrize(("host", "expected"), [
    ("db", ("shop", "db")), ("db.other", ("other", "db")), ("db.other.svc", ("other", "db")), ("db.other.svc.cluster.local", ("other", "db")),
    ("DB.Other.svc.my.domain.", ("other", "db")), ("db.", None), ("db.other.", None), ("db-0.db.other.svc", None), ("www.example.com", None),
    ("a_b.other", None), ("-db.other", None), ("_tcp", None), ("a..svc", None),
])
def test_names_that_a_service_can_have(host: str, expected: tuple[str, str] | None) -> None:
    assert service_name(host, "shop") == expected


def test_a_short_name_is_no_service_for_a_node() -> None:
    assert service_name("db", "") is None
    assert service_name("db.shop", "") == ("shop", "db")


def test_without_ports_one_rule_has_the_addresses_of_both_sides() -> None:
    assert included(hosts=("db",)) == [TrafficRule(peers=peers(*DB.cluster_ips, *DB.endpoints))]


def test_ports_are_the_services_before_and_the_endpoints_behind() -> None:
    assert included(hosts=("db",), remote_ports=ports(5432), local_ports=ports(7), protocols=(Protocol.TCP,)) == [
        TrafficRule(peers=peers(*DB.cluster_ips), remote_ports=ports(5432), local_ports=ports(7), protocols=(Protocol.TCP,)),
        TrafficRule(peers=peers(*DB.endpoints), remote_ports=ports(15432), local_ports=ports(7), protocols=(Protocol.TCP,)),
    ]


@pytest.mark.parametrize(("wanted", "protocols", "behind"), [
    (ports(53), (), ports(1053, 1153)), (ports(53), (Protocol.UDP,), ports(1053)), ((PortRange(1, 6000),), (), ports(1053, 1153, 15432)),
    (ports(15432), (), None),  # an endpoint's port is not one of the Service's
])
def test_only_ports_that_are_wanted_are_mapped(wanted: tuple[PortRange, ...], protocols: Any, behind: tuple[PortRange, ...] | None) -> None:
    front, *rest = included(hosts=("db",), remote_ports=wanted, protocols=protocols)
    assert front.remote_ports == wanted
    assert [rule.remote_ports for rule in rest] == ([] if behind is None else [behind])


def test_a_headless_service_has_its_endpoints_alone_at_the_ports_as_written_and_as_mapped() -> None:
    assert included(hosts=("queue",)) == [TrafficRule(peers=peers("10.244.1.8"))]
    assert included(hosts=("queue",), remote_ports=ports(80)) == [TrafficRule(peers=peers("10.244.1.8"), remote_ports=ports(80, 8080))]
    assert included(hosts=("queue",), remote_ports=ports(9)) == [TrafficRule(peers=peers("10.244.1.8"), remote_ports=ports(9))]


def test_an_external_name_is_resolved_in_its_place() -> None:
    assert included(hosts=("mail",), remote_ports=ports(25)) == [TrafficRule(hosts=("smtp.example.com",), remote_ports=ports(25))]


def test_a_service_without_any_address_stays_a_name_so_that_it_never_means_everything() -> None:
    for parts in ({}, {"remote_ports": ports(80)}):
        assert included(hosts=("nobody",), **parts) == [TrafficRule(hosts=("nobody",), **parts)]


def test_everything_else_of_a_rule_stays_with_the_services_own_addresses() -> None:
    assert included(hosts=("db", "www.example.com", "queue"), peers=peers("192.0.2.1"), pod_labels="app=web", remote_ports=ports(5432)) == [
        TrafficRule(
            hosts=("www.example.com",), peers=peers("192.0.2.1", *DB.cluster_ips), pod_labels="app=web", remote_ports=ports(5432)
        ),
        TrafficRule(peers=peers(*DB.endpoints), remote_ports=ports(15432)),
        TrafficRule(peers=peers(*QUEUE.endpoints), remote_ports=ports(5432)),
    ]
    assert included(hosts=("queue",), pod_labels="app=web", remote_ports=ports(80)) == [
        TrafficRule(pod_labels="app=web", remote_ports=ports(80)), TrafficRule(peers=peers(*QUEUE.endpoints), remote_ports=ports(80, 8080)),
    ]


def test_names_that_are_no_services_leave_the_filter_as_it_is() -> None:
    traffic = TrafficFilter(include=(TrafficRule(hosts=("www", "db.elsewhere")), TrafficRule()), exclude=(TrafficRule(remote_ports=ports(80)),))
    assert with_services(traffic, SNAPSHOT, "shop") == (traffic, ())
    assert with_services(TrafficFilter(include=(TrafficRule(hosts=("db",)),)), SNAPSHOT, "elsewhere")[1] == ()


def test_excluded_hosts_are_translated_too() -> None:
    traffic, _ = with_services(TrafficFilter(exclude=(TrafficRule(hosts=("db",), remote_ports=ports(5432)),)), SNAPSHOT, "shop")
    assert [rule.remote_ports for rule in traffic.exclude] == [ports(5432), ports(15432)]


def test_an_excluded_port_is_another_one_at_the_endpoints_of_an_included_service() -> None:
    include, barred = (TrafficRule(hosts=("db",)),), TrafficRule(remote_ports=ports(5432))
    traffic, _ = with_services(TrafficFilter(include=include, exclude=(barred,)), SNAPSHOT, "shop")
    assert traffic.exclude == (barred, TrafficRule(peers=peers(*DB.endpoints), remote_ports=ports(15432)))
    for other in (TrafficRule(remote_ports=ports(99)), replace(barred, peers=peers("192.0.2.1")), TrafficRule(local_ports=ports(5432))):
        traffic, _ = with_services(TrafficFilter(include=include, exclude=(other,)), SNAPSHOT, "shop")
        assert traffic.exclude == (other,)
    headless = TrafficFilter(include=(TrafficRule(hosts=("queue",)),), exclude=(TrafficRule(remote_ports=ports(80)),))
    assert with_services(headless, SNAPSHOT, "shop")[0].exclude == headless.exclude  # nothing is translated for a headless Service


@pytest.mark.parametrize(("address", "port", "expected"), [
    ("10.96.0.7", 5432, True), ("10.244.2.6", 15432, True), ("fd00:244::5", 15432, True),
    ("10.96.0.7", 15432, False), ("10.244.2.6", 5432, False), ("10.96.9.9", 5432, False), ("192.0.2.1", 5432, False),
])
@pytest.mark.parametrize("direction", Direction)
def test_packets_are_matched_whoever_translates_them(address: str, port: int, expected: bool, direction: Direction) -> None:
    traffic, _ = with_services(TrafficFilter(include=(TrafficRule(hosts=("db",), remote_ports=ports(5432)),)), SNAPSHOT, "shop")
    peer = ip_address(address)
    mine = ip_address("10.244.1.2" if peer.version == 4 else "fd00:244::2")
    ends = {"source": mine, "destination": peer, "source_port": 40000, "destination_port": port}
    if direction is Direction.INGRESS:
        ends = {"source": peer, "destination": mine, "source_port": port, "destination_port": 40000}
    assert matches(traffic, Flow(protocol=Protocol.TCP, **ends), direction) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("rule", "notices"), [
    ({"hosts": ("db.shop.svc",)}, ["host db.shop.svc is the Service shop/db (ClusterIP 10.96.0.7, fd00:96::7, 3 endpoints)"]),
    ({"hosts": ("queue", "www")}, ["host queue is the Service shop/queue (headless, 1 endpoint)"]),
    ({"hosts": ("idle",)}, ["host idle is the Service shop/idle (ClusterIP 10.96.0.9), which has no endpoints"]),
    ({"hosts": ("nobody",)}, ["host nobody is the Service shop/nobody (headless), which has no endpoints"]),
    ({"hosts": ("mail",)}, ["host mail is the Service shop/mail, another name of smtp.example.com"]),
    ({"hosts": ("vault.secret",)}, [
        "host vault.secret: may not look up Services in secret, so that it is resolved as any other name; allow get services and list endpointslices",
    ]),
    ({"hosts": ("db",), "remote_ports": ports(15432, 9)}, [
        "host db is the Service shop/db (ClusterIP 10.96.0.7, fd00:96::7, 3 endpoints)", "the Service shop/db has no port 15432, 9 (it has 5432, 53)",
    ]),
    ({"hosts": ("idle",), "remote_ports": ports(9)}, [
        "host idle is the Service shop/idle (ClusterIP 10.96.0.9), which has no endpoints", "the Service shop/idle has no port 9 (it has none)",
    ]),
    ({"hosts": ("queue",), "remote_ports": ports(9)}, ["host queue is the Service shop/queue (headless, 1 endpoint)"]),
])
def test_what_is_said_about_each_service(rule: dict[str, Any], notices: list[str]) -> None:
    assert list(with_services(TrafficFilter(include=(TrafficRule(**rule),)), SNAPSHOT, "shop")[1]) == notices
