"""A server on loopback that answers by path, well or badly, and keeps what it was asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answering = Callable[["Handler"], None]


class Server(ThreadingHTTPServer):
    """`answers` by path; `asked` holds (method, path, headers); `connections` counts them; `over` is set when the test ends."""

    daemon_threads = False
    address_family = socket.AF_INET

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answering] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.connections = 0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that break off are what is tested."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20  # a connection that is never closed fails its test late, not never
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.server.answers[self.path.partition("?")[0]](self)

    do_POST = do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


def answer(status: int = 200, body: bytes = b"ok", **headers: str) -> Answering:
    def act(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return act


def drip(head: bytes, pause: float = 0.05) -> Answering:
    """Sends the head, then a byte now and then for ever, so that no time-out of a single read is ever met."""

    def act(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(head)
        while not handler.server.over.wait(pause):
            handler.wfile.write(b"x")

    return act


def silent(handler: Handler) -> None:
    """No answer until the test is over."""
    handler.server.over.wait(20)
    handler.close_connection = True


def raw(text: bytes) -> Answering:
    def act(handler: Handler) -> None:
        handler.wfile.write(text)
        handler.close_connection = True

    return act


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server() as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def unused_port() -> int:
    """One at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def full_port() -> Iterator[int]:
    """One whose queue of connections is full, so that a further one waits, as behind a firewall that drops."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(3):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            waiting.append(client)
        try:
            yield int(listener.getsockname()[1])
        finally:
            for client in waiting:
                client.close()
