"""What there is in a network namespace, and what of it carries our name."""

from __future__ import annotations

import re
import socket
import threading

import nftables
from commands import command, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Roots that the kernel puts there by itself: they may be replaced, and are put back.
KERNEL_ROOTS = ("noqueue", "mq", "fq_codel", "fq", "pfifo_fast")
OUR_ROOT = "ca05:"
OUR_TABLE = re.compile(r"squall_([0-9a-f]{8})_(?:egress|ingress)")
OUR_DEVICE = re.compile(r"sq([0-9a-f]{8})")


class Seen:
    """Tables as (family, name), devices and queueing disciplines of this thread's namespace, at one look. Raises CommandFailed."""

    def __init__(self) -> None:
        self.tables = nftables.tables()
        self.devices = [name for _, name in socket.if_nameindex()]
        self._qdiscs = listed(["tc", "-s", "-j", "qdisc", "show"])

    def ours(self) -> list[tuple[str, str]]:
        """(run id, removing command) of everything that carries our name; a root qdisc does not tell its run."""
        named = [(OUR_TABLE.fullmatch(name), f"nft delete table {family} {name}") for family, name in self.tables]
        named += [(OUR_DEVICE.fullmatch(name), f"ip link del dev {name}") for name in self.devices]
        roots = [item["dev"] for item in self._qdiscs if item.get("handle") == OUR_ROOT and item.get("root")]
        found = [(match.group(1), remedy) for match, remedy in named if match]
        return found + [("", f"tc qdisc del dev {device} root handle {OUR_ROOT}") for device in roots if not OUR_DEVICE.fullmatch(device)]

    def qdiscs(self, device: str) -> list[dict[str, Any]]:
        """The queueing disciplines of a device."""
        return [item for item in self._qdiscs if item.get("dev") == device]

    def foreign_root(self, device: str) -> str:
        """The kind of a root qdisc that somebody else put there on purpose; empty if the root may be replaced."""
        root = next((item for item in self.qdiscs(device) if item.get("root")), None)
        return "" if root is None or root["kind"] in KERNEL_ROOTS else f"{root['kind']} {root['handle']}"


class Sweeper:
    """Looks at each namespace before anything is put there: what an earlier try of this run left is removed once, another run's is named."""

    def __init__(self, run: str) -> None:
        self.run, self.lock = run, threading.Lock()
        self.locks: dict[tuple[int, int], threading.Lock] = {}
        self.swept: set[tuple[int, int]] = set()

    def sweep(self, namespace: tuple[int, int]) -> tuple[Seen, list[tuple[str, str]]]:
        """What there is, and the leftovers of other runs in it as (run id, removing command). Raises CommandFailed."""
        with self.lock:
            lock = self.locks.setdefault(namespace, threading.Lock())
        with lock:
            seen = Seen()
            found = seen.ours()
            others = [(run, remedy) for run, remedy in found if run not in (self.run, "")]
            if others or namespace in self.swept:
                return seen, others
            self.swept.add(namespace)
            if not any(run for run, _ in found):
                return seen, []
            for _, remedy in found:
                command(remedy.split())
            return Seen(), []
