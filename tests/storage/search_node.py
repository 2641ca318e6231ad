"""A real Elasticsearch or OpenSearch: one that a command starts for the tests, or the user's own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from dataclasses import dataclass
from typing import Any

import requests

START_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class SearchNode:
    """`command` is empty where the node is the user's own: it is neither ended nor wiped."""

    url: str
    flavour: str
    command: str = ""

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def start(self) -> None:
        """Wait until it answers; at once if it does already. Raises CalledProcessError."""
        subprocess.run([self.command, "up", self.port, "--flavour", self.flavour], check=True, capture_output=True, timeout=START_SECONDS)

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told."""
        listed = subprocess.run([self.command, "status"], check=True, capture_output=True, text=True, timeout=60).stdout
        found = re.search(rf"/{self.flavour}-{self.port} runs as (\d+)", listed)
        assert found, listed
        os.kill(int(found[1]), signal.SIGKILL)

    def end(self) -> None:
        """Down, and its data with it."""
        if self.command:
            subprocess.run([self.command, "down", self.port, "--wipe"], check=True, capture_output=True, timeout=120)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request beside Squall, which is never asked whether it did well."""
        answer = requests.request(method, self.url + path, json=body, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    def refresh(self, prefix: str) -> None:
        self.ask("POST", f"/{prefix}*/_refresh")

    def count(self, index: str, query: str = "*") -> int:
        """Hits of a flat query string, as the dashboards' panels ask."""
        return int(self.ask("POST", f"/{index}/_count", {"query": {"query_string": {"query": query}}})["count"])


def started(command: str, flavour: str) -> SearchNode:
    """A new node on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    node = SearchNode(url=f"http://127.0.0.1:{port}", flavour=flavour, command=command)
    node.start()
    return node
