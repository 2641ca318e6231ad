"""What the API lists becomes pods, nodes and workloads, with as few requests as it takes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from fake_api import FakeApi
from fakes import request

from chaos_modules.clusters.kubernetes.api import ApiProblem
from chaos_modules.clusters.kubernetes.snapshot import node_of, pod_of, read_snapshot
from chaos_modules.model.errors import NoTarget
from chaos_modules.model.request import NodeSelector, PodSelector, Selector
from chaos_modules.model.target import Container, Node, Scope, Snapshot, Taint
from chaos_modules.model.traffic import TrafficFilter, TrafficRule
from chaos_modules.targets.scope import scope_of
from chaos_modules.targets.select import select

PODS, NODES, NAMESPACES = "/api/v1/namespaces/shop/pods", "/api/v1/nodes", "/api/v1/namespaces"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
Item = dict[str, Any]


def owner(kind: str, name: str, controller: bool = True) -> Item:
    return {"kind": kind, "name": name, "controller": controller, "uid": "u"}


def pod(name: str = "web-0", *owners: Item, namespace: str = "shop", **labels: str) -> Item:
    return {
        "metadata": {"namespace": namespace, "name": name, "uid": f"uid-{name}", "labels": labels, "ownerReferences": list(owners)},
        "spec": {"nodeName": "n1", "containers": [{"name": "web", "image": "web"}]},
        "status": {
            "phase": "Running", "podIPs": [{"ip": "10.244.0.9"}, {"ip": "fd00::9"}],
            "containerStatuses": [{"name": "web", "containerID": f"containerd://{name}", "state": {"running": {}}}],
        },
    }


def node(name: str = "n1", ready: str = "True", **labels: str) -> Item:
    return {"metadata": {"name": name, "labels": labels}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def api_with(*pods: Item) -> FakeApi:
    api = FakeApi()
    api.collections = {PODS: list(pods), NODES: [node()], NAMESPACES: [{"metadata": {"name": name}} for name in ("shop", "shop2")]}
    return api


def snapshot_for(api: FakeApi, selector: Selector, **rule: Any) -> Snapshot:
    traffic = TrafficFilter(exclude=(TrafficRule(**rule),)) if rule else TrafficFilter()
    return read_snapshot(api, scope_of([request(selector=selector, traffic=traffic)]), "kind-test")


def shop(**parts: Any) -> PodSelector:
    return PodSelector(namespace="shop", **parts)


def test_a_pod() -> None:
    found = pod_of(pod("web-0", owner("StatefulSet", "web"), tier="a", app="web"))
    assert (found.path, found.uid, found.node, found.phase) == ("shop/web-0", "uid-web-0", "n1", "Running")
    assert found.labels == (("app", "web"), ("tier", "a"))
    assert found.owners == (("statefulset", "web"),)
    assert found.containers == (Container(name="web", id="containerd://web-0", running=True),)
    assert found.addresses == ("10.244.0.9", "fd00::9")
    assert (found.terminating, found.host_network) == (False, False)


def test_a_pod_that_was_only_just_made_and_one_that_is_going() -> None:
    fresh: Item = {"metadata": {"namespace": "shop", "name": "new"}, "spec": {"containers": [{"name": "web"}], "hostNetwork": True}}
    found = pod_of(fresh)
    assert (found.node, found.labels, found.owners, found.phase, found.addresses, found.uid) == ("", (), (), "", (), "")
    assert found.containers == (Container(name="web", id="", running=False),)
    assert found.host_network
    fresh["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert pod_of(fresh).terminating


def test_containers_are_paired_with_their_statuses_by_name_and_sidecars_come_last() -> None:
    item = pod()
    item["spec"]["containers"] = [{"name": "web"}, {"name": "proxy"}, {"name": "late"}]
    item["spec"]["initContainers"] = [{"name": "once"}, {"name": "mesh", "restartPolicy": "Always"}]
    item["status"]["containerStatuses"] = [
        {"name": "late", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "containerID": "containerd://old"},
        {"name": "proxy", "containerID": "containerd://p", "state": {"running": {}}},
        {"name": "web", "containerID": "containerd://w", "state": {"terminated": {}}},
    ]
    item["status"]["initContainerStatuses"] = [
        {"name": "mesh", "containerID": "containerd://m", "state": {"running": {}}}, {"name": "once", "state": {"terminated": {}}},
    ]
    assert pod_of(item).containers == (
        Container(name="web", id="containerd://w", running=False), Container(name="proxy", id="containerd://p", running=True),
        Container(name="late", id="containerd://old", running=False), Container(name="mesh", id="containerd://m", running=True),
    )


@pytest.mark.parametrize(("owners", "labels", "expected"), [
    ((owner("ReplicaSet", "web-5d9c"),), {"pod-template-hash": "5d9c"}, (("replicaset", "web-5d9c"), ("deployment", "web"))),
    ((owner("ReplicaSet", "a-b-5d9c"),), {"pod-template-hash": "5d9c"}, (("replicaset", "a-b-5d9c"), ("deployment", "a-b"))),
    ((owner("ReplicaSet", "web-5d9c"),), {}, (("replicaset", "web-5d9c"),)),  # nobody's ReplicaSet
    ((owner("ReplicaSet", "web-"),), {"pod-template-hash": ""}, (("replicaset", "web-"),)),
    ((owner("ReplicaSet", "web"),), {"pod-template-hash": "5d9c"}, (("replicaset", "web"),)),
    ((owner("StatefulSet", "web-5d9c"),), {"pod-template-hash": "5d9c"}, (("statefulset", "web-5d9c"),)),
    ((owner("Backup", "b", controller=False), owner("Job", "nightly-1")), {}, (("job", "nightly-1"),)),
])
def test_owners(owners: tuple[Item, ...], labels: dict[str, str], expected: tuple[tuple[str, str], ...]) -> None:
    assert pod_of(pod("p", *owners, **labels)).owners == expected


def test_a_node() -> None:
    item = node("n1", zone="a")
    item["spec"] = {"unschedulable": True, "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}, {"key": "c", "effect": "NoExecute"}]}
    item["status"] |= {
        "nodeInfo": {"operatingSystem": "windows", "kubeletVersion": "v1.36.0"}, "images": [{"names": ["x@sha256:1", "x:1"]}, {"names": None}],
    }
    assert node_of(item) == Node(
        name="n1", labels=(("zone", "a"),), unschedulable=True, operating_system="windows", kubelet_version="v1.36.0",
        taints=(Taint(key="a", value="b", effect="NoSchedule"), Taint(key="c", effect="NoExecute")), images=("x@sha256:1", "x:1"),
        images_complete=True,
    )


@pytest.mark.parametrize(("conditions", "ready"), [
    ([{"type": "Ready", "status": "True"}], True), ([{"type": "Ready", "status": "False"}], False), ([{"type": "Ready", "status": "Unknown"}], False),
    ([{"type": "DiskPressure", "status": "True"}], False), ([], False),
])
def test_only_a_node_that_says_so_is_ready(conditions: list[Item], ready: bool) -> None:
    assert node_of({"metadata": {"name": "n"}, "status": {"conditions": conditions}}).ready is ready


def test_a_kubelet_that_reports_its_most_may_have_more_images() -> None:
    for number, complete in ((49, True), (50, False)):
        images = [{"names": [str(one)]} for one in range(number)]
        assert node_of({"metadata": {"name": "n"}, "status": {"images": images}}).images_complete is complete


@pytest.mark.parametrize(("selector", "lists"), [
    (shop(labels="app=web"), [PODS, NODES]),
    (shop(target_pods=("web-0",)), [PODS, NODES]),
    (shop(kind="deployment", names=("web",)), [PODS, NODES]),
    (shop(kind="deployment", labels="team=a"), [PODS, NODES, DEPLOYMENTS]),
    (shop(kind="job", labels="team=a"), [PODS, NODES, "/apis/batch/v1/namespaces/shop/jobs"]),
    (NodeSelector(), [NODES]),
])
def test_the_requests_of_each_selector(selector: Selector, lists: list[str]) -> None:
    api = api_with(pod("web-0", owner("ReplicaSet", "web-1"), **{"app": "web", "pod-template-hash": "1"}))
    found = snapshot_for(api, selector)
    assert sorted(path for _, path, _, _ in api.calls) == sorted(lists)
    assert found.cluster == "kind-test"
    assert [one.name for one in found.nodes] == ["n1"]


def test_every_namespace_is_one_list_of_pods_and_one_of_namespaces() -> None:
    api = api_with()
    api.collections["/api/v1/pods"] = [pod(), pod("api-0", namespace="other")]
    api.collections[NAMESPACES] = [{"metadata": {"name": "other", "labels": {"team": "a"}}}]
    found = snapshot_for(api, shop(), namespace_labels="team=a")
    assert sorted(api.asked("LIST")) == sorted(["/api/v1/pods", NODES, NAMESPACES])
    assert found.namespace_labels == (("other", (("team", "a"),)),)
    assert [one.path for one in found.pods] == ["shop/web-0", "other/api-0"]


def test_workloads_have_their_labels() -> None:
    api = api_with(pod("web-0", owner("ReplicaSet", "web-1"), **{"pod-template-hash": "1"}))
    api.collections[DEPLOYMENTS] = [{"metadata": {"name": "web", "namespace": "shop", "labels": {"team": "a"}}}, {"metadata": {"name": "api"}}]
    found = snapshot_for(api, shop(kind="deployment", labels="team=a"))
    assert [(one.kind, one.namespace, one.name, one.labels) for one in found.workloads] == [
        ("deployment", "shop", "web", (("team", "a"),)), ("deployment", "shop", "api", ()),
    ]
    assert [one.name for one in select(found, shop(kind="deployment", labels="team=a"), Random(1)).targets] == ["web-0"]


def test_services_of_the_scope_are_looked_up() -> None:
    api = api_with(pod())
    api.answers["GET", "/api/v1/namespaces/shop/services/db"] = {"metadata": {"namespace": "shop", "name": "db"}, "spec": {"clusterIP": "10.96.0.7"}}
    api.answers["GET", "/api/v1/namespaces/shop/services/no"] = ApiProblem("no", status=403)
    found = snapshot_for(api, shop(), hosts=("db", "no"))
    assert [one.cluster_ips for one in found.services] == [("10.96.0.7",)]
    assert found.hidden_services == (("shop", "no"),)


@pytest.mark.parametrize(("namespaces", "hidden"), [
    ([{"metadata": {"name": "shop2"}}], (("shop2", "no"),)), (ApiProblem("no", status=403), (("shop2", "no"), ("com", "example"))),
])  # fmt: skip
def test_what_may_not_be_looked_up_is_no_service_where_its_namespace_is_not_there(namespaces: Any, hidden: tuple[tuple[str, str], ...]) -> None:
    api = api_with(pod())
    api.collections[NAMESPACES] = namespaces
    for path in ("/api/v1/namespaces/shop2/services/no", "/api/v1/namespaces/com/services/example"):
        api.answers["GET", path] = ApiProblem("no", status=403)
    assert snapshot_for(api, shop(), hosts=("no.shop2", "example.com")).hidden_services == hidden


def test_namespaces_are_not_listed_for_a_service_beside_its_target() -> None:
    api = api_with(pod())
    api.answers["GET", "/api/v1/namespaces/shop/services/no"] = ApiProblem("no", status=403)
    assert snapshot_for(api, shop(), hosts=("no",)).hidden_services == (("shop", "no"),)
    assert NAMESPACES not in api.asked("LIST")


def refused(api: FakeApi, selector: PodSelector) -> str:
    with pytest.raises(NoTarget) as caught:
        select(snapshot_for(api, selector), selector, Random(1))
    return str(caught.value)


def test_a_namespace_that_is_not_there_is_told_from_an_empty_one() -> None:
    api = api_with()
    assert refused(api, shop(labels="a=b")).startswith("kind-test: no pod in namespace shop has a=b\n")
    assert refused(api, PodSelector(namespace="shop3")).startswith("kind-test: no namespace shop3 (nearest: shop")
    api.collections[NAMESPACES] = ApiProblem("no", status=403)
    assert refused(api, shop(labels="a=b")).startswith("kind-test: no pod that can be seen in namespace shop\n")


def test_a_named_workload_without_pods_is_told_from_one_that_is_not_there() -> None:
    api = api_with(pod())
    api.collections[DEPLOYMENTS] = [{"metadata": {"name": "idle", "namespace": "shop"}}]
    assert "deployment idle in namespace shop has no pods\n  → scale it up" in refused(api, shop(kind="deployment", names=("idle",)))
    assert "no deployment idel in namespace shop (nearest: idle)" in refused(api, shop(kind="deployment", names=("idel",)))
    api.collections[DEPLOYMENTS] = ApiProblem("no", status=403)
    assert "no deployment idle in namespace shop\n" in refused(api, shop(kind="deployment", names=("idle",)))


@pytest.mark.parametrize(("path", "status", "scope"), [
    (PODS, 403, Scope(namespaces=("shop",))), ("/api/v1/pods", 403, Scope(everywhere=True)), (NODES, 403, Scope()),
    (DEPLOYMENTS, 403, Scope(workloads=(("shop", "deployment"),))), (NAMESPACES, 403, Scope(namespace_labels=True)),
    (NAMESPACES, 500, Scope(namespaces=("shop",))), (DEPLOYMENTS, 500, Scope(named=(("shop", "deployment", "web"),))),
])
def test_what_the_plan_would_be_wrong_without_is_never_left_out_in_silence(path: str, status: int, scope: Scope) -> None:
    api = api_with()
    api.collections[path] = problem = ApiProblem("may not list", status=status)
    with pytest.raises(ApiProblem) as caught:
        read_snapshot(api, scope, "kind-test")
    assert caught.value is problem
