"""The one time axis of the page: places are percent of its width, so that lanes fit any window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .figures import duration, utc

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Tick:
    """A place of the axis with its words."""

    x: float
    relative: str
    utc: str


@dataclass(frozen=True, slots=True)
class Axis:
    """From `start` to `end`, seconds since the epoch; `zero` is the run's start, from which relative times count."""

    zero: float
    start: float
    end: float

    def place(self, time: float) -> float:
        """Percent from the left, kept on the axis."""
        return round(min(100.0, max(0.0, 100 * (time - self.start) / (self.end - self.start))), 3)

    def relative(self, time: float | None) -> str:
        """`+12.3 s` after the run's start."""
        if time is None:
            return "–"
        text = duration(abs(round(time - self.zero, 2)))
        return f"−{text}" if time < self.zero else f"+{text}"

    def moment(self, time: float | None) -> str:
        """Both ways to say when: `+12.3 s (13:39:20.4 UTC)`."""
        return "–" if time is None else f"{self.relative(time)} ({utc(time)} UTC)"

    def span(self, start: float, end: float) -> str:
        """`+6.1 s to +66.1 s (60 s)`."""
        return f"{self.relative(start)} to {self.relative(end)} ({duration(round(end - start, 3))})"

    def ticks(self) -> tuple[Tick, ...]:
        """At most nine round places, counted from the run's start."""
        length = self.end - self.zero
        step = next((one for one in _STEPS if length / one <= _MOST_TICKS), 86400.0 * max(1, round(length / 86400 / _MOST_TICKS)))
        times = [self.zero + number * step for number in range(int(length / step) + 1)]
        return tuple(Tick(self.place(time), self.relative(time) if time > self.zero else "0", utc(time)) for time in times)


def axis_over(started: float, ended: float, times: Iterable[float]) -> Axis:
    """From the run's start to its end, or as far as anything of the run reaches; never without length."""
    last = max([ended, *times])
    return Axis(started, started, last if last > started else started + 1.0)
