"""What a person sees meanwhile, on standard error: a line per target in place on a terminal, a line per change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import IO, Any, Protocol

from ..model.wording import printable_parts
from .style import Style

_CHANGES = {
    "rehearsed": "rehearsed: {rehearsed} ({engine})", "applied": "applied ({engine} on {device})", "armed": "in effect",
    "reverted": "reverted in {seconds} s", "finished": "done, {status} {reason}", "waiting": "waiting {seconds:g} s: {why}",
    "carrier": "injector {state}", "scenario-started": "{file}: {hold:g} s on {targets} targets", "scenario-finished": "{status} {reason}",
    "window": "{phase} window of {seconds:.1f} s", "halt": "HALTED, the fault ends early: {reason} ({query})",
    "unsent": "not all could be sent: {problem}",
}  # fmt: skip
_GOOD, _BAD, _UNKNOWN = "good", "NOT GOOD", "unknown"


def change(event: Mapping[str, Any]) -> str:
    """An event as a few words; empty for one that is no change of state."""
    template = _CHANGES.get(str(event["event"]))
    if template is None:
        return ""
    facts = {key: len(value) if isinstance(value, list) else value for key, value in event.items()}
    if event["event"] == "window":
        facts["seconds"] = event["end"] - event["start"]
    return template.format(**facts).replace("done, passed", "done").strip()


class Changes:
    """Changes of state, those too that only the event before tells: a probe is told of when it was good and is not, and the other way."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], str] = {}

    def text(self, event: Mapping[str, Any]) -> str:
        """An event as a few words; empty for one that changes nothing."""
        kind = str(event["event"])
        if kind not in ("sample", "health"):
            return change(event)
        good = event["good"] if kind == "sample" else event["healthy"]
        state = _UNKNOWN if good is None else _GOOD if good else _BAD
        # Everything is taken to be good until it is seen not to be.
        if self._states.get((kind, event["target"]), _GOOD) == state:
            return ""
        self._states[kind, event["target"]] = state
        why = f"status {event['status_code']} {event['detail']}" if kind == "health" and not good else event["detail"]
        return "good again" if good else f"{state}: {why}".strip(": ")


class Console(Protocol):
    """Shows events as they come."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Show one event."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found."""
        ...


class PlainConsole:
    """A line per change of state, with its time; no cursor codes."""

    def __init__(self, stream: IO[str], style: Style) -> None:
        self.stream, self.style, self.changes = stream, style, Changes()

    def event(self, event: Mapping[str, Any]) -> None:
        """Print the change, if it is one."""
        event = printable_parts(event)
        if text := self.changes.text(event):
            clock = time.strftime("%H:%M:%S", time.localtime(event["time"]))
            print(self.style.encodable(f"{clock} {event['target']}: {text}"), file=self.stream, flush=True)

    def close(self) -> None:
        """Nothing to restore."""


class LiveConsole:
    """One line per target, updated in place."""

    def __init__(self, stream: IO[str]) -> None:
        # Imported here: only a run on a terminal needs it.
        from rich.console import Console as Terminal  # noqa: PLC0415
        from rich.live import Live  # noqa: PLC0415

        self.states: dict[str, tuple[str, float, float]] = {}
        self.hold, self.changes = 0.0, Changes()
        self.live = Live(get_renderable=self._render, console=Terminal(file=stream, markup=False, emoji=False), refresh_per_second=4, transient=True)
        self.live.start()

    def event(self, event: Mapping[str, Any]) -> None:
        """Update the target's line."""
        event = printable_parts(event)
        if event["event"] == "scenario-started":
            self.states, self.hold = {key: ("planned", 0.0, 0.0) for key in event["targets"]}, float(event["hold"])
        elif text := self.changes.text(event):
            armed = float(event["time"]) if event["event"] == "armed" else 0.0
            self.states[str(event["target"])] = (text, float(event["time"]), armed)

    def _render(self) -> Any:
        from rich.table import Table  # noqa: PLC0415

        table = Table.grid(padding=(0, 2))
        for target, (text, _, armed) in self.states.items():
            left = f", {max(0.0, armed + self.hold - time.time()):.0f} s left" if armed else ""
            table.add_row(target, text + left)
        return table

    def close(self) -> None:
        """Take the lines away; the final screen follows."""
        self.live.stop()
