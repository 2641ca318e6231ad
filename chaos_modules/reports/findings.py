"""What a result says of the system under test, as rows that every text report shows alike: checks, alerts, health, and how many of each failed."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..model.observation import Phase
from ..verdict.quantiles import seconds_text

Json = dict[str, Any]
PHASES = tuple(str(phase) for phase in Phase)
UNMEASURED, UNKNOWN = "not measured", "unknown"
PASSED, FAILED, UNASKED, UNCOUNTED = "passed", "FAILED", "not asked", "not counted"
_QUANTILE = re.compile(r"\bp\d+(?:\.\d+)?\b")
_BOUND = re.compile(r"(p\d+(?:\.\d+)?)\s*<=?\s*(\d+(?:\.\d+)?(?:e-?\d+)?)\s*(ms|us|s)\b")
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A quantity of one probe in the three windows. `values` are for people, by window; `remarks` tell of each window that did not pass."""

    name: str
    scenario: int
    values: tuple[str, str, str]
    limit: str
    result: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An alert or a URL: what it is, what is known of it, when, what follows for the run, and why."""

    name: str
    detail: str
    when: str
    result: str
    remark: str = ""


def clock(moment: float | None) -> str:
    """A time of day. UTC, so that the same record gives the same report everywhere."""
    return UNKNOWN if moment is None else time.strftime("%H:%M:%S", time.gmtime(moment))


def day(moment: float) -> str:
    """Date and time of day, UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def percent(share: float | None) -> str:
    """A share with as many digits as it has, of one after the point; only all is 100 % and only nothing is 0 %."""
    if share is None:
        return UNMEASURED
    shown = f"{share:.1%}"
    shown = "99.9%" if shown == "100.0%" and share < 1 else "0.1%" if shown == "0.0%" and share > 0 else shown
    return shown.replace(".0%", "%")


def spans(intervals: Sequence[Sequence[float]]) -> str:
    """Stretches of time, the first few of many."""
    told = [f"{clock(one[0])} – {clock(one[1])}" for one in intervals[:3]]
    return ", ".join(told + ([f"and {len(intervals) - 3} more"] if len(intervals) > 3 else []))


def probes(result: Json) -> list[list[Json]]:
    """The checks of one probe in one scenario, together, in the order of the record."""
    grouped: dict[tuple[int, str], list[Json]] = {}
    for check in result.get("checks", ()):
        grouped.setdefault((check["scenario"], check["name"]), []).append(check)
    return list(grouped.values())


def check_rows(result: Json) -> list[CheckRow]:
    """By scenario, a row for the share of good samples of each probe, and one for each quantile of its latency that a limit names."""
    rows: list[CheckRow] = []
    for checks in probes(result):
        rows.append(_row(result, checks, ""))
        named = dict.fromkeys(quantile for check in checks for quantile in _QUANTILE.findall(check["limit"]))
        rows += [_row(result, checks, quantile) for quantile in named]
    return sorted(rows, key=lambda row: row.scenario)


def _row(result: Json, checks: Sequence[Json], quantile: str) -> CheckRow:
    by_phase = {check["phase"]: check for check in checks}
    failed = [check for check in checks if _failed(check, quantile)]
    asked = [*failed, *(by_phase[phase] for phase in ("fault", "baseline", "recovery") if phase in by_phase)]
    limit = next((text for check in asked if (text := _limit(check, quantile))), "none")
    values = [_value(by_phase.get(phase), quantile) for phase in PHASES]
    return CheckRow(
        name=f"{checks[0]['name']} {quantile}".strip(), scenario=checks[0]["scenario"], values=(values[0], values[1], values[2]), limit=limit,
        result=FAILED if failed else _result(checks, quantile), remarks=() if quantile else _remarks(result, checks),
    )  # fmt: skip


def _remarks(result: Json, checks: Sequence[Json]) -> tuple[str, ...]:
    """What is to be told of the windows that did not pass; the same of several, once."""
    phases: dict[str, list[str]] = {}
    for check in checks:
        if check["passed"] is False or unanswered(check):
            phases.setdefault(remark(result, check), []).append(check["phase"])
    return tuple(f"{', '.join(named)}: {told}" for told, named in phases.items())


def _failed(check: Json, quantile: str) -> bool:
    """Whether this quantity is why the check failed; where that cannot be told, it is."""
    if check["passed"] is not False:
        return False
    late = [name for name, bound in _bounds(check) if check["latency"].get(name, 0.0) > bound]
    if quantile:
        return quantile in late or (quantile in check["limit"] and quantile not in dict(_bounds(check)))
    several = "; " in check.get("reason", "")
    return not late or several or (check["pass_rate"] or 0.0) < _wanted_share(check)


def _bounds(check: Json) -> list[tuple[str, float]]:
    return [(name, float(number) * _UNITS[unit]) for name, number, unit in _BOUND.findall(check["limit"])]


def _wanted_share(check: Json) -> float:
    found = re.search(r"(\d+(?:\.\d+)?)\s*%", check["limit"])
    return float(found[1]) / 100 if found else 0.0


def _limit(check: Json, quantile: str) -> str:
    parts = [part for part in check["limit"].split(", ") if part]
    named = [part for part in parts if (quantile in _QUANTILE.findall(part) if quantile else not _QUANTILE.search(part))]
    return ", ".join(part.removeprefix(quantile).strip() for part in named)


def _value(check: Json | None, quantile: str) -> str:
    if check is None:
        return UNMEASURED
    if quantile:
        return seconds_text(check["latency"][quantile]) if quantile in check["latency"] else UNMEASURED
    return UNKNOWN if unanswered(check) and check["pass_rate"] is None else percent(check["pass_rate"])


