"""The Prometheus series as panels: thinned for drawing, with their limit, medians, and the second at which the limit was crossed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ...model.limit import Limit, limit_of
from ..recorded import Json
from .axis import Axis
from .figures import duration, labels, number

BUCKETS = 500  # of the axis; each keeps its lowest and its highest value, so that no peak is lost
MOST_LINES = 12
_LARGEST = 1e300
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series: its labels, its stretches without a gap (seconds after the run's start, value), and the same as places in the picture."""

    label: str
    stretches: tuple[tuple[Point, ...], ...]
    polylines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One query. `low` and `high` are what the picture spans; `limit_y` and `beyond` (from, height) are percent of its height."""

    name: str
    query: str
    step: str
    limit: str
    state: str
    lines: tuple[Line, ...]
    more: str
    low: float
    high: float
    limit_y: float | None
    beyond: tuple[float, float] | None
    ticks: tuple[tuple[float, str], ...]
    medians: tuple[tuple[str, str], ...]
    told: str

    @property
    def chart(self) -> Json:
        """What the script draws."""
        lines = [{"label": one.label, **_columns(one.stretches)} for one in self.lines]
        return {"low": self.low, "high": self.high, "beyond": self.beyond, "lines": lines}


def panels(axis: Axis, result: Json, series: Sequence[Json], windows: Sequence[Json]) -> tuple[Panel, ...]:
    """A panel per query of the record: those that broke their limit first, then in its order."""
    made = [_panel(axis, one, [check for check in result.get("checks", ()) if check["name"] == one["name"]], windows) for one in series]
    return tuple(sorted(made, key=lambda one: one.state != "bad"))


def _panel(axis: Axis, observed: Json, checks: Sequence[Json], windows: Sequence[Json]) -> Panel:
    limit = _limit(observed["limit"])
    drawn = sorted(observed["series"], key=lambda one: -_height(one, limit))[:MOST_LINES]
    low, high = _range([value for one in drawn for _, value in one["points"] if _drawable(value)], limit)
    crossed = _crossed(checks, observed, limit, windows)
    failed = any(check["passed"] is False for check in checks) if checks else crossed is not None
    return Panel(
        name=observed["name"], query=observed["query"], step=duration(observed["step"]), limit=str(limit) if limit else observed["limit"],
        state="unknown" if observed.get("problem") else "bad" if failed else "good" if limit else "plain",
        lines=tuple(_line(axis, one, observed["step"], low, high) for one in drawn),
        more=f"{len(drawn)} of {len(observed['series'])} series drawn" if len(drawn) < len(observed["series"]) else "",
        low=low, high=high, ticks=tuple(_ticks(low, high)), limit_y=_y(limit.value, low, high) if limit else None, beyond=_beyond(limit, low, high),
        medians=tuple((phase, number(_median(observed, windows, phase))) for phase in ("baseline", "fault")),
        told=_told(axis, observed, limit, crossed),
    )  # fmt: skip


def _drawable(value: float) -> bool:
    """Neither NaN nor infinite, nor so large that a difference is."""
    return abs(value) < _LARGEST


def _limit(text: str) -> Limit | None:
    try:
        return limit_of(text) if text else None
    except ValueError:
        return None


def _height(one: Json, limit: Limit | None) -> float:
    """How much a series matters to the eye: those that break the limit first, then the highest."""
    values = [value for _, value in one["points"] if _drawable(value)]
    broken = limit is not None and any(not limit.holds(value) for value in values)
    return max(values, default=-math.inf) + (1e300 if broken else 0)


def _range(values: Sequence[float], limit: Limit | None) -> tuple[float, float]:
    """All values and the limit, with some air; from 0 where that costs little."""
    known = [*values, *([limit.value] if limit else [])] or [0.0, 1.0]
    low, high = min(known), max(known)
    air = (high - low) * 0.08
    if air < max(1e-9 * abs(high), 1e-200):  # all but the same value
        air = max(abs(high) * 0.1, 1e-200) if high else 1.0
    return (0.0 if 0 <= low < 0.6 * high or low == high == 0 else low - air), high + air


def _y(value: float, low: float, high: float) -> float:
    return round(100 * (high - value) / (high - low), 2)


def _ticks(low: float, high: float) -> Iterable[tuple[float, str]]:
    """Two to five round values, each with its place in percent from the top."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    for index in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield _y(index * step, low, high), number(float(f"{index * step:.6g}"))


