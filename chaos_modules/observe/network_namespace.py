"""A look from inside a pod of the sandbox: network namespaces, and where needed the names that are known there, belong to threads in Linux."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .not_asked import NotAsked

_CLONE_NEWNET, _CLONE_NEWNS = 0x40000000, 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_C_LIBRARY = ctypes.CDLL(None, use_errno=True)
_HERE = "/proc/thread-self/ns/net"
_HOSTS = "/etc/hosts"


@dataclass(frozen=True, slots=True)
class Source:
    """A pod from which is asked: the file of its network namespace, and the hosts file that its processes would read."""

    network: Path
    hosts: Path | None = None

    @classmethod
    def located(cls, found: Mapping[str, Any]) -> Source:
        """By what the sandbox's `locate` says of a pod: `netns`, the file of its namespace, and `etc`, the folder of its hosts file."""
        return cls(Path(found["netns"]), Path(found["etc"]) / "hosts")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread inside, for a while. Raises NotAsked where there is no such namespace, OSError where the way back is barred."""
        home = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._enter()
            try:
                yield
            finally:
                _set_network(home)
        finally:
            os.close(home)

    def move_in(self) -> None:
        """This thread inside for good, and what it starts reads the pod's hosts file. For a thread that ends soon. Raises NotAsked."""
        if self.hosts:
            try:
                _call(_C_LIBRARY.unshare(_CLONE_NEWNS), "unshare")
                _mount(b"none", b"/", _MS_REC | _MS_PRIVATE)
                _mount(os.fsencode(self.hosts), os.fsencode(_HOSTS), _MS_BIND)
            except OSError as error:
                raise NotAsked(f"the hosts file of {self.network.name} could not be put in place: {error}") from None
        self._enter()

    def _enter(self) -> None:
        try:
            inside = os.open(self.network, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise NotAsked(f"there is no network namespace {self.network}: {error.strerror}") from None
        try:
            _set_network(inside)
        except OSError as error:
            raise NotAsked(f"the network namespace {self.network} cannot be entered: {error.strerror}") from None
        finally:
            os.close(inside)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Of a host by its hosts file, as ordered there; there is no other name server inside. Raises NotAsked for a name that it does not hold."""
        try:
            text = self.hosts.read_text(encoding="utf-8") if self.hosts else ""
        except (OSError, UnicodeDecodeError) as error:
            raise NotAsked(f"the hosts file of {self.network.name} cannot be read: {error}") from None
        found = addresses_of(name, text)
        if not found:
            raise NotAsked(f"{name} is no name of the sandbox; write an address, POD, POD.NAMESPACE or OWNER.NAMESPACE")
        return found


Sources = Callable[[str], Source]


def addresses_of(name: str, hosts: str) -> tuple[str, ...]:
    """The addresses of a name in the text of a hosts file (hosts(5)); upper and lower case are the same."""
    lines = [line.partition("#")[0].split() for line in hosts.splitlines()]
    return tuple(words[0] for words in lines if name.lower().rstrip(".") in (word.lower() for word in words[1:]))


def _set_network(descriptor: int) -> None:
    """`setns` of this thread; Python has `os.setns` from 3.12 on."""
    _call(_C_LIBRARY.setns(descriptor, _CLONE_NEWNET), "setns")


def _mount(source: bytes, target: bytes, flags: int) -> None:
    _call(_C_LIBRARY.mount(source, target, None, ctypes.c_ulong(flags), None), "mount")


def _call(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
