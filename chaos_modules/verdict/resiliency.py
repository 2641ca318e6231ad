"""krkn's resiliency score: which objectives held while the system was under attack, as a number from 0 to 100."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from ..model.observation import Observed, Resiliency, ScenarioScore, SloResult
from ..model.probe import AlertRule

CRITICAL_POINTS, OTHER_POINTS = 3.0, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One executed scenario: from its start to the end of the wait after it (seconds since the epoch); `weight` is its share of the whole."""

    name: str
    start: float
    end: float
    weight: float = 1.0


def score_of(rules: Sequence[AlertRule], seen: Sequence[Observed], spans: Sequence[Span], *, start: float, end: float) -> Resiliency | None:
    """The score of each scenario, their weighted mean, and how many objectives held over the whole run. `seen`: the series of each rule.

    An objective holds if no sample is above 0; no data holds. Deviation from krkn, which counts a query error as a failure: one that could not
    be evaluated is left out of the points, and named with `passed` None. None if no objective was evaluated in any scenario.
    """
    scenarios = tuple(_scored(span, _results(rules, seen, span.start, span.end)) for span in spans)
    told = [one for one in scenarios if any(result.passed is not None for result in one.results)]
    if not told:
        return None
    overall = [result.passed for result in _results(rules, seen, start, end) if result.passed is not None]
    weights = sum(one.weight for one in told)
    mean = sum(one.score * one.weight for one in told) / weights if weights else 0.0
    return Resiliency(score=int(mean), passed=sum(overall), total=len(overall), scenarios=scenarios)


def _results(rules: Sequence[AlertRule], seen: Sequence[Observed], start: float, end: float) -> tuple[SloResult, ...]:
    return tuple(
        SloResult(name=rule.description, severity=rule.severity, weight=points_of(rule), passed=_held(one, start, end))
        for rule, one in zip(rules, seen, strict=True)
    )


def points_of(rule: AlertRule) -> float:
    """What an objective is worth: its weight, else 3 if it is critical, else 1."""
    if rule.weight is not None:
        return rule.weight
    return CRITICAL_POINTS if rule.severity == "critical" else OTHER_POINTS


def _held(seen: Observed, start: float, end: float) -> bool | None:
    if seen.problem:
        return None
    return not any(value > 0 for series in seen.series for time, value in series.points if start <= time <= end)


def _scored(span: Span, results: tuple[SloResult, ...]) -> ScenarioScore:
    total = math.fsum(one.weight for one in results if one.passed is not None)
    lost = math.fsum(one.weight for one in results if one.passed is False)
    score = int(100 * (total - lost) / total) if total else 0
    return ScenarioScore(
        name=span.name, start=span.start, end=span.end, score=score, weight=span.weight, total_points=total, points_lost=lost, results=results,
    )  # fmt: skip


def left_out(resiliency: Resiliency) -> tuple[str, ...]:
    """The objectives that could not be evaluated, each once."""
    return tuple(dict.fromkeys(one.name for scenario in resiliency.scenarios for one in scenario.results if one.passed is None))


def report(resiliency: Resiliency, mode: Literal["standalone", "detailed"]) -> dict[str, Any]:
    """krkn's `resiliency-report.json`: the same document in both modes, which differ in where krkn puts it.

    `unknown`, of a scenario, is ours: the objectives that were left out. Health checks are never part of the score, in krkn neither.
    """
    return {"scenarios": [_scenario(one) for one in resiliency.scenarios]}


def _scenario(one: ScenarioScore) -> dict[str, Any]:
    known = [result for result in one.results if result.passed is not None]
    unknown = [result.name for result in one.results if result.passed is None]
    passed = sum(1 for result in known if result.passed)
    return {
        "name": one.name, "window": {"start": _moment(one.start), "end": _moment(one.end)}, "score": one.score, "weight": one.weight,
        "breakdown": {"total_points": one.total_points, "points_lost": one.points_lost, "passed": passed, "failed": len(known) - passed},
        "slo_results": _by_name(known), "health_check_results": {}, **({"unknown": unknown} if unknown else {}),
    }  # fmt: skip


def _by_name(results: Iterable[SloResult]) -> dict[str, bool]:
    """Entries with the same description are one result, which holds if all of them do."""
    held: dict[str, bool] = {}
    for result in results:
        held[result.name] = held.get(result.name, True) and bool(result.passed)
    return held


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()
