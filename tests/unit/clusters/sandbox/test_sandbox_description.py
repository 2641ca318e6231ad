"""What a sandbox file may say; every mistake is reported at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.clusters.sandbox.description import describe
from chaos_modules.clusters.sandbox.layout import hosts_file, lay_out
from chaos_modules.clusters.sandbox.peers import flow_setups
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.target import Pod, Target, Workload

SHIPPED = Path(__file__).parents[4] / "config" / "sandbox.yaml"


def shop(**changes: Any) -> dict[str, Any]:
    owner = {"kind": "Deployment", "name": "web"}
    return {
        "nodes": ["one", "two"],
        "pods": [
            {"name": "web-0", "namespace": "shop", "labels": {"app": "web", "n": "0"}, "owner": owner, "serve": {"tcp": [80], "udp": [9]}},
            {"name": "web-1", "namespace": "shop", "node": "two", "labels": {"app": "web", "n": "1"}, "owner": owner},
            {"name": "exporter", "node": "two", "hostNetwork": True, "serve": {"tcp": [9100]}},
            {"name": "done", "phase": "Succeeded"},
        ],
        **changes,
    }


def mistakes(data: object) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as caught:
        describe(data)
    return {error["loc"]: error["msg"] for error in caught.value.errors()}


def flow(**keys: Any) -> dict[str, Any]:
    return shop(traffic=[{"from": "shop/web-1", "to": "shop/web-0", **keys}])


def test_the_shipped_sandbox_is_valid_and_has_what_the_demonstration_needs() -> None:
    description = describe(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))
    ports = {item.udp for item in description.traffic if item.sender == "shop/web-0"}
    assert {9000, 9100} <= ports
    assert any(pod.host_network for pod in description.pods)
    assert {item.kind for item in description.traffic} == {"udp", "http", "ping"}


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (shop(nodes=[]), ("nodes",), "at least 1"),
        (shop(nodes=["one", "two", "two"]), ("nodes", 2), "listed twice"),
        (shop(colour="red"), ("colour",), "Extra inputs"),
        (shop(pods=[{"name": "a", "host_network": True}]), ("pods", 0, "host_network"), "Extra inputs"),
        (shop(pods=[{"name": "a"}, {"name": "a"}]), ("pods", 1, "name"), "listed twice"),
        (shop(pods=[{"name": "a", "node": "three"}]), ("pods", 0, "node"), "nodes: one, two"),
        (shop(pods=[{"name": "../a"}]), ("pods", 0, "name"), "DNS-1123"),
        (shop(pods=[{"name": "a\n"}]), ("pods", 0, "name"), "DNS-1123"),
        (shop(pods=[{"name": "a", "serve": {"tcp": [80, 80]}}]), ("pods", 0, "serve", "tcp", 1), "already served"),
        (flow(udp=9, to="shop/web-9"), ("traffic", 0, "to"), "no pod shop/web-9"),
        (flow(udp=9, to="done"), ("traffic", 0, "to"), "Succeeded"),
        (flow(udp=10), ("traffic", 0, "udp"), "does not serve udp port 10"),
        (flow(http=81), ("traffic", 0, "http"), "does not serve tcp port 81"),
        (flow(udp=9, ping=1), ("traffic", 0), "exactly one"),
        (flow(), ("traffic", 0), "exactly one"),
        (flow(ping=1, rate=5), ("traffic", 0), "rate: not for a ping flow"),
        (flow(ping=1, to="shop/web-1"), ("traffic", 0, "to"), "two different pods"),
        (flow(udp=9, size=10), ("traffic", 0, "size"), "greater than or equal to 32"),
    ],
)
def test_a_mistake_is_reported_where_it_is(data: dict[str, Any], place: tuple[str | int, ...], words: str) -> None:
    assert words in mistakes(data)[place]


def test_every_mistake_is_reported_at_once() -> None:
    assert len(mistakes(shop(pods=[{"name": "a", "node": "x"}, {"name": "a", "node": "y"}]))) == 3


def test_pods_with_host_network_share_the_ports_of_their_node() -> None:
    pods = [{"name": name, "hostNetwork": True, "serve": {"udp": [9]}} for name in ("a", "b")]
    assert "default/a" in mistakes(shop(pods=pods))[("pods", 1, "serve", "udp", 0)]
    pods[1]["node"] = "two"
    describe(shop(pods=pods))


def test_addresses_follow_the_order_and_host_network_is_the_nodes() -> None:
    layout = lay_out(describe(shop()))
    assert layout.pods["shop/web-0"].addresses == ("10.244.1.2", "fd00:5c::1:2")
    assert layout.pods["shop/web-1"].addresses == ("10.244.2.2", "fd00:5c::2:2")
    assert layout.pods["default/exporter"].addresses == layout.nodes["two"].addresses
    assert layout.guests == {"default/exporter": "squall-node.two"}
    assert "default/done" not in layout.pods


def test_hosts_name_every_pod_and_every_owner() -> None:
    description = describe(shop())
    lines = [line.split() for line in hosts_file(description, lay_out(description)).splitlines()]
    assert [line[0] for line in lines if "web.shop" in line] == ["10.244.1.2", "fd00:5c::1:2", "10.244.2.2", "fd00:5c::2:2"]
    assert {"web-0", "web-0.shop", "web-0.shop.pod.sandbox"} <= set(lines[2])


def test_the_snapshot_looks_like_a_cluster(tmp_path: Path) -> None:
    snapshot = Sandbox(describe(shop()), "shop.yaml", tmp_path / "state").snapshot()
    pods: dict[str, Pod] = {pod.path: pod for pod in snapshot.pods}
    assert pods["shop/web-0"].owners == (("deployment", "web"),)
    assert pods["shop/web-0"].containers[0].id == "sandbox://shop/web-0/app"
    assert not pods["default/done"].addresses and not pods["default/done"].containers[0].running
    assert pods["default/exporter"].host_network
    assert snapshot.workloads == (Workload(kind="deployment", namespace="shop", name="web", labels=(("app", "web"),)),)
    assert snapshot.namespaces == ("default", "shop")


def test_targets_are_located_by_files(tmp_path: Path) -> None:
    sandbox = Sandbox(describe(shop()), "shop.yaml", tmp_path)
    found = sandbox.locate(Target(kind="pod", namespace="shop", name="web-1", node="two"))
    assert found["netns"] == "/run/netns/squall.shop.web-1"
    assert found["etc"] == str(tmp_path / "pods" / "shop.web-1" / "etc")
    assert found["host_netns"] == "/run/netns/squall-node.two"
    node = sandbox.locate(Target(kind="node", namespace="", name="one", node="one"))
    assert node["netns"] == node["host_netns"] == "/run/netns/squall-node.one"
    with pytest.raises(ClusterProblem, match="pod/default/done has no network namespace"):
        sandbox.locate(Target(kind="pod", namespace="default", name="done", node="one"))


def test_equal_flows_get_names_of_their_own() -> None:
    item = {"from": "shop/web-1", "to": "shop/web-0", "udp": 9}
    description = describe(shop(traffic=[item, item, {**item, "family": 6}]))
    setups = flow_setups(description, lay_out(description))
    assert [setup.name for setup in setups] == [
        "udp shop/web-1 > shop/web-0:9",
        "udp shop/web-1 > shop/web-0:9 #2",
        "udp6 shop/web-1 > shop/web-0:9",
    ]
    assert (setups[2].source, setups[2].destination) == ("fd00:5c::2:2", "fd00:5c::1:2")
