"""The product as its user runs it: a process with a sandbox file and scenario files, its output, its record, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
INJECTOR = REPOSITORY / "containers" / "injector"
TARGETS = ("web-0", "web-1")
BYSTANDERS = tuple(f"by-{number}" for number in range(8))
# The product's own entry point, with another injector where a test breaks it on purpose.
ENTRY = "import sys; from pathlib import Path; import chaos_modules.carriers.local as local; local.INJECTOR = Path(sys.argv.pop(1)); " + (
    "from chaos_modules.cli.main import console; console()"
)


def sandbox_file(folder: Path, traffic: list[dict[str, Any]] | None = None) -> Path:
    """Two targets and eight bystanders on two nodes, everybody under traffic."""
    pods: list[dict[str, Any]] = [
        {"name": name, "namespace": "shop", "node": f"node-{number}", "labels": {"app": "web"}, "owner": {"kind": "Deployment", "name": "web"},
         "serve": {"tcp": [8080], "udp": [9000]}}
        for number, name in enumerate(TARGETS)
    ]  # fmt: skip
    pods += [
        {"name": name, "namespace": "other", "node": f"node-{number % 2}", "serve": {"tcp": [8080], "udp": [9000, 9001]}}
        for number, name in enumerate(BYSTANDERS)
    ]
    pods.append({"name": "agent", "namespace": "shop", "node": "node-0", "hostNetwork": True, "labels": {"app": "agent"}})
    flows: list[dict[str, Any]] = []
    for number, name in enumerate(TARGETS):
        flows += [{"from": f"shop/{name}", "to": f"other/by-{number}", "udp": port, "rate": 400} for port in (9000, 9001)]
        flows.append({"from": f"other/by-{number}", "to": f"shop/{name}", "http": 8080, "bytes": 2**23, "pause": 0.8})
    flows += [{"from": f"other/{one}", "to": f"other/{two}", "udp": 9000, "rate": 50} for one, two in pairwise(BYSTANDERS)]
    flows.append({"from": "other/by-7", "to": "other/by-0", "http": 8080, "bytes": 65536})
    path = folder / "sandbox.yaml"
    path.write_text(yaml.safe_dump({"nodes": ["node-0", "node-1"], "pods": pods, "traffic": flows if traffic is None else traffic}))
    return path


def scenario_file(folder: Path, fault: str, **tunables: Any) -> Path:
    """One scenario of the Harness style."""
    item = {"id": fault, "workload": {"kind": "deployment", "namespace": "shop", "names": ["web"]}, **tunables}
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump([item]))
    return path


class Squall:
    """A run under way. `lines` are what standard error said so far."""

    def __init__(self, folder: Path, *arguments: str | Path, injector: Path = INJECTOR, **environment: str) -> None:
        self.folder, self.lines = folder, [""]
        words = [str(word) for word in arguments]
        common = ["--set", f"squall.record_directory={folder / 'runs'}", "--set", "squall.lease_seconds=3"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", ENTRY, str(injector / "injector.py"), *words, *common], cwd=REPOSITORY, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        )  # fmt: skip

    def reap(self) -> None:
        """After a kill: no process and no pipe stays."""
        self.process.kill()
        self.process.communicate(timeout=10)

    def until(self, text: str, times: int = 1) -> None:
        """Wait for that many lines on standard error that hold a text."""
        assert self.process.stderr
        while sum(text in line for line in self.lines) < times:
            line = self.process.stderr.readline()
            assert line, f"ended without {text!r}:\n{''.join(self.lines)}"
            self.lines.append(line)

    def end(self) -> tuple[int, str]:
        """(exit code, standard output)."""
        output, errors = self.process.communicate(timeout=60)
        self.lines.append(errors)
        return self.process.returncode, output

    @property
    def errors(self) -> str:
        return "".join(self.lines)

    @property
    def record(self) -> Path:
        return next((self.folder / "runs").iterdir())

    @property
    def result(self) -> dict[str, Any]:
        return dict(json.loads((self.record / "result.json").read_text()))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.record / "events.jsonl").read_text().splitlines()]

    @property
    def target(self) -> dict[str, Any]:
        return dict(self.result["scenarios"][0]["targets"][0])


def injectors_of(process: subprocess.Popen[str]) -> list[int]:
    """The injector processes that a run started."""
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return [pid for pid in pids if b"injector.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def cleanup() -> tuple[int, str]:
    done = subprocess.run([sys.executable, "run_chaos.py", "cleanup", "--sandbox"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def namespaces() -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return sorted(line.split()[0] for line in listed.splitlines() if line.startswith("squall"))


def machine() -> tuple[str, str, str]:
    """This machine's own network, as it must be afterwards."""
    commands = (["tc", "-j", "qdisc"], ["nft", "-j", "list", "ruleset"], ["ip", "-j", "link"])
    texts = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for command in commands]
    return texts[0], texts[1], texts[2]


def kill(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def eventually(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)