def unanswered(check: Json) -> bool:
    """Something was asked and nothing can be told."""
    return check["passed"] is None and bool(check["limit"] or (check["unknown"] and check["unknown"] == check["samples"]))


def _result(checks: Sequence[Json], quantile: str) -> str:
    if any(unanswered(check) for check in checks):
        return UNKNOWN
    if quantile and not any(quantile in check["latency"] for check in checks if _limit(check, quantile)):
        return UNMEASURED
    return PASSED if any(check["passed"] is not None for check in checks) else UNASKED


def finding_of(result: Json, check: Json) -> Json | None:
    """The finding that a check has led to; its reason begins with the probe (verdict/probes.py)."""
    begins = (f"probe {check['name']}, {check['phase']} window: ", f"{check['name']}: ")
    return next((one for one in result.get("findings", ())
                 if one.get("scenario") in (check["scenario"], None) and str(one["reason"]).startswith(begins)), None)  # fmt: skip


def remark(result: Json, check: Json) -> str:
    """Why a check did not pass, and when it was not good."""
    state = "failed" if check["passed"] is False else UNKNOWN
    reason = check.get("reason") or f"{check['good']} of {check['samples']} samples were good, limit {check['limit']}"
    when = failed_span(result, check)
    return f"{state}: {reason}" + (f" ({spans([when])})" if when else "")


def failed_span(result: Json, check: Json) -> tuple[float, float] | None:
    """From the first bad sample to the recovery, as far as the record tells; None without a bad sample."""
    crossed = check.get("crossed")
    if crossed is None:
        return None
    ends = {one["phase"]: one["end"] for one in result.get("windows", ()) if one["scenario"] == check["scenario"]}
    end = ends.get(check["phase"], crossed)
    after = [one.get("recovered_after") for one in result["checks"]
             if one["phase"] == "recovery" and (one["name"], one["scenario"]) == (check["name"], check["scenario"])]  # fmt: skip
    if check["phase"] == "fault" and after and after[0] is not None:
        end += after[0]
    return crossed, max(crossed, end)


def fired(alert: Json) -> bool:
    """Whether it held at any time of the run."""
    return bool(alert.get("fired", alert.get("intervals")))


def alert_name(alert: Json) -> str:
    """Its name with its labels."""
    labels = ", ".join(f"{key}={value}" for key, value in alert.get("labels", {}).items())
    return f"{alert['name']} {{{labels}}}" if labels else str(alert["name"])


def alert_rows(result: Json) -> list[Row]:
    """Every alert that fired or could not be evaluated, what counts first."""
    worth = [alert for alert in result.get("alerts", ()) if fired(alert) or alert.get("problem")]
    return [_alert(alert) for alert in sorted(worth, key=lambda alert: (not alert.get("counted"), not fired(alert)))]


def _alert(alert: Json) -> Row:
    name, severity = alert_name(alert), alert["severity"]
    if not fired(alert):
        return Row(name=name, detail=severity, when="not evaluated", result=UNKNOWN, remark=alert["problem"])
    when, why = spans(alert.get("intervals", ())) or UNKNOWN, uncounted(alert)
    return Row(name=name, detail=severity, when=when, result=UNCOUNTED if why else FAILED, remark=why)


def uncounted(alert: Json) -> str:
    """Why an alert that fired does not decide the exit code; empty if it does."""
    if alert.get("counted"):
        return ""
    return "it held before the run already" if alert.get("before") else f"severity {alert['severity']} does not decide the exit code"


def health_rows(result: Json) -> list[Row]:
    """A row for each URL."""
    by_url: dict[str, list[Json]] = {}
    for one in result.get("health", ()):
        by_url.setdefault(one["url"], []).append(one)
    return [_health(url, stretches) for url, stretches in by_url.items()]


def _health(url: str, stretches: Sequence[Json]) -> Row:
    bad = [one for one in stretches if not one["status"]]
    if not bad:
        return Row(name=url, detail=f"status {stretches[-1]['status_code']}", when="healthy throughout", result=PASSED)
    when = spans([(one["start_timestamp"], one["end_timestamp"]) for one in bad])
    detail = bad[0].get("detail") or f"status {bad[0]['status_code']}"
    if any(one.get("gating") for one in bad):
        return Row(name=url, detail=detail, when=when, result=FAILED)
    return Row(name=url, detail=detail, when=when, result=UNCOUNTED, remark="exit_on_failure is not set for it")


def tally(result: Json) -> str:
    """How much of what was watched failed, in one line; empty where nothing was watched."""
    checks, alerts, urls = result.get("checks", ()), result.get("alerts", ()), health_rows(result)
    asked = [check for check in checks if check["passed"] is not None]
    parts = [f"{sum(check['passed'] for check in asked)} of {len(asked)} checks passed"] if asked else []
    halted = sum(bool(scenario.get("halted")) for scenario in result.get("scenarios", ()))
    parts = [f"{halted} of {len(result['scenarios'])} scenarios halted", *parts] if halted else parts
    unknown = sum(unanswered(check) for check in checks) + sum(bool(alert.get("problem")) for alert in alerts)
    parts += [f"{sum(fired(alert) and bool(alert.get('counted')) for alert in alerts)} of {len(alerts)} alerts fired"] if alerts else []
    parts += [f"{sum(one.result != PASSED for one in urls)} of {len(urls)} URLs were not healthy"] if urls else []
    parts += [f"{unknown} unknown"] if unknown else []
    score = result.get("resiliency")
    parts += [f"resiliency score {score['score']:g} of 100"] if score else []
    return ", ".join(parts)
