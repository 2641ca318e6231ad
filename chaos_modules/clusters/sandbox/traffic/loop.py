"""One epoll and one heap of timers drive every socket of the traffic process."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from typing import Protocol

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE
_BURST_SECONDS = 0.05
_LEAST_BURST = 8


class Channel(Protocol):
    """Anything with a file descriptor."""

    def fileno(self) -> int:
        """The descriptor to be watched."""
        ...


class Loop:
    """Runs callbacks when a channel is ready or a moment (monotonic) has come."""

    def __init__(self) -> None:
        self.origin = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._running = True

    def watch(self, channel: Channel, events: int, callback: Callable[[int], None]) -> None:
        """Watch a channel, or change what it is watched for."""
        if channel.fileno() in self._selector.get_map():
            self._selector.modify(channel, events, callback)
        else:
            self._selector.register(channel, events, callback)

    def forget(self, channel: Channel) -> None:
        """Stop watching, if it is watched; must come before the channel is closed."""
        if channel.fileno() in self._selector.get_map():
            self._selector.unregister(channel)

    def at(self, moment: float, callback: Callable[[], None]) -> None:
        """Call once at a monotonic moment."""
        heapq.heappush(self._timers, (moment, next(self._order), callback))

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call once after a while."""
        self.at(time.monotonic() + seconds, callback)

    def stop(self) -> None:
        """End `run` after the present round."""
        self._running = False

    def run(self) -> None:
        """Serve until stopped."""
        while self._running:
            patience = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
            for key, events in self._selector.select(patience):
                key.data(events)
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()


class Pacer:
    """Calls `send` at a steady rate on an absolute schedule; what a short burst cannot catch up is left out.

    All pacers share the loop's origin, so that flows of one rate wake the process once.
    """

    def __init__(self, loop: Loop, rate: float, send: Callable[[], None]) -> None:
        self._loop = loop
        self._rate = rate
        self._send = send
        self._burst = max(_LEAST_BURST, int(rate * _BURST_SECONDS))
        self._done = int((time.monotonic() - loop.origin) * rate)
        self._tick()

    def _tick(self) -> None:
        due = int((time.monotonic() - self._loop.origin) * self._rate + 1e-6)
        for _ in range(min(due - self._done, self._burst)):
            self._send()
        self._done = max(due, self._done)
        self._loop.at(self._loop.origin + (self._done + 1) / self._rate, self._tick)
