"""A container's standard input over a websocket, with the official client's credentials, TLS and proxy."""

from __future__ import annotations

import json
import ssl
import threading
from socket import socket
from typing import Any

from ...model.wording import one_line
from .api import ApiProblem
from .refusal import Request, place, refusal
from .transport_http import Login, unanswered

CONNECT_SECONDS = 5.0
_STANDARD_INPUT, _STATUS = b"\x00", b"\x03"
_CLOSE = 0x8
_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]


class InputChannel:
    """An open standard input. What the server sends is looked at before each `send`: it tells when the container is gone."""

    def __init__(self, where: str, websocket: Any) -> None:
        self._where, self._websocket = where, websocket
        self._lock = threading.Lock()

    def send(self, text: str) -> None:
        """Write to it. Raises ApiProblem when the connection is lost."""
        from websocket import WebSocketException  # noqa: PLC0415

        with self._lock:
            try:
                self._look()
                self._websocket.send_binary(_STANDARD_INPUT + text.encode())
            except (WebSocketException, OSError) as error:
                raise ApiProblem(f"the connection to the container's input is lost: {one_line(str(error))}", self._where) from error

    def _look(self) -> None:
        """Read what has come, without waiting."""
        self._websocket.settimeout(0)
        try:
            while True:
                kind, data = self._websocket.recv_data(control_frame=True)
                if kind == _CLOSE or (data[:1] == _STATUS and data != _STATUS):  # an empty frame only opens the channel
                    raise ApiProblem(f"the container's input has ended: {_reason(data[1:])}", self._where)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        finally:
            self._websocket.settimeout(CONNECT_SECONDS)

    def close(self) -> None:
        """Let go of it at once, without the polite farewell that waits for an answer."""
        with self._lock:
            self._websocket.shutdown()


def attach(login: Login, request: Request) -> InputChannel:
    """Open it. Raises ApiProblem; Passing where another attempt may succeed."""
    import websocket  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        headers = login.headers()
        connection = websocket.create_connection(
            f"ws{login.address(request).removeprefix('http')}", timeout=CONNECT_SECONDS, socket=_connected(login), header=headers,
            subprotocols=_PROTOCOLS, suppress_origin=True, redirect_limit=0,
        )  # fmt: skip
    except websocket.WebSocketBadStatusException as error:
        raise refusal(login.who, request, error.status_code, error.resp_body or b"", error.resp_headers or {}) from error
    except (websocket.WebSocketException, HTTPError, OSError) as error:
        raise unanswered(login, request, error) from error
    return InputChannel(place(login.who, request), connection)


def _connected(login: Login) -> socket:
    """A connection of its own, made as the pool makes its own: with its TLS, client certificate, server name and proxy."""
    pool: Any = login.pool.connection_from_url(login.server)
    connection = pool._new_conn()
    connection.timeout = CONNECT_SECONDS
    if pool.proxy:
        pool._prepare_proxy(connection)
    else:
        connection.connect()
    found: socket = connection.sock
    found.settimeout(CONNECT_SECONDS)
    return found


def _reason(data: bytes) -> str:
    try:
        return one_line(str(json.loads(data).get("message") or "the container has ended"))
    except (ValueError, AttributeError):
        return "the server closed it"
