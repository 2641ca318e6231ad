"""Prometheus: ready, not ready, silent, misspelled; what it is told and what is told of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from chaos_modules.observe.prometheus_ready import prometheus_check

TOKEN = "s3cret"


class Answering(HTTPServer):
    """A server that answers with one status, and keeps what it was asked."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Answering)
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


@pytest.fixture
def server() -> Iterator[Answering]:
    with Answering() as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


@pytest.mark.parametrize("end", ["", "/"])
def test_it_is_ready(server: Answering, end: str) -> None:
    assert str(prometheus_check(server.url + end, "").state) == "passed"
    assert server.asked == [("/-/ready", None)]


def test_the_token_is_sent_and_never_told(server: Answering) -> None:
    server.status = 403
    check = prometheus_check(server.url, TOKEN)
    assert server.asked == [("/-/ready", f"Bearer {TOKEN}")]
    assert (str(check.state), check.seen) == ("warning", "Prometheus answers 403 Forbidden")
    assert TOKEN not in str(check)


@pytest.mark.parametrize(("url", "token"), [
    ("http://127.0.0.1:1", TOKEN), ("http://me:s3cret@127.0.0.1:1", ""), ("file:///etc/passwd", ""), ("prometheus:9090", ""), ("http://", ""),
    ("http://[s3cret", ""), ("http://127.0.0.1:s3cret", ""), ("http://127.0.0.1:1/s3 cret", ""), ("http://127.0.0.1:1", f"{TOKEN}\n"),
])
def test_what_cannot_be_asked_is_a_warning_without_secrets(url: str, token: str) -> None:
    check = prometheus_check(url, token)
    assert str(check.state) == "warning"
    assert "performance_monitoring.prometheus_url" in check.remedy
    assert "s3" not in check.seen


def test_no_url_is_nothing_to_look_at() -> None:
    assert str(prometheus_check("", "").state) == "skipped"
