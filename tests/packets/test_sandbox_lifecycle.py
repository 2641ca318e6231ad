"""Nothing of a sandbox is left, whatever ends it, and nobody else's is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sandbox_shop import MARKS, shop, until

from chaos_modules.clusters.sandbox import network
from chaos_modules.clusters.sandbox.cleanup import cleanup_sandbox, leftovers, residents
from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.clusters.sandbox.layout import FABRIC
from chaos_modules.model.errors import ClusterProblem

pytestmark = MARKS

OWNER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from sandbox_shop import shop
from chaos_modules.clusters.sandbox.cluster import Sandbox
Sandbox(shop(), "shop.yaml", Path(sys.argv[1])).start()
print("up", flush=True)
time.sleep(600)
"""


# Like the real one: the main thread stays outside, a thread enters the target.
INJECTOR = """
import ctypes, sys, threading, time
def enter():
    with open(sys.argv[1]) as file:
        assert ctypes.CDLL(None).setns(file.fileno(), 0x40000000) == 0
    print("up", flush=True)
    time.sleep(600)
threading.Thread(target=enter, daemon=True).start()
time.sleep(600)
"""


@contextmanager
def process(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone in the end, with its group."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)


def owner_of(state: Path) -> tuple[str, ...]:
    return sys.executable, "-c", OWNER, str(state), str(Path(__file__).parent)


def host_links() -> set[str]:
    return {entry.name for entry in Path("/sys/class/net").iterdir()}


def test_close_leaves_nothing_and_the_host_never_has_a_device_of_ours(tmp_path: Path) -> None:
    before = host_links()
    sandbox = Sandbox(shop(), "shop.yaml", tmp_path / "state")
    sandbox.start()
    assert host_links() == before
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    sandbox.close()
    sandbox.close()
    assert network.ours() == [] and leftovers(tmp_path / "state") == [] and host_links() == before


def test_a_start_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ClusterProblem, match="traffic process has ended"):
        Sandbox(shop(), "shop.yaml", tmp_path / "state").start()
    assert leftovers(tmp_path / "state") == []


def test_a_command_that_fails_is_named_with_its_line_and_its_error(tmp_path: Path) -> None:
    with pytest.raises(ClusterProblem) as caught:
        network.remove(["squall.no.such"])
    assert "netns del squall.no.such" in caught.value.what and "No such file" in caught.value.what


def test_a_killed_run_is_told_apart_and_cleaned_up(tmp_path: Path) -> None:
    state = tmp_path / "state"
    injector = tmp_path / "injector.py"
    injector.write_text(INJECTOR)
    with process(*owner_of(state)) as owner:
        assert owner.stdout and owner.stdout.readline() == "up\n"
        with pytest.raises(ClusterProblem, match=f"run by process {owner.pid}"):
            cleanup_sandbox(state)
        with (
            process(sys.executable, str(injector), "/run/netns/squall.shop.web") as ours,
            process("ip", "netns", "exec", "squall.load.client", "sleep", "600") as stranger,
        ):
            assert ours.stdout and ours.stdout.readline() == "up\n"
            until(lambda: len(residents(state)) == 3)
            owner.kill()
            owner.wait()
            until(lambda: not any("sandbox.traffic" in str(resident) for resident in residents(state)))
            with pytest.raises(ClusterProblem, match="cleanup --sandbox"):
                Sandbox(shop(), "shop.yaml", state).start()
            removed = cleanup_sandbox(state)
            assert ours.wait(timeout=5) == -signal.SIGTERM
            assert stranger.poll() is None
    assert {f"network namespace {FABRIC}", "network namespace squall.default.exporter", f"directory {state}"} <= set(removed)
    assert next(line for line in removed if "sleep 600" in line).startswith("left alone, not ours: process")
    assert network.ours() == [] and cleanup_sandbox(state) == []


def test_a_stopped_traffic_process_is_ended_too(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with process(*owner_of(state)) as owner:
        assert owner.stdout and owner.stdout.readline() == "up\n"
        (traffic,) = residents(state)
        os.kill(traffic.pid, signal.SIGSTOP)
        owner.kill()
        owner.wait()
        assert str(traffic) in cleanup_sandbox(state)
    until(lambda: leftovers(state) == [])
