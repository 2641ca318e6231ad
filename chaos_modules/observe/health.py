"""krkn's health checks: every URL asked by a worker of its own, so that a slow one does not disturb the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from ..model.observation import HealthRecord
from ..model.probe import HealthTarget
from .http_exchange import NoAnswer, exchange
from .not_asked import NotAsked
from .repeating import Repeating

_HEALTHY = 200
# krkn's code for whatever was no answer at all.
_NO_ANSWER = 500
TIMEOUT_SECONDS = 3.0


class HealthChecks:
    """Watches URLs from `start` to `stop`. `emit(event, target, **facts)` is called by the workers, at each change and once at the beginning."""

    def __init__(self, targets: Sequence[HealthTarget], interval: float, emit: Callable[..., None], timeout: float = TIMEOUT_SECONDS) -> None:
        self._targets = [_Watched(target, timeout, emit) for target in targets]
        self._workers = [Repeating(f"health check {one.url}", interval, timeout, one.look) for one in self._targets]

    def start(self) -> None:
        """Begin at once."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Ask no more, wait for the answers that are pending, and close the last stretch of each URL."""
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.stop()
        for target in self._targets:
            target.close()

    @property
    def records(self) -> tuple[HealthRecord, ...]:
        """The stretches that are over, by URL as configured, then in time; all of them after `stop`."""
        return tuple(record for target in self._targets for record in target.records())

    @property
    def problems(self) -> tuple[str, ...]:
        """Workers that are not at work although they should be."""
        return tuple(worker.problem for worker in self._workers if worker.problem)


class _Watched:
    """One URL, and the stretches of time in which it gave the same answer."""

    def __init__(self, target: HealthTarget, timeout: float, emit: Callable[..., None]) -> None:
        self.url = target.connection.address
        self._target = target
        self._timeout = timeout
        self._emit = emit
        self._lock = threading.Lock()
        self._records: list[HealthRecord] = []
        self._open: tuple[float, int, str] | None = None

    def look(self) -> None:
        """Ask once; a change closes the stretch before it."""
        asked = time.time()
        code, detail = self._asked()
        with self._lock:
            changed = self._open is None or self._open[1] != code
            if changed:
                self._close(asked)
                self._open = asked, code, detail
        if changed:
            self._emit("health", self.url, time=asked, healthy=code == _HEALTHY, status_code=code, detail=detail)

    def _asked(self) -> tuple[int, str]:
        """(status, what is wrong). Exactly 200 is healthy; redirects are followed, as in krkn."""
        try:
            status = exchange(self._target.connection, self._timeout).status
        except (NoAnswer, NotAsked) as reason:
            return _NO_ANSWER, str(reason)
        return status, "" if status == _HEALTHY else f"status {status}"

    def close(self) -> None:
        """The last stretch ends now."""
        with self._lock:
            self._close(time.time())

    def _close(self, end: float) -> None:
        if self._open:
            start, code, detail = self._open
            end = max(start, end)
            self._records.append(HealthRecord(
                url=self.url, status=code == _HEALTHY, status_code=code, start_timestamp=start, end_timestamp=end, duration=end - start,
                gating=self._target.exit_on_failure, detail=detail,
            ))  # fmt: skip
        self._open = None

    def records(self) -> tuple[HealthRecord, ...]:
        """Those that are over."""
        with self._lock:
            return tuple(self._records)
