"""The frames of a rehearsal, without a kernel, and what is noted of those that come."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "containers" / "injector"))

import exchange

PROBE = {"source": "192.0.2.1", "destination": "198.51.100.7", "protocol": "udp", "source_port": 40001, "destination_port": 9000, "size": 128}


def framed(number: int = 7, **changes: Any) -> bytes:
    return exchange.frame({**PROBE, **changes}, number)


@pytest.mark.parametrize("size", [128, 700, 1400])
@pytest.mark.parametrize("ends", [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8::7")])
@pytest.mark.parametrize("protocol", ["udp", "tcp", "sctp", "icmp", "ipv6-icmp"])
def test_a_frame_has_the_wanted_length_and_its_number_at_the_end(protocol: str, ends: tuple[str, str], size: int) -> None:
    frame = framed(4711, protocol=protocol, source=ends[0], destination=ends[1], size=size)
    assert len(frame) == size
    assert struct.unpack("!Q", frame[-8:]) == (4711,)


@pytest.mark.parametrize(("protocol", "number"), [("udp", 17), ("tcp", 6), ("sctp", 132), ("icmp", 1)])
def test_an_ipv4_frame(protocol: str, number: int) -> None:
    frame = framed(70_000, protocol=protocol)
    assert struct.unpack("!H", frame[12:14]) == (0x0800,)
    version, _, length, identity, fragment, lives, carried, _ = struct.unpack("!BBHHHBBH", frame[14:26])
    assert (version, length, identity, fragment, lives, carried) == (0x45, 128 - 14, 70_000 & 0xFFFF, 0, 64, number)
    assert (frame[26:30], frame[30:34]) == (socket.inet_aton("192.0.2.1"), socket.inet_aton("198.51.100.7"))


def test_an_ipv6_frame() -> None:
    frame = framed(source="2001:db8::1", destination="2001:db8::7")
    assert struct.unpack("!H", frame[12:14]) == (0x86DD,)
    first, length, following, hops = struct.unpack("!IHBB", frame[14:22])
    assert (first >> 28, length, following, hops) == (6, 128 - 14 - 40, 17, 64)
    assert frame[22:38] == socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    assert frame[38:54] == socket.inet_pton(socket.AF_INET6, "2001:db8::7")


def test_ports_are_where_the_filter_looks_for_them() -> None:
    for protocol in ("udp", "tcp", "sctp"):
        assert struct.unpack("!HH", framed(protocol=protocol)[34:38]) == (40001, 9000)


def test_the_headers_of_udp_and_tcp() -> None:
    assert struct.unpack("!HH", framed()[38:42]) == (128 - 14 - 20, 0)
    sequence, acknowledged, offset, flags = struct.unpack("!IIBB", framed(99, protocol="tcp")[38:48])
    assert (sequence, acknowledged, offset, flags) == (99, 0, 0x50, 0x18)


def test_frames_differ_by_their_number_alone() -> None:
    assert framed(1) != framed(2)
    assert framed(1) == framed(1)


def noted(*frames: bytes, sent: int = 3) -> exchange.Exchanged:
    """What came, of three frames that left at 100 s, 101 s and 102 s."""
    done = exchange.Exchanged(sent=sent, left={number: 100.0 + number for number in range(sent)})
    for data in frames:
        exchange._note(data, [framed(number) for number in range(sent)], done)
    return done


def test_nothing_came() -> None:
    done = noted()
    assert (done.received, done.distinct, done.damaged, done.seconds, done.latencies()) == (0, 0, 0, 0.0, [])


def test_a_frame_and_its_copies_are_one_number_at_the_time_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((102.5, 103.0, 104.0))
    monkeypatch.setattr(exchange.time, "monotonic", lambda: next(moments))
    done = noted(framed(2), framed(0), framed(2))
    assert (done.received, done.distinct, done.damaged) == (3, 2, 0)
    assert done.came == {2: 102.5, 0: 103.0}
    assert done.latencies() == [0.5, 3.0]
    assert done.seconds == 4.0  # from the first that left to the last that came


@pytest.mark.parametrize("bit", [0, 14 * 8, 60 * 8 + 3, 127 * 8 + 7])
def test_a_frame_with_one_wrong_bit_is_damaged_wherever_it_is(bit: int) -> None:
    data = bytearray(framed(1))
    data[bit // 8] ^= 1 << bit % 8
    done = noted(framed(0), bytes(data))
    assert (done.received, done.distinct, done.damaged) == (2, 1, 1)
    assert list(done.came) == [0]


@pytest.mark.parametrize("data", [b"", b"\0" * 4, framed(3), framed(4711)])
def test_a_number_that_never_left_is_damage(data: bytes) -> None:
    done = noted(data)
    assert (done.received, done.distinct, done.damaged) == (1, 0, 1)


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        yield sender, receiver


def received(wire: tuple[socket.socket, socket.socket], patience: float, enough: Callable[[exchange.Exchanged], bool]) -> exchange.Exchanged:
    done = exchange.Exchanged(sent=3, left=dict.fromkeys(range(3), 0.0))
    exchange._receive_rest(wire[1], [framed(number) for number in range(3)], done, patience, lambda: enough(done))
    return done


def test_what_is_enough_is_not_waited_for_any_longer(wire: tuple[socket.socket, socket.socket]) -> None:
    for number in range(2):
        wire[0].send(framed(number))
    begin = time.monotonic()
    assert received(wire, 60, lambda done: done.received == 2).distinct == 2
    assert time.monotonic() - begin < 30


def test_what_is_not_enough_is_waited_for_as_long_as_frames_come(wire: tuple[socket.socket, socket.socket]) -> None:
    looks: list[int] = []

    def late(done: exchange.Exchanged) -> bool:
        looks.append(done.received)
        if len(looks) in (1, 3):
            wire[0].send(framed(len(looks) // 2))
        return False

    begin = time.monotonic()
    assert received(wire, 0.1, late).distinct == 2
    assert time.monotonic() - begin >= 0.1
    assert looks[0] == 0
    assert looks[-1] == 2
