"""Pydantic's findings in the user's words, at the position in the user's file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..model.errors import BadInput
from ..model.wording import choices, shown
from .nodes import Location

MOST_PROBLEMS = 50
_EXPECTED = {
    "bool": ("true or false", "write true or false"),
    "int": ("a whole number", "write a number without quotes"),
    "float": ("a number", "write a number without quotes"),
    "string": ("text", "put it in quotes"),
    "list": ("a list", "write one `- item` per line, or [item, item]"),
    "tuple": ("a list", "write one `- item` per line, or [item, item]"),
    "dict": ("a mapping", "write `key: value` lines below it"),
    "model": ("a mapping", "write `key: value` lines below it"),
}
_BOUNDS = {"greater_than": "more than", "greater_than_equal": "at least", "less_than": "less than", "less_than_equal": "at most"}
_SECRET = re.compile(r"password|token|secret", re.IGNORECASE)


def problems(
    error: ValidationError,
    model: type[BaseModel],
    position: Callable[..., str],
    *,
    at: Location,
    spelled: Mapping[str, str],
) -> list[BadInput]:
    """One BadInput per finding. `at` is where the model begins in the file; `spelled` maps its keys to those the user wrote."""
    found = []
    details = error.errors(include_url=False)
    for detail in details[:MOST_PROBLEMS]:
        location: Location = tuple(spelled.get(part, part) if isinstance(part, str) else part for part in detail["loc"])
        what, remedy = _worded(detail, model)
        by_key = detail["type"] in ("missing", "extra_forbidden")
        found.append(BadInput(f"{dotted(location)}: {what}" if location else what, position((*at, *location), key=by_key), remedy))
    found.sort(key=_place)
    if len(details) > MOST_PROBLEMS:
        found.append(BadInput(f"{len(details) - MOST_PROBLEMS} further problems", position(at), "correct these first"))
    return found


def _place(problem: BadInput) -> list[int]:
    """Line and column, so that problems are told in the order in which they are written; flags have neither."""
    return [int(part) for part in problem.where.rsplit(":", 2)[1:] if part.isdigit()]


def dotted(location: Iterable[str | int]) -> str:
    """A location as the user would say it: `kraken.chaos_scenarios[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _worded(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    kind, location = detail["type"], detail["loc"]
    family = kind.split("_")[0]
    value = "the value" if location and _SECRET.search(str(location[-1])) else shown(detail["input"])
    what, remedy = f"{value}: {detail['msg']}", "correct the value"
    if kind == "missing":
        what, remedy = "required, but missing", "add it"
    elif kind == "extra_forbidden":
        what, remedy = "unknown key", choices(str(location[-1]), keys_at(model, location[:-1]))
    elif kind in ("literal_error", "enum"):
        what, remedy = f"{value} is not one of its values", choices(str(detail["input"]), _allowed(annotation_at(model, location)))
    elif kind == "value_error":
        what, _, remedy = str(detail["ctx"]["error"]).partition("; ")
    elif kind in _BOUNDS:
        what = f"{value} is not {_BOUNDS[kind]} {next(iter(detail['ctx'].values()))}"
        remedy = "write a number within the bounds"
    elif family in _EXPECTED:
        what, remedy = f"{value} is not {_EXPECTED[family][0]}", _EXPECTED[family][1]
    return what, remedy


def _unwrapped(annotation: Any) -> Any:
    """An annotation without Annotated and without `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        else:
            return annotation


def annotation_at(annotation: Any, location: Iterable[str | int]) -> Any:
    """The type that a model has at a location, or None where it has nothing."""
    for part in location:
        annotation = _unwrapped(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = next((field for name, field in annotation.model_fields.items() if part in (name, field.alias)), None)
            annotation = field.annotation if field else None
        else:
            annotation = next((item for item in reversed(get_args(annotation)) if item is not Ellipsis), None)
    return _unwrapped(annotation)


def keys_at(model: type[BaseModel], location: Iterable[str | int]) -> list[str]:
    """The keys that a mapping at this location can have."""
    annotation = annotation_at(model, location)
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return []
    return [field.alias or name for name, field in annotation.model_fields.items()]


def _allowed(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    return [str(value) for value in get_args(annotation)] if get_origin(annotation) is Literal else []
