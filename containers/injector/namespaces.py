"""Entering the target's network namespace, and resolving names as the target would."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from pathlib import Path

from commands import command

CLONE_NEWNET, CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x40000000, 0x00020000, 4096, 16384, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def call(result: int, what: str) -> None:
    """Raise OSError where a C function says that it failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter(descriptor: int) -> None:
    """Move this thread, and what it starts, into a network namespace. Raises OSError."""
    call(libc.setns(descriptor, CLONE_NEWNET), "setns")


def same(descriptor: int, path: str) -> bool:
    """Whether an open namespace is the one at `path`."""
    mine, other = os.fstat(descriptor), Path(path).stat()
    return (mine.st_dev, mine.st_ino) == (other.st_dev, other.st_ino)


def resolve(names: list[str], etc: str) -> dict[str, list[str]]:
    """Addresses of host names as the target sees them: in this thread's namespace, with the hosts and resolv.conf of the folder `etc`."""
    found = json.loads(command([sys.executable, __file__], json.dumps({"names": names, "etc": etc})))
    return {str(name): [str(address) for address in addresses] for name, addresses in found.items()}


def _resolve_here() -> None:
    """The child behind `resolve`: the target's name service files over our own, in a mount namespace of its own."""
    wish = json.load(sys.stdin)
    if wish["etc"]:
        call(libc.unshare(CLONE_NEWNS), "unshare")
        call(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private /")
        for name in ("hosts", "resolv.conf"):
            source = Path(wish["etc"], name)
            if source.exists():
                call(libc.mount(os.fsencode(source), os.fsencode(f"/etc/{name}"), None, MS_BIND, None), f"bind /etc/{name}")
    found = {}
    for name in wish["names"]:
        try:
            found[name] = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)})
        except OSError:
            found[name] = []
    print(json.dumps(found))


if __name__ == "__main__":
    _resolve_here()
