"""The document that an injector gets: every program once, and who gets which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.plan import Injection, document
from ..model.program import KernelProgram
from ..model.target import Target

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When an injection may happen. Times are seconds since the epoch; `not_before` None means at once, or at the word of the stream."""

    hold_seconds: float
    deadline: float
    not_before: float | None = None
    latest_start: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What all injections of a job share."""

    run_id: str
    lease_seconds: int
    serial: bool
    stream: bool
    on_runner_loss: str
    cleanup: str
    scenario: str = ""


def build_job(
    settings: JobSettings, injections: Sequence[tuple[Injection, Window]], locate: Callable[[Target], Mapping[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    """The job document (schema 1) for one node."""
    programs: list[KernelProgram] = []
    items = []
    for injection, window in injections:
        programs += [program for program in injection.programs if program not in programs]
        items.append({
            "key": injection.key, "kind": injection.target.kind, "find": dict(locate(injection.target)), "device": injection.device,
            "direction": injection.direction, "programs": [programs.index(program) for program in injection.programs],
            "hold_seconds": window.hold_seconds, "deadline": window.deadline,
            "not_before": window.not_before, "latest_start": window.latest_start,
        })  # fmt: skip
    return {
        "schema": SCHEMA, "run": settings.run_id, "scenario": settings.scenario, "lease_seconds": settings.lease_seconds, "serial": settings.serial,
        "stream": settings.stream, "on_runner_loss": settings.on_runner_loss, "cleanup": settings.cleanup,
        "programs": [document(program) for program in programs], "injections": items,
    }  # fmt: skip
