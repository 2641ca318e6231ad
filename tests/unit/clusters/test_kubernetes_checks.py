"""The preflight against an API server in memory: each check in each state, and that nothing is touched."""

from __future__ import annotations

import json
import queue
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import fakes
import pytest
import yaml
from fake_api import FakeApi

from chaos_modules.clusters.kubernetes.api import ApiProblem, Change, Object, Query
from chaos_modules.clusters.kubernetes.image import canonical
from chaos_modules.clusters.kubernetes.permissions import CARRIERS, CLUSTER, RULES, TARGET_EVENTS, TARGETS, Rule, granted, lacking, needed
from chaos_modules.clusters.kubernetes.preflight import Preflight, refuse_unless_ready
from chaos_modules.clusters.kubernetes.refusal import Request, Who, permission
from chaos_modules.clusters.kubernetes.refusal import refusal as refused_by_server
from chaos_modules.clusters.kubernetes.scheduling import CORDONED, repelling, tolerates
from chaos_modules.model.check import CHECKS, Check, CheckState, demoted
from chaos_modules.model.errors import BadInput, ClusterProblem
from chaos_modules.model.plan import Plan
from chaos_modules.model.target import Node, Taint
from chaos_modules.model.workload import RUN_LABEL, InjectionWorkload, Toleration

ROOT = Path(__file__).parents[3]
IMAGE = "squall-injector:1"
PODS = "/api/v1/namespaces/squall/pods"
RULES_REVIEW, ACCESS_REVIEW = (f"/apis/authorization.k8s.io/v1/selfsubject{kind}reviews" for kind in ("rules", "access"))
EVERYTHING: list[Object] = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
WORKLOAD = InjectionWorkload(namespace="squall", image=IMAGE)
PLAN = fakes.plan(fakes.scenario(fakes.request(), fakes.target()))
# A heading `check: api` is the anchor `check-api`.
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ALL_ANCHORS = {f"check-{name}" for name in re.findall(r"^### check: (\S+)$", PAGE, re.MULTILINE)}


def node(name: str = "worker-1", **changes: Any) -> Node:
    """A node on which everything is well, and which has the image."""
    facts: dict[str, Any] = {
        "name": name, "labels": (("kubernetes.io/os", "linux"),), "images": (f"docker.io/library/{IMAGE}",), "images_complete": True,
        "kubelet_version": "v1.36.2",
    }
    return Node(**{**facts, **changes})


