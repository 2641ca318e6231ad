"""Real faults by an ordinary user: as this one, or as `nobody` where root runs the tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from squall_runs import REPOSITORY, eventually

ROOT = os.geteuid() == 0
NOBODY = 65534
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PACKAGES = filter(None, (str(REPOSITORY), sysconfig.get_path("purelib"), os.environ.get("PYTHONPATH")))
ENVIRONMENT = {**os.environ, "PATH": SYSTEM_PATH, "PYTHONPATH": os.pathsep.join(PACKAGES)}
AS_USER: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}
SANDBOX = {
    "nodes": ["one"],
    "pods": [{"name": "web", "namespace": "shop"}, {"name": "peer", "serve": {"udp": [9000]}}],
    "traffic": [{"from": "shop/web", "to": "peer", "udp": 9000, "rate": 500}],
}


def works(*argv: str) -> bool:
    try:
        return subprocess.run(argv, cwd="/", env=ENVIRONMENT, capture_output=True, check=False, timeout=30, **AS_USER).returncode == 0
    except OSError:
        return False


def python() -> str:
    """An interpreter that the user may start and that finds what Squall needs: one below root's home may not be."""
    candidates = (sys.executable, *(f"{folder}/python3" for folder in ("/usr/local/bin", "/usr/bin")))
    return next((one for one in candidates if works(one, "-c", "import chaos_modules.cli.main, pydantic, yaml")), "")


def obstacle() -> str:
    """Why there can be no sandbox without root here; empty if there can."""
    missing = [tool for tool in ("ip", "tc", "nft", "unshare") if shutil.which(tool, path=SYSTEM_PATH) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    if not works("unshare", "-Urnm", "mount", "-t", "tmpfs", "tmpfs", "/run"):
        return "the kernel, or this container, gives an ordinary user no user namespace with rights of its own"
    return "" if python() else "an ordinary user can read neither this interpreter nor its packages"


OBSTACLE = obstacle()
pytestmark = [pytest.mark.packets, pytest.mark.skipif(bool(OBSTACLE), reason=f"the sandbox without root: {OBSTACLE}")]


@pytest.fixture
def folder() -> Iterator[Path]:
    """The user's own; pytest's folders are closed to others."""
    with tempfile.TemporaryDirectory(prefix="squall-user-") as name:
        path = Path(name)
        (path / "sandbox.yaml").write_text(yaml.safe_dump(SANDBOX))
        if ROOT:
            os.chown(path, NOBODY, NOBODY)
        path.chmod(0o755)
        yield path


def scenario(folder: Path, seconds: float) -> Path:
    item = {"id": "pod-network-loss", "workload": {"kind": "pod", "namespace": "shop", "names": ["web"]}, "NETWORK_PACKET_LOSS_PERCENTAGE": 20,
            "TOTAL_CHAOS_DURATION": seconds}  # fmt: skip
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump([item]))
    return path


def words(folder: Path, *, seconds: float, record: str = "runs") -> list[str]:
    settings = ["--set", f"squall.record_directory={folder / record}", "--set", "squall.lease_seconds=3"]
    return ["run_chaos.py", "run", str(scenario(folder, seconds)), "--sandbox-file", str(folder / "sandbox.yaml"), *settings]


Start = Callable[[Sequence[str]], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Squall as the user; what a failed test leaves is ended."""
    started: list[subprocess.Popen[str]] = []

    def begin(arguments: Sequence[str]) -> subprocess.Popen[str]:
        started.append(subprocess.Popen(
            [python(), *arguments], cwd=REPOSITORY, env=ENVIRONMENT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, **AS_USER,
        ))  # fmt: skip
        return started[-1]

    yield begin
    for run in started:
        if run.returncode is None:
            run.terminate()
            run.communicate(timeout=30)


def until_in_effect(run: subprocess.Popen[str]) -> None:
    assert run.stderr
    lines = []
    while "in effect" not in "".join(lines):
        lines.append(run.stderr.readline())
        assert lines[-1], "".join(lines)


def result(folder: Path, record: str = "runs") -> dict[str, Any]:
    [run] = (folder / record).iterdir()
    return dict(json.loads((run / "result.json").read_text()))


def machine() -> tuple[set[str], set[str]]:
    """What of the machine a sandbox could have changed, as anybody sees it."""
    links, run, namespaces = (set(map(str, Path(path).glob("*"))) for path in ("/sys/class/net", "/run", "/run/netns"))
    return links, run | namespaces


def children(pid: int) -> list[int]:
    return [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]


def test_two_runs_at_once_are_proven_and_do_not_meet(folder: Path, start: Start) -> None:
    before = machine()
    runs = [start(words(folder, seconds=4, record=record)) for record in ("one", "other")]
    until_in_effect(runs[0])
    assert machine() == before
    for run, record in zip(runs, ("one", "other"), strict=True):
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 0, errors
        [target] = result(folder, record)["scenarios"][0]["targets"]
        assert target["status"] == "passed"
        assert target["at_peer"]["loss"]["judged"] == target["measured"]["loss"]["judged"] == "yes"
        assert {path.stat().st_uid for path in (folder / record).rglob("*")} == {NOBODY if ROOT else os.geteuid()}
    assert machine() == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_reverts_and_reports(folder: Path, start: Start, number: signal.Signals, code: int) -> None:
    run = start(words(folder, seconds=60))
    until_in_effect(run)
    inside = children(run.pid)
    assert len(inside) == 2, "the traffic process and the injector"
    run.send_signal(number)
    run.communicate(timeout=30)
    assert run.returncode == code
    [target] = result(folder)["scenarios"][0]["targets"]
    assert (target["status"], target["reverted"]) == ("interrupted", True)
    assert not [pid for pid in inside if Path(f"/proc/{pid}").exists()]


def test_after_a_kill_everything_ends_by_itself(folder: Path, start: Start) -> None:
    run = start(words(folder, seconds=60))
    until_in_effect(run)
    inside = children(run.pid)
    run.kill()
    run.communicate(timeout=10)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in inside), 8)


def test_cleanup_says_that_there_is_nothing_to_do(folder: Path, start: Start) -> None:
    run = start(words(folder, seconds=60))
    until_in_effect(run)
    output, _ = start(["run_chaos.py", "cleanup", "--sandbox"]).communicate(timeout=30)
    assert "a sandbox without root ends with its run" in output
    assert run.poll() is None


@pytest.mark.skipif(not ROOT, reason="only root can make a chroot, where the kernel refuses user namespaces")
def test_where_the_kernel_refuses_it_says_why_and_what_to_do(folder: Path) -> None:
    script = 'mount --rbind / "$0" && exec chroot --userspec=65534:65534 --groups= "$0" env -C "$@"'
    (folder / "root").mkdir()
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, folder / "root", REPOSITORY, python(), *words(folder, seconds=1)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "the sandbox needs root, or a user namespace of its own: something refuses it" in done.stderr
    assert "run it with sudo" in done.stderr
    assert not (folder / "runs").exists()
