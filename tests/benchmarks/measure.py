"""The figures of docs/benchmarks.md, measured in one run: ratios against a floor of the same minute. Reported, never gated on."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "packets"))
ROUNDS = 15


def wall(*argv: str) -> float:
    begin = time.monotonic()
    subprocess.run(argv, cwd=REPOSITORY, check=True, capture_output=True)
    return time.monotonic() - begin


def starts() -> None:
    """Start-up times, in turn with the bare interpreter's."""
    commands = {
        "--help": ("run_chaos.py", "--help"),
        "validate": ("run_chaos.py", "validate", "scenarios/harness/pod-network-loss.yaml"),
    }
    floor, taken = [], {name: [] for name in commands}
    for _ in range(ROUNDS):
        floor.append(wall(sys.executable, "-c", "pass"))
        for name, words in commands.items():
            taken[name].append(wall(sys.executable, *words))
    base = statistics.median(floor)
    print(f"python -c pass: {base * 1000:.0f} ms (median of {ROUNDS})")
    for name, times in taken.items():
        print(f"{name}: {statistics.median(times) * 1000:.0f} ms, {statistics.median(times) / base:.1f} times the bare interpreter")


def plan_memory() -> None:
    """The peak memory of a plan over a thousand pods."""
    pods = [{"name": f"web-{n}", "namespace": "shop", "node": f"n{n % 50}", "labels": {"app": "web"}} for n in range(1000)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sandbox.yaml").write_text(yaml.safe_dump({"nodes": [f"n{n}" for n in range(50)], "pods": pods}))
        fault = {"id": "pod-network-loss", "workload": {"namespace": "shop", "labels": "app=web"}, "POD_AFFECTED_PERCENTAGE": 100}
        (folder / "scenario.yaml").write_text(yaml.safe_dump([fault]))
        words = [sys.executable, "run_chaos.py", "plan", str(folder / "scenario.yaml"), "--sandbox-file", str(folder / "sandbox.yaml"), "--seed", "1"]
        begin = time.monotonic()
        subprocess.run(words, cwd=REPOSITORY, check=True, capture_output=True)
        taken = time.monotonic() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"plan for 1,000 pods: {peak:.0f} MB peak (the largest child so far), {taken:.2f} s")


def injector_start() -> None:
    """From the start of the injector to the fault in effect, with the rehearsal."""
    from two_ends import Running, job_for, two_ends

    from chaos_modules.model.impairment import Chance, Impairment
    from chaos_modules.model.quantities import Percentage

    times = []
    with two_ends():
        for _ in range(ROUNDS):
            job = job_for(Impairment(duplicate=Chance(percentage=Percentage.parse("50%"))))
            begin = time.time()
            with Running(job) as running:
                times.append(running.until("armed")["time"] - begin)
                running.stop()
    low, high = min(times) * 1000, max(times) * 1000
    print(f"injector, start to armed: {statistics.median(times) * 1000:.0f} ms (median of {ROUNDS}, {low:.0f} to {high:.0f})")


def cost_per_packet() -> None:
    """System time per sent packet: without a table, unmatched, and matched, in the order A B C C B A."""
    from two_ends import ADDRESSES, NAMES, Running, job_for, two_ends
    from wire import UdpFlow

    from chaos_modules.model.impairment import Chance, Impairment
    from chaos_modules.model.quantities import Percentage
    from chaos_modules.model.traffic import PortRange, TrafficFilter, TrafficRule

    def sent(flow: UdpFlow, count: int = 40_000) -> float:
        begin = os.times()
        for _ in range(count):
            flow.sender.sendto(flow.padding, flow.destination)
        end = os.times()
        return (end.system - begin.system + end.user - begin.user) * 1e9 / count

    rule = TrafficFilter(include=(TrafficRule(remote_ports=(PortRange(9000, 9000),)),))
    found: dict[str, list[float]] = {"no rule": [], "unmatched": [], "matched": []}
    with two_ends():
        flows = {name: UdpFlow(*NAMES, ADDRESSES[1], port) for name, port in (("unmatched", 9001), ("matched", 9000))}
        for _ in range(5):
            found["no rule"].append(sent(flows["unmatched"]))
            with Running(job_for(Impairment(loss=Chance(percentage=Percentage.parse("0.0001%"))), rule)) as running:
                running.until("armed")
                for name in ("unmatched", "matched", "matched", "unmatched"):
                    found[name].append(sent(flows[name]))
                running.stop()
            found["no rule"].append(sent(flows["unmatched"]))
        for flow in flows.values():
            flow.finish()
    base = statistics.median(found["no rule"])
    for name, costs in found.items():
        low, high = sorted(costs)[1], sorted(costs)[-2]
        middle = statistics.median(costs)
        print(f"CPU per packet, {name}: {middle:.0f} ns ({low:.0f} to {high:.0f}), {middle / base:.2f} times no rule")


if __name__ == "__main__":
    starts()
    plan_memory()
    if os.geteuid() == 0:
        injector_start()
        cost_per_packet()
    else:
        print("injector and packets: skipped, they need root")
