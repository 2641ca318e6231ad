"""What only the owner of the nodes or of the API server can do: whatever is lost in mid-fault, the fault ends in time and the run tells right."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from endings import TARGET, begun, normal_after, passing
from real_cluster import Cluster
from shop import Shop

# A command with the verbs `sh NODE COMMAND…`, `cut NODE` and `mend NODE`.
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


def listened_to(port: int) -> bool:
    """Whether anybody on this machine takes connections there: the kernel lets go of a killed server's port a little after its memory."""
    tables = [table for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if table.exists()]
    sockets = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return any(local.endswith(f":{port:04X}") and state == "0A" for _, local, _, state, *_ in sockets)


@api_server
def test_an_api_server_that_restarts_during_the_hold(cluster: Cluster, shop: Shop, api_pid: int, tmp_path: Path) -> None:
    argv = Path(f"/proc/{api_pid}/cmdline").read_text().rstrip("\0").split("\0")
    port = next(int(word.partition("=")[2]) for word in argv if word.startswith("--secure-port="))
    assert listened_to(port)
    running = begun(cluster, tmp_path, hold=10)
    os.kill(api_pid, signal.SIGKILL)
    patience = time.monotonic() + 30
    while listened_to(port):
        assert time.monotonic() < patience, f"port {port} is still taken"
        time.sleep(0.05)
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1, 2)]
    server = os.posix_spawn(argv[0], argv, os.environ, file_actions=quiet, setsid=True)  # it outlives the tests
    API_SERVER.write_text(f"{server} {Path(f'/proc/{server}/stat').read_text().split()[21]}\n")
    ended = running.end(seconds=180)
    assert ended.code == 0, ended.err
    assert cluster.left() == []
    assert cluster.traces(shop.node(TARGET)) == []
