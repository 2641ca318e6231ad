"""`squall.halt_on`: queries that are asked all the time, and end the faults as soon as one of them has a result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from ..model.observation import Series
from ..model.probe import HaltOn
from .prometheus import Prometheus, QueryProblem

# A look that takes longer is given up: the fault goes on meanwhile.
LONGEST_LOOK = 2.0
_TICK = 0.05


class Halting:
    """One thread that asks every rule at its interval, until the first one that has a result other than 0 for `for_seconds` on end.

    Then `reason` says which and why, `tell(rule, reason)` is called in that thread, and the asking ends. A query without an answer never halts,
    nor does it begin the seconds anew: it is among `problems` (each text once), and its rule among `unanswered` if it never had an answer.
    `stop_event`, the run's own, ends the asking, too. Close it.
    """

    def __init__(
        self, prometheus: Prometheus, rules: Sequence[HaltOn], tell: Callable[[HaltOn, str], None], stop_event: threading.Event
    ) -> None:  # fmt: skip
        self._prometheus, self._rules, self._tell, self._stop = prometheus, tuple(rules), tell, stop_event
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="halt-on", daemon=True)
        self._reason = ""
        self._problems: dict[str, None] = {}
        self._since: dict[int, float] = {}
        self._answered: set[int] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to ask; nothing happens without rules."""
        if self._rules:
            self._thread.start()

    def close(self) -> None:
        """End the asking; waits for a look that is under way, two seconds at most."""
        self._closed.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def reason(self) -> str:
        """Why the faults are to end; empty while they may go on."""
        return self._reason

    @property
    def problems(self) -> tuple[str, ...]:
        """What kept queries from being answered, each text once, in the order in which they came up."""
        return tuple(self._problems)

    @property
    def unanswered(self) -> tuple[HaltOn, ...]:
        """The rules that never had an answer: they have guarded nothing."""
        return tuple(rule for index, rule in enumerate(self._rules) if index not in self._answered)

    def _watch(self) -> None:
        due = [time.monotonic()] * len(self._rules)
        while self._rest(min(due)):
            for index, rule in enumerate(self._rules):
                now = time.monotonic()
                if due[index] > now:
                    continue
                # Looks that a slow answer has made us miss are not made up for.
                due[index] = max(due[index] + rule.interval_seconds, now)
                if self._ended() or self._halts(index, rule):
                    return

    def _ended(self) -> bool:
        return self._closed.is_set() or self._stop.is_set()

    def _rest(self, until: float) -> bool:
        """Wait; False when the asking is to end."""
        while not self._ended():
            left = until - time.monotonic()
            if left <= 0:
                return True
            self._closed.wait(min(left, _TICK))
        return False

    def _halts(self, index: int, rule: HaltOn) -> bool:
        asked = time.monotonic()
        try:
            series = self._prometheus.instant(rule.query, within=LONGEST_LOOK)
        except QueryProblem as problem:
            self._problems.setdefault(f"halt_on {problem.where}: {problem.what}")
            return False
        self._answered.add(index)
        hits = [one for one in series if any(value for _, value in one.points)]
        if not hits:
            self._since.pop(index, None)
            return False
        if asked - self._since.setdefault(index, asked) < rule.for_seconds:
            return False
        self._reason = told(rule, hits)
        self._tell(rule, self._reason)
        return True


def told(rule: HaltOn, hits: Sequence[Series]) -> str:
    """The query, its first result, how many more, and the second."""
    first = hits[0]
    at, value = next(point for point in first.points if point[1])
    labels = ", ".join(f"{name}={text}" for name, text in first.labels)
    what = f"{rule.description}: {rule.query}" if rule.description else rule.query
    others = f" and of {len(hits) - 1} more series" if len(hits) > 1 else ""
    lasted = f", for {rule.for_seconds:g} s" if rule.for_seconds else ""
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{what} is {value:.6g}{f' for {labels}' if labels else ''}{others}{lasted} at {moment}"
