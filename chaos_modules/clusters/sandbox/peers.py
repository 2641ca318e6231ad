"""The sandbox's end of the traffic process: starts it, asks it for counts, ends it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ...model.peer import PeerCount
from ...model.traffic import Flow, Protocol
from .child import Child
from .cleanup import TRAFFIC_MODULE
from .description import FlowDescription, SandboxDescription
from .layout import Layout
from .traffic.setup import FlowSetup, ServerSetup


class Peers(Child):
    """Servers and flows of one sandbox, run by one process that dies when this end of its input closes."""

    def __init__(self, description: SandboxDescription, layout: Layout, state_directory: Path) -> None:
        super().__init__("the traffic process", TRAFFIC_MODULE, state_directory)
        self._lock = threading.Lock()
        servers = [asdict(server) for server in server_setups(description, layout)]
        self._setup = {"servers": servers, "flows": [asdict(flow) for flow in flow_setups(description, layout)]}

    def start(self) -> None:
        """Open every socket and start every flow."""
        answer = self.ask(self._setup)
        if "error" in answer:
            raise self.problem(f"cannot open its sockets: {answer['error']}")

    def count(self, start: float, end: float) -> Sequence[PeerCount]:
        """The flows' counts for packets sent in the whole tenths of a second between two moments, as far as these have passed."""
        with self._lock:
            answer = self.ask({"count": [start, end]})
        return [_peer_count(leg) for leg in answer["legs"]]


def server_setups(description: SandboxDescription, layout: Layout) -> list[ServerSetup]:
    """What each running pod and each virtual machine serves."""
    return [
        ServerSetup(netns=layout.end(end.path).netns_path, tcp=list(end.serve.tcp), udp=list(end.serve.udp))
        for end in description.ends()
        if end.running
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
    sender, receiver = layout.end(flow.sender), layout.end(flow.receiver)
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
    times = leg.pop("times", None)
    return PeerCount(flow=flow, times=tuple(times) if times else None, **leg)
