"""Counts over time, keyed by the moment at which a packet was sent, in a fixed amount of memory."""

from __future__ import annotations

import math
from array import array
from collections import deque

PER_SECOND = 10
_KEPT = 2 * 3600 * PER_SECOND
_MOST_TIMES = 100_000


def bucket_of(moment: float) -> int:
    """The bucket of a moment (seconds since the epoch)."""
    return int(moment * PER_SECOND)


def whole_buckets(start: float, end: float) -> range:
    """The buckets that lie wholly between two moments. Rounded, because 0.3 s is not quite three tenths in binary."""
    return range(math.ceil(round(start * PER_SECOND, 4)), math.floor(round(end * PER_SECOND, 4)))


class Buckets:
    """A few counters per bucket in a ring of the last two hours; what is older is forgotten."""

    def __init__(self, columns: int, kept: int = _KEPT) -> None:
        self._columns = [array("I", bytes(4 * kept)) for _ in range(columns)]
        self._kept = kept
        self._newest = 0

    def add(self, column: int, bucket: int, amount: int = 1) -> None:
        """Count into a bucket, however late; a bucket that has left the ring is ignored."""
        if bucket > self._newest:
            self._advance(bucket)
        elif bucket <= self._newest - self._kept:
            return
        self._columns[column][bucket % self._kept] += amount

    def totals(self, window: range) -> list[int]:
        """Each counter's sum over the window."""
        first = max(window.start, self._newest - self._kept + 1)
        length = min(window.stop, self._newest + 1) - first
        if length <= 0:
            return [0] * len(self._columns)
        low = first % self._kept
        wrapped = max(0, low + length - self._kept)
        return [sum(column[low : low + length]) + sum(column[:wrapped]) for column in self._columns]

    def _advance(self, bucket: int) -> None:
        if self._newest:
            for stale in range(max(self._newest, bucket - self._kept) + 1, bucket + 1):
                for column in self._columns:
                    column[stale % self._kept] = 0
        self._newest = bucket


class Times:
    """How long the latest packets took, with the bucket in which each was sent."""

    def __init__(self) -> None:
        self._times: deque[tuple[int, float]] = deque(maxlen=_MOST_TIMES)

    def add(self, bucket: int, seconds: float) -> None:
        """One packet has come."""
        self._times.append((bucket, seconds))

    def summary(self, window: range) -> tuple[float, float, float] | None:
        """Minimum, median and 95th percentile of those sent in the window."""
        times = sorted(seconds for bucket, seconds in self._times if bucket in window)
        return (times[0], times[len(times) // 2], times[int(len(times) * 0.95)]) if times else None


class Seen:
    """Tells a sequence number's first arrival from its copies, over a window of the latest numbers."""

    def __init__(self, window: int) -> None:
        self._latest = array("q", [-1]) * window
        self._window = window

    def first(self, sequence: int) -> bool:
        """Whether this number arrives for the first time."""
        slot = sequence % self._window
        if self._latest[slot] >= sequence:
            return False
        self._latest[slot] = sequence
        return True
