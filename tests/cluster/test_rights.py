"""The shipped rights are enough, and each of their rules is needed by some scenario, whose check says so where the rule is missing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_cluster import CARRIERS, IMAGE, REPOSITORY, SHOP, Cluster, Object
from shop import Shop

RBAC = list(yaml.safe_load_all((REPOSITORY / "containers" / "kubernetes" / "rbac.yaml").read_text()))
ROLES = {role["metadata"]["name"]: role for role in RBAC if role["kind"] in ("Role", "ClusterRole")}
EVERYTHING = {"squall": {"on_runner_loss": "stop", "target_events": True}}
GROUPS = {"deployment": "apps/v1", "statefulset": "apps/v1", "daemonset": "apps/v1", "replicaset": "apps/v1", "job": "batch/v1"}
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet", "replicaset": "ReplicaSet", "job": "Job"}
SERVICE = "peers"


def loss(**changes: Any) -> Object:
    """Half of what some pod sends, for three seconds."""
    return {"id": "pod-network-loss", "NETWORK_PACKET_LOSS_PERCENTAGE": 50, "TOTAL_CHAOS_DURATION": 3, **changes}


ONE_POD = {"APP_NAMESPACE": SHOP, "TARGET_PODS": "web-a-0"}
PARTITION = {"id": "pod-network-partition", "NAMESPACE_SELECTOR": f"kubernetes.io/metadata.name={SHOP}", "TOTAL_CHAOS_DURATION": 3, **ONE_POD}
# What makes a scenario need which resources; every other rule is needed by any, with everything that can be configured.
SCENARIOS: dict[str, Object] = {
    "pods by name": loss(**ONE_POD),
    "a Service as host": loss(**ONE_POD, DESTINATION_HOSTS=f"{SERVICE}.{SHOP}.svc"),
    "peers by namespace": PARTITION,
    **{kind: loss(workload={"kind": kind, "namespace": SHOP, "labels": f"rights={kind}"}) for kind in KINDS},
}
NEEDY = {
    "services": "a Service as host", "endpointslices": "a Service as host", "namespaces": "peers by namespace",
    **{f"{kind}s": kind for kind in KINDS},
}  # fmt: skip
RULES = [
    pytest.param(name, number, id=f"{name}: {rule['resources'][0]}")
    for name, role in ROLES.items() for number, rule in enumerate(role["rules"])
]  # fmt: skip


def binding(role: str, kind: str = "RoleBinding") -> Object:
    """A cluster role for the shipped service account, in the shop or everywhere."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": {"name": f"test-{role}", **({"namespace": SHOP} if kind == "RoleBinding" else {})},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "squall", "namespace": CARRIERS}],
    }  # fmt: skip


