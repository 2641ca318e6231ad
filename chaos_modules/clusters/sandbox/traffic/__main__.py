"""The traffic process: told what to do by the first line of its input, asked for counts by the further ones, gone when it closes."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from .buckets import whole_buckets
from .http_client import HttpFlow
from .http_server import HttpServer
from .loop import READ, Loop
from .ping import Echo, PingFlow
from .setup import FlowSetup, Namespaces, ServerSetup
from .udp import UdpFlow, UdpServer


class Traffic:
    """All servers and flows of one sandbox."""

    def __init__(self, loop: Loop, servers: list[ServerSetup], flows: list[FlowSetup]) -> None:
        self._loop = loop
        self._namespaces = Namespaces()
        self._udp = {i: UdpFlow(i, flow, self._namespaces.at(flow.sender_netns)) for i, flow in enumerate(flows) if flow.kind == "udp"}
        self._http = {i: HttpFlow(flow, self._namespaces.at(flow.sender_netns)) for i, flow in enumerate(flows) if flow.kind == "http"}
        self._ping = {i: PingFlow(i, flow) for i, flow in enumerate(flows) if flow.kind == "ping"}
        self._flows: dict[int, UdpFlow | HttpFlow | PingFlow] = {**self._udp, **self._http, **self._ping}
        self._echoes: dict[tuple[int, int], Echo] = {}
        for server in servers:
            self._serve(server)
        self._start()
        self._started = time.time()

    def _serve(self, server: ServerSetup) -> None:
        netns = self._namespaces.at(server.netns)
        for port in server.tcp:
            HttpServer(self._loop, netns, port)
        for port in server.udp:
            UdpServer(self._loop, netns, port, self._udp)

    def _start(self) -> None:
        for ping in self._ping.values():
            self._echo(ping.setup.receiver_netns, ping.setup.family)
            ping.start(self._loop, self._echo(ping.setup.sender_netns, ping.setup.family))
        for udp in self._udp.values():
            udp.start(self._loop)
        for http in self._http.values():
            http.start(self._loop)

    def _echo(self, path: str, family: int) -> Echo:
        """One raw socket per namespace and family: a second one would see, and count, every packet again."""
        netns = self._namespaces.at(path)
        key = netns.inode, family
        if key not in self._echoes:
            self._echoes[key] = Echo(self._loop, netns, family, self._ping)
        return self._echoes[key]

    def count(self, start: float, end: float) -> list[dict[str, Any]]:
        """Every leg's counts over the whole buckets of a window, as far as it has passed."""
        window = whole_buckets(max(start, self._started), min(end, time.time()))
        return [leg for index in sorted(self._flows) for leg in self._flows[index].legs(window)]


class Conversation:
    """JSON lines with the sandbox: each line asks once and is answered once."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._pending = b""
        self._traffic: Traffic | None = None
        loop.watch(sys.stdin, READ, self._read)

    def _read(self, _events: int) -> None:
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:
            self._loop.stop()
            return
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            print(json.dumps(self._answer(json.loads(line))), flush=True)

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._traffic:
            return {"legs": self._traffic.count(*message["count"])}
        try:
            servers = [ServerSetup(**server) for server in message["servers"]]
            self._traffic = Traffic(self._loop, servers, [FlowSetup(**flow) for flow in message["flows"]])
        except OSError as error:
            return {"error": str(error)}
        return {"ready": True}


if __name__ == "__main__":
    event_loop = Loop()
    conversation = Conversation(event_loop)
    event_loop.run()