def _beyond(limit: Limit | None, low: float, high: float) -> tuple[float, float] | None:
    """The part of the picture in which the limit is broken; none for `==` and `!=`."""
    if limit is None or limit.comparison in ("==", "!="):
        return None
    y = _y(limit.value, low, high)
    return (0.0, y) if limit.comparison[0] == "<" else (y, round(100 - y, 2))


def _line(axis: Axis, one: Json, step: float, low: float, high: float) -> Line:
    stretches = tuple(tuple(_thinned(axis, part)) for part in _without_gaps(one["points"], step))
    visible = [part if len(part) > 1 else part * 2 for part in stretches]  # a lone point is a line of no length, drawn as a dot
    places = tuple(" ".join(f"{axis.place(time) * 10:.1f},{_y(value, low, high)}" for time, value in part) for part in visible)
    relative = tuple(tuple((round(time - axis.zero, 3), value) for time, value in part) for part in stretches)
    return Line(label=labels(one["labels"]) or "the only series", stretches=relative, polylines=places)


def _without_gaps(points: Sequence[Sequence[float]], step: float) -> Iterable[list[Point]]:
    """Stretches in which no sample is missing; what is not a finite number is missing, too."""
    usual = step
    if usual <= 0:
        usual = median(after - before for (before, _), (after, _) in pairwise(points)) if len(points) > 1 else 1.0
    part: list[Point] = []
    for time, value in points:
        if part and (time - part[-1][0] > 1.5 * usual or not _drawable(value)):
            yield part
            part = []
        if _drawable(value):
            part.append((time, value))
    if part:
        yield part


def _thinned(axis: Axis, part: list[Point]) -> Iterable[Point]:
    """The lowest and the highest point of each bucket, in their order; both ends stay."""
    width = (axis.end - axis.start) / BUCKETS
    buckets: dict[int, list[Point]] = {}
    for point in part:
        buckets.setdefault(int((point[0] - axis.start) / width), []).append(point)
    kept = {part[0], part[-1]}
    for points in buckets.values():
        kept |= {min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])}
    return sorted(kept)


def _columns(stretches: Sequence[Sequence[Point]]) -> Json:
    """Times and values apart, with an empty value in each gap."""
    times: list[float] = []
    values: list[float | None] = []
    for part in stretches:
        if times:
            times.append(round((times[-1] + part[0][0]) / 2, 3))
            values.append(None)
        times += [time for time, _ in part]
        values += [float(f"{value:.6g}") for _, value in part]
    return {"x": times, "y": values}


def _median(observed: Json, windows: Sequence[Json], phase: str) -> float | None:
    within = _within(windows, phase)
    values = [value for one in observed["series"] for time, value in one["points"] if _drawable(value) and within(time)]
    return median(values) if values else None


def _within(windows: Sequence[Json], phase: str) -> Callable[[float], bool]:
    spans = [(one["start"], one["end"]) for one in windows if one["phase"] == phase]
    return lambda time: any(start <= time <= end for start, end in spans)


def _crossed(checks: Sequence[Json], observed: Json, limit: Limit | None, windows: Sequence[Json]) -> float | None:
    """The exact moment, from the checks; where the query is no probe, the first point under the fault that breaks the limit."""
    known = [check["crossed"] for check in checks if check.get("crossed") is not None]
    if known or checks or limit is None:
        return min(known, default=None)
    within = _within(windows, "fault")
    broken = (time for one in observed["series"] for time, value in one["points"] if not limit.holds(value) and within(time))
    return min(broken, default=None)


def _told(axis: Axis, observed: Json, limit: Limit | None, crossed: float | None) -> str:
    if observed.get("problem"):
        return f"no answer: {observed['problem']}"
    if not observed["series"]:
        return "the answer has no series"
    if limit is None:
        return "no limit is held against it"
    return f"crossed {limit} at {axis.moment(crossed)}" if crossed is not None else f"never crossed {limit}"
