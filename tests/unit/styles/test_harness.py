"""Harness and Litmus entries: every tunable of the seeds, its default, and what it becomes (A1..A17, A23, A25, B1..B5, B10)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from chaos_modules.loading.documents import Document
from chaos_modules.model.errors import BadInput
from chaos_modules.model.impairment import Direction
from chaos_modules.model.quantities import Duration, PercentageRange
from chaos_modules.model.request import ImpairmentRequest, PodSelector, Sequence
from chaos_modules.model.traffic import PortRange, Protocol, TrafficFilter, TrafficRule
from chaos_modules.styles.registry import Style, detect_type, styles

HARNESS = styles()["pod_network_fault_scenarios"]
WEB = {"kind": "deployment", "namespace": "shop", "labels": "app=web"}


def translated(data: Any) -> list[ImpairmentRequest]:
    return HARNESS.translate(Document("f.yaml", data))


def request(fault: str = "pod-network-loss", /, **tunables: Any) -> ImpairmentRequest:
    return translated([{"id": fault, "workload": WEB, **tunables}])[0]


def request_model(**tunables: Any) -> BaseModel:
    return HARNESS.models()["pod-network-loss"].model_validate({"workload": WEB, **tunables})


def ports(*numbers: int) -> tuple[PortRange, ...]:
    return tuple(PortRange(number, number) for number in numbers)


def rules(**tunables: Any) -> tuple[TrafficRule, ...]:
    return request(**tunables).traffic.include


def test_defaults() -> None:
    asked = request("pod-network-duplication")
    assert (asked.id, asked.type, asked.style) == ("pod-network-duplication", "pod_network_fault_scenarios", "harness")
    assert asked.selector == PodSelector(namespace="shop", kind="deployment", labels="app=web")
    assert asked.traffic == TrafficFilter()
    assert (asked.device, asked.hold, asked.ramp) == ("eth0", Duration.of_seconds(60), Duration(0))
    assert (asked.sequence, asked.directions) == (Sequence.PARALLEL, (Direction.EGRESS,))
    assert asked.requested == (("duplicate", "100%"),)
    assert asked.notices == ()


def test_empty_values_mean_the_default_as_in_the_seeds() -> None:
    empty = dict.fromkeys((
        "CORRELATION", "DESTINATION_IPS", "DESTINATION_HOSTS", "SOURCE_PORTS", "DESTINATION_PORTS", "TARGET_PODS", "TARGET_CONTAINER", "NODE_LABEL",
    ), "")
    assert request(**empty) == request()
    assert request("pod-network-rate-limit", MIN_BURST="", PEAK_RATE=None).impairment == request("pod-network-rate-limit").impairment


def test_lower_and_upper_case_and_durations() -> None:
    for tunables in ({"TOTAL_CHAOS_DURATION": 90, "RAMP_TIME": "5"}, {"total_chaos_duration": "90s", "ramp_time": "5s"}):
        asked = request(**tunables)
        assert (asked.hold, asked.ramp) == (Duration.of_seconds(90), Duration.of_seconds(5))
    assert request(TOTAL_CHAOS_DURATION="1m").hold == Duration.of_seconds(60)


def test_targeting() -> None:
    asked = request(
        TARGET_CONTAINER="web", NODE_LABEL="zone=a", POD_AFFECTED_PERCENTAGE="25-75", SEQUENCE="Serial", DIRECTION="both", NETWORK_INTERFACE="net1",
    )
    assert asked.selector.container == "web"
    assert asked.selector.node_label == "zone=a"
    assert asked.selector.affected == PercentageRange(25, 75)
    assert (asked.sequence, asked.device) == (Sequence.SERIAL, "net1")
    assert asked.directions == (Direction.EGRESS, Direction.INGRESS)


@pytest.mark.parametrize(("entry", "selector"), [
    ({"workload": {"namespace": "shop", "kind": "StatefulSet", "names": "db, cache"}},
     PodSelector(namespace="shop", kind="statefulset", names=("db", "cache"))),
    ({"workload": {"namespace": "shop", "kind": "", "labels": "app in (a, b)"}}, PodSelector(namespace="shop", labels="app in (a, b)")),
    ({"TARGETS": "deployment:shop:[app=web]"}, PodSelector(namespace="shop", kind="deployment", labels="app=web")),
    ({"TARGETS": "job:shop:[one,two]"}, PodSelector(namespace="shop", kind="job", names=("one", "two"))),
    ({"TARGETS": {"kind": "job", "namespace": "shop", "names": ["one"]}}, PodSelector(namespace="shop", kind="job", names=("one",))),
    ({"APP_NAMESPACE": "shop", "APP_KIND": "deployment", "APP_LABEL": "app=web"},
     PodSelector(namespace="shop", kind="deployment", labels="app=web")),
    ({"APPNS": "shop", "applabel": "app=web"}, PodSelector(namespace="shop", labels="app=web")),
    ({"APP_NAMESPACE": "shop", "TARGET_PODS": "web-0,web-1"}, PodSelector(namespace="shop", target_pods=("web-0", "web-1"))),
    ({"workload": {"namespace": "shop"}, "TARGET_PODS": ["web-0"]}, PodSelector(namespace="shop", target_pods=("web-0",))),
])
def test_every_way_to_name_the_pods(entry: dict[str, Any], selector: PodSelector) -> None:
    assert translated({"id": "pod-network-loss", **entry})[0].selector == selector


def test_filters_that_are_given_together_must_all_match() -> None:
    assert rules(
        DESTINATION_IPS="10.1.0.0/16, fd00::1,10.1.2.3", DESTINATION_HOSTS="api.shop", SOURCE_PORTS=8080, DESTINATION_PORTS="443,8000-8100",
        PROTOCOLS="tcp",
    ) == (TrafficRule(
        peers=(ip_network("10.1.0.0/16"), ip_network("fd00::1")), hosts=("api.shop",), local_ports=ports(8080),
        remote_ports=(PortRange(443, 443), PortRange(8000, 8100)), protocols=(Protocol.TCP,),
    ),)


def test_addresses_with_ports_of_their_own_are_rules_of_their_own() -> None:
    web, database = ip_network("10.0.0.1"), ip_network("10.0.0.2")
    assert rules(DESTINATION_IPS="10.0.0.1|80|443") == (TrafficRule(peers=(web,), remote_ports=ports(80, 443)),)
    assert rules(DESTINATION_IPS="10.0.0.1|80,10.0.0.2", DESTINATION_PORTS="5432", SOURCE_PORTS="1") == (
        TrafficRule(peers=(database,), local_ports=ports(1), remote_ports=ports(5432)),
        TrafficRule(peers=(web,), local_ports=ports(1), remote_ports=ports(80)),
    )
    assert rules(DESTINATION_IPS="10.0.0.1|80", DESTINATION_HOSTS="a", PROTOCOLS="tcp")[0] == TrafficRule(hosts=("a",), protocols=(Protocol.TCP,))
    assert rules(DESTINATION_IPS="10.0.0.1|80", PROTOCOLS="tcp") == (
        TrafficRule(peers=(web,), remote_ports=ports(80), protocols=(Protocol.TCP,)),
    )


def test_exclusions() -> None:
    traffic = request(SOURCE_PORTS="!80,443", DESTINATION_PORTS="!53", EXCLUDE_IPS="10.0.0.0/8", EXCLUDE_PORTS="22").traffic
    assert traffic.include == ()
    assert traffic.exclude == (
        TrafficRule(peers=(ip_network("10.0.0.0/8"),)), TrafficRule(local_ports=ports(80, 443)), TrafficRule(remote_ports=ports(53)),
        TrafficRule(local_ports=ports(22)), TrafficRule(remote_ports=ports(22)),
    )
    assert request(SOURCE_PORTS="!80", DESTINATION_PORTS="443").traffic == TrafficFilter(
        include=(TrafficRule(remote_ports=ports(443)),), exclude=(TrafficRule(local_ports=ports(80)),),
    )


@pytest.mark.parametrize("tunables", [
    {"CONTAINER_RUNTIME": "docker", "SOCKET_PATH": "/var/run/docker.sock"},
    {"CONTAINER_RUNTIME": "crio"},
    {"SOCKET_PATH": "/run/k3s/containerd/containerd.sock"},
    {"SOCKET_PATH": "/run/somewhere/else.sock"},
    {"CONTAINER_RUNTIME": "crio", "SOCKET_PATH": "/run/crio/crio.sock"},
])
def test_runtime_and_socket_are_only_checked_against_each_other(tunables: dict[str, str]) -> None:
    assert request(**tunables) == request()


@pytest.mark.parametrize(("fault", "tunables", "notice"), [
    ("pod-network-loss", {"LIB_IMAGE": "x", "chaos_interval": 10}, "CHAOS_INTERVAL, LIB_IMAGE: accepted, but without effect here"),
    ("pod-network-loss", {"TARGET_PODS": "web-0", "NODE_LABEL": "a=b"}, "NODE_LABEL: without effect, since TARGET_PODS names the pods"),
    ("pod-network-loss", {"CORRELATION": 5}, "CORRELATION changes nothing when every packet is lost"),
    ("pod-network-rate-limit", {"network_bandwidth": "10Mbps", "LIMIT": "32kb", "BURST": "400kb"},
     "NETWORK_BANDWIDTH 10Mbps is 80mbit: bps means bytes per second, as in tc"),
])
def test_notices(fault: str, tunables: dict[str, Any], notice: str) -> None:
    assert request(fault, **tunables).notices == (notice,)


def test_rate_limits_have_port_filters_too() -> None:
    asked = request("pod-network-rate-limit", SOURCE_PORTS="8080", LIMIT="64kb")
    assert asked.traffic.include == (TrafficRule(local_ports=ports(8080)),)
    assert asked.requested == (("rate", "1mbit"), ("rate burst", "32kb"), ("rate limit", "64kb"))


def test_every_model_has_a_schema_with_all_tunables() -> None:
    common = {"TOTAL_CHAOS_DURATION", "DESTINATION_IPS", "SOURCE_PORTS", "EXCLUDE_PORTS", "TARGET_PODS", "workload"}
    for name, model in HARNESS.models().items():
        properties = model.model_json_schema()["properties"]
        assert common < properties.keys(), name
        assert all(part.get("description") for part in properties.values())
    dumped = request_model(DESTINATION_IPS="10.0.0.1|80", SOURCE_PORTS="!80,443").model_dump(mode="json", by_alias=True)
    assert (dumped["DESTINATION_IPS"], dumped["SOURCE_PORTS"]) == ("10.0.0.1/32|80", "!80,443")
    assert "PEAK_RATE" in HARNESS.models()["pod-network-rate-limit"].model_json_schema()["properties"]


@pytest.mark.parametrize("text", ["- id: pod-network-los\n", "id: pod-network-loss\n", "- {id: node-network-loss}\n"])
def test_a_file_is_recognised_by_its_shape_even_when_it_is_wrong(text: str) -> None:
    assert detect_type(Document("f", yaml.safe_load(text))) == HARNESS.type_name


@pytest.mark.parametrize("data", [[], {}, "text", [{"id": "pod_network_chaos"}], [[1]], {"id": None}])
def test_a_file_of_no_known_type_asks_for_the_type(data: Any) -> None:
    with pytest.raises(BadInput, match="--type"):
        detect_type(Document("f", data))


def test_a_file_of_two_types_asks_for_the_type(monkeypatch: pytest.MonkeyPatch) -> None:
    class Another(type(HARNESS)):  # type: ignore[misc]
        type_name = "another_type"

    another: Style = Another()
    monkeypatch.setattr("chaos_modules.styles.registry.styles", lambda: {HARNESS.type_name: HARNESS, another.type_name: another})
    with pytest.raises(BadInput, match="could be any of pod_network_fault_scenarios, another_type"):
        detect_type(Document("f", [{"id": "pod-network-loss"}]))
