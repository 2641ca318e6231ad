"""The sandbox's end of the traffic process: starts it, asks it for counts, ends it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ...model.errors import ClusterProblem
from ...model.peer import PeerCount
from ...model.traffic import Flow, Protocol
from .cleanup import TRAFFIC_MODULE
from .description import FlowDescription, SandboxDescription
from .layout import Layout
from .traffic.setup import FlowSetup, ServerSetup

_PACKAGE_ROOT = Path(__file__).parents[3]
_PATIENCE_SECONDS = 10.0
_LOG = "traffic.log"


class Peers:
    """Servers and flows of one sandbox, run by one process that dies when this end of its input closes."""

    def __init__(self, description: SandboxDescription, layout: Layout, state_directory: Path) -> None:
        self._log = state_directory / _LOG
        self._lock = threading.Lock()
        self._pending = b""
        path = os.pathsep.join(filter(None, (str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", TRAFFIC_MODULE, str(state_directory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # a terminal's Ctrl-C is for the runner, which still needs the counts
                bufsize=0,
            )
        servers = [asdict(server) for server in server_setups(description, layout)]
        self._setup = {"servers": servers, "flows": [asdict(flow) for flow in flow_setups(description, layout)]}

    def start(self) -> None:
        """Open every socket and start every flow."""
        answer = self._ask(self._setup)
        if "error" in answer:
            raise self._problem(f"the traffic process cannot open its sockets: {answer['error']}")

    def count(self, start: float, end: float) -> Sequence[PeerCount]:
        """The flows' counts for packets sent in the whole tenths of a second between two moments, as far as these have passed."""
        with self._lock:
            answer = self._ask({"count": [start, end]})
        return [_peer_count(leg) for leg in answer["legs"]]

    def close(self) -> None:
        """End the process; it may be gone already."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        text = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while text:
                text = text[self._process.stdin.write(text) or 0 :]
        except (OSError, ValueError) as error:
            raise self._problem("the traffic process has ended") from error
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise self._problem(f"the traffic process has not answered for {_PATIENCE_SECONDS:.0f} s")
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise self._problem("the traffic process has ended")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _problem(self, what: str) -> ClusterProblem:
        errors = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self._log.exists() else []
        detail = f"\n{errors[-1]}" if errors else ""
        return ClusterProblem(f"{what}{detail}", "sandbox", "run it again; if it ends again, look whether the kernel killed it (dmesg)")


def server_setups(description: SandboxDescription, layout: Layout) -> list[ServerSetup]:
    """What each running pod serves."""
    return [
        ServerSetup(netns=layout.pods[pod.path].netns_path, tcp=list(pod.serve.tcp), udp=list(pod.serve.udp))
        for pod in description.pods
        if pod.running
    ]


def flow_setups(description: SandboxDescription, layout: Layout) -> list[FlowSetup]:
    """The flows with their places; equal ones are numbered, so that every name is one flow's."""
    return [_flow_setup(flow, layout, name) for flow, name in zip(description.traffic, _names(description.traffic), strict=True)]


def _names(flows: Sequence[FlowDescription]) -> Iterator[str]:
    used: Counter[str] = Counter()
    for flow in flows:
        port = "" if flow.kind == "ping" else f":{flow.udp or flow.http}"
        kind = f"{flow.kind}6" if flow.family == 6 else flow.kind
        name = f"{kind} {flow.sender} > {flow.receiver}{port}"
        used[name] += 1
        yield name if used[name] == 1 else f"{name} #{used[name]}"


def _flow_setup(flow: FlowDescription, layout: Layout, name: str) -> FlowSetup:
    sender, receiver = layout.pods[flow.sender], layout.pods[flow.receiver]
    index = 1 if flow.family == 6 else 0
    return FlowSetup(
        kind=flow.kind,
        name=name,
        sender=flow.sender,
        receiver=flow.receiver,
        sender_netns=sender.netns_path,
        receiver_netns=receiver.netns_path,
        source=sender.addresses[index],
        destination=receiver.addresses[index],
        family=flow.family,
        port=flow.udp or flow.http or 0,
        rate=flow.ping or flow.rate,
        size=flow.size,
        bytes=flow.bytes,
        pause=flow.pause,
    )


def _peer_count(leg: dict[str, Any]) -> PeerCount:
    flow = Flow(
        protocol=Protocol(leg.pop("protocol")),
        source=ip_address(leg.pop("source")),
        destination=ip_address(leg.pop("destination")),
        source_port=leg.pop("source_port"),
        destination_port=leg.pop("destination_port"),
    )
    times = leg.pop("round_trips", None)
    return PeerCount(flow=flow, round_trips=tuple(times) if times else None, **leg)
