"""The seam between the engine and whatever runs an injector: a local process, a pod of a Job, an ephemeral container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One event of an injector, or its end: then `event` is None and `ended` tells how."""

    node: str
    event: Mapping[str, Any] | None
    ended: str = ""


class Carrier(Protocol):
    """One injector at work on one node."""

    @property
    def node(self) -> str:
        """The node whose targets it has."""
        ...

    def say(self, word: str) -> None:
        """`start`, `beat` or `stop`; silently nothing once it has ended."""
        ...

    def end(self) -> None:
        """Make it revert and leave (SIGTERM); harmless once it has ended."""
        ...


class Launcher(Protocol):
    """Starts injectors; everything they say arrives at `hear`, from any thread, the last of it being their end."""

    def launch(self, node: str, job: Mapping[str, Any], hear: Callable[[Said], None]) -> Carrier:
        """Start one injector. Raises ClusterProblem."""
        ...
