"""A proxy before an API server that breaks what a test tells it to; its journal holds everything that it was asked."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

import yaml

Fault = Callable[["Exchange"], None]
_HOP_BY_HOP = {"host", "connection", "keep-alive", "transfer-encoding"}


@dataclass
class Asked:
    """One request. `kind` is verb and resource; `status` is the API server's own answer, 0 where it never was asked."""

    kind: str
    path: str
    faulty: bool = False
    status: int = 0


Rule = Callable[[Asked], Fault | None]


def kind_of(method: str, path: str) -> str:
    """`GET pods/log`, `WATCH pods`, `POST jobs`, `GET version`."""
    address = urlsplit(path)
    verb = "WATCH" if dict(parse_qsl(address.query)).get("watch") == "true" else method
    parts = re.sub(r"^/(api/[^/]+|apis/[^/]+/[^/]+)?/?(namespaces/[^/]+/(?=.))?", "", address.path).split("/")
    return f"{verb} {parts[0]}{f'/{parts[2]}' if len(parts) > 2 else ''}"


def never(asked: Asked) -> None:
    """Nothing breaks."""


def always(fault: Fault) -> Rule:
    return lambda _: fault


def first_of_each_kind(fault: Fault) -> Rule:
    seen: set[str] = set()

    def rule(asked: Asked) -> Fault | None:
        known = asked.kind in seen
        seen.add(asked.kind)
        return None if known else fault

    return rule


def in_turn(kind: str, *faults: Fault) -> Rule:
    """The first requests of one kind, one fault each."""
    waiting = list(faults)
    return lambda asked: waiting.pop(0) if waiting and asked.kind == kind else None


class Exchange(BaseHTTPRequestHandler):
    """The requests of one connection; a fault answers in place of `forward`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FaultyApi

    def _serve(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked = Asked(kind_of(self.command, self.path), self.path)
        fault = self.server.choose(self.asked)
        try:
            (fault or Exchange.forward)(self)
        except (OSError, HTTPException):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def forward(self) -> None:
        """Ask the API server, and pass on what it answers, part by part."""
        with self.asking() as response:
            self._head(response)
            while part := response.read1(2**16):
                self._part(response, part)
            self._part(response, b"")

    @contextlib.contextmanager
    def asking(self, path: str = "") -> Iterator[HTTPResponse]:
        """The API server's answer, of which the head has come."""
        connection = HTTPConnection("127.0.0.1", self.server.upstream)
        try:
            connection.request(self.command, path or self.path, self.body or None, self._kept(self.headers.items()))
            self.server.upstreams.append(connection.sock)
            response = connection.getresponse()
            self.asked.status = response.status
            yield response
        finally:
            connection.close()

    @staticmethod
    def _kept(headers: object) -> dict[str, str]:
        return {name: value for name, value in dict(headers).items() if name.lower() not in _HOP_BY_HOP}  # type: ignore[call-overload]

    def _head(self, response: HTTPResponse) -> None:
        self.send_response(response.status)
        for name, value in self._kept(response.getheaders()).items():
            self.send_header(name, value)
        if response.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _part(self, response: HTTPResponse, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if response.chunked else part)

    def rewritten(self, old: str, new: str) -> None:
        """Forward it with another path."""
        self.path = self.path.replace(old, new)
        self.forward()

    def refuse(self, status: int, reason: str, message: str, **headers: str) -> None:
        """Answer in the words of an API server."""
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reason, "message": message}
        data = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def reset(self) -> None:
        """Break the connection off, without a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def lose_answer(self) -> None:
        """Have it carried out, and break off before the answer."""
        with self.asking():
            self.reset()

    def fall_silent(self) -> None:
        """Begin a stream of which nothing ever comes, and that never ends."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.server.over.wait()
        self.close_connection = True

    def slow(self, seconds: float) -> None:
        """Forward it late."""
        if not self.server.over.wait(seconds):
            self.forward()

    def until(self, text: bytes, *, cleanly: bool) -> None:
        """Pass on a stream until it has said this; then it breaks off, or ends as if it were over."""
        with self.asking() as response:
            self._head(response)
            passed = b""
            while text not in passed and (part := response.read1(2**16)):
                passed += part
                self._part(response, part)
            if cleanly:
                self._part(response, b"")
            else:
                self.reset()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the journal has it."""


class FaultyApi(ThreadingHTTPServer):
    """Forwards to a port of this machine that needs no credentials; `rule` says what breaks."""

    daemon_threads = False

    def __init__(self, upstream: int, rule: Rule) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.upstream, self._rule = upstream, rule
        self.journal: list[Asked] = []
        self.upstreams: list[socket.socket] = []
        self.over = threading.Event()
        self._choosing = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    def choose(self, asked: Asked) -> Fault | None:
        """Note a request, and what becomes of it."""
        with self._choosing:
            fault = self._rule(asked)
            asked.faulty = fault is not None
            self.journal.append(asked)
            return fault

    def kubeconfig(self, folder: Path) -> str:
        """Leads here, as nobody."""
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "faulty", "users": [{"name": "nobody", "user": {}}],
            "clusters": [{"name": "faulty", "cluster": {"server": f"http://127.0.0.1:{self.server_port}"}}],
            "contexts": [{"name": "faulty", "context": {"cluster": "faulty", "user": "nobody"}}],
        }))  # fmt: skip
        return str(path)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Without the farewell that would come before a reset."""
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error here."""

    def __enter__(self) -> FaultyApi:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        for one in self.upstreams:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.server_close()
