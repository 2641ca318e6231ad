"""Endless downloads that survive whatever happens to their connection."""

from __future__ import annotations

import socket
import time
from typing import Any

from .buckets import PER_SECOND, Buckets, bucket_of
from .http_server import outlast_no_peer
from .loop import READ, WRITE, Loop
from .setup import FlowSetup, NetworkNamespace

_BYTES, _DOWNLOADS = range(2)
_STALL_SECONDS = 10
_RETRY_SECONDS = 0.2
_CHUNK = 262_144


class HttpFlow:
    """One client: downloads over one connection after the other, with a pause in between."""

    def __init__(self, setup: FlowSetup, netns: NetworkNamespace) -> None:
        self.setup = setup
        self._netns = netns
        self._counts = Buckets(2)
        self._buffer = bytearray(_CHUNK)
        host = f"[{setup.destination}]" if setup.family == 6 else setup.destination
        self._request = f"GET /?bytes={setup.bytes} HTTP/1.1\r\nHost: {host}:{setup.port}\r\n\r\n".encode()
        self._channel: socket.socket | None = None
        self._port = 0
        self._head: bytes | None = None
        self._remaining = 0
        self._progress = 0.0

    def start(self, loop: Loop) -> None:
        """Begin to download."""
        self._loop = loop
        self._connect()
        loop.after(1, self._watchdog)

    def _connect(self) -> None:
        self._channel = self._netns.socket(self.setup.address_family, socket.SOCK_STREAM)
        outlast_no_peer(self._channel)
        self._progress = time.monotonic()
        try:
            self._channel.bind((self.setup.source, 0))
            self._port = self._channel.getsockname()[1]
            self._channel.connect((self.setup.destination, self.setup.port))
        except BlockingIOError:
            pass
        except OSError:
            self._reconnect()
            return
        self._loop.watch(self._channel, WRITE, self._ready)

    def _ready(self, events: int) -> None:
        try:
            if events & WRITE:
                self._ask()
            else:
                self._read()
        except BlockingIOError:
            return
        except OSError:
            self._reconnect()

    def _ask(self) -> None:
        """Ask for the next download; the connection is idle, so that the short request fits."""
        if self._channel:
            self._channel.send(self._request)
            self._head, self._remaining = b"", self.setup.bytes
            self._progress = time.monotonic()
            self._loop.watch(self._channel, READ, self._ready)

    def _read(self) -> None:
        length = self._channel.recv_into(self._buffer) if self._channel else 0
        if not length:
            self._reconnect()
            return
        self._progress = time.monotonic()
        body = length if self._head is None else self._after_head(self._head, length)
        bucket = bucket_of(time.time())
        self._counts.add(_BYTES, bucket, body)
        self._remaining -= body
        if body and self._remaining <= 0:
            self._counts.add(_DOWNLOADS, bucket)
            self._rest()

    def _after_head(self, head: bytes, length: int) -> int:
        """How much of what was just read belongs to the body."""
        head, end, body = (head + self._buffer[:length]).partition(b"\r\n\r\n")
        self._head = None if end else head
        return len(body)

    def _rest(self) -> None:
        channel = self._channel
        self._loop.after(self.setup.pause, lambda: self._resume(channel))

    def _resume(self, channel: socket.socket | None) -> None:
        if channel is self._channel and channel is not None:
            self._loop.watch(channel, WRITE, self._ready)

    def _reconnect(self) -> None:
        if self._channel:
            self._loop.forget(self._channel)
            self._channel.close()
            self._channel = None
            self._loop.after(_RETRY_SECONDS, self._connect)

    def _watchdog(self) -> None:
        """A connection that has been cut off retransmits ever more rarely; a new one notices the end of the fault sooner."""
        if time.monotonic() - self._progress > _STALL_SECONDS + self.setup.pause:
            self._reconnect()
        self._loop.after(1, self._watchdog)

    def legs(self, window: range) -> list[dict[str, Any]]:
        """The answering leg; `received` counts completed downloads, and bytes are counted when they arrive."""
        received, downloads = self._counts.totals(window)
        seconds = len(window) / PER_SECOND
        counts = {"sent": None, "errors": 0, "received": downloads, "distinct": None, "seconds": seconds}
        goodput = received * 8 / seconds if seconds else 0.0
        return [{**self.setup.reply_leg("tcp", self.setup.port, self._port), **counts, "goodput": goodput}]
