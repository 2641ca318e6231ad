"""One lane per target: launched, applied, in effect, reverted; what was late, missing or left looks different."""

from __future__ import annotations

from collections.abc import Sequence

from ..recorded import Json
from .axis import Axis
from .figures import NOT_MEASURED, duration, plural, quantity
from .history import Executed
from .shapes import Group, Lane, Mark, Shape, mark, shape

LATE_SECONDS = 1.0  # after the first target of its scenario
MOST_LANES = 12  # of one scenario, before those that passed are folded
MOST_GROUPS = 6  # before those that passed are folded
_WORST = {"passed": 9, "no-traffic": 5, "interrupted": 6}


def target_groups(axis: Axis, result: Json, executed: Sequence[Executed]) -> tuple[Group, ...]:
    """A group per scenario, failed ones first within it."""
    scenarios = result["scenarios"]
    runs = [executed[number] if number < len(executed) else Executed(axis.start, 0.0) for number in range(len(scenarios))]
    return tuple(_group(axis, scenario, run, len(scenarios) > MOST_GROUPS) for scenario, run in zip(scenarios, runs, strict=True))


def name_of(target: Json) -> str:
    """`pod/shop/web-0`, with the direction where it is not the usual one."""
    return str(target["target"]) + (" (ingress)" if target["direction"] == "ingress" else "")


def worst_first(targets: Sequence[Json]) -> list[Json]:
    """Failed ones first, then in the order of the record."""
    return sorted(targets, key=lambda target: _WORST.get(target["status"], 1))


def _group(axis: Axis, scenario: Json, run: Executed, many: bool) -> Group:
    ordered = worst_first(scenario["targets"])
    bad = [target for target in ordered if target["status"] != "passed"]
    shown = len(ordered) if len(ordered) <= MOST_LANES else min(len(bad), 4 * MOST_LANES)
    lanes = tuple(_lane(axis, target, run) for target in ordered)
    rest = lanes[shown:]
    further = "all as requested" if all(one["status"] == "passed" for one in ordered[shown:]) else "failed ones among them"
    return Group(
        title=f"{scenario['id']}: {plural(len(ordered), 'target')}, {scenario['status']}", lanes=lanes[:shown], rest=rest,
        rest_title=f"{plural(len(rest), 'target')}, {further}" if rest else "",
        whole=_whole(axis, ordered, run) if len(ordered) > MOST_LANES or many else None, unfolded=not many or scenario["status"] != "passed",
    )  # fmt: skip


def _whole(axis: Axis, targets: Sequence[Json], run: Executed) -> Lane:
    """Since when all were in effect together, until when, and since when any was missing."""
    spans = [(one["started"], one["ended"]) for one in targets if one["in_effect"] and one["started"] is not None and one["ended"] is not None]
    lost = [run.seen.get(_key(one), run.started) for one in targets if not one["in_effect"]]
    shapes: list[Shape] = []
    if spans:
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        together = max(start for start, _ in spans), min(end for _, end in spans)
        shapes.append(shape(axis, "part", "some in effect", first, last))
        if together[1] > together[0]:
            until = min(together[1], max(together[0], min(lost, default=together[1])))
            shapes.append(shape(axis, "held", "all in effect", together[0], until))
            if until < together[1]:
                shapes.append(shape(axis, "missing", f"missing on {len(lost)}", until, together[1]))
    real, clean = len([one for one in targets if one["in_effect"]]), [one for one in targets if one["reverted"] is not None]
    reverted = sum(bool(one["reverted"]) for one in clean)
    facts = ("", f"{real} of {len(targets)}", "", f"{reverted} of {len(clean)}" if clean else "–")
    state = "good" if all(one["status"] == "passed" for one in targets) else "bad"
    return Lane(name="all targets", state=state, shapes=tuple(shapes), facts=facts)


def _key(target: Json) -> str:
    return f"{target['target']}/{target['direction']}"


