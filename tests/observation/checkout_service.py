"""A system under test: a checkout that asks a price service in the sandbox, and exports how it goes. Run as a program, it ends when its input does.

python checkout_service.py NETWORK_NAMESPACE ADDRESS PORT ATTEMPTS: asks from inside the namespace by UDP, and prints the port on which it serves
/metrics and /health on this machine's loopback. It begins to count when the namespace is there and a price was given. ATTEMPTS is its
mitigation: how often a price is asked for before the checkout fails.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EVERY_SECONDS, PATIENCE_SECONDS, REMEMBERED = 0.04, 0.05, 25
CLONE_NEWNET = 0x40000000


class Checkout:
    """Counts its requests and its errors; unhealthy while more than a fifth of the last second's requests failed."""

    def __init__(self, address: str, port: int, attempts: int) -> None:
        self.place, self.attempts = (address, port), attempts
        self.requests = self.errors = 0
        self.recent: list[bool] = []

    def serve(self, namespace: str) -> None:
        """Enter the namespace with this thread alone, and go on for ever."""
        while not Path(namespace).exists():
            pause.wait(EVERY_SECONDS)
        inside = os.open(namespace, os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(inside, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(PATIENCE_SECONDS)
            while not self.asked(asking):
                pause.wait(EVERY_SECONDS)
            while True:
                answered = any(self.asked(asking) for _ in range(self.attempts))
                self.requests, self.errors = self.requests + 1, self.errors + (not answered)
                self.recent = [*self.recent, answered][-REMEMBERED:]
                pause.wait(EVERY_SECONDS)

    def asked(self, asking: socket.socket) -> bool:
        """One attempt."""
        question = os.urandom(16)
        try:
            asking.sendto(question, self.place)
            while asking.recv(64) != question:
                pass
        except OSError:
            return False
        return True

    @property
    def healthy(self) -> bool:
        """By the last second."""
        return self.recent.count(False) <= len(self.recent) / 5


class Page(BaseHTTPRequestHandler):
    """/metrics and /health."""

    def do_GET(self) -> None:
        metrics = f"checkout_requests_total {checkout.requests}\ncheckout_errors_total {checkout.errors}\n"
        status, body = (200, metrics) if self.path == "/metrics" else (200, "ok") if checkout.healthy else (503, "too many errors")
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


if __name__ == "__main__":
    pause = threading.Event()
    checkout = Checkout(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=checkout.serve, args=[sys.argv[1]], daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
