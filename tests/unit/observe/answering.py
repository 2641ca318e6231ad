"""A server that answers as Prometheus does, with what a function of the query says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Answer = Callable[[dict[str, str]], Any]


def vector(*values: float | str, time: float = 100.0) -> list[Any]:
    """An instant answer: one series per value, labelled n="0" and so on."""
    return [{"metric": {"n": str(number)}, "value": [time, str(value)]} for number, value in enumerate(values)]


class Answering(ThreadingHTTPServer):
    """`answer(parameters)` gives `data.result`, or an int for an answer with that status. `asked` are the parameters of every request."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[dict[str, str]] = []
        self.authorised: list[str | None] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Answering)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        server.asked.append(asked)
        server.authorised.append(self.headers.get("Authorization"))
        found = server.answer(asked)
        status, result = (found, []) if isinstance(found, int) else (200, found)
        body = {"status": "success", "data": {"result": result}} if status == 200 else {"status": "error", "errorType": "bad_data", "error": "no"}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""
