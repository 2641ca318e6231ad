"""The timeline: one axis, the windows shaded on it, the moments that matter, and a lane for everybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..recorded import Json, Recorded
from .axis import Axis, axis_over
from .figures import utc
from .history import History
from .seen_lanes import alert_lanes, health_lanes, probe_lanes
from .shapes import Group, Mark, mark
from .target_lanes import target_groups

PHASES = ("baseline", "fault", "recovery")


@dataclass(frozen=True, slots=True)
class Shade:
    """A window as the background of every lane and panel. `start` and `end` are seconds after the run's start."""

    phase: str
    scenario: str
    x: float
    width: float
    start: float
    end: float
    title: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that the template draws. `moments` are marked over the whole height."""

    axis: Axis
    shades: tuple[Shade, ...]
    moments: tuple[Mark, ...]
    targets: tuple[Group, ...]
    seen: tuple[Group, ...]
    began: str


def timeline(recorded: Recorded, history: History) -> Timeline:
    """The timeline of a record."""
    result = recorded.result
    windows = windows_of(result)
    times = [one["end"] for one in windows] + [history.last] + [end for one in result.get("health", ()) for end in (one["end_timestamp"],)]
    axis = axis_over(result["started"], result["ended"], times)
    shades = tuple(_shade(axis, one, result["scenarios"]) for one in windows)
    seen = (*probe_lanes(axis, result, history.samples, recorded.series), *health_lanes(axis, result), *alert_lanes(axis, result))
    moments = tuple(sorted(_moments(axis, result, history), key=lambda one: one.x))
    return Timeline(axis, shades, moments, target_groups(axis, result, history.executed), seen, utc(result["started"], day=True))


def windows_of(result: Json) -> list[Json]:
    """Those of the record; where it has none, from the first target's start to the last one's end."""
    if result.get("windows"):
        return [one for one in result["windows"] if one["phase"] in PHASES]
    windows = []
    for number, scenario in enumerate(result["scenarios"]):
        starts = [one["started"] for one in scenario["targets"] if one["started"] is not None]
        ends = [one["ended"] for one in scenario["targets"] if one["ended"] is not None]
        if starts and ends:
            windows.append({"scenario": number, "phase": "fault", "start": min(starts), "end": max(ends)})
    return windows


def _shade(axis: Axis, window: Json, scenarios: Sequence[Json]) -> Shade:
    start, end, number = window["start"], window["end"], window["scenario"]
    name = scenarios[number]["id"] if 0 <= number < len(scenarios) else ""
    x = axis.place(start)
    title = f"{window['phase']} of {name}: {axis.span(start, end)}"
    return Shade(window["phase"], name, x, max(0.0, round(axis.place(end) - x, 3)), round(start - axis.zero, 3), round(end - axis.zero, 3), title)


def _moments(axis: Axis, result: Json, history: History) -> Iterator[Mark]:
    crossings = sorted((one["crossed"], one["name"]) for one in result.get("checks", ()) if one["passed"] is False and one.get("crossed") is not None)
    if crossings:
        yield mark(axis, "crossed", f"first limit crossed: {crossings[0][1]}", crossings[0][0])
    for event in history.halts:
        yield mark(axis, "halt", f"halted: {event.get('reason') or event.get('query')}", event["time"])
    if result["verdict"]["status"] == "interrupted" or any(one["status"] == "interrupted" for one in result["scenarios"]):
        stopped = [one for scenario in result["scenarios"] for one in scenario["targets"] if one["status"] == "interrupted"]
        yield mark(axis, "interrupt", "interrupted", min((one["ended"] for one in stopped if one["ended"] is not None), default=result["ended"]))
