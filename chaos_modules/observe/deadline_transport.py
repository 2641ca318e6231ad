"""Connections for `requests` that end at a deadline, whatever they are doing, and go to the addresses that we found ourselves.

Imported only where something is asked: it needs the HTTP client.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from functools import cache
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection
from urllib3.util.ssl_ import create_urllib3_context

Resolve = Callable[[str], Sequence[str]]


class Deadline:
    """The moment at which every connection made under it is cut: time-outs of sockets begin anew with every byte, so that a body may drip on.

    `begun` is when it was set, by the monotonic clock.
    """

    def __init__(self, seconds: float) -> None:
        self.begun = time.monotonic()
        self.late = False
        self._end = self.begun + seconds
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        self._timer.join()
        self._shut()
        for line in self._lines:
            line.close()

    def remaining(self) -> float:
        """Seconds that are left. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0 or self.late:
            self.late = True
            raise TimeoutError
        return left

    def watch(self, line: socket.socket) -> None:
        """Cut this connection, too. A duplicate is kept: TLS takes the socket itself over."""
        with self._lock:
            self.remaining()
            self._lines.append(line.dup())

    def _cut(self) -> None:
        with self._lock:
            self.late = True
            self._shut()

    def _shut(self) -> None:
        for line in self._lines:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other end was quicker


def look_up(host: str, deadline: Deadline) -> list[str]:
    """The addresses by the resolver of this machine. Raises OSError; TimeoutError at the deadline, however long the resolver goes on."""
    answer: Future[list[str]] = Future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answer.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answer.set_exception(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "it is no name"))

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        return answer.result(deadline.remaining())
    except NotYet:
        deadline.late = True
        raise TimeoutError from None


@cache
def public_trust() -> ssl.SSLContext:
    """The public authorities, loaded once: that takes longer than many a handshake, and would be counted as the server's."""
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class DeadlineAdapter(HTTPAdapter):
    """Makes the connections of a session under a deadline; `resolve` knows the addresses of names, instead of this machine's resolver.

    With `trust`, servers are verified by that context, instead of one that is made for each connection.
    """

    def __init__(self, deadline: Deadline, resolve: Resolve | None = None, trust: ssl.SSLContext | None = None) -> None:
        self._deadline = deadline
        self._resolve = resolve
        self._trust = trust
        self._trusting = {"ssl_context": trust} if trust else {}
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **{**options, **self._trusting})
        self.poolmanager.pool_classes_by_scheme = self._pools()

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Where the context knows whom to trust, nothing more is loaded."""
        if self._trust and verify is True and not cert:
            conn.cert_reqs = "CERT_REQUIRED"
        else:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options, **self._trusting)
        if not proxy.lower().startswith("socks"):  # whose connections are made by PySocks
            manager.pool_classes_by_scheme = self._pools()
        return manager

    def _connected(self, connection: HTTPConnection) -> socket.socket:
        host = connection._dns_host
        if _is_address(host):
            addresses: Sequence[str] = [host]
        else:
            addresses = self._resolve(host) if self._resolve else look_up(host, self._deadline)
        for number, address in enumerate(addresses, 1):
            try:
                line = create_connection((address, connection.port), self._deadline.remaining(), None, connection.socket_options)
            except OSError:
                if number == len(addresses):
                    raise
                continue
            self._watch(line)
            return line
        raise OSError(f"{host} has no address")

    def _watch(self, line: socket.socket) -> None:
        try:
            self._deadline.watch(line)
        except OSError:
            line.close()
            raise

    def _pools(self) -> dict[str, type[HTTPConnectionPool]]:
        connected = self._connected

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return connected(self)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return connected(self)

        plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        secure = type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure})
        return {"http": plain, "https": secure}
