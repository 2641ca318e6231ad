"""What the traffic process is told to do, and the sockets that it opens in other network namespaces."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CLONE_NEWNET = 0x40000000
_C_LIBRARY = ctypes.CDLL(None, use_errno=True)
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_ROOMY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSetup:
    """The ports that one pod serves."""

    netns: str
    tcp: list[int]
    udp: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSetup:
    """One flow with resolved places; `sender` is the `from` of the description. Parts of other kinds of flow are unused."""

    kind: str
    name: str
    sender: str
    receiver: str
    sender_netns: str
    receiver_netns: str
    source: str
    destination: str
    family: int
    port: int = 0
    rate: float = 0
    size: int = 0
    bytes: int = 0
    pause: float = 0

    @property
    def address_family(self) -> socket.AddressFamily:
        """The socket family of the flow's addresses."""
        return socket.AF_INET6 if self.family == 6 else socket.AF_INET

    def leg(self, protocol: str, source_port: int = 0, destination_port: int = 0) -> dict[str, Any]:
        """The identity of the leg from `sender` to `receiver`, as PeerCount will carry it."""
        ends = {"sender": self.sender, "receiver": self.receiver, "source": self.source, "destination": self.destination}
        ports = {"source_port": source_port, "destination_port": destination_port}
        return {"name": self.name, "reply": False, "protocol": protocol, **ends, **ports}

    def reply_leg(self, protocol: str, source_port: int = 0, destination_port: int = 0) -> dict[str, Any]:
        """The identity of the leg that answers; ports are those of the answering packets."""
        ends = {"sender": self.receiver, "receiver": self.sender, "source": self.destination, "destination": self.source}
        ports = {"source_port": source_port, "destination_port": destination_port}
        return {"name": f"{self.name} (reply)", "reply": True, "protocol": protocol, **ends, **ports}


class NetworkNamespace:
    """A namespace in which sockets are opened; a socket stays where it was made, whoever uses it."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.inode = os.fstat(self._descriptor).st_ino

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A non-blocking socket inside the namespace."""
        with self.entered():
            return socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread inside, for a while."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self._descriptor)
            yield
        finally:
            _enter(home)
            os.close(home)


class Namespaces:
    """Each namespace once, although a pod with host network knows its node's by another name."""

    def __init__(self) -> None:
        self._by_path: dict[str, NetworkNamespace] = {}

    def at(self, path: str) -> NetworkNamespace:
        """The namespace behind a file."""
        if path not in self._by_path:
            inode = Path(path).stat().st_ino
            same = next((known for known in self._by_path.values() if known.inode == inode), None)
            self._by_path[path] = same or NetworkNamespace(path)
        return self._by_path[path]


def _enter(descriptor: int) -> None:
    if _C_LIBRARY.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def widen(channel: socket.socket) -> socket.socket:
    """Large buffers, past the system-wide limits where we may: a queue under test shall fill, not the sockets before and behind it."""
    for force, plain in ((_SO_SNDBUFFORCE, socket.SO_SNDBUF), (_SO_RCVBUFFORCE, socket.SO_RCVBUF)):
        try:
            channel.setsockopt(socket.SOL_SOCKET, force, _ROOMY)
        except PermissionError:  # root of a user namespace only
            channel.setsockopt(socket.SOL_SOCKET, plain, _ROOMY)
    return channel
