"""What is in the way is said before anything is touched: its own message, its own exit code, no traceback, nothing left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from real_cluster import SHOP, Cluster, Ended, Object
from shop import Shop

RESTRICTED = "squall-test-restricted"


def loss(**changes: Any) -> Object:
    """Half of what one pod sends, for three seconds."""
    return {
        "id": "pod-network-loss", "APP_NAMESPACE": SHOP, "TARGET_PODS": "web-a-0", "NETWORK_PACKET_LOSS_PERCENTAGE": 50,
        "TOTAL_CHAOS_DURATION": 3, **changes,
    }  # fmt: skip


def refused(cluster: Cluster, ended: Ended, *words: str, code: int = 1) -> None:
    """It ended with this code, said these words, and did nothing."""
    text = ended.err + ended.out
    assert ended.code == code, text
    assert not [word for word in words if word not in text], text
    assert "Traceback" not in text
    assert cluster.left() == []
    assert cluster.traces(cluster.nodes[0]) == []


def with_injector(**injector: Any) -> Object:
    return {"squall": {"injector": injector}}


def test_the_same_run_with_nothing_in_the_way(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    """The control of all the others."""
    assert cluster.run(tmp_path, [loss()]).code == 0


def test_a_namespace_whose_pod_security_is_restricted(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": RESTRICTED, "labels": labels}})
    ended = cluster.run(tmp_path, [loss()], config={"squall": {"namespace": RESTRICTED}})
    refused(cluster, ended, "pod-security", f"kubectl label namespace {RESTRICTED} pod-security.kubernetes.io/enforce=privileged")
    cluster.kubectl("delete", "namespace", RESTRICTED, "--wait=false")


def test_a_namespace_of_carriers_that_does_not_exist(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    ended = cluster.run(tmp_path, [loss()], config={"squall": {"namespace": "absent"}})
    refused(cluster, ended, "absent", "kubectl")


def test_a_namespace_of_targets_that_does_not_exist(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    ended = cluster.run(tmp_path, [loss(APP_NAMESPACE="squall-test-shap")])
    refused(cluster, ended, "no namespace squall-test-shap (nearest: squall-test-shop)")


def test_an_image_that_may_not_be_pulled(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    ended = cluster.run(tmp_path, [loss()], config=with_injector(image="squall-injector:absent", pull_policy="Never"))
    refused(cluster, ended, "image", "squall-injector:absent")


def test_an_image_that_cannot_be_pulled_ends_the_run_at_once(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    ended = cluster.run(tmp_path, [loss()], config=with_injector(image="127.0.0.1:1/squall-injector:absent"))
    refused(cluster, ended, "127.0.0.1:1/squall-injector:absent")
    assert re.search("ErrImagePull|ImagePullBackOff", ended.out)


def test_a_pod_that_fits_on_no_node(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    ended = cluster.run(tmp_path, [loss()], config=with_injector(resources={"requests": {"cpu": "1000"}}))
    refused(cluster, ended, "Unschedulable", "Insufficient cpu")


def test_a_node_that_is_cordoned(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    node = shop.node("web-a-0")
    cluster.kubectl("cordon", node)
    try:
        refused(cluster, cluster.run(tmp_path, [loss()]), "node.kubernetes.io/unschedulable", "toleration")
    finally:
        cluster.kubectl("uncordon", node)


def test_too_little_memory(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    ended = cluster.run(tmp_path, [loss()], config=with_injector(resources={"limits": {"memory": "6Mi"}}))
    assert ended.code in (1, 4), ended.err
    assert re.search("OOMKilled|RunContainerError|CreateContainerError|StartError|memory", ended.out + ended.err)
    cluster.squall("cleanup")
    assert cluster.left() == []


def test_credentials_that_have_expired(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    kubeconfig = cluster.user(tmp_path, "expired")
    refused(cluster, cluster.run(tmp_path, [loss()], KUBECONFIG=kubeconfig), "does not accept the credentials", "log in again")


def test_a_pod_that_disappears_after_planning(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    shop.add("web-x-2", shop.places["a"], "peer-b")
    (tmp_path / "plan").mkdir()
    scenario = tmp_path / "plan" / "scenario.yaml"
    scenario.write_text(yaml.safe_dump([loss(TARGET_PODS="web-x-2")]))
    code, text = cluster.squall("plan", str(scenario), "--save", str(tmp_path / "plan.json"))
    assert code == 0, text
    shop.remove("web-x-2")
    code, text = cluster.squall("run", "--plan", str(tmp_path / "plan.json"), "--yes")
    assert code == 255, text
    assert "the plan no longer fits" in text
    assert cluster.left() == []
