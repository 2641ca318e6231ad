"""Something that is done at a fixed rate by a thread of its own, whose end is never silent."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

_log = logging.getLogger(__name__)


def next_slot(begun: float, interval: float, now: float) -> float:
    """The first moment of the schedule after now: what was missed meanwhile is skipped."""
    return begun + (math.floor((now - begun) / interval) + 1) * interval


class Repeating:
    """Calls `act` every `interval` seconds from `start` on, by the monotonic clock: a slow call does not shift the schedule.

    `longest`: the seconds after which one call is over at the latest, so that `stop` knows when to give up.
    """

    def __init__(self, name: str, interval: float, longest: float, act: Callable[[], None]) -> None:
        self._name = name
        self._interval = interval
        self._longest = longest
        self._act = act
        self._stopped = threading.Event()
        self._given_up = False
        self._work: Future[None] | None = None

    def start(self) -> None:
        """Begin at once."""
        executor = ThreadPoolExecutor(1, f"squall {self._name}")
        self._work = executor.submit(self._run)
        executor.shutdown(wait=False)

    def end(self) -> None:
        """Let it end after the call that is under way, without waiting."""
        self._stopped.set()

    def stop(self) -> None:
        """Let it end, and wait for that no longer than one call may take."""
        self.end()
        if self._work:
            wait([self._work], self._longest + 1.0)
            self._given_up = not self._work.done()
            if self._work.done() and self._work.exception():
                _log.error("%s ended by a fault of its own", self._name, exc_info=self._work.exception())

    @property
    def problem(self) -> str:
        """Why it is not at work although it should be; empty if all is well. An exception that nobody expected is kept here, not swallowed."""
        if self._given_up:
            return f"{self._name}: a look did not end {self._longest + 1.0:g} s after it should have"
        error = self._work.exception() if self._work and self._work.done() else None
        return f"{self._name}: nothing more was looked at after an error in Squall itself: {type(error).__name__}: {error}" if error else ""

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._stopped.is_set():
            self._act()
            self._stopped.wait(max(0.0, next_slot(begun, self._interval, time.monotonic()) - time.monotonic()))
