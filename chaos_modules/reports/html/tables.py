"""Rows of the tables: effect on each target, checks, alerts, health, score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...model.observation import Phase
from ..recorded import Json
from ..text import count
from .axis import Axis
from .figures import NONE, NOT_MEASURED, duration, labels, number, plural, quantity, share
from .seen_lanes import alert_state, check_word
from .target_lanes import name_of, worst_first

MOST_ROWS = 20  # of one table, before those that are well are folded
MOST_SCENARIOS = 4  # before those that passed are folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One target: each fact from its own evidence."""

    name: str
    where: str
    requested: str
    in_effect: str
    kernel: tuple[str, ...]
    peer: tuple[str, ...]
    traffic: str
    reverted: str
    status: str
    state: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The targets of one scenario; `rest` is folded."""

    title: str
    reason: str
    remarks: tuple[str, ...]
    shown: tuple[Effect, ...]
    rest: tuple[Effect, ...]
    unfolded: bool


def effects(result: Json) -> tuple[Effects, ...]:
    """A table per scenario, failed targets first."""
    scenarios = result["scenarios"]
    return tuple(_effects(scenario, len(scenarios) <= MOST_SCENARIOS or scenario["status"] != "passed") for scenario in scenarios)


def _effects(scenario: Json, unfolded: bool) -> Effects:
    ordered = worst_first(scenario["targets"])
    bad = sum(target["status"] != "passed" for target in ordered)
    shown = len(ordered) if len(ordered) <= MOST_ROWS else max(bad, MOST_ROWS)
    rows = [_effect(target) for target in ordered]
    return Effects(
        title=f"{scenario['id']}, {scenario['file']}: {scenario['status']}", reason=scenario["reason"], remarks=tuple(_remarks(scenario)),
        shown=tuple(rows[:shown]), rest=tuple(rows[shown:]), unfolded=unfolded,
    )  # fmt: skip


def _remarks(scenario: Json) -> list[str]:
    remarks = [f"halted early: {scenario['halted']}"] if scenario.get("halted") else []
    if scenario.get("skew_seconds") is not None:
        together, skew = duration(scenario.get("together_seconds")), duration(scenario["skew_seconds"])
        remarks.append(f"all targets faulted at once for {together}, started within {skew}")
    other = scenario.get("bystanders")
    if other:
        sent, lost, copied = (count(other[name]) for name in ("sent", "lost", "copied"))
        remarks.append(f"{plural(other['flows'], 'other flow')} meanwhile: {sent} packets, {lost} lost, {copied} copied")
    return remarks


def _effect(target: Json) -> Effect:
    reverted = {True: "yes", False: "NO", None: "nothing was put there"}[target["reverted"]]
    remarks = [target["reason"], target["fidelity"] and f"{target['engine']} is {target['fidelity']}"]
    remarks += [f"not taken: {one}" for one in target.get("rejected", ())] + [f"left: {one}" for one in target.get("residue", ())]
    return Effect(
        name=name_of(target), where=", ".join(filter(None, (target["node"], target["device"], target["direction"], target["engine"]))),
        requested=", ".join(f"{name} {value}" for name, value in target["requested"].items()), in_effect="yes" if target["in_effect"] else "NO",
        kernel=_measured(target["measured"]), peer=_measured(target["at_peer"]), traffic=count(target["traffic"]), reverted=reverted,
        status=target["status"], state={"passed": "good", "interrupted": "unknown"}.get(target["status"], "bad"),
        remarks=tuple(filter(None, remarks)),
    )  # fmt: skip


def _measured(measured: Json) -> tuple[str, ...]:
    return tuple(_measurement(name, one) for name, one in measured.items()) or (NOT_MEASURED,)


def _measurement(name: str, one: Json) -> str:
    unit = one["unit"]
    interval = f" ({quantity(one['low'], unit)} to {quantity(one['high'], unit)})" if "low" in one and "high" in one else ""
    samples = f", {number(one['samples'])} samples" if "samples" in one else ""
    judged = "too few to judge" if one["judged"] != "yes" else "within tolerance" if one.get("within_tolerance", True) else "OUTSIDE tolerance"
    return f"{name} {quantity(one['value'], unit)}{interval}{samples}, {judged}" + (f"; {one['detail']}" if one.get("detail") else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A probe in one window."""

    rate: str
    counts: str
    latency: str
    limit: str
    word: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A probe of one scenario through its windows; a window that did not come about has no cell."""

    name: str
    kind: str
    scenario: str
    cells: tuple[Cell | None, ...]
    word: str
    state: str
    crossed: str
    recovered: str


_WORST = ("failed", "unknown", "passed", "not asked")
_STATES = {"failed": "bad", "unknown": "unknown", "passed": "good", "not asked": "plain"}


def check_rows(axis: Axis, result: Json) -> tuple[CheckRow, ...]:
    """A row per scenario and probe, failed ones first."""
    grouped: dict[tuple[int, str], dict[str, Json]] = {}
    for check in result.get("checks", ()):
        grouped.setdefault((check["scenario"], check["name"]), {})[check["phase"]] = check
    rows = [_check_row(axis, result["scenarios"], number, by_phase) for (number, _), by_phase in grouped.items()]
    return tuple(sorted(rows, key=lambda row: _WORST.index(row.word)))


def _check_row(axis: Axis, scenarios: Sequence[Json], number_of: int, by_phase: dict[str, Json]) -> CheckRow:
    some = next(iter(by_phase.values()))
    words = [check_word(check) for check in by_phase.values()]
    word = min(words, key=_WORST.index)
    crossed = [check["crossed"] for check in by_phase.values() if check.get("crossed") is not None]
    after = [check["recovered_after"] for check in by_phase.values() if check.get("recovered_after") is not None]
    return CheckRow(
        name=some["name"], kind=some["kind"], scenario=scenarios[number_of]["id"] if 0 <= number_of < len(scenarios) else NONE,
        cells=tuple(_cell(by_phase[phase]) if phase in by_phase else None for phase in Phase), word=word, state=_STATES[word],
        crossed=axis.moment(min(crossed)) if crossed else NONE, recovered=duration(max(after)) if after else NONE,
    )  # fmt: skip


def _cell(check: Json) -> Cell:
    unknown = f", {count(check['unknown'])} unknown" if check["unknown"] else ""
    word = check_word(check)
    return Cell(
        rate=share(check["pass_rate"]) if check["pass_rate"] is not None else "not known",
        counts=f"{count(check['good'])} of {count(check['samples'])} good{unknown}",
        latency=", ".join(f"{_quantile(name)} {duration(value)}" for name, value in check["latency"].items()),
        limit=check["limit"], word=word, state=_STATES[word], reason=check.get("reason", ""),
    )  # fmt: skip


def _quantile(name: str) -> str:
    """`p95`, whether it was written so or as 0.95."""
    try:
        return f"p{100 * float(name):g}"
    except ValueError:
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An entry of the alert profile, or a critical alert."""

    name: str
    state: str
    word: str
    severity: str
    labels: str
    value: str
    when: tuple[str, ...]
    expr: str
    counted: str
    problem: str


