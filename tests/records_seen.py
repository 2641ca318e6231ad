"""What the runs of `records` saw of the system under test: probes, series, alerts, health, findings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chaos_modules.model.observation import (
    AlertFact,
    AlertSource,
    Finding,
    FindingKind,
    HealthRecord,
    ProbeCheck,
    Resiliency,
    ScenarioScore,
    SloResult,
)  # fmt: skip
from chaos_modules.model.plan import document

if TYPE_CHECKING:
    from records import Telling, Wishes

Json = dict[str, Any]
KINDS = (("storefront", "http"), ("dedup", "command"), ("checkout error rate", "prometheus"), ("web is ready", "object"), ("search", "http"))
DOWN = "http://prometheus.example:9090 did not answer: connection refused"
URL = "http://shop.example/health"


def probes(wishes: Wishes) -> list[tuple[str, str]]:
    """Name and kind of every probe."""
    named = [KINDS[number] if number < len(KINDS) else (f"probe {number + 1}", "http") for number in range(wishes.probes)]
    return [(name + wishes.hostile, kind) for name, kind in named]


def _spans(told: Telling, phase: str) -> list[tuple[float, float]]:
    return [(one["start"], one["end"]) for one in told.windows if one["phase"] == phase]


def _crossing(told: Telling, number: int = 0) -> float:
    """The second at which the first probe goes bad: a sixth into the fault."""
    start, end = _spans(told, "fault")[number]
    return round(start + (end - start) / 6, 3)


def _bad(told: Telling, time: float) -> bool:
    """From the crossing until two seconds after the fault, where the objective is to fail."""
    faults = range(len(_spans(told, "fault"))) if not told.wishes.passed or told.wishes.halted else range(0)
    return any(_crossing(told, number) <= time <= _spans(told, "fault")[number][1] + 2 for number in faults)


def observation(told: Telling) -> Json:
    """The keys of `result.json` that observation adds; samples and health changes become events."""
    wishes, faults = told.wishes, _spans(told, "fault")
    for name, kind in probes(wishes):
        if kind != "prometheus" and faults:
            _samples(told, name, first=name.startswith("storefront"))
    checks = [_check(told, name, kind, window) for name, kind in probes(wishes) for window in told.windows]
    health = _health(told) if wishes.unhealthy else []
    findings = [document(one) | {"exit_code": one.exit_code} for one in _findings(told)]
    score = document(_resiliency(told)) if wishes.resiliency and faults else None
    return {
        "run_uuid": "5f0c2d9e-0000-4000-8000-00000badcafe", "windows": told.windows, "checks": checks, "alerts": _alerts(told), "health": health,
        "findings": findings, "problems": list(wishes.problems) + ([DOWN + wishes.hostile] if wishes.unknown else []), "resiliency": score,
    }  # fmt: skip


def _samples(told: Telling, name: str, first: bool) -> None:
    start, end = told.windows[0]["start"], max(one["end"] for one in told.windows)
    for number in range(int((end - start) / told.wishes.step)):
        time = start + number * told.wishes.step
        good = None if number % 37 == 36 else not (first and _bad(told, time))
        seconds = None if good is None else round(0.012 + 0.004 * math.sin(number) + (0.2 if first and not good else 0), 6)
        detail = "" if good else "timed out" if good is None else f"status 503{told.wishes.hostile}"
        told.say("sample", name, time, good=good, seconds=seconds, detail=detail)


def _check(told: Telling, name: str, kind: str, window: Json) -> Json:
    wishes, phase = told.wishes, window["phase"]
    count = max(1, int((window["end"] - window["start"]) / wishes.step))
    times = [window["start"] + number * wishes.step for number in range(count)]
    affected = name.startswith(("storefront", "checkout"))
    bad = [time for time in times if affected and _bad(told, time)]
    unknown = count if wishes.unknown and kind == "prometheus" else count // 37
    good = 0 if unknown == count else count - len(bad) - unknown
    limits = {"baseline": "100% good", "fault": "95% good, p95 <= 250ms", "recovery": "good within 5s" if affected else ""}
    limit = limits[phase] if kind != "prometheus" else "<= 0.01"
    passed = None if not limit or good + len(bad) == 0 else phase == "recovery" or not bad
    rate = None if good + len(bad) == 0 else good / (good + len(bad))
    latency = (("p50", 0.012), ("p95", 0.216 if bad else 0.016)) if kind == "http" and rate is not None else ()
    reason = "" if passed else "nothing is asked of this window" if rate is not None and passed is None else DOWN + wishes.hostile
    reason = f"{rate:.1%} good, wanted 95%{wishes.hostile}" if passed is False else reason
    made = ProbeCheck(
        name=name, kind=kind, scenario=window["scenario"], phase=phase, samples=count, good=good, unknown=unknown, pass_rate=rate, latency=latency,
        limit=limit, passed=passed, reason=reason, crossed=bad[0] if bad and phase == "fault" else None,
        recovered_after=2.0 if bad and phase == "recovery" else None,
    )  # fmt: skip
    return document(made) | {"latency": dict(latency)}


def _alerts(told: Telling) -> list[Json]:
    wishes, faults = told.wishes, _spans(told, "fault")
    if not faults:
        return []
    start, end = faults[0]
    during = ((_crossing(told), end + 4.0),) if not wishes.passed else ()
    early = (told.windows[0]["start"], start + (end - start) / 2)
    tail = wishes.hostile
    kinds = (
        AlertFact(
            source=AlertSource.PROFILE, name=f"checkout error rate is 0.031{tail}", expr="rate(errors[10s]) > 0.01", severity="error",
            value=0.031 if during else None, intervals=during, counted=not wishes.passed,
        ),
        AlertFact(
            source=AlertSource.CRITICAL, name=f"DiskFull{tail}", expr='ALERTS{severity="critical"}', severity="critical",
            labels=(("instance", f"node-1{tail}"),), intervals=(early,), before=True,
        ),
        AlertFact(source=AlertSource.PROFILE, name=f"etcd leader changed{tail}", expr="changes(etcd_leader[1m]) > 0", severity="warning"),
        AlertFact(
            source=AlertSource.PROFILE, name=f"badly written{tail}", expr="rate(", severity="info",
            problem="1:6: parse error: unclosed left parenthesis",
        ),
    )  # fmt: skip
    made = [kinds[number % len(kinds)] for number in range(wishes.alerts)]
    return [_plain_alert(one, wishes) for one in made]


def _plain_alert(one: AlertFact, wishes: Wishes) -> Json:
    plain = document(one) | {"labels": dict(one.labels), "fired": one.fired}
    return plain | {"intervals": [], "fired": False, "counted": False, "problem": DOWN} if wishes.unknown else plain


def _health(told: Telling) -> list[Json]:
    at, end = _crossing(told), max(one["end"] for one in told.windows)
    start = told.windows[0]["start"]
    url = URL + told.wishes.hostile
    told.say("health", url, start, healthy=True, status_code=200, detail="")
    told.say("health", url, at, healthy=False, status_code=503, detail=f"status 503{told.wishes.hostile}")
    stretches = ((True, 200, start, at), (False, 503, at, end))
    made = [
        HealthRecord(
            url=url, status=good, status_code=code, start_timestamp=since, end_timestamp=until, duration=round(until - since, 3), gating=True,
            detail="" if good else "status 503",
        )
        for good, code, since, until in stretches
    ]  # fmt: skip
    return [document(one) for one in made]


def _findings(told: Telling) -> list[Finding]:
    wishes, tail, found = told.wishes, told.wishes.hostile, list[Finding]()
    if not _spans(told, "fault"):
        return []
    at = _crossing(told)
    if wishes.unknown:
        found.append(Finding(kind=FindingKind.UNKNOWN, reason=f"checkout error rate: {DOWN}{tail}", scenario=0))
    if wishes.unhealthy:
        found.append(Finding(kind=FindingKind.HEALTH, reason=f"{URL} was not healthy: status 503{tail}", time=at))
    if wishes.halted:
        end = _spans(told, "fault")[0][1]
        found.append(Finding(kind=FindingKind.HALT, reason=f"too many errors: job:errors:ratio > 0.2{tail}", time=end - 0.1, scenario=0))
    if not wishes.passed:
        found.append(Finding(kind=FindingKind.OBJECTIVE, reason=f"storefront: fewer than 95% good under the fault{tail}", time=at, scenario=0))
        found.append(Finding(kind=FindingKind.ALERT, reason=f"checkout error rate is 0.031{tail}", time=at))
    return found


def _resiliency(told: Telling) -> Resiliency:
    good = None if told.wishes.unknown else told.wishes.passed
    slos = (
        SloResult(name="checkout error rate" + told.wishes.hostile, severity="critical", weight=3.0, passed=good),
        SloResult(name="etcd leader changed", severity="warning", weight=1.0, passed=True),
    )  # fmt: skip
    score = 25 if good is False else 100
    scores = tuple(
        ScenarioScore(
            name=one["id"], start=one["started"], end=one["ended"], score=score, weight=1.0, total_points=4.0,
            points_lost=3.0 if good is False else 0.0, results=slos,
        )
        for one in told.scenarios
    )  # fmt: skip
    return Resiliency(score=score, passed=1 + bool(good), total=2 - (good is None), scenarios=scores)


def series(told: Telling) -> list[Json]:
    """The content of series.json: the Prometheus probes, the halt query, and the further panels."""
    wishes = told.wishes
    asked = [(name, "rate(errors[10s])", "<= 0.01") for name, kind in probes(wishes) if kind == "prometheus"]
    asked += [(f"too many errors{wishes.hostile}", "job:errors:ratio > 0.2", "")] if wishes.halted else []
    for number in range(wishes.panels):
        asked.append((f"panel {number + 1}{wishes.hostile}", f'histogram_quantile(0.95, rate(latency_bucket{{shard="{number}"}}[10s]))', "< 0.02"))
    if not told.windows:
        return []
    return [_observed(told, name, query, limit, number) for number, (name, query, limit) in enumerate(asked)]


def _observed(told: Telling, name: str, query: str, limit: str, number: int) -> Json:
    made = {"name": name, "query": query, "limit": limit, "step": told.wishes.step}
    if told.wishes.unknown:
        return {**made, "problem": DOWN + told.wishes.hostile, "series": []}
    start, end = told.windows[0]["start"], max(one["end"] for one in told.windows)
    points: list[list[float]] = []
    for index in range(int((end - start) / told.wishes.step) + 1):
        time = start + index * told.wishes.step
        if index % 50 not in (21, 22, 23):  # the scrape was missed
            points.append([round(time, 3), round(0.004 + 0.001 * math.sin(index / 3 + number) + (0.027 if _bad(told, time) else 0), 6)])
    return {**made, "problem": "", "series": [{"labels": {"job": f"shop{told.wishes.hostile}"}, "points": points}]}


def metrics(told: Telling) -> list[Json]:
    """The lines of metrics.jsonl."""
    line = {"metricName": "podCPU", "query": "rate(container_cpu_usage_seconds_total[2m])", "labels": {"pod": f"web-0{told.wishes.hostile}"}}
    start = told.windows[0]["start"]
    numbers = range(told.wishes.metrics)
    return [{**line, "points": [[round(start + number, 3), round(0.2 + 0.05 * math.sin(number), 6)]]} for number in numbers]
