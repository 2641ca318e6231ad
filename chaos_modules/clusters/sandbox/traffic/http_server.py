"""The smallest web server that curl and our own downloads need: `GET /?bytes=N` gives N bytes."""

from __future__ import annotations

import re
import socket

from .loop import READ, WRITE, Loop
from .setup import NetworkNamespace

_BYTES = re.compile(rb"[?&]bytes=(\d{1,12})(?:&|$)")
_LONGEST_REQUEST = 16_384
_BODY = memoryview(b"squall\n" * 37_450)  # about 256 KiB, the most that one call hands to the kernel
_DEFAULT_BYTES = 7
_KEEPALIVE_SECONDS = 30


class HttpServer:
    """One served port, on IPv4 and IPv6."""

    def __init__(self, loop: Loop, netns: NetworkNamespace, port: int) -> None:
        self._loop = loop
        self._listener = netns.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._listener.bind(("::", port))
        self._listener.listen(128)
        loop.watch(self._listener, READ, self._accept)

    def _accept(self, _events: int) -> None:
        try:
            channel, _ = self._listener.accept()
        except OSError:
            return  # the client has gone again
        channel.setblocking(False)
        outlast_no_peer(channel)
        _Answering(self._loop, channel)


class _Answering:
    """One connection: reads a request, sends its answer, reads the next."""

    def __init__(self, loop: Loop, channel: socket.socket) -> None:
        self._loop = loop
        self._channel = channel
        self._request = b""
        self._head = b""
        self._remaining = 0
        self._keep = True
        loop.watch(channel, READ, self._ready)

    def _ready(self, events: int) -> None:
        try:
            if events & READ:
                self._read()
            else:
                self._write()
        except BlockingIOError:
            return
        except OSError:
            self._close()

    def _read(self) -> None:
        data = self._channel.recv(_LONGEST_REQUEST)
        self._request += data
        if not data or len(self._request) > _LONGEST_REQUEST:
            self._close()
        else:
            self._next()

    def _next(self) -> None:
        """Start the next answer, if a whole request is there."""
        request, end, rest = self._request.partition(b"\r\n\r\n")
        if not end:
            self._loop.watch(self._channel, READ, self._ready)
            return
        self._request = rest
        self._head, self._remaining, self._keep = answer(request)
        self._loop.watch(self._channel, WRITE, self._ready)

    def _write(self) -> None:
        if self._head:
            self._head = self._head[self._channel.send(self._head, socket.MSG_MORE if self._remaining else 0) :]
        elif self._remaining:
            self._remaining -= self._channel.send(_BODY[: self._remaining])
        if self._head or self._remaining:
            return
        if self._keep:
            self._next()
        else:
            self._close()

    def _close(self) -> None:
        self._loop.forget(self._channel)
        self._channel.close()


def answer(request: bytes) -> tuple[bytes, int, bool]:
    """The head of the answer, the length of its body, and whether the connection stays open."""
    line, _, headers = request.partition(b"\r\n")
    words = line.split(b" ")
    if len(words) != 3 or words[0] != b"GET":
        return b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 0, False
    asked = _BYTES.search(words[1])
    size = int(asked[1]) if asked else _DEFAULT_BYTES
    keep = words[2] == b"HTTP/1.1" and b"connection: close" not in headers.lower()
    connection = b"keep-alive" if keep else b"close"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n" % (size, connection), size, keep


def outlast_no_peer(channel: socket.socket) -> None:
    """Have the kernel drop a connection whose peer has been cut off for half a minute."""
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _KEEPALIVE_SECONDS * 1000)
