"""Figures of runs on a real cluster, beside the floor measured in the same run: `python tests/benchmarks/cluster.py` with KUBECONFIG set.

The floor is what anybody pays: `kubectl run` of the same image until its pod runs, and one request more. A run of Squall is measured as its
user starts it, preflight and rehearsal on.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "cluster")]

from faulty_api import FaultyApi, never  # noqa: E402

from chaos_modules.model.workload import INJECTOR_IMAGE  # noqa: E402

SPACE, CARRIERS, HOLD, ROUNDS = "squall-benchmark", "squall", 5, 5
SLEEP = ["python3", "-c", "import time; time.sleep(3600)"]


def kubectl(*words: str, text: str | None = None) -> str:
    return subprocess.run(["kubectl", *words], input=text, capture_output=True, text=True, check=True, timeout=180).stdout


def apply(*objects: dict[str, Any]) -> None:
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def targets(node: str, count: int) -> None:
    """So many pods that only sleep, on one node."""
    container = {"name": "main", "image": INJECTOR_IMAGE, "imagePullPolicy": "IfNotPresent", "command": SLEEP}
    spec = {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"target-{number}", "namespace": SPACE}, "spec": spec} for number in range(count)
    ]
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    apply(*pods)
    kubectl("wait", "-n", SPACE, "--for=condition=Ready", "pod", "--all", "--timeout=180s")


def floor(node: str) -> float:
    """Seconds of `kubectl run` until Running, plus one request."""
    begin = time.monotonic()
    overrides = json.dumps({"spec": {"nodeName": node, "hostPID": True, "terminationGracePeriodSeconds": 0}})
    watch = subprocess.Popen(
        ["kubectl", "get", "pod", "-n", SPACE, "-w", "--field-selector=metadata.name=floor", "-o", "jsonpath={.status.phase}{'\\n'}"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    kubectl("run", "floor", "-n", SPACE, f"--image={INJECTOR_IMAGE}", "--image-pull-policy=IfNotPresent", "--privileged", "--restart=Never",
            f"--overrides={overrides}", "--command", "--", *SLEEP)  # fmt: skip
    assert watch.stdout
    while watch.stdout.readline().strip() != "Running":
        pass
    kubectl("get", "--raw", "/version")
    seconds = time.monotonic() - begin
    watch.kill()
    watch.wait()
    watch.stdout.close()
    kubectl("delete", "pod", "-n", SPACE, "floor", "--grace-period=0", "--force", "--wait=true")
    return seconds


def run(count: int, folder: Path, kubeconfig: str) -> dict[str, float]:
    """One run of Squall on `count` targets of one node."""
    names = ",".join(f"target-{number}" for number in range(count))
    item = {"id": "pod-network-rate-limit", "APP_NAMESPACE": SPACE, "TARGET_PODS": names, "TOTAL_CHAOS_DURATION": HOLD}
    (folder / "scenario.yaml").write_text(yaml.safe_dump([item]))
    argv = [sys.executable, str(REPOSITORY / "run_chaos.py"), "run", "scenario.yaml", "--yes"]
    begin, clock = time.time(), time.monotonic()
    process = subprocess.Popen(
        argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env={**os.environ, "KUBECONFIG": kubeconfig},
    )  # fmt: skip
    _, _, usage = os.wait4(process.pid, 0)
    total = time.monotonic() - clock
    record = max((folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    events = [json.loads(line) for line in (record / "events.jsonl").read_text().splitlines()]
    result = json.loads((record / "result.json").read_text())
    scenario = result["scenarios"][0]
    assert sum(one["in_effect"] for one in scenario["targets"]) == count, [one["reason"] for one in scenario["targets"]]
    assert not result["residue"]

    def first(event: str, **facts: str) -> float:
        return min(one["time"] for one in events if one["event"] == event and facts.items() <= one.items()) - begin

    armed = [one["time"] - begin for one in events if one["event"] == "armed"]
    return {
        "planned": first("run-started"), "created": first("carrier", state="created"), "running": first("carrier", state="running"),
        "rehearsed": first("rehearsed"), "armed": max(armed), "skew": scenario["skew_seconds"] or 0.0,
        "together": (scenario["together_seconds"] or HOLD) / HOLD, "beyond": total - HOLD, "memory": usage.ru_maxrss / 1000,
        "cpu": usage.ru_utime + usage.ru_stime,
    }  # fmt: skip


def requests(count: int, folder: Path) -> int:
    """What such a run asks of the API server, counted by a proxy before it; not a run whose time is taken."""
    with subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout
        port = int(proxy.stdout.readline().rpartition(":")[2])
        with FaultyApi(port, never) as api:
            run(count, folder, api.kubeconfig(folder))
        proxy.terminate()
    return len(api.journal)


def until_gone(seconds: float = 60) -> None:
    """Wait until nothing of a run's carriers is left to share the node with what is measured next."""
    patience = time.monotonic() + seconds
    while pods := kubectl("get", "pods", "-n", CARRIERS, "-l", "app.kubernetes.io/name=squall", "-o", "name"):
        assert time.monotonic() < patience, f"still there: {pods}"
        time.sleep(0.2)


def main() -> None:
    """Print a table of medians, every figure of one session."""
    node = next(one for one in json.loads(kubectl("get", "nodes", "-o", "json"))["items"] if not one["spec"].get("taints"))["metadata"]["name"]
    targets(node, 30)
    with tempfile.TemporaryDirectory() as name:
        folder, floors, ours = Path(name), list[float](), dict[int, list[dict[str, float]]]()
        for _ in range(ROUNDS):
            floors.append(floor(node))
            for count in (1, 30):
                ours.setdefault(count, []).append(run(count, folder, os.environ["KUBECONFIG"]))
                until_gone()
        asked = {count: requests(count, folder) for count in ours}
    bare = statistics.median(floors)
    print(f"floor {bare:.2f} s ({min(floors):.2f} to {max(floors):.2f}), {ROUNDS} rounds")
    for count, rounds in ours.items():
        told = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        print(f"{count} targets: armed {told['armed']:.2f} s = {told['armed'] / bare:.2f} × the floor")
        print("  " + "  ".join(f"{key} {value:.3g}" for key, value in told.items()) + f"  requests {asked[count]}")
    kubectl("delete", "namespace", SPACE, "--wait=false")


if __name__ == "__main__":
    main()
