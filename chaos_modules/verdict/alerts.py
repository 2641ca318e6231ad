"""Series of the alert profile, and of `ALERTS`, to facts and findings (krkn's alert profile and critical alerts)."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from ..model.observation import AlertFact, AlertSource, Finding, FindingKind, Observed, Phase, Series, Window
from ..model.probe import AlertRule

Labels = tuple[tuple[str, str], ...]
Interval = tuple[float, float]
# Severities that decide the exit code, as in krkn.
COUNTED = frozenset({"error", "critical"})
SHORTEST_STEP, LONGEST_STEP, LOOKS_PER_WINDOW = 1.0, 10.0, 60
# Two samples further apart than so many steps are two intervals.
GAP_STEPS = 1.5
_PLACE = re.compile(r"\{\{-?\s*\$(?:labels\.(?P<label>\w+)|value)\s*(?:\|[^{}]*)?-?\}\}")
_INTERNAL = ("__name__", "alertstate")


def step_for(windows: Iterable[Window]) -> float:
    """Seconds between two points: sixty in the shortest fault window, but not closer than 1 s nor further apart than krkn's 10 s."""
    shortest = min((window.end - window.start for window in windows if window.phase is Phase.FAULT), default=LONGEST_STEP * LOOKS_PER_WINDOW)
    return min(LONGEST_STEP, max(SHORTEST_STEP, shortest / LOOKS_PER_WINDOW))


def intervals_of(times: Iterable[float], step: float) -> tuple[Interval, ...]:
    """From the first to the last sample of each stretch without a gap; a single sample is a stretch of no length."""
    found: list[Interval] = []
    for time in sorted(times):
        if found and time - found[-1][1] <= GAP_STEPS * step:
            found[-1] = (found[-1][0], time)
        else:
            found.append((time, time))
    return tuple(found)


def alert_fact(rule: AlertRule, seen: Observed, *, start: float, end: float) -> AlertFact:
    """What became of one entry. `seen` may begin before the run: what lies before `start` says whether it held already.

    A returned sample is a firing one, as in krkn: a comparison in PromQL leaves out what does not meet it. NaN is none, and never in a Series.
    `before` is true only if every series of the run held before, too: a series that is new is news.
    """
    counted = rule.severity in COUNTED
    during = [(series.labels, points) for series in seen.series if (points := _within(series, start, end))]
    held = {series.labels for series in seen.series if series.points and series.points[0][0] < start}
    if seen.problem or not during:
        return AlertFact(
            source=AlertSource.PROFILE, name=rule.description, expr=rule.expr, severity=rule.severity, before=bool(held) and not seen.problem,
            counted=counted, problem=seen.problem,
        )  # fmt: skip
    labels, points = min(during, key=lambda one: (one[1][0][0], one[0]))
    value = points[0][1]
    others = f" (and {len(during) - 1} more series)" if len(during) > 1 else ""
    return AlertFact(
        source=AlertSource.PROFILE, name=described(rule.description, labels, value) + others, expr=rule.expr, severity=rule.severity,
        labels=labels, value=value if math.isfinite(value) else None, counted=counted,
        intervals=intervals_of({time for _, found in during for time, _ in found}, seen.step),
        before=all(labels in held for labels, _ in during),
    )  # fmt: skip


def _within(series: Series, start: float, end: float) -> tuple[tuple[float, float], ...]:
    return tuple(point for point in series.points if start <= point[0] <= end)


def described(text: str, labels: Labels, value: float) -> str:
    """A description with `{{$labels.x}}` and `{{$value}}` filled in, with or without spaces and a formatting pipe. A missing label is empty."""
    known = dict(labels)
    return _PLACE.sub(lambda place: known.get(place["label"], "") if place["label"] else f"{value:.6g}", text)


def identity(labels: Labels) -> Labels:
    """Which alert it is, whatever its state."""
    return tuple(label for label in labels if label[0] not in _INTERNAL)


def firing(series: Iterable[Series]) -> dict[Labels, float]:
    """The alerts of an answer to `ALERTS{…}`, and when each was seen first; one whose value is 0 does not fire."""
    return {identity(one.labels): time for one in series for time in [next((at for at, value in one.points if value), None)] if time is not None}


def critical_fact(labels: Labels, expr: str, intervals: tuple[Interval, ...], *, before: bool = False, counted: bool = False) -> AlertFact:
    """An alert that Prometheus itself fired."""
    known = dict(labels)
    return AlertFact(
        source=AlertSource.CRITICAL, name=known.get("alertname", "an alert without a name"), expr=expr, severity=known.get("severity", "critical"),
        labels=labels, value=1.0, intervals=intervals, before=before, counted=counted,
    )  # fmt: skip


def critical_facts(
    seen: Observed, looked: dict[Labels, tuple[float, ...]], before: Collection[Labels], *, start: float, end: float
) -> tuple[AlertFact, ...]:  # fmt: skip
    """The critical alerts of a run: counted if new and firing after a scenario (`looked`: alert → when), whatever the range shows."""
    times: dict[Labels, set[float]] = {labels: set(found) for labels, found in looked.items()}
    for series in seen.series:
        held = {time for time, value in _within(series, start, end) if value}
        if held:
            times.setdefault(identity(series.labels), set()).update(held)
    return tuple(
        critical_fact(labels, seen.query, intervals_of(found, seen.step), before=labels in before, counted=labels in looked)
        for labels, found in sorted(times.items(), key=lambda one: (min(one[1]), one[0]))
    )


def touches(alert: AlertFact, window: Window) -> bool:
    """Whether an alert held at any time of a window."""
    return any(begin <= window.end and window.start <= end for begin, end in alert.intervals)


def findings(alerts: Iterable[AlertFact], on_unknown: Literal["fail", "pass"], windows: Sequence[Window] = ()) -> tuple[Finding, ...]:
    """One for each entry that counts and held (from its first sample), and, unless unknown passes, one for each that could not be evaluated.

    With windows, a finding names the scenario in whose fault or recovery it began.
    """
    found: list[Finding] = []
    for alert in alerts:
        if not alert.counted:
            continue
        if alert.problem and on_unknown == "fail":
            found.append(Finding(kind=FindingKind.UNKNOWN, reason=f"alert {alert.name!r} could not be evaluated: {alert.problem}"))
        elif alert.fired:
            time = alert.intervals[0][0]
            found.append(Finding(kind=_KINDS[alert.source], reason=_reason(alert), time=time, scenario=_scenario(time, windows)))
    return tuple(found)


_KINDS = {AlertSource.PROFILE: FindingKind.ALERT, AlertSource.CRITICAL: FindingKind.CRITICAL_ALERT}


def _reason(alert: AlertFact) -> str:
    already = "; it held before the run already" if alert.before else ""
    if alert.source is AlertSource.CRITICAL:
        told = ", ".join(f"{name}={value}" for name, value in alert.labels if name not in ("alertname", "severity"))
        return f"critical alert {alert.name} fires{f' ({told})' if told else ''}{already}"
    return f"{alert.severity} alert: {alert.name}{already}"


def _scenario(time: float, windows: Sequence[Window]) -> int | None:
    hit = (window for window in windows if window.phase is not Phase.BASELINE and window.start <= time <= window.end)
    return next((window.scenario for window in hit), None)
