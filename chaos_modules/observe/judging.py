"""What was seen in a run, judged: the last questions to Prometheus, and then the pure rules of `verdict`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model.observation import AlertFact, Finding, FindingKind, Observation, Observed, Phase, ProbeCheck, Resiliency, Window
from ..model.observation_plan import ObservationPlan
from ..model.outcome import ScenarioOutcome
from ..model.probe import Probe, PrometheusProbe
from ..verdict import alerts as alert_rules
from ..verdict import health as health_rules
from ..verdict import probes as probe_rules
from ..verdict.alerts import step_for
from ..verdict.resiliency import Span, left_out, score_of
from ..verdict.series import samples_of
from .alerts import alert_facts, observe_rules
from .critical import CriticalAlerts
from .evaluation import observe_ranges
from .halting import Halting
from .health import HealthChecks
from .metrics import capture_metrics
from .prometheus import Prometheus
from .sampling import Sampler


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is left of a run when nobody looks any more; `findings` are those that were made on the way."""

    plan: ObservationPlan
    prometheus: Prometheus | None
    critical: CriticalAlerts | None
    halting: Halting | None
    samplers: Sequence[Sampler]
    health: HealthChecks
    findings: Sequence[Finding]
    outcomes: Sequence[ScenarioOutcome]
    windows: Sequence[Window]
    started: float
    keep_metrics: Callable[[Iterable[Mapping[str, Any]]], None]


def judged(seen: Seen) -> Observation:
    """Everything, in the shapes of the record."""
    ended, step = time.time(), step_for(seen.windows)
    checks = sampled_checks(seen.samplers, seen.windows)
    series: tuple[Observed, ...] = ()
    alerts: tuple[AlertFact, ...] = ()
    resiliency, problems = None, list(_own_problems(seen))
    if seen.prometheus:
        queried, series = prometheus_checks(seen.prometheus, seen.plan.probes, seen.windows, seen.started, ended)
        checks += queried
        series = (*series, *_halting_series(seen, ended, step))
        alerts, resiliency = _alerts_and_score(seen, ended, step)
        problems += [*_alert_problems(alerts), *_metric_problems(seen, ended), *_left_out(resiliency)]
    health = seen.health.records
    findings = (
        *seen.findings, *probe_rules.findings(checks, seen.plan.on_unknown), *_alert_findings(seen, alerts), *_unguarded(seen),
        *health_rules.findings(health),
    )  # fmt: skip
    order = {probe.name: number for number, probe in enumerate(seen.plan.probes)}
    checks.sort(key=lambda check: (check.scenario, order[check.name], list(Phase).index(check.phase)))
    return Observation(
        windows=tuple(seen.windows), checks=tuple(checks), alerts=alerts, health=health, findings=findings,
        problems=tuple(dict.fromkeys(problems)), resiliency=resiliency, series=series,
    )  # fmt: skip


def sampled_checks(samplers: Iterable[Sampler], windows: Sequence[Window]) -> list[ProbeCheck]:
    """The probes that were asked live."""
    return [check for sampler in samplers for check in probe_rules.judge(sampler.probe, sampler.samples, windows)]


def prometheus_checks(
    prometheus: Prometheus, probes: Iterable[Probe], windows: Sequence[Window], start: float | None = None, end: float | None = None
) -> tuple[list[ProbeCheck], tuple[Observed, ...]]:  # fmt: skip
    """The probes that are queries, judged from Prometheus' history of these windows, and that history."""
    queried = [(probe, probe.what) for probe in probes if isinstance(probe.what, PrometheusProbe)]
    if not queried or not windows:
        return [], ()
    first = min(window.start for window in windows) if start is None else start
    last = max(window.end for window in windows) if end is None else end
    checks: list[ProbeCheck] = []
    series: list[Observed] = []
    for step in sorted({probe.interval_seconds for probe, _ in queried}):
        mine = [(probe, what) for probe, what in queried if probe.interval_seconds == step]
        answers = observe_ranges(prometheus, [what.query for _, what in mine], start=first, end=last, step=step)
        for (probe, what), answer in zip(mine, answers, strict=True):
            checks += probe_rules.judge(probe, samples_of(answer, what.limit, first, last + step), windows)
            series.append(replace(answer, name=probe.name, limit=str(what.limit)))
    return checks, tuple(series)


def _halting_series(seen: Seen, ended: float, step: float) -> list[Observed]:
    """What the halting queries gave: for the report."""
    if not seen.prometheus or not seen.plan.halt_on:
        return []
    answers = observe_ranges(seen.prometheus, [rule.query for rule in seen.plan.halt_on], start=seen.started, end=ended, step=step)
    return [replace(answer, name=rule.description or rule.query) for rule, answer in zip(seen.plan.halt_on, answers, strict=True)]


def _alerts_and_score(seen: Seen, ended: float, step: float) -> tuple[tuple[AlertFact, ...], Resiliency | None]:
    """Rules that are alerts and objectives alike are asked once."""
    if not seen.prometheus:
        return (), None
    rules = tuple(dict.fromkeys((*seen.plan.alerts, *seen.plan.objectives)))
    answers = dict(zip(rules, observe_rules(seen.prometheus, rules, start=seen.started, end=ended, step=step), strict=True))
    profile = alert_facts(seen.plan.alerts, [answers[rule] for rule in seen.plan.alerts], start=seen.started, end=ended)
    critical = seen.critical.facts(start=seen.started, end=ended, step=step) if seen.critical else ()
    spans = [Span(name=one.file, start=one.started, end=one.ended) for one in seen.outcomes if one.started and one.ended]
    objectives = seen.plan.objectives
    score = score_of(objectives, [answers[rule] for rule in objectives], spans, start=seen.started, end=ended) if objectives and spans else None
    return (*profile, *critical), score


def _alert_findings(seen: Seen, alerts: Sequence[AlertFact]) -> Iterable[Finding]:
    profile = alerts[: len(seen.plan.alerts)]
    yield from alert_rules.findings(profile, seen.plan.on_unknown, seen.windows)
    if seen.critical:
        yield from seen.critical.findings(seen.plan.on_unknown)


def _unguarded(seen: Seen) -> Iterable[Finding]:
    """A halting query that never had an answer has guarded nothing."""
    if seen.halting and seen.plan.on_unknown == "fail" and seen.windows:
        for rule in seen.halting.unanswered:
            yield Finding(kind=FindingKind.UNKNOWN, reason=f"halt_on {rule.query}: it never had an answer, and so guarded nothing")


def _own_problems(seen: Seen) -> Iterable[str]:
    """Of our own sight, never of the system."""
    for sampler in seen.samplers:
        yield from sampler.problems
    yield from seen.health.problems
    for asking in (seen.halting, seen.critical):
        yield from asking.problems if asking else ()


def _alert_problems(alerts: Iterable[AlertFact]) -> Iterable[str]:
    return (f"{alert.name}: {alert.problem}" for alert in alerts if alert.problem)


def _left_out(resiliency: Resiliency | None) -> Iterable[str]:
    return (f"objective {name}: it could not be evaluated, and is left out of the score" for name in (left_out(resiliency) if resiliency else ()))


def _metric_problems(seen: Seen, ended: float) -> Sequence[str]:
    if not seen.prometheus or not seen.plan.metrics:
        return ()
    capture = capture_metrics(seen.prometheus, seen.plan.metrics, start=seen.started, end=ended)
    seen.keep_metrics(capture.records())
    return capture.problems