def server(grants: list[Object] | None = None, allowed: set[tuple[str, str]] | None = None) -> FakeApi:
    """One that lets everything happen, or only what is granted; `allowed` are the (verb, resource)s of single access reviews."""
    api = FakeApi()
    api.answers["GET", "/version"] = {"gitVersion": "v1.36.2"}
    api.answers["POST", RULES_REVIEW] = {"status": {"resourceRules": EVERYTHING if grants is None else grants, "incomplete": allowed is not None}}

    def access(_: Query, body: Object | None) -> Object:
        about = (body or {})["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (about["resource"], about["subresource"])))
        return {"status": {"allowed": (about["verb"], resource) in (allowed or set())}}

    api.answers["POST", ACCESS_REVIEW] = access
    api.answers["POST", PODS] = {"metadata": {"name": "it"}}
    api.answers["DELETE", f"{PODS}/squall-{fakes.RUN_ID}-probe"] = {}
    return api


def looked(
    api: FakeApi | None = None, *nodes: Node, workload: InjectionWorkload = WORKLOAD, plan: Plan = PLAN, **options: Any
) -> dict[str, list[Check]]:  # fmt: skip
    """The checks by their names; each of those that did not pass must say how it is mended, and where more is told."""
    preflight = Preflight(api=api or server(), plan=plan, nodes=nodes or (node(),), workload=workload, cleanup="clean up", **options)
    found: dict[str, list[Check]] = {}
    for check in preflight.checks():
        assert check.seen
        assert check.remedy or check.state is CheckState.PASSED
        assert check.anchor.partition("#")[2] in ALL_ANCHORS
        found.setdefault(check.name, []).append(check)
    return found


def only(found: Mapping[str, list[Check]], name: str) -> Check:
    [check] = found[name]
    return check


def refusal(text: str, status: int = 403) -> ApiProblem:
    """As the transport words what the API server says."""
    said = json.dumps({"message": text, "reason": "Forbidden"}).encode()
    return refused_by_server(Who(name="fake", user="user low"), Request(method="POST", path=PODS), status, said, {})


def states(found: Mapping[str, list[Check]]) -> dict[str, str]:
    return {name: ", ".join(str(check.state) for check in checks) for name, checks in found.items()}


# All of it


def test_where_all_is_well_a_run_asks_three_things_and_everything_passes() -> None:
    api = server()
    assert set(states(looked(api)).values()) == {"passed"}
    assert [(verb, path) for verb, path, _, _ in api.calls] == [("POST", RULES_REVIEW), ("POST", PODS), ("LIST", PODS)]
    [dry_run] = [query for verb, path, query, _ in api.calls if (verb, path) == ("POST", PODS)]
    assert dry_run == (("dryRun", "All"),)


def test_every_check_has_an_anchor_and_no_anchor_is_left_over() -> None:
    assert {f"check-{name}" for name in CHECKS} == ALL_ANCHORS


def test_a_run_is_refused_with_everything_that_is_wrong() -> None:
    api = server(grants=[], allowed={("create", "pods")})
    ill = Preflight(api=api, plan=PLAN, nodes=[node(ready=False)], workload=WORKLOAD, cleanup="clean up")
    with pytest.raises(ClusterProblem, match="nothing was touched") as caught:
        refuse_unless_ready(ill)
    assert "permissions: not allowed" in caught.value.what
    assert "nodes: node worker-1 is not ready\n  → kubectl describe node worker-1" in caught.value.what
    assert caught.value.remedy == "python run_chaos.py check tells more"
    refuse_unless_ready(replace(ill, api=server(), nodes=[node()]))


def test_warnings_refuse_nothing() -> None:
    absent = replace(WORKLOAD, image="elsewhere.example/injector:1")
    assert states(looked(workload=absent))["image"] == "warning"
    refuse_unless_ready(Preflight(api=server(), plan=PLAN, nodes=[node()], workload=absent, cleanup="clean up"))


def test_what_is_ignored_only_warns() -> None:
    found = [check for checks in looked(server(), node(ready=False)).values() for check in checks]
    state = {check.name: check.state for check in demoted(found, ["nodes"])}
    assert (state["nodes"], state["api"]) == (CheckState.WARNING, CheckState.PASSED)
    assert {check.name: check.state for check in demoted(found, ["taints"])}["nodes"] is CheckState.FAILED


def test_an_unknown_name_is_not_ignored() -> None:
    with pytest.raises(BadInput, match="'node' is not a check") as caught:
        demoted([], ["node"])
    assert "did you mean nodes?" in caught.value.remedy


# The API server


@pytest.mark.parametrize(("text", "state"), [
    ("v1.36.2", "passed"), ("v1.21.0", "passed"), ("v1.21.14-eks-6d3986b", "passed"), ("v1.30.1+k3s1", "passed"),
    ("v1.20.15", "failed"), ("v1.9.0", "failed"), ("", "warning"), ("devel", "warning"),
])
def test_versions(text: str, state: str) -> None:
    api = server()
    api.answers["GET", "/version"] = {"gitVersion": text}
    assert str(looked(api, thorough=True)["api"][0].state) == state


def test_a_server_that_does_not_answer_is_asked_nothing_more() -> None:
    api = server()
    api.answers["GET", "/version"] = ApiProblem("connection refused", "fake", "")
    assert states(looked(api, thorough=True)) == {"api": "failed"}
    assert api.asked("POST") == []


def test_a_run_takes_the_version_from_the_newest_kubelet() -> None:
    api = server()
    found = looked(api, node(), node("old", kubelet_version="v1.9.1"))
    assert only(found, "api").seen == "the API server answers (v1.36.2)"
    assert api.asked("GET") == []


# Permissions


def grant(group: str, resource: str, *verbs: str, **more: Any) -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs), **more}


