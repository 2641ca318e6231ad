"""Lanes of what was seen of the system: probes as good, bad and unknown stretches, health checks, alerts from firing to resolved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import median

from ...model.limit import limit_of
from ...model.observation import Phase
from ..recorded import Json
from .axis import Axis
from .figures import NONE, plural, share
from .shapes import Group, Lane, Shape, mark, shape

MOST_LANES = 12  # of one kind, before the rest is folded
_MOST_STRETCHES = 400
_SEVERE = frozenset({"critical", "error", "fatal", "page"})
_WORDS = {True: "good", False: "bad", None: "unknown"}
Look = tuple[float, bool | None]


def probe_lanes(axis: Axis, result: Json, samples: dict[str, list[Json]], series: Sequence[Json]) -> tuple[Group, ...]:
    """A lane per probe: those that were sampled, and those that were read from Prometheus' history."""
    checks: dict[str, list[Json]] = {}
    for check in result.get("checks", ()):
        checks.setdefault(check["name"], []).append(check)
    names = list(dict.fromkeys([*checks, *samples]))
    by_name = {one["name"]: one for one in series if one["limit"]}
    lanes = []
    for name in names:
        looks = [(one["time"], one["good"]) for one in samples.get(name, ())] or _from_series(by_name.get(name))
        lanes.append(_probe(axis, name, checks.get(name, []), looks))
    return _folded("Probes", "probe", sorted(lanes, key=lambda lane: lane.state != "bad"))


def _probe(axis: Axis, name: str, checks: Sequence[Json], looks: list[Look]) -> Lane:
    failed = [check for check in checks if check["passed"] is False]
    untold = any(check_word(check) == "unknown" for check in checks)
    state = "bad" if failed else "unknown" if untold else "good" if any(check["passed"] for check in checks) else "plain"
    rates = [next((share(one["pass_rate"]) for one in checks if one["phase"] == phase), NONE) for phase in Phase]
    crossed = [check["crossed"] for check in checks if check.get("crossed") is not None]
    marks = tuple(mark(axis, "crossed", "first bad", time) for time in crossed)
    kind = checks[0]["kind"] if checks else ""
    return Lane(name=name, note=kind, state=state, shapes=tuple(_stretches(axis, looks)), marks=marks, facts=tuple(rates))


def check_word(check: Json) -> str:
    """`passed`, `failed`, `unknown`, or `not asked`."""
    if check["passed"] is not None:
        return "passed" if check["passed"] else "failed"
    return "unknown" if check["pass_rate"] is None and check["limit"] else "not asked"


def _from_series(observed: Json | None) -> list[Look]:
    """Bad where any series of the answer breaks the limit."""
    if observed is None:
        return []
    try:
        limit = limit_of(observed["limit"])
    except ValueError:
        return []
    looks: dict[float, bool] = {}
    for one in observed["series"]:
        for time, value in one["points"]:
            looks[time] = looks.get(time, True) and limit.holds(value)
    return sorted(looks.items())


def _stretches(axis: Axis, looks: list[Look]) -> Iterable[Shape]:
    """Looks of one answer in a row are one stretch; it reaches as far as the next look, unless that is missing."""
    if not looks:
        return
    usual = median(after - before for (before, _), (after, _) in pairwise(looks)) if len(looks) > 1 else 1.0
    ends = [min(after, before + 2.5 * usual) for (before, _), (after, _) in pairwise(looks)] + [looks[-1][0] + usual]
    pieces = [(start, min(end, axis.end), good) for (start, good), end in zip(looks, ends, strict=True)]
    runs = _joined(pieces)
    if len(runs) > _MOST_STRETCHES:
        runs = _joined(_coarse(axis, pieces))
    for start, end, good in runs:
        yield shape(axis, _WORDS[good], _WORDS[good], start, end)


def _joined(pieces: Sequence[tuple[float, float, bool | None]]) -> list[tuple[float, float, bool | None]]:
    joined: list[tuple[float, float, bool | None]] = []
    for start, end, good in pieces:
        if joined and joined[-1][2] is good and abs(joined[-1][1] - start) < 1e-6:
            joined[-1] = joined[-1][0], end, good
        else:
            joined.append((start, end, good))
    return joined


def _coarse(axis: Axis, pieces: Sequence[tuple[float, float, bool | None]]) -> list[tuple[float, float, bool | None]]:
    """As many pieces as can be seen; the worst answer within each counts, so that a single bad one stays visible."""
    width = (axis.end - axis.start) / _MOST_STRETCHES
    coarse = []
    for number, parts in groupby(pieces, lambda piece: int((piece[0] - axis.start) / width)):
        goods = [good for _, _, good in parts]
        worst = False if False in goods else None if None in goods else True
        coarse.append((axis.start + number * width, axis.start + (number + 1) * width, worst))
    return coarse


def health_lanes(axis: Axis, result: Json) -> tuple[Group, ...]:
    """A lane per URL."""
    stretches: dict[str, list[Json]] = {}
    for one in result.get("health", ()):
        stretches.setdefault(one["url"], []).append(one)
    lanes = [_health(axis, url, parts) for url, parts in stretches.items()]
    return _folded("Health", "URL", sorted(lanes, key=lambda lane: lane.state != "bad"))


def _health(axis: Axis, url: str, parts: Sequence[Json]) -> Lane:
    shapes = tuple(
        shape(axis, "good" if one["status"] else "bad", f"{'healthy' if one['status'] else 'not healthy'}, status {one['status_code']}",
              one["start_timestamp"], one["end_timestamp"])
        for one in parts
    )  # fmt: skip
    bad = sum(not one["status"] for one in parts)
    note = "decides the exit code" if any(one.get("gating") for one in parts) else ""
    fact = f"{plural(bad, 'time')} not healthy" if bad else "healthy"
    return Lane(name=url, note=note, state="bad" if bad else "good", shapes=shapes, facts=(fact,))


def alert_state(alert: Json) -> str:
    """`unknown`, `fired`, `fired before`, `not fired`."""
    if alert.get("problem"):
        return "unknown"
    if not alert.get("fired", bool(alert.get("intervals"))):
        return "not fired"
    return "fired before" if alert.get("before") else "fired"


def alert_lanes(axis: Axis, result: Json) -> tuple[Group, ...]:
    """A lane per alert that fired; those that count first."""
    fired = sorted((one for one in result.get("alerts", ()) if one.get("intervals")), key=lambda one: not one.get("counted"))
    return _folded("Alerts", "alert", [_alert(axis, one) for one in fired])


def _alert(axis: Axis, alert: Json) -> Lane:
    severity = alert["severity"]
    kind = "severe" if severity in _SEVERE else "warning" if severity == "warning" else "info"
    shapes = tuple(shape(axis, kind, f"{severity}, firing", start, end) for start, end in alert["intervals"])
    marks = (mark(axis, "before", "fired before the run already", axis.start),) if alert.get("before") else ()
    counted = alert.get("counted")
    fact = alert_state(alert) + (", counts" if counted else "")
    return Lane(name=alert["name"], note=severity, state="bad" if counted else "plain", shapes=shapes, marks=marks, facts=(fact,))


def _folded(title: str, thing: str, lanes: Sequence[Lane]) -> tuple[Group, ...]:
    if not lanes:
        return ()
    rest = tuple(lanes[MOST_LANES:])
    return (Group(title=title, lanes=tuple(lanes[:MOST_LANES]), rest=rest, rest_title=f"{plural(len(rest), 'further ' + thing)}" if rest else ""),)
