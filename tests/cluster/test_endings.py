"""However a run, its injector or its node ends, the fault ends in time, and what is left is found and removed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from endings import LEASE, TARGET, begun, normal_after, passing
from real_cluster import CARRIERS, SHOP, Cluster
from shop import Shop

INJECTOR = "/opt/squall/injector.py"


def swept(cluster: Cluster) -> None:
    """Cleanup finds what is left and removes it; a second look finds nothing."""
    assert cluster.traces()
    code, text = cluster.squall("cleanup", "--audit")
    assert code == 4, text
    assert "squall_" in text
    code, text = cluster.squall("cleanup")
    assert code == 0, text
    assert "removed" in text
    assert cluster.left() == []
    assert cluster.traces() == []
    assert cluster.squall("cleanup", "--audit")[0] == 0


def pids(cluster: Cluster, node: str) -> list[str]:
    """The injectors at work on a node."""
    return cluster.near(node, "pgrep", "-f", INJECTOR).split()


def kill_injector(cluster: Cluster, node: str) -> None:
    cluster.near(node, "kill", "-9", *pids(cluster, node))


def kill_shim(cluster: Cluster, node: str) -> None:
    for pid in pids(cluster, node):
        cluster.near(node, "kill", "-9", cluster.near(node, "ps", "-o", "ppid=", "-p", pid).strip())


@pytest.mark.parametrize("kill", [kill_injector, kill_shim])
def test_an_injector_that_is_killed(cluster: Cluster, shop: Shop, tmp_path: Path, kill: Callable[[Cluster, str], None]) -> None:
    running = begun(cluster, tmp_path)
    kill(cluster, shop.node(TARGET))
    moment = time.time()
    normal_after(shop, moment, LEASE + 2)
    ended = running.end()
    if kill is kill_injector:
        assert ended.code == 4, ended.err
        assert ended.targets[0]["status"] == "not-in-effect"
        assert any("squall_" in item for item in ended.result["residue"])
        swept(cluster)
    else:  # it notices that nobody looks after it any more, and reverts before it is killed
        assert ended.code in (1, 4), ended.err
        assert ended.targets[0]["status"] in ("interrupted", "not-in-effect")
        assert cluster.traces(shop.node(TARGET)) == [] or cluster.squall("cleanup")[0] == 0


def test_an_injector_pod_that_is_deleted_without_grace(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    """Kubelets leave two seconds even then, in which it reverts."""
    running = begun(cluster, tmp_path)
    moment = time.time()
    cluster.kubectl("delete", "pod", "-n", CARRIERS, "-l", "app.kubernetes.io/component=injector", "--grace-period=0", "--force")
    normal_after(shop, moment, LEASE + 2)
    ended = running.end()
    assert ended.code in (1, 4), ended.err
    assert ended.targets[0]["status"] in ("interrupted", "not-in-effect")
    assert cluster.squall("cleanup")[0] == 0
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_interrupted(cluster: Cluster, shop: Shop, tmp_path: Path, number: int, code: int) -> None:
    running = begun(cluster, tmp_path)
    moment = time.time()
    ended = running.end(number)
    assert ended.code == code, ended.err
    assert ended.targets[0]["reverted"] is True
    normal_after(shop, moment, 2.5)
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []


def test_a_runner_that_is_killed_lets_the_fault_finish(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    running = begun(cluster, tmp_path, hold=12)
    os.killpg(running.process.pid, signal.SIGKILL)
    moment = time.time()
    running.process.wait()
    normal_after(shop, moment + 6, 8)
    assert cluster.traces(shop.node(TARGET)) == [], "it reverted by itself"
    code, text = cluster.squall("cleanup")
    assert code == 0, text
    assert "removed  job" in text
    assert cluster.left() == []


def test_a_runner_that_is_killed_ends_the_fault_where_asked(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    running = begun(cluster, tmp_path, hold=60, on_runner_loss="stop")
    os.killpg(running.process.pid, signal.SIGKILL)
    moment = time.time()
    running.process.wait()
    normal_after(shop, moment, LEASE + 4)
    assert cluster.traces(shop.node(TARGET)) == []
    assert cluster.squall("cleanup")[0] == 0


def test_a_stream_takes_a_whole_run(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    """Longer than a lease without a beat would be."""
    ended = begun(cluster, tmp_path, hold=2 * LEASE + 2, on_runner_loss="stop").end()
    assert ended.code == 0, ended.err
    assert cluster.left() == []


def test_a_pod_that_is_deleted_under_its_fault(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    shop.add("web-x-0", shop.places["a"], "peer-b")
    running = begun(cluster, tmp_path, pod="web-x-0")
    shop.remove("web-x-0")
    ended = running.end()
    assert ended.code == 1, ended.err
    assert ended.targets[0]["status"] == "not-in-effect"
    assert "Traceback" not in ended.err
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []


def test_a_container_that_restarts_keeps_its_fault(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    shop.add("web-x-1", shop.places["a"], "peer-b")
    running = begun(cluster, tmp_path, pod="web-x-1", hold=10)
    moment = time.time()
    node = shop.node("web-x-1")
    cluster.near(node, "kill", "-9", cluster.process(node, shop.container("web-x-1")))
    cluster.kubectl("wait", "-n", SHOP, "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "pod/web-x-1", "--timeout=30s")
    cluster.kubectl("wait", "-n", SHOP, "--for=condition=Ready", "pod/web-x-1", "--timeout=30s")
    shop.flow("web-x-1", "peer-b", 9000)
    assert time.time() < moment + 8, "the fault must still be on when it sends again"
    time.sleep(1)
    assert passing(shop, time.time() - 0.9, time.time(), "web-x-1>peer-b:9000") == 0
    ended = running.end()
    assert ended.code == 0, ended.err
    shop.remove("web-x-1")
