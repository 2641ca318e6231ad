"""What the kernel answers over netlink, byte by byte; tests/packets compares the whole with the program nft."""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "containers" / "injector"))

import nftables
from commands import CommandFailed

NEW_TABLE = 10 << 8
DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def message(family: int, *attributes: bytes, flags: int = 2) -> bytes:
    body = struct.pack("=BBH", family, 0, 0) + b"".join(one + bytes(-len(one) % 4) for one in attributes)
    return struct.pack("=IHHII", 16 + len(body), NEW_TABLE, flags, 1, 0) + body


def attribute(number: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), number) + value


def refusal(number: int) -> bytes:
    return struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -number)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[socket.socket]]]:
    """Each dump gets its own datagrams as the answer; the asking ends are what is returned."""
    asking: list[socket.socket] = []
    answering: list[socket.socket] = []

    def answer(*dumps: list[bytes]) -> list[socket.socket]:
        for datagrams in dumps:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            asking.append(ours)
            answering.append(theirs)
            for datagram in datagrams:
                theirs.send(datagram)
        waiting = iter(asking)
        monkeypatch.setattr(nftables.socket, "socket", lambda *_: next(waiting))
        return answering

    yield answer
    for one in asking + answering:
        one.close()


def test_tables_in_several_datagrams(kernel: Callable[..., list[socket.socket]]) -> None:
    first = message(5, attribute(1, b"squall_0a1b2c3d_egress\0"), attribute(2, b"abcd")) + message(1, attribute(1, b"filter\0"))
    (other,) = kernel([first, message(99, attribute(1, b"x\0")) + DONE])
    assert nftables.tables() == [("netdev", "squall_0a1b2c3d_egress"), ("inet", "filter"), ("99", "x")]
    asked = other.recv(1000)
    assert struct.unpack_from("=IHHI", asked) == (20, 10 << 8 | 1, 0x301, 1)


def test_nothing_there(kernel: Callable[..., list[socket.socket]]) -> None:
    kernel([DONE], [DONE], [DONE])
    assert (nftables.tables(), nftables.rules("inet", "a"), nftables.counters("inet", "a")) == ([], 0, {})


def test_a_dump_that_was_changed_meanwhile_is_asked_for_again(kernel: Callable[..., list[socket.socket]]) -> None:
    kernel([message(5, attribute(1, b"old\0"), flags=0x12) + DONE], [message(5, attribute(1, b"new\0")) + DONE])
    assert nftables.tables() == [("netdev", "new")]


def test_a_dump_that_always_changes_is_a_failure(kernel: Callable[..., list[socket.socket]]) -> None:
    kernel(*[[message(5, attribute(1, b"old\0"), flags=0x12)]] * nftables.MOST_TRIES)
    with pytest.raises(CommandFailed, match="does not list its tables: it changed again and again"):
        nftables.tables()


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EPERM])
def test_the_kernel_refuses(number: int, kernel: Callable[..., list[socket.socket]]) -> None:
    kernel([refusal(number)])
    with pytest.raises(CommandFailed, match=r"does not list the sets of table t: (No such file|Operation not permitted)"):
        nftables.elements("netdev", "t", "lease")


def test_only_the_rules_and_counters_of_the_table_count(kernel: Callable[..., list[socket.socket]]) -> None:
    """Old kernels list all tables, whatever was asked for."""
    numbers = attribute(4 | 0x8000, attribute(1, (70).to_bytes(8, "big")) + attribute(2, (7).to_bytes(8, "big")))
    counter, quota = (attribute(3, kind.to_bytes(4, "big")) for kind in (1, 2))
    kernel(
        [message(5, attribute(1, b"t\0")) + message(5, attribute(1, b"other\0")) + message(5, attribute(1, b"t\0")) + DONE],
        [
            message(5, attribute(1, b"t\0"), attribute(2, b"matched\0"), counter, numbers)
            + message(5, attribute(1, b"other\0"), attribute(2, b"matched\0"), counter, attribute(4, b""))
            + message(5, attribute(1, b"t\0"), attribute(2, b"quota\0"), quota, attribute(4, b"")) + DONE,
        ],
    )  # fmt: skip
    assert nftables.rules("netdev", "t") == 2
    assert nftables.counters("netdev", "t") == {"matched": [7, 70]}


def test_elements_of_a_set_in_several_messages(kernel: Callable[..., list[socket.socket]]) -> None:
    elements = attribute(1 | 0x8000, b"key1") + attribute(1 | 0x8000, b"key2")
    kernel([message(5, attribute(3 | 0x8000, elements)) + message(5, attribute(3 | 0x8000, attribute(1, b"key3"))) + message(5) + DONE])
    assert nftables.elements("netdev", "t", "lease") == 3
