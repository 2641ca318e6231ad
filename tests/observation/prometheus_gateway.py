"""What stands before a real Prometheus in tests: wants a token, refuses, breaks off; and how a client fares with it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from prometheus_server import PATIENCE_SECONDS, Handler, Server

from chaos_modules.model.probe import Connection
from chaos_modules.observe.prometheus import Prometheus, QueryProblem


def ready(connection: Connection) -> None:
    """Questions are answered over this connection. Raises QueryProblem."""
    with Prometheus(connection) as prometheus:
        prometheus.ready()


def problem_of(connection: Connection) -> QueryProblem:
    """Why they are not."""
    with pytest.raises(QueryProblem) as caught:
        ready(connection)
    return caught.value


@dataclass(frozen=True)
class Request:
    """What the gateway was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Gateway(Server):
    """Stands before a Prometheus: wants a bearer token where one is given, refuses methods, and first gives the answers of `planned`.

    A planned answer is (status, body) or `None`, which breaks the connection. `asked` is all that came.
    """

    def __init__(self, upstream: str = "", token: str = "", refused: Sequence[str] = ()) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.upstream, self.token, self.refused = upstream, token, refused
        self.planned: list[tuple[int, bytes] | None] = []
        self.asked: list[Request] = []


class _Forward(Handler):
    def do_GET(self) -> None:
        gateway = self.server
        assert isinstance(gateway, Gateway)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        gateway.asked.append(Request(self.command, self.path, dict(self.headers), body))
        if gateway.planned:
            planned = gateway.planned.pop(0)
            self.close_connection = True
            if planned:
                self.answer(*planned)
        elif gateway.token and self.headers.get("Authorization") != f"Bearer {gateway.token}":
            self.answer(401, b"who are you?", "text/plain")
        elif self.command in gateway.refused:
            self.answer(405, b"not so", "text/plain")
        else:
            self._forward(gateway.upstream, body)

    do_POST = do_GET

    def _forward(self, upstream: str, body: bytes) -> None:
        headers = {"Content-Type": self.headers["Content-Type"]} if body else {}
        request = urllib.request.Request(upstream + self.path, data=body or None, headers=headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
                self.answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            with error:
                self.answer(error.code, error.read())