LOG = Rule("run", CARRIERS, "", "pods/log", ("get",))


@pytest.mark.parametrize(("given", "enough"), [
    (grant("", "pods/log", "get"), True),
    (grant("*", "*", "*"), True),
    (grant("", "*", "get"), True),
    (grant("", "*/log", "list", "get"), True),
    (grant("", "pods/log", "*"), True),
    (grant("*", "pods/log", "get"), True),
    (grant("", "pods", "get"), False),
    (grant("", "pods/*", "get"), False),
    (grant("", "*/attach", "get"), False),
    (grant("", "pods/log", "list"), False),
    (grant("batch", "pods/log", "get"), False),
    (grant("", "pods/log", "get", resourceNames=["one"]), False),
    (grant("", "pods/log", "get", resourceNames=[]), True),
    ({"verbs": ["get"]}, False),
    ({"apiGroups": None, "resources": None, "verbs": ["*"]}, False),
])
def test_what_a_grant_covers(given: Object, enough: bool) -> None:
    assert granted([given], LOG, "get") is enough


def test_only_the_verbs_that_are_missing_are_lacking() -> None:
    rule = Rule("run", CARRIERS, "batch", "jobs", ("create", "list"))
    grants = [grant("batch", "jobs", "list"), grant("batch", "cronjobs", "create")]
    assert lacking([rule], partial(granted, grants)) == [replace(rule, verbs=("create",))]
    assert lacking([rule], partial(granted, [grant("batch", "jobs", "*")])) == []


def shipped_grants(without: Rule | None = None) -> list[Object]:
    """What the role of the carriers' namespace grants, perhaps without one of its rules."""
    return [grant(rule.group, rule.resource, *rule.verbs) for rule in RULES if rule.role == CARRIERS and rule != without]


def test_the_shipped_role_suffices() -> None:
    assert only(looked(server(shipped_grants()), stop=True, thorough=True), "permissions").state is CheckState.PASSED


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.role == CARRIERS], ids=str)
def test_without_any_one_rule_it_does_not_suffice_and_the_remedy_is_that_rule(rule: Rule) -> None:
    check = only(looked(server(shipped_grants(without=rule)), stop=True, thorough=True), "permissions")
    assert check.state is CheckState.FAILED
    assert yaml.safe_load(check.remedy.partition("\n")[2]) == [grant(rule.group, rule.resource, *rule.verbs)]


def test_what_no_feature_of_this_run_needs_is_not_asked_for() -> None:
    attach = next(rule for rule in RULES if rule.resource == "pods/attach")
    assert only(looked(server(shipped_grants(without=attach))), "permissions").state is CheckState.PASSED
    assert only(looked(server(shipped_grants(without=attach)), stop=True), "permissions").state is CheckState.FAILED


def test_what_the_rules_do_not_prove_is_asked_verb_by_verb() -> None:
    everything = {(verb, rule.resource) for rule in RULES for verb in rule.verbs}
    api = server(grants=[], allowed=everything)
    assert only(looked(api), "permissions").state is CheckState.PASSED
    assert api.asked("POST").count(ACCESS_REVIEW) == sum(len(rule.verbs) for rule in needed(CARRIERS, {"run"}))
    refused = only(looked(server(grants=[], allowed=everything - {("watch", "pods")})), "permissions")
    assert refused.seen == "not allowed in namespace squall: watch pods (run)"


