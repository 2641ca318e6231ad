"""krkn's metrics profile: what is kept of a run's metrics, sample by sample."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.observation import Observed
from ..model.probe import MetricQuery
from .evaluation import observe_instants, observe_ranges
from .prometheus import Prometheus

# krkn's step; a run of less than half an hour gets sixty points, but not closer than a second.
STEP, POINTS_OF_SHORT_RUNS, SHORTEST_STEP = 30.0, 60, 1.0
_ELAPSED = re.compile(r"\.elapsed\b")


@dataclass(frozen=True, slots=True)
class Capture:
    """The answers. `problems`: the queries without one, each with why."""

    answers: tuple[tuple[MetricQuery, Observed], ...]
    problems: tuple[str, ...]

    def records(self) -> Iterator[dict[str, Any]]:
        """The lines of metrics.jsonl, a series each: {metricName, query, labels, points}; infinite values, which JSON cannot hold, are left out."""
        for metric, answer in self.answers:
            for series in answer.series:
                points = [point for point in series.points if math.isfinite(point[1])]
                if points:
                    yield {"metricName": metric.name, "query": metric.query, "labels": dict(series.labels), "points": points}


def capture_metrics(prometheus: Prometheus, metrics: Sequence[MetricQuery], *, start: float, end: float) -> Capture:
    """Ask for every metric of the profile: over the run, or, where it is `instant`, at its end. Nothing is raised."""
    asked = [(metric, with_elapsed(metric.query, end - start)) for metric in metrics]
    looks = observe_instants(prometheus, [query for metric, query in asked if metric.instant], end)
    ranges = observe_ranges(prometheus, [query for metric, query in asked if not metric.instant], start=start, end=end, step=step_of(end - start))
    found = _by_query(looks), _by_query(ranges)
    answers = tuple((metric, found[0 if metric.instant else 1][query]) for metric, query in asked)
    return Capture(answers, tuple(f"metric {metric.name}: {answer.query}: {answer.problem}" for metric, answer in answers if answer.problem))


def _by_query(answers: Iterable[Observed]) -> dict[str, Observed]:
    return {answer.query: answer for answer in answers}


def step_of(seconds: float) -> float:
    """Seconds between two samples of a run of so many seconds."""
    return min(STEP, max(SHORTEST_STEP, seconds / POINTS_OF_SHORT_RUNS))


def with_elapsed(query: str, seconds: float) -> str:
    """krkn's `.elapsed`, as in `[.elapsed:]`: the run's length in minutes, rounded up."""
    return _ELAPSED.sub(f"{max(1, math.ceil(seconds / 60))}m", query)
