"""Entering the target's network namespace, and resolving names as the target would."""

# ruff: noqa: PTH115, PTH116, PTH123
# To import pathlib takes longer than all that is done with paths here.
from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import stat
import sys
import threading
import time

from commands import command

CLONE_NEWNET, CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x40000000, 0x00020000, 4096, 16384, 1 << 18
NAME_FILES, LARGEST_FILE, MOST_PARTS = ("hosts", "resolv.conf"), 2**20, 256
RESOLVE_SECONDS = 8  # within what a command may take; a name server that is silent for longer does not know the name
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
    mine, other = os.fstat(descriptor), os.stat(path)
    return (mine.st_dev, mine.st_ino) == (other.st_dev, other.st_ino)


def resolve(names: list[str], files: dict[str, str]) -> dict[str, list[str]]:
    """Addresses of host names as the target sees them: in this thread's namespace, with the target's own name service `files`."""
    found = json.loads(command([sys.executable, "-E", "-s", "-S", __file__], json.dumps({"names": names, "files": files})))
    return {str(name): [str(address) for address in addresses] for name, addresses in found.items()}


def name_files(root: str, folder: str) -> dict[str, str]:
    """The name service files that are there, by name, with links followed as a process whose root is `root` would. Raises OSError."""
    found = {}
    for name in NAME_FILES:
        try:
            descriptor = os.open(_inside(root, f"{folder}/{name}"), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            found[name] = _content(descriptor).decode("utf-8", "replace")
        except ValueError as error:
            raise OSError(f"the target's /etc/{name} {error}") from None
        finally:
            os.close(descriptor)
    return found


def _content(descriptor: int) -> bytes:
    """All of a regular file of a bearable size. Raises ValueError."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("is not a file")
    if status.st_size > LARGEST_FILE:
        raise ValueError(f"has more than {LARGEST_FILE} bytes")
    return os.read(descriptor, LARGEST_FILE)


def _inside(root: str, path: str) -> str:
    """A path below `root`, such that no link leads out of it: a container's files must not name the injector's own."""
    done: list[str] = []
    todo, steps = path.split("/")[::-1], 0
    while todo:
        part, steps = todo.pop(), steps + 1
        if steps > MOST_PARTS:
            raise OSError(errno.ELOOP, f"/{path}: too many links")
        try:
            target = os.readlink("/".join([root, *done, part])) if part not in ("", ".", "..") else ""
        except OSError:
            target = ""
        if target:
            done = [] if target.startswith("/") else done
            todo += target.split("/")[::-1]
        elif part == "..":
            done = done[:-1]
        elif part not in ("", "."):
            done.append(part)
    return "/".join([root, *done])


def _resolve_here() -> None:
    """The child behind `resolve`: the target's name service files over our own, in a mount namespace of its own."""
    wish = json.load(sys.stdin)
    if wish["files"]:
        call(libc.unshare(CLONE_NEWNS), "unshare")
        call(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private /")
        call(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None), "mount a private /tmp")  # a bind mount takes no file of another mount namespace
        for name, content in wish["files"].items():
            with open(f"/tmp/{name}", "w", encoding="utf-8") as file:
                file.write(content)
            call(libc.mount(os.fsencode(file.name), os.fsencode(f"/etc/{name}"), None, MS_BIND, None), f"bind /etc/{name}")
    found: dict[str, list[str]] = {name: [] for name in wish["names"]}
    threads = [threading.Thread(target=_look_up, args=(name, found), daemon=True) for name in found]
    for thread in threads:
        thread.start()
    end = time.monotonic() + RESOLVE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    print(json.dumps(found), flush=True)
    os._exit(0)


def _look_up(name: str, found: dict[str, list[str]]) -> None:
    try:
        found[name] = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name.encode(), None, type=socket.SOCK_DGRAM)})
    except OSError:
        pass


if __name__ == "__main__":
    _resolve_here()
