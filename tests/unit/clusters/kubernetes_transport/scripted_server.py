"""A small HTTP/1.1 server on this machine whose every answer the test scripts, and a kubeconfig that leads to it."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

CERTIFICATE = Path(__file__).parent / "server.pem"
Answer = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One connection; a test's answer writes to it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ScriptedServer
    body: Any = None

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.connection)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append(f"{self.command} {self.path}")
        try:
            self.server.answers.get(timeout=5)(self)
        except queue.Empty:
            self.status(418, "the test has no answer for this")
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))

    def json(self, found: Any, status: int = 200, **headers: str) -> None:
        data = json.dumps(found).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def status(self, code: int, message: str, reason: str = "", **headers: str) -> None:
        self.json({"kind": "Status", "code": code, "message": message, "reason": reason}, code, **headers)

    def begin(self) -> None:
        """A streamed answer; `chunk` continues it, `end` ends it as it should."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: bytes | dict[str, Any]) -> None:
        data = data if isinstance(data, bytes) else json.dumps(data).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """The connection ends in the middle."""
        self.close_connection = True

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def fall_silent(self) -> None:
        """Send nothing more, close nothing: a half-open connection, until the test is over."""
        self.server.over.wait(20)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test looks at `asked`."""


class ScriptedServer(ThreadingHTTPServer):
    """Answers requests with `answers`, in their order; keeps what it was asked."""

    daemon_threads = False

    def __init__(self, tls: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.asked: list[str] = []
        self.connections: list[socket.socket] = []
        self.over = threading.Event()
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def will(self, *answers: Answer) -> None:
        for answer in answers:
            self.answers.put(answer)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error here."""

    def stop(self) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Interrupted:
    """`wait` of a run: it sleeps, and is true once the user interrupted. It keeps how long it was to sleep."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.slept: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.slept.extend([seconds] if seconds else [])
        return self.event.wait(min(seconds, 0.02))


def kubeconfig(path: Path, url: str, user: dict[str, Any] | None = None, **cluster: Any) -> str:
    """A kubeconfig with the contexts `kind-dev` (chosen) and `kind-test`, for this server and user."""
    context = {"cluster": "here", "user": "ann"}
    path.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "kind-dev",
        "clusters": [{"name": "here", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "ann", "user": user if user is not None else {"token": "sesame"}}],
        "contexts": [{"name": "kind-dev", "context": context}, {"name": "kind-test", "context": context}],
    }), encoding="utf-8")  # fmt: skip
    return str(path)
