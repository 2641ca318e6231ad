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
}  # fmt: skip


def change(event: Mapping[str, Any]) -> str:
    """An event as a few words; empty for one that is no change of state."""
    template = _CHANGES.get(str(event["event"]))
    if template is None:
        return ""
    facts = {key: len(value) if isinstance(value, list) else value for key, value in event.items()}
    return template.format(**facts).replace("done, passed", "done").strip()


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
        self.stream, self.style = stream, style

    def event(self, event: Mapping[str, Any]) -> None:
        """Print the change, if it is one."""
        event = printable_parts(event)
        if text := change(event):
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
        self.hold = 0.0
        self.live = Live(get_renderable=self._render, console=Terminal(file=stream, markup=False, emoji=False), refresh_per_second=4, transient=True)
        self.live.start()

    def event(self, event: Mapping[str, Any]) -> None:
        """Update the target's line."""
        event = printable_parts(event)
        if event["event"] == "scenario-started":
            self.states, self.hold = {key: ("planned", 0.0, 0.0) for key in event["targets"]}, float(event["hold"])
        elif text := change(event):
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
