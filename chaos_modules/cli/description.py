"""What a field is, in words, from the model that reads it: the one text behind `explain` and the reference pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel

from ..loading.configuration import Configuration
from ..styles.schemas import Schema, model_schema

_WORDS = {"boolean": "True or False", "integer": "whole number", "number": "number", "string": "text", "object": "mapping"}
_BOUNDS = (("minimum", "at least"), ("exclusiveMinimum", "more than"), ("maximum", "at most"), ("exclusiveMaximum", "less than"))
IN_THE_FILE = "in the scenario file"
OWN = "Squall"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDescription:
    """One field, or a section of fields; `path` is what `explain` calls it, `name` what a file does."""

    path: str
    name: str
    kind: str
    meaning: str
    default: str
    allowed: str
    unit: str
    example: str
    override: str
    source: str
    fields: tuple[FieldDescription, ...] = ()

    def leaves(self) -> Iterator[FieldDescription]:
        """The fields without fields below them."""
        if not self.fields:
            yield self
        for field in self.fields:
            yield from field.leaves()


def described(model: type[BaseModel], name: str, *, origin: str = OWN) -> tuple[FieldDescription, ...]:
    """The fields of a model; `origin` is the source of those that name none."""
    schema = model_schema(model)
    return _fields(schema, schema.get("$defs", {}), name, getattr(model, "source", origin))


def configuration_fields() -> tuple[FieldDescription, ...]:
    """The sections of config.yaml: krkn's, and `squall`."""
    sections = described(Configuration, "config", origin="krkn")
    own = {section.name: section for section in described(Configuration, "config")}
    return tuple(own[section.name] if section.name == "squall" else section for section in sections)


def _fields(schema: Schema, definitions: Schema, path: str, origin: str) -> tuple[FieldDescription, ...]:
    required = schema.get("required", ())
    found = []
    for name, field in schema["properties"].items():
        default = "required" if name in required else _text(field.get("default"))
        found.append(_described(name, field, definitions, f"{path}.{name}", default, origin))
    return tuple(found)


def _described(name: str, field: Schema, definitions: Schema, path: str, default: str, origin: str) -> FieldDescription:
    inner = definitions.get(_reference(field) or _reference(field.get("items", {})))
    below = _fields(inner, definitions, path, origin) if inner else ()
    meaning = field.get("description") or (inner or {}).get("description") or ""
    section, _, rest = path.partition(".")
    setting = rest.replace(".", "__")
    override = f"--set {rest}=VALUE, or the variable SQUALL_SET__{setting}" if section == "config" else IN_THE_FILE
    source = field.get("source", origin)
    return FieldDescription(
        path=path, name=name, kind=_kind(field, inner), meaning=cleandoc(meaning), default=default, allowed=_allowed(field),
        unit=field.get("unit", ""), example=_example(field), override=override, fields=below,
        source="Squall's own" if source == OWN else f"{source}, {rest if section == 'config' else name}",
    )  # fmt: skip


def _reference(field: Schema) -> str:
    return str(field.get("$ref", "")).rpartition("/")[2]


def _kind(field: Schema, inner: Schema | None) -> str:
    if "words" in field:
        return str(field["words"])
    if field.get("type") == "array":
        return f"list of {'sections' if inner else _kind(field.get('items', {}), None)}"
    return "section" if inner else "one of its values" if "enum" in field else _WORDS.get(str(field.get("type")), "text")


def _allowed(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if "hint" in field:
        return str(field["hint"])
    return ", ".join(f"{word} {field[key]}" for key, word in _BOUNDS if key in field)


def _example(field: Schema) -> str:
    """The one given; else what the field is by default, or another of its values."""
    values: Sequence[Any] = field.get("enum") or ([True, False] if field.get("type") == "boolean" else [])
    others = [value for value in values if value != field.get("default")]
    return _text((field.get("examples") or others or [field.get("default")])[0])


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return "" if value is None else str(value)
