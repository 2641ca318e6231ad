"""Many sandbox runs in a row with nothing wrong: none may fail, and nothing may be left. `python tests/benchmarks/honest_runs.py 200`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
SANDBOX = {
    "nodes": ["one"],
    "pods": [
        {"name": "web", "namespace": "shop", "serve": {"tcp": [8080], "udp": [9000]}},
        {"name": "client", "namespace": "load", "serve": {"udp": [9000, 9001]}},
    ],
    "traffic": [
        {"from": "shop/web", "to": "load/client", "udp": 9000, "rate": 800},
        {"from": "shop/web", "to": "load/client", "udp": 9001, "rate": 200},
        {"from": "load/client", "to": "shop/web", "http": 8080, "bytes": 65536},
    ],
}
FAULTS = (
    {"id": "pod-network-duplication", "NETWORK_PACKET_DUPLICATION_PERCENTAGE": 50, "DESTINATION_PORTS": "9000"},
    {"id": "pod-network-loss", "NETWORK_PACKET_LOSS_PERCENTAGE": 10, "DESTINATION_PORTS": "9000"},
    {"id": "pod-network-rate-limit", "NETWORK_BANDWIDTH": "1mbit", "LIMIT": "64kb", "SOURCE_PORTS": "8080"},
    {"id": "pod-network-loss", "NETWORK_PACKET_LOSS_PERCENTAGE": 20, "DIRECTION": "ingress", "SOURCE_PORTS": "8080"},
)


def run(folder: Path, number: int) -> subprocess.CompletedProcess[str]:
    fault = {"APP_NAMESPACE": "shop", "TARGET_PODS": "web", "TOTAL_CHAOS_DURATION": "1500ms", **FAULTS[number % len(FAULTS)]}
    (folder / "scenario.yaml").write_text(yaml.safe_dump([fault]))
    words = [sys.executable, "run_chaos.py", str(folder / "scenario.yaml"), "--sandbox-file", str(folder / "sandbox.yaml")]
    words += ["--set", f"squall.record_directory={folder}/runs"]
    return subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def left() -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith("squall")]


def main(count: int) -> int:
    failed, begin = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sandbox.yaml").write_text(yaml.safe_dump(SANDBOX))
        for number in range(count):
            done = run(folder, number)
            if done.returncode or left():
                failed += 1
                print(f"run {number}: exit {done.returncode}, left {left()}\n{done.stdout}{done.stderr}", flush=True)
    print(f"{count} honest runs in {time.monotonic() - begin:.0f} s: {count - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
