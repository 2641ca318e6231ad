"""Targets whose device is not a plain veth: without queue length, a bridge, a tap, a tun without link-layer header, several queues."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from two_ends import NAMES, ip, within

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE = 0x400454CA, 0x0001, 0x0002, 0x1000, 0x0100
CLONE_NEWNET = 0x40000000
TUN_DEVICE = Path("/dev/net/tun")
FLAGS = {"tap": IFF_TAP, "tun": IFF_TUN, "multi-queue tap": IFF_TAP | IFF_MULTI_QUEUE}
KINDS = ("no queue length", "bridge", *FLAGS)


def open_tun(namespace: str, flags: int) -> int:
    """The descriptor of a new device `eth0` in a namespace; what the kernel sends through it is read there."""
    made: list[int] = []

    def visit() -> None:
        home = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        ctypes.CDLL(None).setns(home, CLONE_NEWNET)
        os.close(home)
        descriptor = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", b"eth0", flags | IFF_NO_PI))
        made.append(descriptor)

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    return made[0]


class Wire(threading.Thread):
    """Carries frames between the two ends' devices, as a hypervisor or a tunnel would."""

    def __init__(self, flags: list[int]) -> None:
        super().__init__()
        self.ends = [open_tun(NAMES[0], flag) for flag in flags[:-1]] + [open_tun(NAMES[1], flags[-1])]
        self.halt, self.halted = os.pipe()
        self.start()

    def run(self) -> None:
        while True:
            ready, _, _ = select.select([*self.ends, self.halt], [], [])
            if self.halt in ready:
                return
            for end in ready:
                try:
                    data = os.read(end, 70_000)
                    os.write(self.ends[-1] if end != self.ends[-1] else self.ends[0], data)
                except OSError:
                    continue

    def stop(self) -> None:
        os.write(self.halted, b"x")
        self.join()
        for descriptor in (*self.ends, self.halt, self.halted):
            os.close(descriptor)


@contextmanager
def ends_with(kind: str) -> Iterator[None]:
    """The two ends of `two_ends`, the first with an `eth0` of another kind."""
    for name in NAMES:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        ip("netns", "add", name)
    wire = None
    try:
        if kind == "no queue length":  # htb would take it for the length of its direct queue, and drop what is not steered
            ip("-n", NAMES[0], "link", "add", "eth0", "txqueuelen", "0", "type", "veth", "peer", "name", "eth0", "netns", NAMES[1])
        elif kind == "bridge":
            ip("-n", NAMES[0], "link", "add", "port0", "type", "veth", "peer", "name", "eth0", "netns", NAMES[1])
            within(NAMES[0], "ip", "-batch", "-", text="link add eth0 type bridge\nlink set port0 master eth0 up\n")
        else:
            flags = FLAGS[kind]
            wire = Wire([flags, flags & ~IFF_MULTI_QUEUE])
        for number, name in enumerate(NAMES, 1):
            batch = f"addr add 10.77.0.{number}/24 dev eth0\naddr add fd77::{number}/64 dev eth0 nodad\nlink set eth0 up\nlink set lo up\n"
            subprocess.run(["ip", "-n", name, "-batch", "-"], check=True, input=batch, text=True)
        yield
    finally:
        if wire:
            wire.stop()
        for name in NAMES:
            ip("netns", "del", name)
