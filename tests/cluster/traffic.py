"""Runs in test pods: numbered datagrams between pods, counted at both ends, asked for over HTTP. Standard library only.

`/?send={name, to, port, rate, size, seconds}` starts a flow, `/?start=&end=` tells of every flow what was sent and what came, by the time
of sending, and how long the echo took. Port 9002 echoes.
"""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PORTS, ECHO = (9000, 9001, 9002), 9002
MOST = 20_000
sent: dict[str, deque[tuple[int, float]]] = defaultdict(lambda: deque(maxlen=MOST))
came: dict[str, deque[tuple[int, float, float, int]]] = defaultdict(lambda: deque(maxlen=MOST))
echoed: dict[str, deque[tuple[float, float]]] = defaultdict(lambda: deque(maxlen=MOST))


def receive(port: int) -> None:
    """Count what comes; return it at the port that echoes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        end.bind(("", port))
        while True:
            data, sender = end.recvfrom(65536)
            name, number, moment = data.rstrip(b". ").decode().split(" ")
            came[name].append((int(number), float(moment), time.time(), len(data)))
            if port == ECHO:
                end.sendto(data, sender)


def send(flow: dict[str, Any]) -> None:
    """One flow, for its time."""
    name, address = flow["name"], (flow["to"], flow["port"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        threading.Thread(target=listen, args=(end, name), daemon=True).start()
        begin, number = time.monotonic(), 0
        while time.monotonic() < begin + flow["seconds"]:
            time.sleep(max(0.0, begin + number / flow["rate"] - time.monotonic()))
            moment = time.time()
            try:
                end.sendto(f"{name} {number} {moment:.6f} ".encode().ljust(flow["size"], b"."), address)
            except OSError:
                pass
            sent[name].append((number, moment))
            number += 1


def listen(end: socket.socket, name: str) -> None:
    """What the other end echoes."""
    while True:
        try:
            _, _, moment = end.recvfrom(65536)[0].rstrip(b". ").decode().split(" ")
        except OSError:
            time.sleep(0.01)
            continue
        echoed[name].append((float(moment), time.time() - float(moment)))


def counts(start: float, end: float) -> dict[str, dict[str, Any]]:
    """Every flow that this pod sends or receives, over packets sent between two moments; `bytes` are those that arrived between them."""
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, packets in list(sent.items()):
        told[name]["sent"] = sum(start <= moment < end for _, moment in list(packets))
    for name, arrivals in list(came.items()):
        numbers = [number for number, moment, _, _ in list(arrivals) if start <= moment < end]
        told[name].update(received=len(numbers), distinct=len(set(numbers)))
        told[name]["bytes"] = sum(size for _, _, at, size in list(arrivals) if start <= at < end)
    for name, echoes in list(echoed.items()):
        times = [seconds for moment, seconds in list(echoes) if start <= moment < end]
        if times:
            told[name].update(echoes=len(times), median=statistics.median(times), spread=spread(times))
    return told


def spread(times: list[float]) -> float:
    """How wide the middle half lies."""
    first, _, last = statistics.quantiles(times, n=4) if len(times) > 3 else (0.0, 0.0, 0.0)
    return last - first


class Control(BaseHTTPRequestHandler):
    """What the tests ask."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        if "send" in asked:
            threading.Thread(target=send, args=(json.loads(asked["send"]),), daemon=True).start()
        self.answer(counts(float(asked["start"]), float(asked["end"])) if "start" in asked else {})

    def answer(self, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to say."""


for port in PORTS:
    threading.Thread(target=receive, args=(port,), daemon=True).start()
ThreadingHTTPServer(("", 8000), Control).serve_forever()
