"""The seam between the engine and whatever runs an injector: a local process, a pod of a Job, an ephemeral container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One event of an injector, or its end: then `event` is None and `ended` tells how.

    `fresh` is false for what was delivered late, such as a log that had to be read again: its time tells nothing about the node's clock.
    """

    node: str
    event: Mapping[str, Any] | None
    ended: str = ""
    fresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long starting takes, in seconds from the launch: to the latest start, and to the common start where several carriers begin together.

    `together_seconds` None: they begin at the word `start` of the stream.
    """

    start_seconds: float
    together_seconds: float | None = None


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

    @property
    def pace(self) -> Pace:
        """How long starting takes."""
        ...

    @property
    def stream(self) -> bool:
        """Whether injectors listen to `start`, `beat` and `stop`."""
        ...

    def launch(self, node: str, job: Mapping[str, Any], hear: Callable[[Said], None]) -> Carrier:
        """Start one injector. Raises ClusterProblem."""
        ...

    def close(self) -> None:
        """Take away what carried the injectors. Raises ClusterProblem naming what is left."""
        ...
