"""Every scenario type with the style that reads it; a new style is a new module in this package and nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from ..model.errors import BadInput
from ..model.request import ImpairmentRequest

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class Source(Protocol):
    """A scenario file with its positions, as `loading` provides it."""

    @property
    def file(self) -> str:
        """The path as the user gave it."""
        ...

    @property
    def data(self) -> Any:
        """The content as plain data."""
        ...

    def position(self, location: Location = (), *, key: bool = False) -> str:
        """`file:line:column` of a value, or of its key."""
        ...

    def validated(
        self, model: type[Model], at: Location = (), *, data: Mapping[str, Any] | None = None, spelled: Mapping[str, str] | None = None
    ) -> Model:
        """A part of the file as a model; raises BadInputs."""
        ...


class Style(Protocol):
    """A reader of one scenario type; `name` is the dialect's, for the record."""

    type_name: str
    name: str
    summary: str

    def accepts(self, source: Source) -> bool:
        """Whether a file has this type's shape, right or wrong in its details."""
        ...

    def translate(self, source: Source) -> list[ImpairmentRequest]:
        """The file's entries in order. Raises BadInput or BadInputs with every problem and its position."""
        ...

    def models(self) -> Mapping[str, type[BaseModel]]:
        """What an entry can be, by id: for `list` and `explain`. A model's docstring and its `summary` are shown to users."""
        ...

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a whole file, for editors."""
        ...


StyleClass = TypeVar("StyleClass", bound=type[Any])
_STYLES: dict[str, Style] = {}


def style(kind: StyleClass) -> StyleClass:
    """Register a style under its `type_name`."""
    instance: Style = kind()
    _STYLES[instance.type_name] = instance
    return kind


@cache
def styles() -> Mapping[str, Style]:
    """All styles by scenario type."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    return dict(sorted(_STYLES.items()))


def detect_type(source: Source) -> str:
    """The one type that accepts a file given without a configuration. Raises BadInput when there is none, or more than one."""
    accepting = [name for name, candidate in styles().items() if candidate.accepts(source)]
    if len(accepting) == 1:
        return accepting[0]
    what = f"could be any of {', '.join(accepting)}" if accepting else "not a scenario of any known type"
    raise BadInput(what, source.position(), f"say which it is with --type; known: {', '.join(styles())}")
