"""ICMP echo, counted on its way there and on its way back; the kernel answers, as in any pod."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

from . import header
from .buckets import PER_SECOND, Buckets, Seen, Times, bucket_of
from .loop import READ, Loop, Pacer
from .setup import FlowSetup, NetworkNamespace, widen

_SENT, _ERRORS, _ASKED, _ASKED_ONCE, _ANSWERED, _ANSWERED_ONCE = range(6)
_ICMP_HEADER = struct.Struct("!BBHHH")
_PAYLOAD = 56
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_SOL_RAW = 255
_ICMP_FILTER = 1
_ICMP6_FILTER = 1
_MEMORY_SECONDS = 120
_ROUND = 64


class PingFlow:
    """One flow of pings with its counts of requests and replies."""

    def __init__(self, index: int, setup: FlowSetup) -> None:
        self.setup = setup
        self._index = index
        self._sequence = 0
        self._packet = bytearray(_ICMP_HEADER.size + _PAYLOAD)
        self._counts = Buckets(6)
        window = max(1024, int(setup.rate * _MEMORY_SECONDS))
        self._seen_requests, self._seen_replies = Seen(window), Seen(window)
        self._times = Times()

    def start(self, loop: Loop, echo: Echo) -> None:
        """Begin to send through the sender's raw socket."""
        Pacer(loop, self.setup.rate, lambda: self._send(echo))

    def _send(self, echo: Echo) -> None:
        moment = time.time()
        header.write(self._packet, _ICMP_HEADER.size, self._index, self._sequence, moment)
        _ICMP_HEADER.pack_into(self._packet, 0, _REQUEST[self.setup.family], 0, 0, self._index & 0xFFFF, self._sequence & 0xFFFF)
        if self.setup.family == 4:  # for ICMPv6 the kernel fills in the checksum
            struct.pack_into("!H", self._packet, 2, checksum(self._packet))
        try:
            echo.send(self._packet, self.setup.destination)
        except BlockingIOError:
            return
        except OSError:
            self._counts.add(_ERRORS, bucket_of(moment))
            return
        self._sequence += 1
        self._counts.add(_SENT, bucket_of(moment))

    def asked(self, sequence: int, moment: float) -> None:
        """A request has come to the receiver."""
        self._counts.add(_ASKED, bucket_of(moment))
        if self._seen_requests.first(sequence):
            self._counts.add(_ASKED_ONCE, bucket_of(moment))

    def answered(self, sequence: int, moment: float) -> None:
        """A reply has come back to the sender."""
        self._counts.add(_ANSWERED, bucket_of(moment))
        if self._seen_replies.first(sequence):
            self._counts.add(_ANSWERED_ONCE, bucket_of(moment))
            self._times.add(bucket_of(moment), time.time() - moment)

    def legs(self, window: range) -> list[dict[str, Any]]:
        """Requests, then replies. A copied request is answered twice: those answers are not copies that the reply's way made."""
        sent, errors, asked, asked_once, answered, answered_once = self._counts.totals(window)
        protocol = "ipv6-icmp" if self.setup.family == 6 else "icmp"
        replies = max(answered_once, answered - (asked - asked_once))
        both = {"seconds": len(window) / PER_SECOND, "goodput": 0.0, "times": self._times.summary(window)}
        request = {"sent": sent, "errors": errors, "received": asked, "distinct": asked_once}
        reply = {"sent": asked_once, "errors": 0, "received": replies, "distinct": answered_once}
        return [{**self.setup.leg(protocol), **request, **both}, {**self.setup.reply_leg(protocol), **reply, **both}]


class Echo:
    """A namespace's raw socket for one family: sends requests, and sees those that come in and the replies."""

    def __init__(self, loop: Loop, netns: NetworkNamespace, family: int, flows: dict[int, PingFlow]) -> None:
        self._family = family
        self._flows = flows
        self._buffer = bytearray(2048)
        if family == 6:
            self._channel = widen(netns.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6))
            self._channel.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, _only_echoes_v6())
        else:
            self._channel = widen(netns.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
            self._channel.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", ~(1 << _REQUEST[4] | 1 << _REPLY[4]) & 0xFFFFFFFF))
        loop.watch(self._channel, READ, self._receive)

    def send(self, packet: bytearray, destination: str) -> None:
        """Send one request."""
        self._channel.sendto(packet, (destination, 0))

    def _receive(self, _events: int) -> None:
        for _ in range(_ROUND):
            try:
                length = self._channel.recv_into(self._buffer)
            except OSError:
                return
            start = 0 if self._family == 6 else (self._buffer[0] & 15) * 4  # an IPv4 raw socket hands out the IP header as well
            ours = header.read(self._buffer, start + _ICMP_HEADER.size, length)
            flow = self._flows.get(ours[0]) if ours else None
            if ours and flow:
                count = flow.asked if self._buffer[start] == _REQUEST[self._family] else flow.answered
                count(*ours[1:])


def _only_echoes_v6() -> bytes:
    blocked = bytearray(b"\xff" * 32)
    for kind in (_REQUEST[6], _REPLY[6]):
        word = kind >> 5
        (value,) = struct.unpack_from("=I", blocked, word * 4)
        struct.pack_into("=I", blocked, word * 4, value & ~(1 << (kind & 31)) & 0xFFFFFFFF)
    return bytes(blocked)


def checksum(packet: bytes | bytearray) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
