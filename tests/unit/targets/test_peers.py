"""Peers named by labels become the addresses that their pods have; whoever is named by nobody is said."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from chaos_modules.model.errors import BadInput
from chaos_modules.model.target import Pod, Snapshot
from chaos_modules.model.traffic import PortRange, TrafficFilter, TrafficRule
from chaos_modules.targets.peers import with_addresses


def pod(name: str, namespace: str, *addresses: str, **labels: str) -> Pod:
    return Pod(namespace=namespace, name=name, node="n1", labels=tuple(labels.items()), addresses=addresses)


SNAPSHOT = Snapshot(cluster="test", nodes=(), pods=(
    pod("web-0", "shop", "10.0.0.1", "fd00::1", app="web"), pod("web-1", "shop", "10.0.0.2", app="web"), pod("db-0", "shop", "10.0.0.3", app="db"),
    pod("web-0", "other", "10.0.1.1", app="web"), pod("new", "other", app="new"),
))


def found(**parts: str) -> tuple[list[str], tuple[str, ...]]:
    traffic, warnings = with_addresses(TrafficFilter(exclude=(TrafficRule(**parts),)), SNAPSHOT)  # type: ignore[arg-type]
    return [str(peer) for rule in traffic.exclude for peer in rule.peers], warnings


def test_a_filter_without_labels_stays_as_it_is() -> None:
    traffic = TrafficFilter(include=(TrafficRule(hosts=("a",)),), exclude=(TrafficRule(peers=(ip_network("10.0.0.0/8"),)),), link_layer=True)
    assert with_addresses(traffic, SNAPSHOT) == (traffic, ())


@pytest.mark.parametrize(("parts", "addresses"), [
    ({"pod_labels": "app=db"}, ["10.0.0.3/32"]),
    ({"pod_labels": "app=web"}, ["10.0.0.1/32", "fd00::1/128", "10.0.0.2/32", "10.0.1.1/32"]),
    ({"pod_labels": "app=web", "namespace_labels": "kubernetes.io/metadata.name=other"}, ["10.0.1.1/32"]),
    ({"namespace_labels": "kubernetes.io/metadata.name=other"}, ["10.0.1.1/32"]),
    ({"pod_labels": "app in (db, web),app!=web"}, ["10.0.0.3/32"]),
])
def test_labels_become_addresses(parts: dict[str, str], addresses: list[str]) -> None:
    assert found(**parts) == (addresses, ())


def test_everything_else_of_the_rule_stays() -> None:
    rule = TrafficRule(peers=(ip_network("192.0.2.7"),), hosts=("api",), remote_ports=(PortRange(80, 80),), pod_labels="app=db")
    traffic, _ = with_addresses(TrafficFilter(include=(rule,)), SNAPSHOT)
    assert traffic.include == (
        TrafficRule(peers=(ip_network("192.0.2.7"), ip_network("10.0.0.3")), hosts=("api",), remote_ports=(PortRange(80, 80),)),
    )


@pytest.mark.parametrize(("parts", "named"), [
    ({"pod_labels": "app=nobody"}, "app=nobody"),
    ({"pod_labels": "app=new"}, "app=new"),  # a pod without an address yet
    ({"pod_labels": "app=db", "namespace_labels": "team=a"}, "app=db and team=a"),
])
def test_labels_that_name_nobody_are_said_and_allow_nobody(parts: dict[str, str], named: str) -> None:
    assert found(**parts) == ([], (f"no pod is named by {named}: nobody is allowed by it",))


def test_a_warning_is_said_once_for_both_ends_of_a_rule() -> None:
    rules = (TrafficRule(pod_labels="app=x", local_ports=(PortRange(1, 1),)), TrafficRule(pod_labels="app=x", remote_ports=(PortRange(1, 1),)))
    traffic, warnings = with_addresses(TrafficFilter(exclude=rules), SNAPSHOT)
    assert (traffic, len(warnings)) == (TrafficFilter(), 1)


def test_a_filter_whose_every_rule_names_nobody_never_becomes_everything() -> None:
    rule = TrafficRule(pod_labels="app=nobody")
    with pytest.raises(BadInput, match="would mean everything"):
        with_addresses(TrafficFilter(include=(rule,)), SNAPSHOT)
    traffic, _ = with_addresses(TrafficFilter(include=(rule, TrafficRule(hosts=("api",)))), SNAPSHOT)
    assert traffic.include == (TrafficRule(hosts=("api",)),)


def test_pod_labels_alone_mean_the_pods_of_ones_own_namespace() -> None:
    rule = TrafficRule(pod_labels="app=web")
    everywhere, _ = with_addresses(TrafficFilter(exclude=(rule,)), SNAPSHOT)
    for namespace in SNAPSHOT.namespaces or {pod.namespace for pod in SNAPSHOT.pods}:
        here, _ = with_addresses(TrafficFilter(exclude=(rule,)), SNAPSHOT, namespace)
        own = {address for pod in SNAPSHOT.pods if pod.namespace == namespace for address in pod.addresses}
        assert {str(peer.network_address) for one in here.exclude for peer in one.peers} <= own
    assert everywhere.exclude


def test_namespaces_are_selected_by_their_own_labels_where_they_are_known() -> None:
    rule = TrafficRule(namespace_labels="team=a")
    known = replace(SNAPSHOT, namespace_labels=(("shop", (("team", "a"),)), ("other", (("team", "b"),))))
    traffic, warnings = with_addresses(TrafficFilter(exclude=(rule,)), known)
    assert [str(peer.network_address) for peer in traffic.exclude[0].peers] == ["10.0.0.1", "fd00::1", "10.0.0.2", "10.0.0.3"]
    assert warnings == ()
    assert with_addresses(TrafficFilter(exclude=(rule,)), SNAPSHOT)[0].exclude == ()


@pytest.mark.parametrize(("phase", "number"), [("Running", 1), ("Pending", 1), ("Succeeded", 0), ("Failed", 0)])
def test_pods_that_have_ended_have_no_address_any_more(phase: str, number: int) -> None:
    snapshot = replace(SNAPSHOT, pods=tuple(replace(one, phase=phase) for one in SNAPSHOT.pods))
    traffic, _ = with_addresses(TrafficFilter(exclude=(TrafficRule(pod_labels="app=db"),)), snapshot)
    assert len(traffic.exclude) == number
