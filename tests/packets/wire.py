"""Sockets inside network namespaces, opened from the test's own process: a socket belongs to the namespace in which it was made."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

CLONE_NEWNET = 0x40000000
HELLO = 2**63
IP_RECVERR, SO_RCVBUFFORCE = 11, 33


def socket_in(namespace: str, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket of another namespace; a thread goes there, so that the test itself stays."""
    made: list[socket.socket | OSError] = []

    def visit() -> None:
        descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket(family, kind, protocol))
        except OSError as error:
            made.append(error)
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


@dataclass
class Exchange:
    """What both ends counted: packets sent, send errors, and how often each number arrived."""

    sent: int = 0
    errors: Counter[int] = field(default_factory=Counter)
    arrived: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    left: dict[int, float] = field(default_factory=dict)
    came: dict[int, float] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)

    @property
    def distinct(self) -> int:
        return len(self.arrived)

    def latencies(self) -> list[float]:
        """Seconds on the way, ascending."""
        return sorted(moment - self.left[number] for number, moment in self.came.items() if number in self.left)

    def lost_runs(self) -> list[int]:
        """The lengths of the runs of lost packets."""
        runs, length = [], 0
        for number in range(self.sent):
            if self.arrived[number]:
                runs += [length] if length else []
                length = 0
            else:
                length += 1
        return runs

    @property
    def copies(self) -> int:
        return sum(self.arrived.values()) - self.distinct


class UdpFlow:
    """Numbered datagrams from one namespace to another; `Exchange` counts at both ends."""

    def __init__(self, sender: str, receiver: str, address: str, port: int, *, size: int = 100) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.destination, self.padding, self.exchange = (address, port), bytes(size - 8), Exchange()
        self.sender = socket_in(sender, family, socket.SOCK_DGRAM)
        self.receiver = socket_in(receiver, family, socket.SOCK_DGRAM)
        if family == socket.AF_INET:
            self.sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            self.receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self.receiver.bind(("", port))
        self.receiver.settimeout(0.3)
        self.stopped = self.met = False
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = self.receiver.recv(65535)
            except TimeoutError:
                if self.stopped:
                    return
                continue
            number, now = int.from_bytes(data[:8]), time.monotonic()
            if number == HELLO:
                self.met = True
                continue
            self.exchange.arrived[number] += 1
            self.exchange.times.append(now)
            self.exchange.came.setdefault(number, now)
            self.exchange.order.append(number)

    def meet(self) -> UdpFlow:
        """Wait until the ends have found each other's link-layer addresses; IPv6 may take a second after a link came up."""
        end = time.monotonic() + 10
        while not self.met:
            assert time.monotonic() < end, "the peer cannot be reached"
            self.sender.sendto(HELLO.to_bytes(8) + self.padding, self.destination)
            time.sleep(0.02)
        return self

    def send(self) -> None:
        """One datagram."""
        self.exchange.left[self.exchange.sent] = time.monotonic()
        try:
            self.sender.sendto(self.exchange.sent.to_bytes(8) + self.padding, self.destination)
        except OSError as error:
            self.exchange.errors[error.errno or 0] += 1
        self.exchange.sent += 1

    def finish(self) -> Exchange:
        """Wait until nothing arrives any more, and close."""
        self.stopped = True
        self.reader.join()
        self.sender.close()
        self.receiver.close()
        return self.exchange


def send_paced(flows: list[UdpFlow], per_second: float, seconds: float) -> None:
    """The same number of datagrams on each flow, on an absolute schedule."""
    begin = time.monotonic()
    for number in range(int(per_second * seconds)):
        ahead = begin + number / per_second - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        for flow in flows:
            flow.send()