def alert_rows(axis: Axis, result: Json) -> tuple[AlertRow, ...]:
    """What decides the exit code first, then what fired, what is unknown, and what kept quiet."""
    order = ("fired", "fired before", "unknown", "not fired")
    alerts = sorted(result.get("alerts", ()), key=lambda one: (not one.get("counted"), order.index(alert_state(one))))
    return tuple(_alert_row(axis, one) for one in alerts)


def _alert_row(axis: Axis, one: Json) -> AlertRow:
    return AlertRow(
        name=one["name"], state="bad" if one.get("counted") else "unknown" if one.get("problem") else "plain", word=alert_state(one),
        severity=one["severity"], labels=labels(one.get("labels")), value=number(one.get("value")),
        when=tuple(axis.span(start, end) for start, end in one.get("intervals", ())), expr=one["expr"],
        counted="yes" if one.get("counted") else "no", problem=one.get("problem", ""),
    )  # fmt: skip


def shown_rows(rows: Sequence[CheckRow] | Sequence[AlertRow]) -> int:
    """How many come before the fold: all that failed, fired or are unknown, and as many others as there is room for."""
    calm = ("passed", "not asked", "not fired")
    return len(rows) if len(rows) <= MOST_ROWS else max(MOST_ROWS // 2, sum(row.word not in calm for row in rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    """A stretch of time in which a URL gave the same answer."""

    url: str
    state: str
    word: str
    code: str
    span: str
    gating: str
    detail: str


def health_rows(axis: Axis, result: Json) -> tuple[HealthRow, ...]:
    """In the order of the record."""
    return tuple(
        HealthRow(
            url=one["url"], state="good" if one["status"] else "bad", word="healthy" if one["status"] else "not healthy",
            code=str(one["status_code"]), span=axis.span(one["start_timestamp"], one["end_timestamp"]),
            gating="yes" if one.get("gating") else "no", detail=one.get("detail", ""),
        )
        for one in result.get("health", ())
    )  # fmt: skip
