"""The rehearsal without a kernel: the frames it sends, and what it concludes from those that arrive."""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "containers" / "injector"))

import rehearsal

PROBE = {"source": "192.0.2.1", "destination": "198.51.100.7", "protocol": "udp", "source_port": 40001, "destination_port": 9000, "size": 128}
NOTHING = {"loss": None, "duplicate": None, "rate": None, "burst": 0}


def framed(number: int = 7, **changes: Any) -> bytes:
    return rehearsal.frame({**PROBE, **changes}, number)


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


def judged(received: int, distinct: int, seconds: float = 0.0, count: int = 400, size: int = 128, **effect: Any) -> str:
    return str(rehearsal.judge({**NOTHING, **effect}, {"count": count, "size": size}, received, distinct, seconds))


@pytest.mark.parametrize(("received", "effect", "proven"), [
    (320, {"loss": 200_000}, True),
    (281, {"loss": 200_000}, True),     # 119 lost where 80 ± 41 are within five standard errors
    (279, {"loss": 200_000}, True),
    (278, {"loss": 200_000}, False),
    (400, {"loss": 200_000}, False),
    (0, {"loss": 10**6}, True),
    (1, {"loss": 10**6}, False),
    (400, {"loss": 0}, True),
    (399, {"loss": 0}, False),
    (0, {}, False),
    (400, {}, True),
])
def test_a_loss_is_disproved_beyond_five_standard_errors(received: int, effect: dict[str, int], proven: bool) -> None:
    assert (judged(received, received, **effect) == "") is proven


@pytest.mark.parametrize(("received", "distinct", "effect", "proven"), [
    (600, 400, {"duplicate": 500_000}, True),
    (800, 400, {"duplicate": 500_000}, False),
    (800, 400, {"duplicate": 10**6}, True),
    (799, 400, {"duplicate": 10**6}, False),
    (400, 400, {"duplicate": 500_000}, False),
    (401, 400, {}, False),
    (480, 320, {"loss": 200_000, "duplicate": 500_000}, True),
    (320, 320, {"loss": 200_000, "duplicate": 500_000}, False),
])
def test_copies(received: int, distinct: int, effect: dict[str, int], proven: bool) -> None:
    assert (judged(received, distinct, **effect) == "") is proven


def test_the_numbers_are_told() -> None:
    assert judged(400, 400, loss=200_000) == "0 of 400 frames were lost instead of 20.0000%"
    assert judged(400, 400, duplicate=500_000) == "0 of 400 frames were copied instead of 50.0000%"


@pytest.mark.parametrize(("seconds", "received", "proven"), [
    (0.04, 30, True), (0.0, 30, False), (0.018, 30, False), (5.0, 30, False), (0.04, 0, False),
])
def test_a_rate_takes_its_time(seconds: float, received: int, proven: bool) -> None:
    # 30 frames of 1250 bytes are 37.5 kB: 32 kB of burst at once, the rest in 37.8 ms at 1 Mbit/s.
    problem = judged(received, received, seconds, count=30, size=1250, rate=10**6, burst=32768)
    assert (problem == "") is proven


def test_a_rate_beside_a_loss_is_not_timed_but_must_let_something_through() -> None:
    assert judged(10, 10, 0.0, count=30, size=1250, rate=10**6, burst=32768, loss=500_000) == ""
    assert judged(0, 0, 0.0, count=30, size=1250, rate=10**6, burst=32768, loss=500_000) == "no frame passed"


@pytest.mark.parametrize("probe", [{**PROBE, "count": 0}, {**PROBE, "count": 5, "source": ""}])
def test_no_sample_packet_is_no_rehearsal(probe: dict[str, Any]) -> None:
    result = rehearsal.rehearse({"probe": probe, "direction": "egress"}, 10.0, [["2001:db8::1"]])
    assert result == {"rehearsed": "unavailable", "detail": "no sample packet could be made for this filter"}
