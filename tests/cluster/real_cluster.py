"""What the cluster tests do to a cluster, through kubectl, as a person would; Squall itself is not used to look at what it did."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
# With python3, sh, tc, nft, ip and nsenter; the injector's own image has no shell.
IMAGE = os.environ.get("SQUALL_TEST_IMAGE", "")
CARRIERS, SHOP = "squall", "squall-test-shop"
HOLD = 6
NETEM_LABEL = "squall-test/netem"
Object = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """A run of Squall that is over."""

    code: int
    out: str
    err: str
    result: Object
    folder: Path | None

    @property
    def targets(self) -> list[Object]:
        return [target for scenario in self.result["scenarios"] for target in scenario["targets"]]

    @property
    def events(self) -> list[Object]:
        assert self.folder
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]


@dataclass
class Running:
    """A run of Squall under way; its standard error grows in a file."""

    process: subprocess.Popen[str]
    folder: Path

    def until(self, text: str, seconds: float = 60) -> None:
        """Wait until it says so."""
        patience = time.monotonic() + seconds
        while text not in (said := (self.folder / "err").read_text()):
            assert self.process.poll() is None, f"it ended before it said {text!r}: {said}"
            assert time.monotonic() < patience, f"it never said {text!r}: {said}"
            time.sleep(0.05)

    def end(self, number: int = 0, seconds: float = 120) -> Ended:
        """Wait for its end, after a signal if there is one."""
        if number:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        records = sorted((self.folder / "runs").glob("*"))
        result = records[-1] / "result.json" if records else None
        return Ended(
            code, (self.folder / "out").read_text(), (self.folder / "err").read_text(),
            json.loads(result.read_text()) if result and result.exists() else {}, records[-1] if records else None,
        )  # fmt: skip


@dataclass
class Cluster:
    """One cluster, as its administrator."""

    kubeconfig: str
    removed: list[str] = field(default_factory=list)

    def kubectl(self, *words: str, text: str | None = None, check: bool = True) -> str:
        """What kubectl prints."""
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *words], input=text, capture_output=True, text=True, check=False, timeout=180
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout if done.returncode == 0 else done.stderr

    def get(self, *words: str) -> list[Object]:
        """Objects as kubectl has them."""
        found = json.loads(self.kubectl("get", *words, "-o", "json"))
        return list(found["items"]) if found["kind"] == "List" else [found]

    def apply(self, *objects: Object) -> None:
        """Make them be there."""
        self.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def prepare(self) -> None:
        """The namespace in which carriers may run, and one witness on each node that can look into namespaces."""
        self.kubectl("delete", "namespace", SHOP, "--ignore-not-found", "--timeout=120s")  # of an earlier session
        for name in (CARRIERS, SHOP):
            labels = {"pod-security.kubernetes.io/enforce": "privileged"}
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        self.apply(*(pod(f"witness-{node}", node, privileged=True) for node in self.nodes))
        self.kubectl("wait", "-n", SHOP, "--for=condition=Ready", "pod", "-l", "role=witness", "--timeout=120s")

    @cached_property
    def nodes(self) -> list[str]:
        """Those that are Ready, the one with netem last."""
        ready = [
            node["metadata"] for node in self.get("nodes")
            if ("Ready", "True") in {(one["type"], one["status"]) for one in node["status"]["conditions"]}
        ]  # fmt: skip
        return [name for _, name in sorted((one["labels"].get(NETEM_LABEL, ""), one["name"]) for one in ready)]

    def on_node(self, node: str, *argv: str, check: bool = True) -> str:
        """A command in a node's namespaces."""
        return self.kubectl("exec", "-n", SHOP, f"witness-{node}", "--", "nsenter", "-t", "1", "-n", "-p", "-m", "--", *argv, check=check)

    def near(self, node: str, *argv: str, check: bool = True) -> str:
        """A command in the witness of a node, which sees all its processes and has the injector's tools."""
        return self.kubectl("exec", "-n", SHOP, f"witness-{node}", "--", *argv, check=check)

    def process(self, node: str, container: str) -> str:
        """The first process of a container, as its node numbers it."""
        number = container.rpartition("/")[2]
        find = f"cd /proc; for p in $(ls | grep '^[0-9]*$' | sort -n); do grep -qs {number} $p/cgroup && echo $p && break; done"
        return self.near(node, "sh", "-c", find).strip()

    def inpod(self, node: str, container: str, *argv: str) -> str:
        """A command in the network namespace of a container."""
        return self.near(node, "nsenter", "-t", self.process(node, container), "-n", "--", *argv)

    def start(self, folder: Path, scenarios: Sequence[Object], *words: str, config: Object | None = None, **environment: str) -> Running:
        """Run Squall on these scenarios, as a process of its own."""
        (folder / "scenario.yaml").write_text(yaml.safe_dump(list(scenarios)))
        settings = {"squall": {"record_directory": str(folder / "runs"), **(config or {}).get("squall", {})}}
        (folder / "config.yaml").write_text(yaml.safe_dump({**(config or {}), **settings}))
        argv = [sys.executable, str(REPOSITORY / "run_chaos.py"), "run", str(folder / "scenario.yaml"), "--config", str(folder / "config.yaml")]
        with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
            process = subprocess.Popen(
                [*argv, "--yes", *words], stdout=out, stderr=err, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
                env={**os.environ, "KUBECONFIG": self.kubeconfig, **environment},
            )  # fmt: skip
        return Running(process, folder)

    def run(self, folder: Path, scenarios: Sequence[Object], *words: str, config: Object | None = None, **environment: str) -> Ended:
        """The same, to its end."""
        return self.start(folder, scenarios, *words, config=config, **environment).end(seconds=180)

    def squall(self, *words: str) -> tuple[int, str]:
        """Another command of Squall: its exit code and all that it printed."""
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "run_chaos.py"), *words], capture_output=True, text=True, check=False, timeout=180,
            env={**os.environ, "KUBECONFIG": self.kubeconfig}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def user(self, folder: Path, token: str) -> str:
        """A kubeconfig for the same server with nothing but a token."""
        server = yaml.safe_load(Path(self.kubeconfig).read_text())["clusters"][0]["cluster"]
        if path := server.pop("certificate-authority", ""):
            server["certificate-authority-data"] = base64.b64encode(Path(path).read_bytes()).decode()
        made = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test", "clusters": [{"name": "test", "cluster": server}],
            "users": [{"name": "test", "user": {"token": token}}], "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }  # fmt: skip
        path = folder / f"kubeconfig-{token[:8]}"
        path.write_text(yaml.safe_dump(made))
        return str(path)

    def left(self) -> list[str]:
        """Pods and Jobs of ours; a pod that has ended may take a moment to go."""
        patience = time.monotonic() + 30
        while True:
            ours = self.get("jobs,pods", "-n", CARRIERS, "-l", "app.kubernetes.io/name=squall")
            found = [f"{one['kind']} {one['metadata']['name']}" for one in ours]
            if not found or time.monotonic() > patience:
                return found
            time.sleep(0.5)

    def traces(self, *nodes: str) -> list[str]:
        """What carries our name in any network namespace of these nodes (none: of all), asked of the kernel by the witnesses."""
        asked = nodes or self.nodes
        script = (
            'for p in /proc/[0-9]*; do n=$(readlink $p/ns/net) && echo "$n ${p#/proc/}"; done | sort -u -k1,1 | while read n p; do '
            "nsenter -t $p -n nft list tables; nsenter -t $p -n tc qdisc show; nsenter -t $p -n ip -o link show; done 2>/dev/null"
            ' | grep -E "squall_|ca05:|: sq[0-9a-f]{8}" || true'
        )
        with ThreadPoolExecutor() as several:
            found = zip(asked, several.map(lambda node: self.near(node, "sh", "-c", script), asked), strict=True)
            return [f"{node}: {line}" for node, lines in found for line in lines.splitlines()]

    def close(self) -> None:
        """Take the test's namespaces away."""
        self.kubectl("delete", "namespace", SHOP, "--wait=false")


def pod(name: str, node: str, *, privileged: bool = False, **labels: str) -> Object:
    """A pod of the tests on a node, in the shop's namespace."""
    command = ["sleep", "infinity"] if privileged else ["python3", "/traffic/traffic.py"]
    container: Object = {
        "name": "main", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": command,
        "securityContext": {"privileged": privileged}, "volumeMounts": [] if privileged else [{"name": "traffic", "mountPath": "/traffic"}],
    }  # fmt: skip
    if not privileged:
        container["readinessProbe"] = {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": SHOP, "labels": {"role": "witness" if privileged else "traffic", **labels}},
        "spec": {
            "nodeName": node, "hostPID": privileged, "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False,
            "tolerations": [{"operator": "Exists"}], "containers": [container],
            "volumes": [] if privileged else [{"name": "traffic", "configMap": {"name": "traffic"}}],
        },
    }  # fmt: skip
