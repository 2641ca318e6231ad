"""Ways in which an injection could be silently wrong. None of them may end with exit 0."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from squall_runs import INJECTOR, Squall, cleanup, injectors_of, kill, namespaces, sandbox_file, scenario_file
from two_ends import within

TARGET = "squall.shop.web-0"
TOOLS = f"{os.environ['PATH']}:/usr/sbin:/sbin"
LOSS = ("pod-network-loss", {"NETWORK_PACKET_LOSS_PERCENTAGE": 30, "DESTINATION_PORTS": "9000"})
# Who only the peers can convict needs more than the thousand packets from which they are heard: 400 a second, without the margins.
COPIES = ("pod-network-duplication", {"NETWORK_PACKET_DUPLICATION_PERCENTAGE": 30, "DESTINATION_PORTS": "9000", "TOTAL_CHAOS_DURATION": 4})
RATE = ("pod-network-rate-limit", {"NETWORK_BANDWIDTH": "1mbit", "LIMIT": "64kb", "SOURCE_PORTS": "8080"})
INWARD = {"DIRECTION": "ingress"}


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    cleanup()
    yield
    cleanup()


def attempt(tmp_path: Path, fault: tuple[str, dict[str, Any]], *, injector: Path = INJECTOR, path: str = "", **more: Any) -> Squall:
    tunables = {"TARGET_PODS": "web-0", "TOTAL_CHAOS_DURATION": 3, **fault[1], **more}
    files = (scenario_file(tmp_path, fault[0], **tunables), "--sandbox-file", sandbox_file(tmp_path))
    return Squall(tmp_path, *files, injector=injector, **({"PATH": path} if path else {}))


def shim(tmp_path: Path, tool: str, script: str) -> str:
    """A PATH with a tool of the test's in front, which works as the real one outside of the target's namespace."""
    real = shutil.which(tool, path=TOOLS)
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    text = f"""#!/bin/sh
real={real}
if [ "$(ip netns identify 2>/dev/null)" != {TARGET} ]; then exec $real "$@"; fi
input=""; [ "$*" = "-f -" -o "$*" = "-batch -" ] && input=$(cat)
run() {{ if [ "$*" = "-f -" -o "$*" = "-batch -" ]; then printf '%s\\n' "$input" | $real "$@"; else $real "$@"; fi; }}
{script}
"""
    if tool == "ip":
        text = text.replace("$(ip netns", "$($real netns")
    (folder / tool).write_text(text)
    (folder / tool).chmod(stat.S_IRWXU)
    return f"{folder}:{TOOLS}"


def nothing_where(pattern: str) -> str:
    """It does nothing for a call, or for the lines of a batch, that match."""
    return f"""if [ "$*" = "-batch -" ]; then printf '%s\\n' "$input" | grep -vE '{pattern}' | $real "$@"
elif printf '%s %s' "$*" "$input" | grep -qE '{pattern}'; then exit 0; else run "$@"; fi"""


def changed(expression: str) -> str:
    """The tool's input or arguments, edited by sed."""
    return f"""if [ -n "$input" ]; then input=$(printf '%s\\n' "$input" | sed -E '{expression}'); run "$@"
else exec $real $(printf '%s ' "$@" | sed -E '{expression}'); fi"""