def test_a_server_that_tells_nothing_of_permissions() -> None:
    api = server()
    api.answers["POST", RULES_REVIEW] = refusal("selfsubjectrulesreviews is forbidden")
    assert only(looked(api), "permissions").state is CheckState.WARNING


def test_events_on_targets_are_asked_for_where_the_targets_are() -> None:
    api = server()

    def review(_: Query, body: Object | None) -> Object:
        namespace = (body or {})["spec"]["namespace"]
        return {"status": {"resourceRules": shipped_grants() if namespace == "squall" else [grant("", "events", "list")], "incomplete": False}}

    api.answers["POST", RULES_REVIEW] = review
    [ours, theirs] = looked(api, target_events=True)["permissions"]
    assert (ours.state, theirs.state) == (CheckState.PASSED, CheckState.FAILED)
    assert theirs.seen == "not allowed in namespace shop: create events (target_events)"
    assert f"({TARGET_EVENTS} of containers/kubernetes/rbac.yaml)" in theirs.remedy
    assert [body["spec"]["namespace"] for _, path, _, body in api.calls if path == RULES_REVIEW and body] == ["squall", "shop"]


def test_rbac_yaml_grants_what_the_table_says_and_nothing_else() -> None:
    granted = []
    for document in yaml.safe_load_all((ROOT / "containers" / "kubernetes" / "rbac.yaml").read_text(encoding="utf-8")):
        assert document.get("kind") in ("ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
        if "rules" in document:
            assert (document["kind"], document["metadata"].get("namespace")) == (
                ("Role", "squall") if document["metadata"]["name"] == CARRIERS else ("ClusterRole", None)
            )
        granted += [(document["metadata"]["name"], rule) for rule in document.get("rules", [])]
    assert granted == [(rule.role, grant(rule.group, rule.resource, *rule.verbs)) for role in _order(granted) for rule in RULES if rule.role == role]
    assert {role for role, _ in granted} == {CARRIERS, CLUSTER, TARGETS, TARGET_EVENTS}


def _order(granted: list[tuple[str, Object]]) -> list[str]:
    return list(dict.fromkeys(role for role, _ in granted))


def test_every_request_of_the_checks_is_in_the_table() -> None:
    check, api = probed({"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]})
    assert check.state is CheckState.PASSED
    asked = [permission(Request(method="GET" if verb in ("LIST", "WATCH") else verb, path=path, query=query)) for verb, path, query, _ in api.calls]
    mine = {(one.group, one.resource, verb) for one in asked for verb in one.verbs if one.resource and not one.resource.startswith("selfsubject")}
    assert mine == {("", "pods", "create"), ("", "pods", "delete"), ("", "pods", "list"), ("", "pods", "watch")}
    assert mine <= {(rule.group, rule.resource, verb) for rule in RULES if rule.role == CARRIERS for verb in rule.verbs}


def test_no_verb_stands_in_two_rules_of_a_role() -> None:
    verbs = [(rule.role, rule.group, rule.resource, verb) for rule in RULES for verb in rule.verbs]
    assert len(verbs) == len(set(verbs))


# Namespace and admission


def pod_refused(why: str) -> ApiProblem:
    return refusal(f'pods "squall-0badcafe-dry-run" is forbidden: {why}')


@pytest.mark.parametrize(("problem", "namespace", "admitted", "remedy"), [
    (
        pod_refused('violates PodSecurity "restricted:latest": host namespaces (hostPID=true)'), "passed", "failed",
        "kubectl label namespace squall pod-security.kubernetes.io/enforce=privileged --overwrite",
    ),
    (pod_refused("exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"), "passed", "failed", "kubectl describe quota -n squall"),
    (pod_refused("failed quota: q: must specify limits.memory for: injector"), "passed", "failed", "squall.injector.resources"),
    (pod_refused("minimum memory usage per Container is 1Gi, but request is 10Mi"), "passed", "failed", "squall.injector.resources"),
    (
        pod_refused('error looking up service account squall/ghost: serviceaccount "ghost" not found'), "passed", "failed",
        "kubectl create serviceaccount ghost -n squall",
    ),
    (pod_refused("no PriorityClass with name nope was found"), "passed", "failed", "kubectl get priorityclasses"),
    (pod_refused("unable to validate against any security context constraint"), "passed", "failed", "-n squall -z ghost"),
    (refusal('admission webhook "guard.example" denied the request: no'), "passed", "failed", "exempt namespace squall"),
    (refusal("spec.tolerations[0].operator: Invalid value", 422), "passed", "failed", "kubectl describe namespace squall"),
    (refusal("the server is unwell", 500), "skipped", "failed", ""),
    (refusal('namespaces "squall" not found', 404), "failed", "skipped", "see namespace"),
    (refusal("unable to create new content in namespace squall because it is being terminated"), "failed", "skipped", "see namespace"),
    (refusal('pods is forbidden: User "low" cannot create resource "pods" in API group ""'), "skipped", "skipped", "see permissions"),
])
def test_what_the_dry_run_says(problem: ApiProblem, namespace: str, admitted: str, remedy: str) -> None:
    api = server()
    api.answers["POST", PODS] = problem
    found = looked(api, workload=replace(WORKLOAD, service_account="ghost"))
    assert (states(found)["namespace"], states(found)["pod-security"]) == (namespace, admitted)
    check = only(found, "pod-security")
    assert remedy in check.remedy
    assert check.seen == problem.what or admitted == "skipped"


def test_a_namespace_of_another_name_is_made_by_hand() -> None:
    api = FakeApi()
    api.answers["POST", RULES_REVIEW] = {"status": {"resourceRules": EVERYTHING}}
    assert only(looked(api), "namespace").remedy == "kubectl apply -f containers/kubernetes/namespace.yaml"
    check = only(looked(api, workload=replace(WORKLOAD, namespace="chaos")), "namespace")
    assert check.remedy.startswith("kubectl create namespace chaos && kubectl label namespace chaos pod-security.kubernetes.io/enforce=privileged")


def test_the_dry_run_is_of_the_pod_that_will_be() -> None:
    api = server()
    wished = replace(WORKLOAD, service_account="carrier", tolerations=(Toleration(key="a", operator="Exists"),), security="privileged")
    looked(api, workload=wished)
    [pod] = [body for verb, path, _, body in api.calls if (verb, path) == ("POST", PODS) and body]
    assert (pod["kind"], pod["spec"]["hostPID"], pod["spec"]["serviceAccountName"]) == ("Pod", True, "carrier")
    assert pod["spec"]["containers"][0]["securityContext"]["privileged"] is True
    assert pod["spec"]["tolerations"] == [{"key": "a", "operator": "Exists"}]
    assert "worker-1" in str(pod["spec"]["affinity"])


# Leftovers


def carrier(run: str, phase: str = "Running", **spec: str) -> Object:
    return {"metadata": {"labels": {RUN_LABEL: run}}, "spec": spec, "status": {"phase": phase}}


def left(*pods: Object) -> list[Check]:
    api = server()
    api.collections[PODS] = list(pods)
    return looked(api)["leftovers"]


def test_another_run_is_named_with_its_node_and_the_way_to_end_it() -> None:
    [one, two] = left(carrier("11111111", nodeName="worker-1"), carrier("11111111", nodeName="worker-1"), carrier("22222222", "Pending"))
    assert (str(one.state), one.seen, one.remedy) == (
        "warning", "run 11111111 has a carrier on node worker-1", "if that run is dead: clean up --run 11111111",
    )
    assert two.seen == "run 22222222 has a carrier on node (none yet)"


def test_what_has_finished_holds_nothing_up() -> None:
    assert states({"leftovers": left(carrier("11111111", "Succeeded"), carrier("22222222", "Failed"))}) == {"leftovers": "passed"}


@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_a_run_id_is_used_once(phase: str) -> None:
    [check] = left(carrier(fakes.RUN_ID, phase, nodeName="worker-1"))
    assert (str(check.state), check.remedy) == ("failed", f"clean up --run {fakes.RUN_ID}")


def test_carriers_that_may_not_be_listed() -> None:
    api = server()
    api.collections[PODS] = refusal("pods is forbidden")  # type: ignore[assignment]
    assert states(looked(api))["leftovers"] == "skipped"


# Nodes and taints

DEDICATED = Taint(key="dedicated", value="db", effect="NoSchedule")


@pytest.mark.parametrize(("toleration", "taint", "tolerated"), [
    (Toleration(key="dedicated", value="db", effect="NoSchedule"), DEDICATED, True),
    (Toleration(key="dedicated", value="db"), DEDICATED, True),
    (Toleration(key="dedicated", operator="Exists"), DEDICATED, True),
    (Toleration(key="dedicated", operator="Exists", effect="NoSchedule"), DEDICATED, True),
    (Toleration(operator="Exists"), DEDICATED, True),
    (Toleration(operator="Exists", effect="NoSchedule"), DEDICATED, True),
    (Toleration(operator="Exists", effect="NoExecute"), DEDICATED, False),
    (Toleration(key="dedicated", value="web", effect="NoSchedule"), DEDICATED, False),
    (Toleration(key="dedicated"), DEDICATED, False),
    (Toleration(key="dedicated"), replace(DEDICATED, value=""), True),
    (Toleration(key="dedicate", operator="Exists"), DEDICATED, False),
    (Toleration(key="dedicated", value="db", effect="NoExecute"), DEDICATED, False),
    (Toleration(key="dedicated", operator="Exists"), replace(DEDICATED, effect="NoExecute"), True),
    (Toleration(key="node.kubernetes.io/unschedulable", operator="Exists"), CORDONED, True),
    (Toleration(key="dedicated", operator="Exists"), CORDONED, False),
])
def test_matching_of_taints(toleration: Toleration, taint: Taint, tolerated: bool) -> None:
    assert tolerates(toleration, taint) is tolerated
    assert repelling(node(taints=(taint,)), [toleration]) == ([] if tolerated else [taint])


@pytest.mark.parametrize("taint", [
    Taint(key="dedicated", effect="PreferNoSchedule"),
    Taint(key="node.kubernetes.io/not-ready", effect="NoExecute"), Taint(key="node.kubernetes.io/unreachable", effect="NoSchedule"),
])
def test_taints_that_keep_nobody_away_or_are_told_by_the_readiness(taint: Taint) -> None:
    assert repelling(node(taints=(taint,)), []) == []


def test_each_of_several_taints_needs_its_toleration() -> None:
    other = Taint(key="gpu", effect="NoExecute")
    assert repelling(node(taints=(DEDICATED, other)), [Toleration(key="gpu", operator="Exists")]) == [DEDICATED]


def test_a_cordoned_node_repels_once_however_it_says_so() -> None:
    assert repelling(node(unschedulable=True), []) == repelling(node(unschedulable=True, taints=(CORDONED,)), []) == [CORDONED]


def test_the_remedy_for_a_taint_is_configuration_that_lets_the_carrier_in() -> None:
    tainted = node(taints=(DEDICATED, Taint(key="gpu", effect="NoExecute")))
    check = only(looked(server(), tainted), "taints")
    assert (check.state, check.seen) == (CheckState.FAILED, "node worker-1 keeps carriers away by dedicated=db:NoSchedule, gpu:NoExecute")
    wished = yaml.safe_load(check.remedy)["squall"]["injector"]["tolerations"]
    mended = replace(WORKLOAD, tolerations=tuple(Toleration(**one) for one in wished))
    assert only(looked(server(), tainted, workload=mended), "taints").state is CheckState.PASSED


def test_a_cordoned_node_of_the_plan() -> None:
    check = only(looked(server(), node(unschedulable=True)), "taints")
    assert (check.state, check.seen) == (CheckState.FAILED, "node worker-1 is cordoned")
    assert check.remedy.startswith("kubectl uncordon worker-1, or squall: ")


@pytest.mark.parametrize(("changes", "seen"), [
    ({"ready": False}, "node worker-1 is not ready"),
    ({"operating_system": "windows"}, "node worker-1 runs windows; faults need Linux"),
    ({"kubelet_version": "v1.20.9"}, "node worker-1 has the old kubelet v1.20.9"),
    ({"labels": ()}, "node worker-1 has not kubernetes.io/os=linux of squall.injector.node_selector"),
])
def test_nodes_that_cannot_take_a_carrier(changes: dict[str, Any], seen: str) -> None:
    chosen = replace(WORKLOAD, node_selector={"kubernetes.io/os": "linux"})
    api = server()
    check = only(looked(api, node(**changes), workload=chosen, thorough=True), "nodes")
    assert (str(check.state), check.seen) == ("failed", seen)
    assert only(looked(server(), node(), workload=chosen), "nodes").state is CheckState.PASSED


def test_nodes_that_the_plan_does_not_touch_do_not_matter() -> None:
    found = looked(server(), node(), node("other", ready=False, taints=(DEDICATED,), images=()))
    assert set(states(found).values()) == {"passed"}


def test_without_a_scenario_any_node_that_takes_a_carrier_will_do() -> None:
    bare = fakes.plan()
    assert "failed" not in states(looked(server(), node("control", taints=(DEDICATED,)), node(), plan=bare)).values()
    found = looked(server(), node("control", taints=(DEDICATED,)), node("away", ready=False), plan=bare)
    assert only(found, "nodes").seen == "no node would take a carrier: control is tainted; away is not ready"
    assert (states(found)["nodes"], states(found)["taints"], states(found)["image"]) == ("failed", "skipped", "skipped")


def test_a_plan_without_target_leaves_the_nodes_alone() -> None:
    nobody = fakes.plan(replace(fakes.scenario(fakes.request()), candidates=0))
    found = states(looked(plan=nobody))
    assert {name: state for name, state in found.items() if state != "passed"} == dict.fromkeys(("nodes", "taints", "image"), "skipped")


def test_nodes_that_may_not_be_listed() -> None:
    preflight = Preflight(api=server(), plan=PLAN, nodes=(), workload=WORKLOAD, cleanup="clean up")
    assert {check.name: str(check.state) for check in preflight.checks() if check.state is not CheckState.PASSED} == dict.fromkeys(
        ("nodes", "taints", "image"), "skipped"
    )


# The image


@pytest.mark.parametrize(("image", "name"), [
    ("busybox", "docker.io/library/busybox:latest"),
    ("busybox:1", "docker.io/library/busybox:1"),
    ("me/tool", "docker.io/me/tool:latest"),
    ("quay.io/me/tool:2", "quay.io/me/tool:2"),
    ("localhost/tool", "localhost/tool:latest"),
    ("localhost:5000/tool", "localhost:5000/tool:latest"),
    ("host:5000/me/tool:3", "host:5000/me/tool:3"),
    ("tool@sha256:ab", "docker.io/library/tool@sha256:ab"),
    ("quay.io/me/tool:2@sha256:ab", "quay.io/me/tool@sha256:ab"),
])
def test_images_as_nodes_list_them(image: str, name: str) -> None:
    assert canonical(image) == name
    assert canonical(name) == name


ABSENT = {"images": ("docker.io/library/other:1",)}


@pytest.mark.parametrize(("policy", "facts", "state", "seen"), [
    ("IfNotPresent", {}, "passed", "is on every node of the plan"),
    ("Never", {}, "passed", "is on every node of the plan"),
    ("Always", {}, "warning", "is pulled for every run (Always)"),
    ("IfNotPresent", ABSENT, "warning", "is not on worker-1 yet; it is pulled when needed"),
    ("Never", ABSENT, "failed", "is not on worker-1, and squall.injector.pull_policy is Never"),
    ("Never", {**ABSENT, "images_complete": False}, "warning", "is not on worker-1 yet"),
])
def test_what_the_nodes_list(policy: str, facts: dict[str, Any], state: str, seen: str) -> None:
    api = server()
    check = only(looked(api, node(**facts), workload=replace(WORKLOAD, pull_policy=policy)), "image")
    assert (str(check.state), seen in check.seen) == (state, True)
    assert api.asked("DELETE") == []


def probed(status: Object | None, *later: Object, refused: ApiProblem | None = None) -> tuple[Check, FakeApi]:
    """`check` where the image is not listed: the states that the probe's pod goes through."""
    api, name = server(), f"squall-{fakes.RUN_ID}-probe"
    changes: queue.Queue[Change | None] = queue.Queue()
    for one in filter(None, (status, *later)):
        changes.put(Change(type="MODIFIED", object={"metadata": {"name": name}, "spec": {"nodeName": "worker-1"}, "status": one}))
    changes.put(None)
    api.changes[PODS] = changes
    if refused:
        def answer(query: Query, _: Object | None) -> Object:
            if query:  # the dry-run
                return {}
            raise refused

        api.answers["POST", PODS] = answer
    return only(looked(api, node(**ABSENT), thorough=True), "image"), api


def waiting(reason: str, message: str = "") -> Object:
    return {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}


@pytest.mark.parametrize("status", [
    {"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]},
    {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"exitCode": 0}}}]},
])
def test_an_image_that_starts(status: Object) -> None:
    check, api = probed({"phase": "Pending"}, waiting("ContainerCreating"), status)
    assert (str(check.state), check.seen) == ("passed", f"{IMAGE} on node worker-1 can be started")
    assert api.asked("DELETE") == [f"{PODS}/squall-{fakes.RUN_ID}-probe"]


