"""A shop whose pods send to each other all the time, and count what they send and what arrives."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from real_cluster import NETEM_LABEL, SHOP, Cluster, Object, pod


class Shop:
    """Targets `web-<place>-<n>` (label app=web), a peer on each of two nodes, and a bystander on each node."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        netem = [one["metadata"]["name"] for one in cluster.get("nodes", "-l", f"{NETEM_LABEL}=true")]
        self.netem = os.environ.get("SQUALL_TEST_NETEM_NODE") or (netem[0] if netem else "")
        self.places = dict(zip("ab", [node for node in cluster.nodes if node != self.netem] * 2, strict=False))
        if self.netem:
            self.places["n"] = self.netem
        self._flows: set[str] = set()

    def open(self) -> None:
        """Pods, and a flow of 50 datagrams a second each way between every target and its peer on each of two ports."""
        script = {"traffic.py": Path(__file__).with_name("traffic.py").read_text()}
        self.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "traffic", "namespace": SHOP}, "data": script})
        pods = []
        for place, node in self.places.items():
            pods += [pod(f"web-{place}-{number}", node, app="web", place=place) for number in range(2 if place == "n" else 3)]
            pods.append(pod(f"by-{place}", node, app="bystander"))
            pods += [pod(f"peer-{place}", node, app="peer")] if place != "n" else []
        self.cluster.apply(*pods)
        self.cluster.kubectl("wait", "-n", SHOP, "--for=condition=Ready", "pod", "-l", "role=traffic", "--timeout=180s")
        self.pods = {pod["metadata"]["name"]: pod for pod in self.cluster.get("pods", "-n", SHOP, "-l", "role=traffic")}
        for name in self.pods:
            place = name.split("-")[1]
            peer = f"peer-{'b' if place == 'a' else 'a'}"
            if name.startswith("web"):
                slow = place == "n"  # a kernel in user mode is
                self.flow(name, peer, 9000, 10 if slow else 40)
                self.flow(name, peer, 9001, 5)
                self.flow(peer, name, 9000, 10 if slow else 20)
                if slow:
                    self.flow(name, peer, 9002, 20)
            elif name.startswith("by"):
                self.flow(name, peer, 9000, 10)

    def add(self, name: str, node: str, peer: str) -> None:
        """One more target, whose only flow goes to a peer."""
        self.cluster.apply(pod(name, node, app="extra"))
        self.cluster.kubectl("wait", "-n", SHOP, "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
        self.pods[name] = self.cluster.get("pod", "-n", SHOP, name)[0]
        self.flow(name, peer, 9000)

    def remove(self, name: str) -> None:
        """Take an added one away, at once."""
        self.cluster.kubectl("delete", "pod", "-n", SHOP, name, "--grace-period=0", "--force")
        del self.pods[name]

    def address(self, name: str) -> str:
        return str(self.pods[name]["status"]["podIP"])

    def container(self, name: str) -> str:
        return str(self.pods[name]["status"]["containerStatuses"][0]["containerID"])

    def node(self, name: str) -> str:
        return str(self.pods[name]["spec"]["nodeName"])

    def flow(self, sender: str, receiver: str, port: int, rate: float = 50, **wish: object) -> None:
        """Let a pod send to another from now on."""
        flow = {"name": f"{sender}>{receiver}:{port}", "to": self.address(receiver), "port": port, "rate": rate, "size": 200, "seconds": 86400}
        self._flows.add(str(flow["name"]))
        self._asked(sender, send=json.dumps({**flow, **wish}))

    def until_it_flows(self, seconds: float = 30) -> None:
        """Wait until packets of every flow arrive."""
        patience = time.monotonic() + seconds
        while silent := self._flows - {flow for flow, facts in self.counts(0, time.time()).items() if facts["received"]}:
            assert time.monotonic() < patience, f"nothing arrives of {silent}"
            time.sleep(0.1)

    def _asked(self, name: str, **query: object) -> Any:
        where = f"/api/v1/namespaces/{SHOP}/pods/{name}:8000/proxy/?{urlencode(query)}"
        return json.loads(self.cluster.kubectl("get", "--raw", where))

    def counts(self, start: float, end: float) -> dict[str, Object]:
        """Both ends' counts of every flow, over packets sent between two moments."""
        told: dict[str, Object] = {}
        with ThreadPoolExecutor(4) as several:
            for answer in several.map(lambda name: self._asked(name, start=start, end=end), self.pods):
                for flow, facts in answer.items():
                    told.setdefault(flow, {}).update(facts)
        return {flow: facts for flow, facts in told.items() if {"sent", "received"} <= facts.keys()}  # else an end of it is gone

    def close(self) -> None:
        self.cluster.kubectl("delete", "pod", "-n", SHOP, "-l", "role=traffic", "--wait=false")
