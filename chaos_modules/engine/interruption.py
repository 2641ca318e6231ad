"""SIGINT, SIGTERM and SIGHUP as facts that the loop looks at, so that every wait ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from ..model.errors import EXIT_INTERRUPTED, EXIT_TERMINATED


class Interruption:
    """`code` is None, 130 or 143; `count` how often somebody asked."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.count = 0
        self._woken = threading.Event()

    def install(self) -> None:
        """Take the three signals over from Python's defaults; main thread only."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.ask(EXIT_INTERRUPTED if number == signal.SIGINT else EXIT_TERMINATED)

    def ask(self, code: int) -> None:
        """Interrupt with the exit code that the run shall end with."""
        self.code = self.code or code
        self.count += 1
        self._woken.set()

    def nudge(self) -> None:
        """End whatever wait there is now, so that the loop looks around."""
        self._woken.set()

    def wait(self, seconds: float, unless: Callable[[], object] | None = None) -> bool:
        """Sleep; true at once when interrupted, before or meanwhile. With `unless` only until nudged, and not at all if it holds already."""
        if unless and self.code is None:
            self._woken.clear()  # before it is asked, so that a nudge after that is not lost
            if unless():
                return False
        self._woken.wait(max(0.0, seconds))
        return self.code is not None
