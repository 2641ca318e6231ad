"""What the engine tells whoever watches the system under test, and what it asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..model.observation import Observation, Window
from ..model.outcome import ScenarioOutcome


class Watch(Protocol):
    """Looks at the system while faults come and go."""

    @property
    def baseline_seconds(self) -> float:
        """How long it wants to look before each fault."""
        ...

    @property
    def recovery_seconds(self) -> float:
        """How long it wants to look after each fault, at least."""
        ...

    @property
    def halted(self) -> str:
        """Why every fault must end now; empty while none must. Asked many times a second."""
        ...

    def begin(self) -> None:
        """The run begins: start looking, and note what is wrong already."""
        ...

    def unsteady(self, window: Window) -> str:
        """Why the system must not be attacked, going by this baseline; empty when it may."""
        ...

    def stop_after(self, scenario: int, started: float) -> str:
        """Why nothing more may be done after this scenario, which began then; empty when it may go on."""
        ...

    def finish(self, outcomes: Sequence[ScenarioOutcome], windows: Sequence[Window], started: float) -> Observation:
        """The run has ended: stop looking, and judge what was seen."""
        ...

    def close(self) -> None:
        """End every thread and connection, whether the run came to its end or not."""
        ...


class NobodyWatches:
    """A run that only proves its faults."""

    baseline_seconds = 0.0
    recovery_seconds = 0.0
    halted = ""

    def begin(self) -> None:
        """Nothing to start."""

    def unsteady(self, window: Window) -> str:
        """Nobody knows."""
        return ""

    def stop_after(self, scenario: int, started: float) -> str:
        """Nothing is in the way."""
        return ""

    def finish(self, outcomes: Sequence[ScenarioOutcome], windows: Sequence[Window], started: float) -> Observation:
        """Nothing was seen, but for when the faults were."""
        return Observation(windows=tuple(windows))

    def close(self) -> None:
        """Nothing to end."""
