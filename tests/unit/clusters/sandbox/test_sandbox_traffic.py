"""Bucket arithmetic and packet formats of the traffic process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.clusters.sandbox.traffic import header
from chaos_modules.clusters.sandbox.traffic.buckets import Buckets, Seen, bucket_of, whole_buckets
from chaos_modules.clusters.sandbox.traffic.http_server import answer
from chaos_modules.clusters.sandbox.traffic.ping import checksum

NOW = 1_790_000_000


@pytest.mark.parametrize(
    ("start", "end", "buckets"),
    [
        (0.0, 1.0, range(10)),
        (0.1, 0.3, range(1, 3)),
        (0.05, 0.35, range(1, 3)),
        (0.11, 0.19, range(2, 1)),
        (NOW + 0.3, NOW + 0.7, range(NOW * 10 + 3, NOW * 10 + 7)),
    ],
)
def test_only_whole_buckets_count(start: float, end: float, buckets: range) -> None:
    assert list(whole_buckets(start, end)) == list(buckets)


@given(st.lists(st.tuples(st.integers(1000, 1099), st.integers(1, 5))), st.integers(990, 1100), st.integers(990, 1100))
def test_totals_are_the_sum_of_the_window_however_late_things_are_counted(entries: list[tuple[int, int]], start: int, end: int) -> None:
    buckets = Buckets(1, kept=100)
    for bucket, amount in entries:
        buckets.add(0, bucket, amount)
    assert buckets.totals(range(start, end)) == [sum(amount for bucket, amount in entries if start <= bucket < end)]


def test_what_is_older_than_the_ring_is_forgotten_and_never_miscounted() -> None:
    buckets = Buckets(2, kept=10)
    for bucket in range(100, 125):
        buckets.add(0, bucket)
    buckets.add(1, 105)
    buckets.add(1, 115)
    assert buckets.totals(range(200)) == [10, 1]
    buckets.add(0, 10_000)
    assert buckets.totals(range(20_000)) == [1, 0]


def test_a_copy_is_not_the_first_arrival_and_order_does_not_matter() -> None:
    seen = Seen(8)
    assert [seen.first(number) for number in (0, 2, 1, 2, 9, 1)] == [True, True, True, False, True, False]


def test_a_header_is_read_back_and_foreign_packets_are_told_apart() -> None:
    packet = bytearray(64)
    header.write(packet, 8, 3, 2**40, NOW + 0.25)
    assert header.read(packet, 8, 64) == (3, 2**40, NOW + 0.25)
    assert header.read(packet, 8, 20) is None
    assert header.read(bytearray(64), 0, 64) is None


def test_sender_and_receiver_agree_on_the_bucket() -> None:
    packet = bytearray(header.SIZE)
    for tenth in range(1000):
        header.write(packet, 0, 0, 0, moment := NOW + tenth / 10)
        read = header.read(packet, 0, len(packet))
        assert read and bucket_of(read[2]) == bucket_of(moment)


def test_a_checksummed_packet_sums_to_zero() -> None:
    packet = bytearray(b"\x08\x00\x00\x00" + bytes(range(60)))
    packet[2:4] = checksum(packet).to_bytes(2, "big")
    assert checksum(packet) == 0


@pytest.mark.parametrize(
    ("request_text", "status", "size", "keep"),
    [
        (b"GET /?bytes=1000 HTTP/1.1\r\nHost: a", b"200", 1000, True),
        (b"GET / HTTP/1.1\r\nConnection: Close", b"200", 7, False),
        (b"GET /x?a=1&bytes=5 HTTP/1.0", b"200", 5, False),
        (b"POST / HTTP/1.1", b"405", 0, False),
        (b"nonsense", b"405", 0, False),
    ],
)
def test_http_requests_are_answered(request_text: bytes, status: bytes, size: int, keep: bool) -> None:
    head, length, stays = answer(request_text)
    assert head.split()[1] == status and b"Content-Length: %d\r\n" % size in head
    assert (length, stays) == (size, keep)