LIES: dict[str, tuple[str, str, tuple[str, dict[str, Any]]]] = {
    "nft does not arm": ("nft", nothing_where("add element .* lease"), LOSS),
    "nft makes no table": ("nft", nothing_where("^-f - table netdev"), LOSS),
    "nft never renews": ("nft", nothing_where("delete element"), ("pod-network-loss", {"TOTAL_CHAOS_DURATION": 6})),
    "nft leaves the counters out": ("nft", changed("s/counter name [a-z]+//"), COPIES),
    "nft loses everything": ("nft", changed("s/numgen random mod 1000000 < 300000 //"), LOSS),
    "nft loses half of it": ("nft", changed("s/< 300000/< 150000/"), LOSS),
    "nft copies twice as much": ("nft", changed("s/< 300000/< 600000/"), COPIES),
    "nft does not copy": ("nft", changed('s/dup to "[a-z0-9]+"//'), COPIES),
    "nft drops the rule of the fault": ("nft", changed("s/^ *numgen.*$//"), LOSS),
    "nft hooks another device": ("nft", changed('s/device "eth0"/device "lo"/'), LOSS),
    "nft hooks the other direction": ("nft", changed("s/hook egress/hook ingress/"), LOSS),
    "nft matches another port": ("nft", changed("s/dport . 9000/dport { 9009/"), LOSS),
    "nft matches every port": ("nft", changed("s/meta l4proto .* goto fault/goto fault/"), COPIES),
    "nft steers to a class that is not there": ("nft", changed("s/ca05:20/ca05:99/"), LOSS),
    "nft answers nonsense": ("nft", 'case "$*" in *-j*) echo nonsense;; *) run "$@";; esac', LOSS),
    "nft hangs": ("nft", 'case "$*" in "-f -") sleep 30;; *) run "$@";; esac', LOSS),
    "nft fails": ("nft", "exit 1", LOSS),
    "nft reports a lease that is not there": ("nft", changed("s/add element (.*) lease .*/list tables/"), LOSS),
    "tc replaces no root": ("tc", nothing_where("replace"), LOSS),
    "tc adds no class": ("tc", nothing_where("class add"), LOSS),
    "tc adds no queue": ("tc", nothing_where("blackhole"), LOSS),
    "tc adds no bucket": ("tc", nothing_where("tbf"), RATE),
    "tc makes the rate ten times as much": ("tc", changed("s/rate 1000000bit/rate 10000000bit/"), RATE),
    "tc makes the rate a tenth": ("tc", changed("s/rate 1000000bit/rate 100000bit/"), RATE),
    "tc makes the bucket endless": ("tc", changed("s/burst 32768b/burst 64mb/"), RATE),
    "tc puts a queue where the hole should be": ("tc", changed("s/blackhole/pfifo/"), LOSS),
    "tc answers nonsense": ("tc", 'case "$*" in *-j*) echo nonsense;; *) run "$@";; esac', LOSS),
    "tc lists nothing": ("tc", """case "$*" in *-j*) echo '[]';; *) run "$@";; esac""", RATE),
    "tc fails": ("tc", "exit 2", RATE),
    "tc hangs": ("tc", 'case "$* $input" in *add*) sleep 30;; *) run "$@";; esac', LOSS),
    "ip makes no intermediate device": ("ip", nothing_where("link add"), ("pod-network-rate-limit", {**RATE[1], **INWARD, "SOURCE_PORTS": ""})),
    "ip leaves it down": ("ip", nothing_where("link set dev sq[0-9a-f]* up"), ("pod-network-duplication", {**INWARD})),
    "ip fails": ("ip", "exit 1", ("pod-network-duplication", {**INWARD})),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lying_tool(name: str, tmp_path: Path) -> None:
    tool, script, fault = LIES[name]
    run = attempt(tmp_path, fault, path=shim(tmp_path, tool, script))
    code, output = run.end()
    assert code in (1, 4), (code, run.errors, output)
    assert "Traceback" not in run.errors


def test_the_same_faults_pass_with_honest_tools(tmp_path: Path) -> None:
    """The control: the shim itself breaks nothing."""
    for number, (tool, fault) in enumerate((("nft", LOSS), ("nft", COPIES), ("tc", LOSS), ("tc", RATE), ("ip", ("pod-network-duplication", INWARD)))):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = attempt(folder, fault, path=shim(folder, tool, 'run "$@"'))
        code, output = run.end()
        assert code == 0, (run.errors, output)


def do(*argv: str) -> Callable[[Squall], None]:
    return lambda _run: within(TARGET, *argv) and None


def delete_one_rule(_run: Squall) -> None:
    table = next(line.split()[2] for line in within(TARGET, "nft", "list", "tables").splitlines() if "squall_" in line)
    listed = within(TARGET, "nft", "-a", "list", "table", "netdev", table)
    handle = next(line.rpartition(" ")[2] for line in listed.splitlines() if "goto lost" in line)
    within(TARGET, "nft", "delete", "rule", "netdev", table, "fault", "handle", handle)


def on_the_table(words: str) -> Callable[[Squall], None]:
    def act(_run: Squall) -> None:
        table = next(line.split()[2] for line in within(TARGET, "nft", "list", "tables").splitlines() if "squall_" in line)
        within(TARGET, "nft", *words.format(table).split())

    return act


def remove_record(run: Squall) -> None:
    shutil.rmtree(run.record)


MEANWHILE: dict[str, Callable[[Squall], None]] = {
    "the device vanishes": do("ip", "link", "del", "eth0"),
    "the root is replaced": do("tc", "qdisc", "replace", "dev", "eth0", "root", "pfifo"),
    "the root is deleted": do("tc", "qdisc", "del", "dev", "eth0", "root"),
    "the queue is replaced": do("tc", "qdisc", "replace", "dev", "eth0", "parent", "ca05:20", "pfifo"),
    "the table is deleted": on_the_table("delete table netdev {}"),
    "the lease is flushed": on_the_table("flush set netdev {} lease"),
    "the chains are flushed": on_the_table("flush table netdev {}"),
    "a rule is deleted": delete_one_rule,
    "the record is deleted": remove_record,
    "the injector is killed": lambda run: kill(injectors_of(run.process)),
}


@pytest.mark.parametrize("name", MEANWHILE)
def test_a_change_in_mid_fault(name: str, tmp_path: Path) -> None:
    run = attempt(tmp_path, LOSS, TOTAL_CHAOS_DURATION=5)
    run.until("in effect")
    MEANWHILE[name](run)
    code, output = run.end()
    assert code in (1, 4), (code, run.errors, output)
    assert "Traceback" not in run.errors


BROKEN = {
    "it says nothing": "raise SystemExit(0)",
    "it talks nonsense": "print('null\\n[]\\n{\\nnonsense'); raise SystemExit(0)",
    "its output is closed": "import os; os.close(1)",
    "its clock is an hour ahead": "import time; real = time.time; time.time = lambda: real() + 3600",
    "its clock is an hour behind": "import time; real = time.time; time.time = lambda: real() - 3600",
    "it claims what it never did": """
import json, os, time
job = json.loads(os.environ['SQUALL_JOB'])
for event in ({'event': 'applied', 'engine': 'blackhole', 'device': 'eth0'}, {'event': 'armed', 'counters': {'matched': [0, 0]}}):
    print(json.dumps({'time': time.time(), 'target': job['injections'][0]['key'], **event}), flush=True)
time.sleep(5)
for event in ({'event': 'measured', 'at': time.time(), 'counters': {'matched': [10000, 9], 'dropped': [3000, 9]}},
              {'event': 'reverted', 'left': [], 'seconds': 0}, {'event': 'finished', 'status': 'passed', 'reason': ''}):
    print(json.dumps({'time': time.time(), 'target': job['injections'][0]['key'], **event}), flush=True)
raise SystemExit(0)
""",
    "it gives up at once": "import injection; injection.Injection._hold = lambda self, fault: self._sample(fault, 'measured')",
    "it never renews": "import injection; injection.Injection._renew = lambda self, fault: None",
    "it never looks": "import fault; fault.Fault.missing = lambda self, armed: ''; fault.Fault.step = fault.Fault.steps = fault.Fault.arm = print",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_injector(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "injector"
    shutil.copytree(INJECTOR, folder, ignore=shutil.ignore_patterns("__pycache__"))
    whole = (folder / "injector.py").read_text()
    marker = "from __future__ import annotations\n"
    (folder / "injector.py").write_text(whole.replace(marker, f"{marker}{BROKEN[name]}\n", 1))
    run = attempt(tmp_path, LOSS, injector=folder, TOTAL_CHAOS_DURATION=6 if "renews" in name else 5 if "claims" in name else 3)
    code, output = run.end()
    assert code in (1, 4), (code, run.errors, output)
    assert "Traceback" not in run.errors


def test_the_runner_without_its_traffic(tmp_path: Path) -> None:
    run = attempt(tmp_path, LOSS, TOTAL_CHAOS_DURATION=4)
    run.until("in effect")
    children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
    kill([int(pid) for pid in children if b"sandbox.traffic" in Path(f"/proc/{pid}/cmdline").read_bytes()])
    code, output = run.end()
    assert code == 1, run.errors
    assert "the peers' counts were lost" in output
    assert run.target["reverted"] is True
    assert namespaces() == []


def test_the_number_of_ways() -> None:
    assert len(LIES) + len(MEANWHILE) + len(BROKEN) >= 40


def test_a_vanished_namespace(tmp_path: Path) -> None:
    """Deleted by name before the injector could enter it."""
    run = attempt(tmp_path, LOSS, RAMP_TIME=1)
    run.until("ramp before")
    subprocess.run(["ip", "netns", "del", TARGET], check=True)
    begin = time.monotonic()
    code, _ = run.end()
    assert code == 1, run.errors
    assert time.monotonic() - begin < 20
