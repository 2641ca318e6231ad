"""The events of a record, sorted by whom they are about: what became of each target when, samples, halts, carriers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..recorded import Json

_INJECTOR = frozenset({"rehearsed", "applied", "armed", "measured", "reverted", "finished"})


@dataclass(slots=True)
class Executed:
    """One executed scenario: when it began and ended, for how long the fault was to hold, and the times of its targets' events by key and name.

    `seen` is the last time at which an injector found its fault in effect; `launched` the first of anything on a node.
    """

    started: float
    hold: float
    finished: float | None = None
    times: dict[str, dict[str, float]] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    launched: dict[str, float] = field(default_factory=dict)
    carriers: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """`executed` in the order of `result.json`; `samples` by probe; the rest in order."""

    executed: list[Executed] = field(default_factory=list)
    samples: dict[str, list[Json]] = field(default_factory=dict)
    halts: list[Json] = field(default_factory=list)
    unsent: list[Json] = field(default_factory=list)
    last: float = 0.0


def history_of(events: Iterable[Json]) -> History:
    """One pass over the events: there may be hundreds of thousands. Events and fields that are not known are passed over."""
    history = History()
    for event in events:
        name, time = event["event"], event["time"]
        history.last = max(history.last, time)
        if name == "holding":  # nearly all of them
            if history.executed:
                history.executed[-1].seen[event["target"]] = time
        elif name == "scenario-started":
            history.executed.append(Executed(time, float(event["hold"])))
        elif name == "sample":
            history.samples.setdefault(event["target"], []).append(event)
        elif name == "halt":
            history.halts.append(event)
        elif name == "unsent":
            history.unsent.append(event)
        elif history.executed:
            _of_scenario(history.executed[-1], name, time, event)
    return history


def _of_scenario(executed: Executed, name: str, time: float, event: Json) -> None:
    target = event["target"]
    if name == "armed":
        executed.seen[target] = time
    if name in _INJECTOR:
        moment = event["at"] if name == "measured" else time
        executed.times.setdefault(target, {}).setdefault(name, moment)
    elif name == "carrier":
        executed.carriers.append(event)
        executed.launched.setdefault(target, time)
    elif name == "scenario-finished":
        executed.finished = time
