"""The cluster as the engine sees it: where targets are, what the preflight warns of, and the look for what is left."""

from __future__ import annotations

import fakes
import pytest
from swept_cluster import NODES, PODS, REMEDY, RUN, SWEPT, WORKLOAD, SweptCluster, found, node

from chaos_modules.clusters.kubernetes.api import ApiProblem, Object
from chaos_modules.clusters.kubernetes.cluster import Kubernetes
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.target import Scope, Target

SCOPE = Scope(namespaces=("shop",))
PLAN = fakes.plan(fakes.scenario(fakes.request(), fakes.target()))
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ALLOWED = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
TARGET = {
    "metadata": {"namespace": "shop", "name": "web-0", "uid": "uid-0"}, "spec": {"nodeName": "worker-1", "containers": [{"name": "web"}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "web", "containerID": "containerd://0", "state": {"running": {}}}]},
}


class Closing(SweptCluster):
    """One that can be let go of."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def kubernetes(*nodes: Object, grants: list[Object] | None = None, **options: bool) -> tuple[Kubernetes, Closing]:
    """A cluster with these nodes, in which everything is allowed unless told otherwise."""
    api = Closing(*nodes)
    api.collections["/api/v1/namespaces/shop/pods"] = [TARGET]
    api.answers["POST", REVIEW] = {"status": {"resourceRules": ALLOWED if grants is None else grants}}
    api.answers["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = {"status": {"allowed": False}}
    api.answers["POST", PODS] = {}
    return Kubernetes(api, WORKLOAD, **options), api


def well(name: str = "worker-1", *images: str) -> Object:
    """A node on which nothing is in the way of a carrier."""
    one = node(name)
    about = {"kubeletVersion": "v1.36.2", "operatingSystem": "linux"}
    return {**one, "status": {**one["status"], "nodeInfo": about, "images": [{"names": list(images)}]}}


def test_a_pod_is_found_by_its_container_and_by_itself() -> None:
    cluster, api = kubernetes()
    pod = Target(kind="pod", namespace="shop", name="web-0", node="worker-1", container="web", container_id="containerd://0", uid="uid-0")
    assert cluster.locate(pod) == {"container": "containerd://0", "pod": "uid-0"}
    assert cluster.locate(Target(kind="node", namespace="", name="worker-1", node="worker-1", container="", container_id="")) == {"host": True}
    assert api.calls == []


def test_it_is_there_already_and_is_let_go_of() -> None:
    cluster, api = kubernetes()
    cluster.start()
    assert (cluster.name, cluster.peers, api.calls, api.closed) == ("fake", None, [], 0)
    cluster.close()
    assert api.closed == 1


def test_a_snapshot_has_the_context_s_name() -> None:
    cluster, _ = kubernetes(well("worker-1"))
    snapshot = cluster.snapshot(SCOPE)
    assert (snapshot.cluster, [one.name for one in snapshot.nodes], [pod.path for pod in snapshot.pods]) == ("fake", ["worker-1"], ["shop/web-0"])


def test_where_all_is_well_the_preflight_has_nothing_to_say() -> None:
    cluster, api = kubernetes(well("worker-1", WORKLOAD.image))
    cluster.snapshot(SCOPE)
    before = len(api.calls)
    assert cluster.preflight(PLAN) == []
    assert [(method, path) for method, path, _, _ in api.calls[before:]] == [("POST", REVIEW), ("POST", PODS), ("LIST", PODS)]


def test_the_preflight_warns_of_what_does_not_stop_it() -> None:
    cluster, _ = kubernetes(well("worker-1", "another:1"))
    cluster.snapshot(SCOPE)
    assert cluster.preflight(PLAN) == [f"image: {WORKLOAD.image} is not on worker-1 yet; it is pulled when needed"]


def test_the_preflight_raises_everything_that_is_in_the_way() -> None:
    cluster, _ = kubernetes({**well(), "spec": {"taints": [{"key": "dedicated", "effect": "NoSchedule"}]}}, grants=[])
    cluster.snapshot(SCOPE)
    with pytest.raises(ClusterProblem) as caught:
        cluster.preflight(PLAN)
    assert "fake" in str(caught.value)
    assert "not allowed in namespace squall: create" in str(caught.value)
    assert "dedicated" in str(caught.value)


@pytest.mark.parametrize(("options", "needs"), [
    ({}, set()),
    ({"stop": True}, {"pods/attach"}),
    ({"target_events": True}, {"namespace shop: create events"}),
])
def test_the_preflight_asks_for_what_this_run_needs(options: dict[str, bool], needs: set[str]) -> None:
    cluster, _ = kubernetes(well(), grants=[], **options)
    cluster.snapshot(SCOPE)
    with pytest.raises(ClusterProblem) as caught:
        cluster.preflight(PLAN)
    assert {text for text in ("pods/attach", "namespace shop: create events") if text in str(caught.value)} == needs


HOST_RULES = {"services": ("", "get"), "endpointslices": ("discovery.k8s.io", "list")}


@pytest.mark.parametrize("missing", HOST_RULES)
def test_a_host_that_may_be_a_service_and_may_not_be_looked_up_is_in_the_way(missing: str) -> None:
    group, verb = HOST_RULES[missing]
    kept = [{"verbs": [verb], "apiGroups": [group], "resources": [one]} for one, (group, verb) in HOST_RULES.items() if one != missing]
    cluster, api = kubernetes(well("worker-1", WORKLOAD.image), grants=kept)
    api.answers["POST", REVIEW] = lambda _, body: {"status": {"resourceRules": kept if (body or {})["spec"]["namespace"] == "shop" else ALLOWED}}
    api.answers["GET", "/api/v1/namespaces/shop/services/db"] = ApiProblem("no", status=403)
    cluster.snapshot(Scope(namespaces=("shop",), services=(("shop", "db"), ("shop", "db"))))
    with pytest.raises(ClusterProblem) as caught:
        cluster.preflight(PLAN)
    assert f"not allowed in namespace shop: {verb} {missing} (hosts that are services)" in str(caught.value)
    assert f'{{apiGroups: ["{group}"], resources: ["{missing}"], verbs: ["{verb}"]}}' in str(caught.value)


@pytest.mark.parametrize("named", [("shop", "db"), ("com", "example")])
def test_a_host_that_was_looked_up_or_is_elsewhere_is_not(named: tuple[str, str]) -> None:
    """The first is no Service, as far as one can see; the second may be one in a namespace of which nothing is known."""
    cluster, api = kubernetes(well("worker-1", WORKLOAD.image))
    api.collections["/api/v1/namespaces"] = ApiProblem("no", status=403)
    api.answers["GET", "/api/v1/namespaces/com/services/example"] = ApiProblem("no", status=403)
    cluster.snapshot(Scope(namespaces=("shop",), services=(named,)))
    before = len(api.calls)
    assert cluster.preflight(PLAN) == []
    assert len(api.calls) - before == 3


def test_thorough_checks_ask_the_server_itself() -> None:
    cluster, api = kubernetes(well("worker-1", WORKLOAD.image))
    api.answers["GET", "/version"] = {"gitVersion": "v1.36.3"}
    cluster.snapshot(SCOPE)
    assert "v1.36.3" in cluster.checks(PLAN, thorough=True).checks()[0].seen
    assert "v1.36.2" in cluster.checks(PLAN).checks()[0].seen


def test_where_every_injector_said_that_all_is_gone_nothing_is_asked() -> None:
    cluster, api = kubernetes(node("worker-1"))
    assert cluster.audit(RUN, ()) == ()
    assert api.calls == []


def test_doubtful_nodes_are_looked_at_and_nothing_is_removed() -> None:
    cluster, api = kubernetes(node("worker-1"), node("worker-2"), node("worker-3"))
    api.logs = {"worker-2": [found("uid-1"), SWEPT]}
    assert cluster.audit(RUN, ("worker-1", "worker-2")) == [f"worker-2, uid-1: {REMEDY}"]
    assert api.wishes() == {name: {"run": RUN, "remove": False} for name in ("worker-1", "worker-2")}
    assert NODES not in api.asked("LIST")


def test_doubtful_nodes_on_which_nothing_is() -> None:
    cluster, _ = kubernetes(node("worker-1"))
    assert cluster.audit(RUN, ("worker-1",)) == []


def test_a_node_that_cannot_be_looked_at_is_a_problem_with_the_command_for_later() -> None:
    cluster, api = kubernetes(node("worker-1"), node("worker-2"))
    api.logs = {"worker-1": [], "worker-2": [found("uid-1"), SWEPT]}
    with pytest.raises(ClusterProblem) as caught:
        cluster.audit(RUN, ("worker-1", "worker-2"))
    assert caught.value.what == f"node worker-1: its pod ended without a last word; worker-2, uid-1: {REMEDY}"
    assert (caught.value.where, caught.value.remedy) == ("fake", f"when the node is back: python run_chaos.py cleanup --run {RUN}")
