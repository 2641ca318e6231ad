"""A probe asked at a fixed rate while faults come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from ..model.observation import Sample
from ..model.probe import Probe
from .repeating import Repeating


class Sampler:
    """One thread for one probe. `emit(event, target, **facts)` is called by that thread, with `time` among the facts: when it was asked."""

    def __init__(self, probe: Probe, ask: Callable[[], Sample], emit: Callable[..., None]) -> None:
        self.probe = probe
        self._ask = ask
        self._emit = emit
        self._lock = threading.Lock()
        self._samples: list[Sample] = []
        self._thread = Repeating(f"probe {probe.name}", probe.interval_seconds, probe.timeout_seconds, self._look)

    def start(self) -> None:
        """Ask at once, then every interval; a look that was missed because an answer took longer is skipped, not made up for."""
        self._thread.start()

    def end(self) -> None:
        """Ask no more; does not wait. Several samplers are ended before the first is waited for."""
        self._thread.end()

    def stop(self) -> None:
        """Ask no more, and wait for the answer that is pending, which its time-out bounds."""
        self._thread.stop()

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All so far, in order of asking; from any thread."""
        with self._lock:
            return tuple(self._samples)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why there are no more samples although there should be."""
        return (self._thread.problem,) if self._thread.problem else ()

    def _look(self) -> None:
        begun = time.monotonic()
        sample = self._ask()
        missed = int((time.monotonic() - begun) / self.probe.interval_seconds)
        # Who waited in vain kept other looks from being made, which would have waited in vain, too: an outage counts for as long as it was.
        again = [replace(sample, time=sample.time + number * self.probe.interval_seconds) for number in range(1, missed + 1)]
        for one in [sample, *(again if sample.good is False else ())]:
            with self._lock:
                self._samples.append(one)
            self._emit("sample", self.probe.name, time=one.time, good=one.good, seconds=one.seconds, detail=one.detail)