@pytest.mark.parametrize(("statuses", "why"), [
    ([waiting("ErrImagePull", "manifest for it not found")], "manifest for it not found"),
    ([waiting("ErrImagePull", "i/o timeout"), waiting("ImagePullBackOff", "Back-off pulling image")], "i/o timeout"),
    ([waiting("ErrImageNeverPull", "not present with pull policy of Never")], "ErrImageNeverPull"),
    ([{"phase": "Failed", "reason": "OutOfcpu", "message": "Node didn't have enough"}], "OutOfcpu"),
    (
        [{"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]}],
        "Unschedulable: 0/1 nodes",
    ),
    ([waiting("ContainerCreating")], "not started within"),
])
def test_an_image_that_does_not_start(statuses: list[Object], why: str) -> None:
    check, api = probed(*statuses)
    assert check.state is CheckState.FAILED
    assert why in check.seen
    assert api.asked("DELETE") == [f"{PODS}/squall-{fakes.RUN_ID}-probe"]


def test_a_probe_that_is_refused_leaves_nothing_to_delete() -> None:
    check, api = probed(None, refused=refusal("no room"))
    assert (str(check.state), check.seen) == ("warning", "it could not be tried on node worker-1: no room")
    assert api.asked("DELETE") == []


def test_no_probe_where_pods_are_not_admitted() -> None:
    api = server()
    api.answers["POST", PODS] = refusal('violates PodSecurity "restricted:latest"')
    assert only(looked(api, node(**ABSENT), thorough=True), "image").state is CheckState.SKIPPED
    assert api.asked("POST").count(PODS) == 1


def test_a_name_that_means_another_image_tomorrow() -> None:
    [surprise, listed] = looked(server(), node(images=("docker.io/library/tool:latest",)), workload=replace(WORKLOAD, image="tool"))["image"]
    assert "has no tag" in surprise.seen
    assert (surprise.state, listed.state) == (CheckState.WARNING, CheckState.PASSED)
