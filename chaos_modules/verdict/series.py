"""The history of a Prometheus query as samples of a probe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..model.limit import Limit
from ..model.observation import Observed, Sample, Series

# Of a point's place between two steps: timestamps are floats with milliseconds.
_GRID_TOLERANCE = 1e-6


def samples_of(observed: Observed, limit: Limit, start: float, end: float) -> tuple[Sample, ...]:
    """One sample for each step of the query in start <= time < end, on the grid of its points (from `start` if it has none).

    Good: every series that has a point there keeps the limit. Bad: `detail` names the worst one. Unknown: no series has a point, or the query
    was not answered.
    """
    times = [time for series in observed.series for time, _ in series.points]
    origin = min(times, default=start)
    by_step: dict[int, list[tuple[float, Series]]] = {}
    for series in observed.series:
        for time, value in series.points:
            by_step.setdefault(round((time - origin) / observed.step), []).append((value, series))
    return tuple(_sample(observed, limit, origin + step * observed.step, by_step.get(step, ())) for step in _steps(observed, origin, start, end))


def _steps(observed: Observed, origin: float, start: float, end: float) -> Iterator[int]:
    first = math.ceil((start - origin) / observed.step - _GRID_TOLERANCE)
    last = math.ceil((end - origin) / observed.step - _GRID_TOLERANCE)
    return iter(range(first, last))


def _sample(observed: Observed, limit: Limit, time: float, values: Sequence[tuple[float, Series]]) -> Sample:
    if observed.problem or not values:
        return Sample(time=time, good=None, detail=observed.problem or "no series has a value")
    wrong = [(value, series) for value, series in values if not limit.holds(value)]
    if not wrong:
        return Sample(time=time, good=True)
    value, series = max(wrong, key=lambda item: (_distance(item[0], limit), _labels(item[1])))
    return Sample(time=time, good=False, detail=f"{_labels(series)} is {value:g}, expected {limit}")


def _distance(value: float, limit: Limit) -> float:
    """How far beyond the limit; what is no number is worst."""
    return math.inf if math.isnan(value) else abs(value - limit.value)


def _labels(series: Series) -> str:
    """As PromQL writes them."""
    labels = dict(series.labels)
    name = labels.pop("__name__", "")
    inside = ", ".join(f'{key}="{text}"' for key, text in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside or not name else name
