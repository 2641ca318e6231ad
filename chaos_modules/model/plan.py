"""Everything that is decided before anything is done. `plan` prints it, `run` executes it."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from .program import KernelProgram, Step
from .request import ImpairmentRequest
from .target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One target, one direction: the alternatives, in the order in which the injector tries them."""

    index: int
    target: Target
    direction: str
    device: str
    programs: tuple[KernelProgram, ...]

    @property
    def key(self) -> str:
        """The injection's name in events and in the record."""
        return f"{self.target.path}/{self.direction}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplannable:
    """Why a scenario has no targets: a target status (`no-target`, `refused`), what is wrong, what to do."""

    status: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPlan:
    """One scenario entry with its targets; `candidates` and `skipped` tell the blast radius. `unplannable` stops the run before it begins."""

    request: ImpairmentRequest
    candidates: int
    skipped: tuple[tuple[str, str], ...]
    injections: tuple[Injection, ...]
    warnings: tuple[str, ...] = ()
    unplannable: Unplannable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole run. The same configuration, snapshot and seed give the same plan. `observation` says in words what is watched."""

    run_id: str
    seed: int
    cluster: str
    lease_seconds: int
    scenarios: tuple[ScenarioPlan, ...]
    warnings: tuple[str, ...] = ()
    observation: tuple[str, ...] = ()


def document(value: Any) -> Any:
    """A plan, or any part of it, as plain JSON types: quantities and addresses in their canonical text."""
    if isinstance(value, Step):
        return list(value.argv) if value.argv else {"nft": value.nft}
    if is_dataclass(value) and "__str__" not in vars(type(value)):
        return {item.name: document(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, dict):
        return {str(key): document(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [document(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)