def owned(kind: str) -> Object:
    """A workload with one pod (of a DaemonSet, with one on each node), of which the workload alone has the label that selects it."""
    labels = {"owned-by": kind}
    container = {"name": "main", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": ["sleep", "infinity"]}
    pod = {"containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    spec: Object = {"template": {"metadata": {"labels": labels}, "spec": {**pod, **({"restartPolicy": "Never"} if kind == "job" else {})}}}
    if kind != "job":
        spec["selector"] = {"matchLabels": labels}
    if kind == "statefulset":
        spec["serviceName"] = SERVICE
    metadata = {"name": f"rights-{kind}", "namespace": SHOP, "labels": {"rights": kind}}
    return {"apiVersion": GROUPS[kind], "kind": KINDS[kind], "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def service_account(cluster: Cluster, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A kubeconfig of the shipped service account with the shipped roles and no other right; what the scenarios name is there."""
    spec = {"selector": {"app": "peer"}, "ports": [{"port": 9000, "protocol": "UDP"}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE, "namespace": SHOP}, "spec": spec}
    cluster.apply(*RBAC, binding("squall-targets"), binding("squall-target-events"), service, *map(owned, KINDS))
    until_there(cluster)
    token = cluster.kubectl("create", "token", "squall", "-n", CARRIERS, "--duration=1h").strip()
    return cluster.user(tmp_path_factory.mktemp("account"), token)


def until_there(cluster: Cluster, seconds: float = 60) -> None:
    """Wait for a pod of each workload, and for the Service's endpoints."""
    patience = time.monotonic() + seconds
    while True:
        pods = cluster.get("pods", "-n", SHOP, "-l", "owned-by")
        running = {pod["metadata"]["labels"]["owned-by"] for pod in pods if pod["status"]["phase"] == "Running"}
        slices = cluster.get("endpointslices", "-n", SHOP, "-l", f"kubernetes.io/service-name={SERVICE}")
        if running == set(KINDS) and any(one["endpoints"] for one in slices):
            return
        assert time.monotonic() < patience, (running, slices)
        time.sleep(0.2)


@contextmanager
def bound_everywhere(cluster: Cluster, scenario: str) -> Iterator[None]:
    """A filter by labels of namespaces needs the pods of all namespaces, as the shipped file says."""
    if scenario != "peers by namespace":
        yield
        return
    cluster.apply(binding("squall-targets", "ClusterRoleBinding"))
    try:
        yield
    finally:
        cluster.kubectl("delete", "clusterrolebinding", "test-squall-targets")


@contextmanager
def with_rules(cluster: Cluster, role: str, rules: list[Object]) -> Iterator[None]:
    """Nothing but these for a while."""
    cluster.apply({**ROLES[role], "rules": rules})
    try:
        yield
    finally:
        cluster.apply(ROLES[role])


def checked(cluster: Cluster, kubeconfig: str, folder: Path, scenario: str, config: Mapping[str, Any]) -> tuple[int, str]:
    """What `check` says as this user."""
    (folder / "scenario.yaml").write_text(yaml.safe_dump([SCENARIOS[scenario]]))
    (folder / "config.yaml").write_text(yaml.safe_dump(dict(config)))
    with bound_everywhere(cluster, scenario):
        code, text = cluster.squall("check", str(folder / "scenario.yaml"), "--config", str(folder / "config.yaml"), "--kubeconfig", kubeconfig)
    assert "Traceback" not in text
    return code, text


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_with_the_shipped_roles_the_check_passes(cluster: Cluster, service_account: str, tmp_path: Path, scenario: str) -> None:
    """The control of the removals below."""
    code, text = checked(cluster, service_account, tmp_path, scenario, EVERYTHING)
    assert code == 0, text


@pytest.mark.parametrize("scenario", ["pods by name", "a Service as host"])
def test_with_the_shipped_roles_a_run_passes(cluster: Cluster, service_account: str, tmp_path: Path, scenario: str) -> None:
    ended = cluster.run(tmp_path, [SCENARIOS[scenario]], KUBECONFIG=service_account, config=EVERYTHING)
    assert ended.code == 0, ended.err
    assert cluster.left() == []


@pytest.mark.parametrize(("role", "number"), RULES)
def test_without_any_one_of_their_rules_the_check_fails(cluster: Cluster, service_account: str, tmp_path: Path, role: str, number: int) -> None:
    rules = ROLES[role]["rules"]
    (resource,), verbs = rules[number]["resources"], rules[number]["verbs"]
    scenario = NEEDY.get(resource, "pods by name") if role != "squall-carriers" else "pods by name"
    with with_rules(cluster, role, rules[:number] + rules[number + 1 :]):
        code, text = checked(cluster, service_account, tmp_path, scenario, EVERYTHING)
    assert code == 1, text
    told = [line for line in text.splitlines() if "× permissions" in line and resource in line]
    assert told, text
    assert [verb for verb in verbs if verb not in told[0]] == []
    parts = (f"{name}: {json.dumps(rules[number][name])}" for name in ("apiGroups", "resources", "verbs"))
    assert f"{{{', '.join(parts)}}}" in text


def test_a_run_is_refused_where_its_check_fails(cluster: Cluster, service_account: str, tmp_path: Path) -> None:
    rules = [rule for rule in ROLES["squall-targets"]["rules"] if rule["resources"] != ["endpointslices"]]
    with with_rules(cluster, "squall-targets", rules):
        ended = cluster.run(tmp_path, [SCENARIOS["a Service as host"]], KUBECONFIG=service_account)
    assert ended.code == 1, ended.err
    assert "list endpointslices" in ended.err + ended.out
    assert cluster.left() == []


def test_the_rules_of_what_is_not_used_can_be_left_out(cluster: Cluster, service_account: str, tmp_path: Path) -> None:
    optional = {"squall-carriers": ["pods/attach"], "squall-cluster": ["namespaces"], "squall-targets": [*NEEDY], "squall-target-events": ["events"]}
    with ExitStack() as without:
        for role, resources in optional.items():
            without.enter_context(with_rules(cluster, role, [rule for rule in ROLES[role]["rules"] if rule["resources"][0] not in resources]))
        code, text = checked(cluster, service_account, tmp_path, "pods by name", {})
    assert code == 0, text
