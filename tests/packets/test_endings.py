"""How runs end when something, or somebody, ends them: signals, kills, broken injectors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from squall_runs import INJECTOR, Squall, cleanup, eventually, injectors_of, kill, machine, namespaces, sandbox_file, scenario_file
from two_ends import within
from wire import UdpFlow

LEASE = 3
FOREIGN_ROOT = ("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "1gbit", "burst", "1mb", "limit", "1mb")
TARGET, PEER, PEER_ADDRESS = "squall.shop.web-0", "squall.other.by-0", "by-0"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    cleanup()
    before = machine()
    yield
    cleanup()
    assert namespaces() == []
    assert machine() == before


def total_loss(tmp_path: Path, injector: Path = INJECTOR, **tunables: object) -> Squall:
    """Everything that web-0 sends is lost, for half a minute unless told otherwise."""
    wanted = {"TARGET_PODS": "web-0", "TOTAL_CHAOS_DURATION": 30, **tunables}
    return Squall(tmp_path, scenario_file(tmp_path, "pod-network-loss", **wanted), "--sandbox-file", sandbox_file(tmp_path), injector=injector)


def passes(flow: UdpFlow) -> bool:
    number = flow.exchange.sent
    flow.send()
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        if flow.exchange.arrived[number]:
            return True
        time.sleep(0.002)
    return False


def flow_of_the_test() -> UdpFlow:
    """Packets of the test's own, which go on whoever of the run is killed."""
    address = within(PEER, "ip", "-4", "-o", "addr", "show", "eth0").split()[3].split("/")[0]
    return UdpFlow(TARGET, PEER, address, 9700)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_reverts_reports_and_leaves_nothing(number: signal.Signals, code: int, tmp_path: Path) -> None:
    run = total_loss(tmp_path)
    run.until("in effect")
    begin = time.time()
    run.process.send_signal(number)
    ended, output = run.end()
    assert ended == code, run.errors
    reverted = next(event["time"] for event in run.events if event["event"] == "reverted")
    assert reverted - begin < 1
    assert run.result["verdict"]["status"] == "interrupted"
    assert run.target["status"] == "interrupted"
    assert run.target["reverted"] is True
    assert f"exit {code}" in output
    assert namespaces() == []


@pytest.mark.parametrize("victims", ["injector", "runner", "both"])
def test_killed_in_mid_fault(victims: str, tmp_path: Path) -> None:
    run = total_loss(tmp_path)
    run.until("in effect")
    flow = flow_of_the_test()
    eventually(lambda: not passes(flow), 1)
    pids = {"injector": injectors_of(run.process), "runner": [run.process.pid]}
    begin = time.monotonic()
    kill(pids["injector"] + pids["runner"] if victims == "both" else pids[victims])
    if victims == "injector":
        code, output = run.end()
        assert code == 4, run.errors
        assert run.target["status"] == "not-in-effect"
        assert "SIGKILL" in run.target["reason"]
        assert "cleanup --sandbox" in output
    else:
        run.reap()
    eventually(lambda: passes(flow), LEASE + 2)
    assert time.monotonic() - begin < LEASE + 2
    flow.finish()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() and _runs(pid) for pid in pids["injector"]), LEASE + 2)
    code, text = cleanup()
    assert (code, namespaces()) == (0, []), text


def _runs(pid: int) -> bool:
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_stopped_past_its_lease(tmp_path: Path) -> None:
    run = total_loss(tmp_path)
    run.until("in effect")
    (injector,) = injectors_of(run.process)
    flow = flow_of_the_test()
    os.kill(injector, signal.SIGSTOP)
    eventually(lambda: passes(flow), LEASE + 2)
    os.kill(injector, signal.SIGCONT)
    code, _ = run.end()
    flow.finish()
    assert code == 1, run.errors
    assert run.target["status"] == "lapsed"
    assert run.target["reverted"] is True


def broken(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A copy of the injector with one line changed."""
    folder = tmp_path / "injector"
    shutil.copytree(INJECTOR, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / file).read_text()
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new))
    return folder


def test_an_injector_that_does_not_arm(tmp_path: Path) -> None:
    lazy = broken(tmp_path, "injection.py", '        fault.arm(self._lease_left())\n', "")
    run = total_loss(tmp_path, lazy, TOTAL_CHAOS_DURATION=2)
    code, output = run.end()
    assert code == 1, run.errors
    assert run.target["status"] == "not-in-effect"
    assert run.target["in_effect"] is False
    assert "not-in-effect" in output.lower()


@pytest.mark.parametrize("honest", [True, False])
def test_an_injector_that_does_not_remove(honest: bool, tmp_path: Path) -> None:
    """Whether it says so or not: the runner looks for itself."""
    lazy = broken(tmp_path, "fault.py", "        return [partial(self._disarm_and_delete, first), *others]\n", "        return [disarm]\n")
    if not honest:
        text = (lazy / "fault.py").read_text()
        assert text.count("            left = self._left()\n") == 1
        (lazy / "fault.py").write_text(text.replace("            left = self._left()\n", "            return []\n"))
    if honest:  # its rehearsals must not be disproved by the same laziness
        text = (lazy / "rehearsal.py").read_text().replace('problem = problem or "; ".join(fault.revert())', "fault.revert()")
        (lazy / "rehearsal.py").write_text(text)
    run = total_loss(tmp_path, lazy, TOTAL_CHAOS_DURATION=1)
    code, output = run.end()
    assert code == 4, run.errors
    assert run.result["residue"]
    assert f"ip netns exec {TARGET} nft delete table netdev squall_{run.result['run_id']}_egress" in output
    assert "run_chaos.py cleanup --sandbox" in output
    assert TARGET in namespaces(), "what is left can be looked at"


def test_a_foreign_root_qdisc(tmp_path: Path) -> None:
    run = Squall(
        tmp_path, scenario_file(tmp_path, "pod-network-rate-limit", TARGET_PODS="web-0", TOTAL_CHAOS_DURATION=2, RAMP_TIME=2),
        "--sandbox-file", sandbox_file(tmp_path),
    )  # fmt: skip
    run.until("ramp before")
    within(TARGET, *FOREIGN_ROOT)
    before = within(TARGET, "tc", "qdisc", "show", "dev", "eth0")
    run.until("ramp after")
    assert within(TARGET, "tc", "qdisc", "show", "dev", "eth0") == before
    code, output = run.end()
    assert code == 1
    assert run.target["status"] == "refused"
    assert "tbf" in output


def test_a_second_run_waits_its_turn(tmp_path: Path) -> None:
    first = total_loss(tmp_path)
    first.until("in effect")
    folder = tmp_path / "second"
    folder.mkdir()
    code, _ = total_loss(folder).end()
    assert code == 1
    first.process.send_signal(signal.SIGTERM)
    assert first.end()[0] == 143


def test_a_full_disk_ends_the_run_and_the_fault(tmp_path: Path) -> None:
    """The record is on a file system that is full in mid-fault."""
    disk = tmp_path / "runs"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "squall-test", str(disk)], check=True)
    try:
        run = total_loss(tmp_path)
        run.until("in effect")
        filler = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT)
        for size in (4096, 1):
            try:
                while True:
                    os.write(filler, bytes(size))
            except OSError:
                continue
        os.close(filler)
        code, output = run.end()
        assert code == 1, run.errors
        assert "No space left" in output
        assert namespaces() == []
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
