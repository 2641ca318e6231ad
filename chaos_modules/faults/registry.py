"""Every fault under its id; a new fault is a new file in this package and nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from ..model.impairment import Chance, Direction, Impairment, Reorder
from ..model.traffic import TrafficRule


class Fault(BaseModel):
    """The tunables of a fault, written in upper case in scenario files; a subclass adds its fields, their `source` and `impairment`."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=str.upper, validate_by_name=True, validate_by_alias=True)
    id: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str] = "Squall"

    @abstractmethod
    def impairment(self) -> Impairment:
        """What the fault does to the packets that it matches."""

    def own_directions(self) -> tuple[Direction, ...]:
        """The directions of a fault that sets them itself; empty where DIRECTION does."""
        return ()

    def allowed(self) -> tuple[TrafficRule, ...]:
        """Packets that the fault spares, beside those that the filters do."""
        return ()

    def notices(self) -> tuple[str, ...]:
        """What is allowed, but probably not what was meant."""
        return ()


FaultClass = TypeVar("FaultClass", bound=type[Fault])
_FAULTS: dict[str, type[Fault]] = {}


def fault(id: str, summary: str) -> Callable[[FaultClass], FaultClass]:
    """Register a fault under the id that scenario files use; `summary` is its line in `list`."""

    def register(kind: FaultClass) -> FaultClass:
        kind.id, kind.summary = id, summary
        _FAULTS[id] = kind
        return kind

    return register


@cache
def faults() -> Mapping[str, type[Fault]]:
    """All faults by id, in the order of their ids."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    return dict(sorted(_FAULTS.items()))


def described(impairment: Impairment) -> tuple[tuple[str, str], ...]:
    """An impairment for display, e.g. `(("duplicate", "50%"), ("duplicate correlation", "25%"))`; untouched parts are left out."""
    shown: list[tuple[str, str]] = []
    for item in fields(impairment):
        part = getattr(impairment, item.name)
        if part is None or isinstance(part, bool):
            continue
        for inner in (part.chance, part) if isinstance(part, Reorder) else (part,):
            for index, own in enumerate(fields(inner)):
                value = getattr(inner, own.name)
                if not isinstance(value, Chance) and (index == 0 or value != own.default):
                    shown.append((item.name if index == 0 else f"{item.name} {own.name.replace('_', ' ')}", str(value)))
    return tuple(shown)
