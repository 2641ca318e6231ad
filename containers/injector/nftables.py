"""What nftables holds in this thread's namespace, asked of the kernel itself: faster than the program nft, which could also be wrong about it."""

from __future__ import annotations

import errno
import os
import socket
import struct

from commands import COMMAND_SECONDS, CommandFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Attributes = dict[int, bytes]

NETLINK_NETFILTER, SUBSYSTEM = 12, 10 << 8
GET_TABLE, GET_RULE, GET_ELEMENT, GET_OBJECT = 1, 7, 13, 19
REQUEST_DUMP, INTERRUPTED, NESTED = 0x301, 0x10, 0x8000
ERROR, DONE = 2, 3
FAMILIES = {"inet": 1, "ip": 2, "arp": 3, "netdev": 5, "bridge": 7, "ip6": 10}
COUNTER = 1
MOST_TRIES = 50


def tables() -> list[tuple[str, str]]:
    """(family, name) of all tables. Raises CommandFailed."""
    names = {number: name for name, number in FAMILIES.items()}
    return [(names.get(family, str(family)), _text(attributes[1])) for family, attributes in _dump("its tables", GET_TABLE, 0)]


def elements(family: str, table: str, name: str) -> int:
    """How many elements a set has; those that have timed out are none. Raises CommandFailed, also where there is no such set."""
    where = {1: _packed(table), 2: _packed(name)}
    return sum(len(list(_listed(found.get(3, b"")))) for _, found in _dump(f"the sets of table {table}", GET_ELEMENT, FAMILIES[family], where))


def rules(family: str, table: str) -> int:
    """How many rules a table has. Raises CommandFailed."""
    found = _dump(f"the rules of table {table}", GET_RULE, FAMILIES[family], {1: _packed(table)})
    return sum(attributes[1] == _packed(table) for _, attributes in found)


def counters(family: str, table: str) -> dict[str, list[int]]:
    """[packets, bytes] by the names of a table's counters. Raises CommandFailed."""
    kind = struct.pack("!I", COUNTER)
    found = _dump(f"the counters of table {table}", GET_OBJECT, FAMILIES[family], {1: _packed(table), 3: kind})
    ours = {_text(one[2]): dict(_listed(one[4])) for _, one in found if one[1] == _packed(table) and one[3] == kind}
    return {name: [int.from_bytes(values[number]) for number in (2, 1)] for name, values in ours.items()}


def _dump(what: str, message: int, family: int, attributes: Attributes | None = None) -> list[tuple[int, Attributes]]:
    """(family, attributes) of everything that the kernel lists; once more from the start if it changed meanwhile."""
    body = struct.pack("=BBH", family, 0, 0)
    for number, value in (attributes or {}).items():
        body += struct.pack("=HH", 4 + len(value), number) + value + bytes(-len(value) % 4)
    request = struct.pack("=IHHII", 16 + len(body), SUBSYSTEM | message, REQUEST_DUMP, 1, 0) + body
    try:
        for _ in range(MOST_TRIES):
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
                netlink.settimeout(COMMAND_SECONDS)
                netlink.send(request)
                try:
                    return list(_answers(netlink))
                except InterruptedError:
                    continue
        raise OSError(errno.EINTR, "it changed again and again")
    except OSError as error:
        raise CommandFailed(f"the kernel does not list {what}: {error.strerror or error}") from None


def _answers(netlink: socket.socket) -> Iterator[tuple[int, Attributes]]:
    while True:
        data, at = netlink.recv(1 << 17), 0
        while at < len(data):
            length, kind, flags = struct.unpack_from("=IHH", data, at)
            if flags & INTERRUPTED:
                raise InterruptedError
            if kind in (ERROR, DONE):
                number = -struct.unpack_from("=i", data, at + 16)[0]
                if number:
                    raise OSError(number, os.strerror(number))
                return
            yield data[at + 16], dict(_listed(data[at + 20 : at + length]))
            at += (length + 3) & ~3


def _listed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, value) of each attribute."""
    at = 0
    while at < len(data):
        length, number = struct.unpack_from("=HH", data, at)
        yield number & ~NESTED, data[at + 4 : at + length]
        at += (length + 3) & ~3


def _packed(text: str) -> bytes:
    return text.encode() + b"\0"


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")
