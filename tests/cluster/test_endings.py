"""However a run, its injector or its node ends, the fault ends in time, and what is left is found and removed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from real_cluster import CARRIERS, SHOP, Cluster, Object, Running, Shop

LEASE, HOLD = 4, 20
TARGET, FLOW = "web-a-0", "web-a-0>peer-b:9000"
INJECTOR = "/opt/squall/injector.py"


def loss(pod: str = TARGET, hold: int = HOLD) -> Object:
    """Everything that a pod sends to one port."""
    return {
        "id": "pod-network-loss", "APP_NAMESPACE": SHOP, "TARGET_PODS": pod, "DESTINATION_PORTS": "9000",
        "NETWORK_PACKET_LOSS_PERCENTAGE": 100, "TOTAL_CHAOS_DURATION": hold,
    }  # fmt: skip


def begun(cluster: Cluster, folder: Path, *words: str, pod: str = TARGET, hold: int = HOLD, **squall: Any) -> Running:
    """A run whose fault has been in effect for a second."""
    running = cluster.start(folder, [loss(pod, hold)], *words, config={"squall": {"lease_seconds": LEASE, **squall}})
    running.until(": in effect")
    time.sleep(1)
    return running


def passing(shop: Shop, start: float, end: float, flow: str = FLOW) -> float:
    """The share of packets that arrived, of those sent between two moments."""
    facts = shop.counts(start, end)[flow]
    assert facts["sent"] > 10
    return float(facts.get("received", 0) / facts["sent"])


def normal_after(shop: Shop, moment: float, seconds: float, flow: str = FLOW) -> None:
    """The fault was there just before the moment, and every packet sent from `seconds` after it arrives."""
    time.sleep(max(0.0, moment + seconds + 2.5 - time.time()))
    assert passing(shop, moment - 0.8, moment - 0.1, flow) == 0
    assert passing(shop, moment + seconds, moment + seconds + 1.5, flow) == 1


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


# What only the owner of the nodes can do: a command with the verbs `sh NODE COMMAND…`, `cut NODE` and `mend NODE`.
OWNER = os.environ.get("SQUALL_TEST_NODES", "")
owners = pytest.mark.skipif(not OWNER, reason="SQUALL_TEST_NODES names no command that reaches into nodes")


def owner(*words: str) -> None:
    done = subprocess.run([OWNER, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def node(shop: Shop) -> Iterator[str]:
    """The target's node as its owner calls it, mended afterwards."""
    name = shop.node(TARGET).removeprefix("node")
    yield name
    owner("mend", name)
    owner("sh", name, "systemctl", "start", "kubelet")
    shop.cluster.kubectl("wait", "--for=condition=Ready", f"node/{shop.node(TARGET)}", "--timeout=90s")


@owners
def test_a_kubelet_that_stops(cluster: Cluster, shop: Shop, node: str, tmp_path: Path) -> None:
    running = begun(cluster, tmp_path, hold=10)
    moment = time.time()
    owner("sh", node, "systemctl", "stop", "kubelet")
    normal_after(shop, moment + 4, 7)
    owner("sh", node, "systemctl", "start", "kubelet")
    ended = running.end(seconds=180)
    assert ended.code == 0, ended.err
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []


@owners
def test_a_node_that_is_cut_off(cluster: Cluster, shop: Shop, node: str, tmp_path: Path) -> None:
    """Its packets go nowhere while it is cut; when it is back the fault is long over, though nobody could tell it to end."""
    running = begun(cluster, tmp_path, hold=8)
    moment = time.time()
    owner("cut", node)
    time.sleep(max(0.0, moment + 10 - time.time()))
    owner("mend", node)
    mended = time.time()
    ended = running.end(seconds=180)
    time.sleep(max(0.0, mended + 6 - time.time()))
    assert passing(shop, mended + 3, mended + 5) == 1
    assert ended.code == 0, ended.err
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []


API_SERVER = Path(os.environ.get("SQUALL_TEST_API_SERVER_PID", ""))
api_server = pytest.mark.skipif(not API_SERVER.is_file(), reason="SQUALL_TEST_API_SERVER_PID names no file with the process id of the API server")


@pytest.fixture
def api_pid() -> Iterator[int]:
    """The API server, which goes on afterwards."""
    pid = int(API_SERVER.read_text().split()[0])
    yield pid
    os.kill(int(API_SERVER.read_text().split()[0]), signal.SIGCONT)


@api_server
def test_an_api_server_that_is_silent_during_the_hold(cluster: Cluster, shop: Shop, api_pid: int, tmp_path: Path) -> None:
    running = begun(cluster, tmp_path, hold=8)
    moment = time.time()
    os.kill(api_pid, signal.SIGSTOP)
    time.sleep(max(0.0, moment + 12 - time.time()))
    os.kill(api_pid, signal.SIGCONT)
    ended = running.end(seconds=180)
    assert ended.code == 0, ended.err
    assert passing(shop, moment + 7.5 + 2, moment + 11.5) == 1
    assert passing(shop, moment, moment + 5) == 0
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []


@api_server
def test_an_api_server_that_restarts_during_the_hold(cluster: Cluster, shop: Shop, api_pid: int, tmp_path: Path) -> None:
    argv = Path(f"/proc/{api_pid}/cmdline").read_text().rstrip("\0").split("\0")
    running = begun(cluster, tmp_path, hold=10)
    os.kill(api_pid, signal.SIGKILL)
    patience = time.monotonic() + 30
    while Path(f"/proc/{api_pid}/exe").exists() and time.monotonic() < patience:
        time.sleep(0.1)
    time.sleep(2)  # its port is free a little later than its memory
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1, 2)]
    server = os.posix_spawn(argv[0], argv, os.environ, file_actions=quiet, setsid=True)  # it outlives the tests
    API_SERVER.write_text(f"{server} {Path(f'/proc/{server}/stat').read_text().split()[21]}\n")
    ended = running.end(seconds=180)
    assert ended.code == 0, ended.err
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []
