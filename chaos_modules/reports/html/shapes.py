"""What a lane of the timeline is made of. Every kind differs in height or pattern, not in colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from .axis import Axis
from .figures import duration

_THINNEST = 0.12
# Where in the lane's height a kind begins, and how high it is, in percent.
_HEIGHTS = {
    "launched": (42, 16), "applied": (32, 36), "held": (14, 72), "part": (32, 36), "idle": (14, 72), "reverting": (32, 36), "late": (42, 16),
    "missing": (14, 72), "left": (42, 16), "good": (44, 12), "bad": (8, 84), "unknown": (26, 48),
    "severe": (10, 80), "warning": (22, 56), "info": (38, 24),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """A stretch of time. `x` and `width` are percent of the axis; `word` says what it means."""

    kind: str
    word: str
    x: float
    width: float
    since: str
    until: str
    lasts: str

    @property
    def y(self) -> int:
        """Percent from the lane's top."""
        return _HEIGHTS[self.kind][0]

    @property
    def height(self) -> int:
        """Percent of the lane's height."""
        return _HEIGHTS[self.kind][1]

    @property
    def title(self) -> str:
        """What a pointer, or a screen reader, is told."""
        return f"{self.word}: {self.since} to {self.until} ({self.lasts})"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: `reverted`, `left`, `crossed`, `halt`, `interrupt`."""

    kind: str
    word: str
    x: float
    when: str

    @property
    def title(self) -> str:
        """What a pointer, or a screen reader, is told."""
        return f"{self.word}: {self.when}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One line of the timeline. `state` is good, bad, unknown or plain; `facts` stand to its right."""

    name: str
    note: str = ""
    state: str = "plain"
    shapes: tuple[Shape, ...] = ()
    marks: tuple[Mark, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The lane as text."""
        told = [*(one.title for one in self.shapes), *(one.title for one in self.marks)]
        return "; ".join(told[:12]) + ("; …" if len(told) > 12 else "") if told else "nothing happened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lanes under one heading: `lanes` are shown, `rest` is folded under its own summary `rest_title`; `whole` sums all of them up."""

    title: str
    lanes: tuple[Lane, ...]
    whole: Lane | None = None
    rest: tuple[Lane, ...] = ()
    rest_title: str = ""
    unfolded: bool = True


def shape(axis: Axis, kind: str, word: str, start: float, end: float) -> Shape:
    """A stretch on the axis, wide enough to be seen."""
    x = axis.place(start)
    width = max(_THINNEST, round(axis.place(end) - x, 3))
    return Shape(kind, word, min(x, 100 - _THINNEST), width, axis.moment(start), axis.moment(end), duration(round(end - start, 3)))


def mark(axis: Axis, kind: str, word: str, time: float) -> Mark:
    """A moment on the axis."""
    return Mark(kind, word, axis.place(time), axis.moment(time))