def _lane(axis: Axis, target: Json, run: Executed) -> Lane:
    times = run.times.get(_key(target), {})
    state = {"passed": "good", "interrupted": "unknown"}.get(target["status"], "bad")
    requested = ", ".join(f"{name} {value}" for name, value in target["requested"].items() if " " not in name)
    values = target["measured"].values()
    measured = ", ".join(("" if one["judged"] == "yes" else "~") + quantity(one["value"], one["unit"]) for one in values) or NOT_MEASURED
    reverted = {True: "yes", False: "NO", None: "–"}[target["reverted"]]
    facts = (requested, "yes" if target["in_effect"] else "NO", measured, reverted)
    shapes = (*_before(axis, times, run, target), *_held(axis, target, run), *_after(axis, target, times, run))
    note = "" if target["status"] == "passed" else target["status"]
    return Lane(name=name_of(target), note=note, state=state, shapes=shapes, marks=_marks(axis, target, times), facts=facts)


def _before(axis: Axis, times: dict[str, float], run: Executed, target: Json) -> list[Shape]:
    known = [one for one in (run.launched.get(f"node/{target['node']}"), times.get("rehearsed"), times.get("applied")) if one is not None]
    armed = target["started"] if target["started"] is not None else times.get("armed")
    shapes: list[Shape] = []
    if known:
        applied = times.get("applied", armed if armed is not None else run.finished or axis.end)
        shapes.append(shape(axis, "launched", "launched, not yet applied", min(known), applied))
    if "applied" in times and armed is not None:
        shapes.append(shape(axis, "applied", "applied, not yet in effect", times["applied"], armed))
    first = min((one["armed"] for one in run.times.values() if "armed" in one), default=None)
    if first is not None and armed is not None and armed - first > LATE_SECONDS:
        shapes.append(shape(axis, "late", f"late by {duration(armed - first)}", first, armed))
    return shapes


def _held(axis: Axis, target: Json, run: Executed) -> list[Shape]:
    started, ended = target["started"], target["ended"]
    wanted = _wanted(target, run)
    if started is None:
        return [shape(axis, "missing", f"never in effect: {target['status']}", *wanted)] if wanted else []
    seen: float = max(started, run.seen.get(_key(target), started))
    if target["in_effect"]:
        kind, word = ("idle", "in effect, but no packet met it") if target["status"] == "no-traffic" else ("held", "in effect")
        return [shape(axis, kind, word, started, seen if ended is None else ended)]
    until = max(seen, ended if ended is not None else wanted[1] if wanted else seen)
    return [shape(axis, "held", "last seen in effect", started, seen), shape(axis, "missing", f"not in effect: {target['status']}", seen, until)]


def _wanted(target: Json, run: Executed) -> tuple[float, float] | None:
    """When it should have been in effect: as its fellows were, else for as long as was planned, until the scenario's end."""
    first = min((one["armed"] for one in run.times.values() if "armed" in one), default=target["started"])
    if first is None:
        return None
    last = max((one["measured"] for one in run.times.values() if "measured" in one), default=None)
    planned = first + run.hold
    return first, last if last is not None else min(planned, run.finished) if run.finished else planned


def _after(axis: Axis, target: Json, times: dict[str, float], run: Executed) -> list[Shape]:
    ended = target["ended"] if target["ended"] is not None else times.get("measured")
    shapes = []
    if ended is not None and times.get("reverted", ended) > ended:
        shapes.append(shape(axis, "reverting", "being reverted", ended, times["reverted"]))
    if target["reverted"] is False:
        known = [times.get("reverted"), ended, run.seen.get(_key(target)), *((_wanted(target, run) or ()) if ended is None else ())]
        shapes.append(shape(axis, "left", "not reverted", max((one for one in known if one is not None), default=run.started), axis.end))
    return shapes


def _marks(axis: Axis, target: Json, times: dict[str, float]) -> tuple[Mark, ...]:
    if target["reverted"] is False:
        return (mark(axis, "left", "something is left, or nobody could revert", axis.end),)
    moment = times.get("reverted", target["ended"])
    return (mark(axis, "reverted", "reverted, and looked at again", moment),) if target["reverted"] and moment is not None else ()
