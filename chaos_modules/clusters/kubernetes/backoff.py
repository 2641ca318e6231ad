"""Trying again: how long to wait before the next attempt, and how often it is worth it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .api import ApiProblem

LONGEST_DELAY = 5.0
LONGEST_OBEYED = 10.0
_FIRST_DELAY = 0.2
_log = logging.getLogger(__name__)


@dataclass
class Passing(ApiProblem):
    """A problem that may pass by itself.

    `after` is what the server asked us to wait. `perhaps_done`: the request may have been carried out, though its answer was lost.
    `silent`: nothing came for too long.
    """

    after: float | None = None
    perhaps_done: bool = False
    silent: bool = False


def delay(attempt: int, after: float | None = None) -> float:
    """Seconds before the attempt that follows the given one (from 1): what the server asked for, else exponential with jitter."""
    if after is not None:
        return min(after, LONGEST_OBEYED)
    return random.uniform(0.5, 1.0) * min(LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(attempt - 1, 16))


class Patience:
    """One request's attempts, within `seconds`.

    `wait` sleeps, and is true when the user interrupted. What begins after that is the clean-up: it sleeps all the same, with less patience.
    """

    def __init__(self, wait: Callable[[float], bool], seconds: float, after_interruption: float) -> None:
        self._cleaning = wait(0)
        self._wait = wait
        self.seconds = min(seconds, after_interruption) if self._cleaning else seconds
        self._until = time.monotonic() + self.seconds
        self._attempts = 0

    def spend(self, problem: Passing) -> None:
        """Sleep until the next attempt. Raises the problem when patience is at its end, and ApiProblem when the user interrupts the sleep."""
        self._attempts += 1
        seconds = delay(self._attempts, problem.after)
        if time.monotonic() + seconds > self._until:
            problem.what += f" (tried {self._attempts} times)" if self._attempts > 1 else ""
            raise problem
        _log.info("%s: %s; trying again in %.1f s", problem.where, problem.what, seconds)
        if self._cleaning:
            time.sleep(seconds)
        elif self._wait(seconds):
            raise ApiProblem(f"interrupted while it was tried again: {problem.what}", problem.where, reason="Interrupted") from problem
