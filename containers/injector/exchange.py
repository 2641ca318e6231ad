"""Numbered frames from one end of a pair of devices to the other, and what became of each."""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PROTOCOLS = {"udp": 17, "tcp": 6, "sctp": 132, "icmp": 1, "ipv6-icmp": 58}
SO_RCVBUFFORCE = 33
ETHERNET_HEADER = 14
SILENCE = 0.002
# The IP stack fills in link-layer addresses, an identification and a checksum.
FIRST_UNCHANGED = ETHERNET_HEADER + 20


def frame(probe: dict[str, Any], number: int) -> bytes:
    """An Ethernet frame as the filter matches it, numbered in its last eight bytes."""
    family = socket.AF_INET6 if ":" in probe["source"] + probe["destination"] else socket.AF_INET
    source, destination = (socket.inet_pton(family, probe[end]) for end in ("source", "destination"))
    protocol = PROTOCOLS[probe["protocol"]]
    ports = struct.pack("!HH", probe["source_port"], probe["destination_port"])
    room = probe["size"] - 14 - (20 if family == socket.AF_INET else 40)
    tcp = ports + struct.pack("!IIBBHHH", number, 0, 0x50, 0x18, 1024, 0, 0)
    body = {17: ports + struct.pack("!HH", room, 0), 6: tcp}.get(protocol, ports + bytes(8))
    body = (body + bytes(room))[: room - 8] + struct.pack("!Q", number)
    if family == socket.AF_INET:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + room, number & 0xFFFF, 0, 64, protocol, 0) + source + destination
        return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00" + head + body
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x86\xdd" + struct.pack("!IHBB", 6 << 28, room, protocol, 64) + source + destination + body


class Exchanged:
    """`left` and `came` are times by number; a frame that came changed is in `damaged` only."""

    def __init__(
        self, sent: int, left: dict[int, float] | None = None, came: dict[int, float] | None = None, *,
        received: int = 0, damaged: int = 0, seconds: float = 0.0, compared_from: int = 0,
    ) -> None:  # fmt: skip
        self.sent, self.left, self.came = sent, left or {}, came or {}
        self.received, self.damaged, self.seconds, self.compared_from = received, damaged, seconds, compared_from

    @property
    def distinct(self) -> int:
        """How many of the numbers came, unchanged."""
        return len(self.came)

    def latencies(self) -> list[float]:
        """The seconds that each number took, ascending."""
        return sorted(moment - self.left[number] for number, moment in self.came.items())


def exchange(probe: dict[str, Any], patience: float, enough: Callable[[Exchanged], bool], *, routed: bool = False) -> Exchanged:
    """Send the frames from `sqa`, count them at `sqb`, until nothing came for `patience` seconds, or for SILENCE where it is `enough`.

    `routed` sends them through the IP stack, whose hooks a packet socket passes by; its routes and neighbours are set already.
    """
    six = ":" in probe["source"] + probe["destination"]
    frames = [frame(probe, number) for number in range(probe["count"])]
    family = (socket.AF_INET6 if six else socket.AF_INET) if routed else socket.AF_PACKET
    # A packet socket for one protocol stands behind the ingress hook; one for all protocols would stand before it.
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW if routed else 0)
    try:
        receiver.bind(("sqb", 0x86DD if six else 0x0800))
        _widen(receiver)
        receiver.setblocking(False)
        if not routed:
            sender.bind(("sqa", 0))
        done = Exchanged(sent=probe["count"], compared_from=FIRST_UNCHANGED if routed else 0)
        for number, data in enumerate(frames):
            done.left[number] = time.monotonic()
            try:
                sender.sendto(data[ETHERNET_HEADER:], (probe["destination"], 0)) if routed else sender.send(data)
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # an nft verdict at egress tells the sender: a lost frame like any other
                    raise
            _receive_waiting(receiver, frames, done)
        _receive_rest(receiver, frames, done, patience, lambda: enough(done))
    finally:
        threading.Thread(target=_close, args=(receiver, sender), daemon=True).start()
    return done


def _close(*sockets: socket.socket) -> None:
    """The kernel lets go of a packet socket only after a grace period, for which nobody needs to wait."""
    for one in sockets:
        one.close()


def _widen(receiver: socket.socket) -> None:
    """Room for all frames; the root of a user namespace gets what the machine allows anybody, and what came is read after each frame."""
    try:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)


def _receive_waiting(receiver: socket.socket, frames: list[bytes], done: Exchanged) -> None:
    """Take what is there already, so that its time is right."""
    try:
        while True:
            _note(receiver.recv(2048), frames, done)
    except BlockingIOError:
        return


def _receive_rest(receiver: socket.socket, frames: list[bytes], done: Exchanged, patience: float, enough: Callable[[], bool]) -> None:
    """Until nothing came for `patience` seconds, or for SILENCE where what came is enough."""
    receiver.settimeout(SILENCE)
    silent_since = time.monotonic()
    while time.monotonic() - silent_since < patience:
        try:
            _note(receiver.recv(2048), frames, done)
            silent_since = time.monotonic()
        except TimeoutError:
            if enough():
                return


def _note(data: bytes, frames: list[bytes], done: Exchanged) -> None:
    now = time.monotonic()
    done.received += 1
    done.seconds = now - done.left[0]
    number = int.from_bytes(data[-8:])
    start = done.compared_from
    if number < len(frames) and len(data) == len(frames[number]) and data[start:] == frames[number][start:]:
        done.came.setdefault(number, now)
    else:
        done.damaged += 1
