"""Numbered datagrams at a steady rate, counted at both ends; other datagrams are echoed."""

from __future__ import annotations

import socket
import time
from typing import Any

from . import header
from .buckets import PER_SECOND, Buckets, Seen, Times, bucket_of
from .loop import READ, Loop, Pacer
from .setup import FlowSetup, NetworkNamespace, widen

_SENT, _ERRORS, _RECEIVED, _DISTINCT = range(4)
_UDP_HEADER = 8
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MEMORY_SECONDS = 120
_ROUND = 64


class UdpFlow:
    """One flow of datagrams: its sender, and its counts from both ends."""

    def __init__(self, index: int, setup: FlowSetup, netns: NetworkNamespace) -> None:
        self.setup = setup
        self._index = index
        self._sequence = 0
        self._packet = bytearray(setup.size - _UDP_HEADER)
        self._counts = Buckets(4)
        self._times = Times()
        self._seen = Seen(max(1024, int(setup.rate * _MEMORY_SECONDS)))
        self._channel = widen(netns.socket(setup.address_family, socket.SOCK_DGRAM))
        # What the sender's own kernel drops is told to the sender (ENOBUFS) only with this option.
        self._channel.setsockopt(*((socket.IPPROTO_IPV6, _IPV6_RECVERR) if setup.family == 6 else (socket.IPPROTO_IP, _IP_RECVERR)), 1)
        self._channel.bind((setup.source, 0))
        self._channel.connect((setup.destination, setup.port))
        self._port = self._channel.getsockname()[1]

    def start(self, loop: Loop) -> None:
        """Begin to send."""
        Pacer(loop, self.setup.rate, self._send)

    def _send(self) -> None:
        moment = time.time()
        header.write(self._packet, 0, self._index, self._sequence, moment)
        try:
            self._channel.send(self._packet)
        except BlockingIOError:
            return  # the queue below is full: the sender waits, nothing was sent and nothing lost
        except OSError:
            self._counts.add(_ERRORS, bucket_of(moment))
            return
        self._sequence += 1
        self._counts.add(_SENT, bucket_of(moment))

    def arrived(self, sequence: int, moment: float) -> None:
        """Count a datagram into the bucket in which it was sent."""
        bucket = bucket_of(moment)
        self._counts.add(_RECEIVED, bucket)
        if self._seen.first(sequence):
            self._counts.add(_DISTINCT, bucket)
            self._times.add(bucket, time.time() - moment)

    def legs(self, window: range) -> list[dict[str, Any]]:
        """The one leg; goodput is that of the distinct payloads."""
        sent, errors, received, distinct = self._counts.totals(window)
        seconds = len(window) / PER_SECOND
        goodput = distinct * len(self._packet) * 8 / seconds if seconds else 0.0
        counts = {"sent": sent, "errors": errors, "received": received, "distinct": distinct, "seconds": seconds, "goodput": goodput}
        return [{**self.setup.leg("udp", self._port, self.setup.port), **counts, "times": self._times.summary(window)}]


class UdpServer:
    """One served port, on IPv4 and IPv6: sinks our flows and echoes anything else."""

    def __init__(self, loop: Loop, netns: NetworkNamespace, port: int, flows: dict[int, UdpFlow]) -> None:
        self._flows = flows
        self._buffer = bytearray(65536)
        self._channel = widen(netns.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        self._channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._channel.bind(("::", port))
        loop.watch(self._channel, READ, self._receive)

    def _receive(self, _events: int) -> None:
        for _ in range(_ROUND):
            try:
                length, peer = self._channel.recvfrom_into(self._buffer)
            except OSError:
                return
            ours = header.read(self._buffer, 0, length)
            if ours is None:
                self._echo(length, peer)
            elif flow := self._flows.get(ours[0]):
                flow.arrived(*ours[1:])

    def _echo(self, length: int, peer: tuple[Any, ...]) -> None:
        try:
            self._channel.sendto(memoryview(self._buffer)[:length], peer)
        except OSError:
            return  # an echo may be lost, as any datagram
