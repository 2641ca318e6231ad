"""Services and their EndpointSlices as the API has them."""

from __future__ import annotations

from typing import Any

import pytest
from fake_api import FakeApi

from chaos_modules.clusters.kubernetes.api import ApiProblem
from chaos_modules.clusters.kubernetes.services import read_services, service_of
from chaos_modules.model.target import Service, ServicePort

GET, SLICES = "/api/v1/namespaces/shop/services/db", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"


def service(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop", "name": "db"}, "spec": spec}


def part(*addresses: str, ports: Any = (), kind: str = "IPv4", **conditions: bool) -> dict[str, Any]:
    return {"addressType": kind, "endpoints": [{"addresses": [one], "conditions": conditions} for one in addresses], "ports": list(ports)}


PORTS = [{"name": "sql", "port": 5432, "targetPort": "pg", "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]


def test_a_service_with_named_ports_in_several_slices() -> None:
    slices = [
        part("10.244.1.5", "10.244.2.6", ports=[{"name": "sql", "port": 5432}, {"name": "dns", "port": 1053}]),
        part("10.244.1.5", "10.244.3.7", ports=[{"name": "sql", "port": 15432}], ready=False),
        part("fd00::5", kind="IPv6", ports=[{"name": "sql", "port": 5432}]), part("db.example.com", kind="FQDN", ports=[{"name": "sql", "port": 1}]),
        {"addressType": "IPv4", "endpoints": None, "ports": None},
    ]
    assert service_of(service(clusterIP="10.96.0.7", clusterIPs=["10.96.0.7", "fd00:96::7"], ports=PORTS), slices) == Service(
        namespace="shop", name="db", cluster_ips=("10.96.0.7", "fd00:96::7"), endpoints=("10.244.1.5", "10.244.2.6", "10.244.3.7", "fd00::5"),
        ports=(ServicePort(port=5432, targets=(5432, 15432)), ServicePort(port=53, protocol="udp", targets=(1053,))),
    )


def test_an_unnamed_port_is_the_slices_unnamed_port() -> None:
    slices = [part("10.0.0.1", ports=[{"name": "", "port": 8080}, {"name": "x", "port": 1}])]
    found = service_of(service(clusterIP="10.96.0.7", ports=[{"port": 80}]), slices)
    assert found.ports == (ServicePort(port=80, targets=(8080,)),)
    assert found.cluster_ips == ("10.96.0.7",)
    every_port = service_of(service(clusterIP="None", ports=[{"port": 80}]), [part("10.0.0.1", ports=[{"port": None}])])
    assert every_port.ports == (ServicePort(port=80),)


@pytest.mark.parametrize("spec", [{"clusterIP": "None", "clusterIPs": ["None"]}, {"clusterIP": "None"}])
def test_a_headless_service_has_no_address_of_its_own(spec: dict[str, Any]) -> None:
    assert service_of(service(**spec), [part("10.0.0.1")]) == Service(namespace="shop", name="db", endpoints=("10.0.0.1",))


def test_an_external_name() -> None:
    found = service_of(service(type="ExternalName", externalName="db.example.com"), [])
    assert found == Service(namespace="shop", name="db", external_name="db.example.com")
    assert not service_of(service(type="ClusterIP", externalName="db.example.com", clusterIP="10.96.0.7"), []).external_name


def test_a_name_costs_one_request_and_a_service_one_more() -> None:
    api = FakeApi()
    api.answers["GET", GET] = service(clusterIP="10.96.0.7")
    api.collections[SLICES] = [part("10.0.0.1")]
    found, hidden = read_services(api, [("shop", "db"), ("com", "example")])
    assert [one.endpoints for one in found] == [("10.0.0.1",)]
    assert hidden == ()
    assert [(verb, path, query) for verb, path, query, _ in api.calls] == [
        ("GET", GET, ()), ("LIST", SLICES, (("labelSelector", "kubernetes.io/service-name=db"),)),
        ("GET", "/api/v1/namespaces/com/services/example", ()),
    ]


@pytest.mark.parametrize("at", ["service", "slices"])
def test_what_may_not_be_looked_up_is_said_and_other_problems_are_raised(at: str) -> None:
    for status, raised in ((403, False), (500, True), (0, True)):
        api, problem = FakeApi(), ApiProblem("no", status=status)
        api.answers["GET", GET] = problem if at == "service" else service(clusterIP="10.96.0.7")
        api.collections[SLICES] = problem
        if raised:
            with pytest.raises(ApiProblem):
                read_services(api, [("shop", "db")])
        else:
            assert read_services(api, [("shop", "db")]) == ((), (("shop", "db"),))
