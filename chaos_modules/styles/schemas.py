"""JSON Schema of a model as its file is read: defaults in canonical text, and null or empty text wherever they mean the default.

Field types say in `words` what they are and in `hint` how to write them, fields in `source` where they come from: `model_schema` keeps
these keys for whoever describes a field to people, `published` folds them into what editors show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from ..faults.field_schemas import any_case

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
EMPTY: tuple[object, ...] = (None, "", [], {})
_OWN_KEYS = ("words", "hint", "source", "unit", "spellings", "title")
_TRUTHS = ("true", "t", "false", "f", "yes", "y", "no", "n", "on", "off", "0", "1")
# What pydantic reads as well, and what YAML 1.2 makes of 1.1's `yes` and `on`.
_ALSO: Mapping[str, Schema] = {
    "boolean": {"type": ["string", "integer"], "pattern": f"^({any_case(_TRUTHS)})$"},
    "integer": {"type": "string", "pattern": r"^\s*[+-]?[0-9_]+(\.0*)?\s*$"},
    "number": {"type": "string", "pattern": r"^\s*[+-]?[0-9._]+([eE][+-]?[0-9]+)?\s*$"},
    "string": {"type": "number"},
}


class _Canonical(GenerateJsonSchema):
    def encode_default(self, dft: Any) -> Any:
        """A default as the user would write it."""
        if dft is None or isinstance(dft, BaseModel):
            return None
        if isinstance(dft, tuple):
            return ",".join(map(str, dft))
        return dft if isinstance(dft, (bool, int, float, str, list, dict)) else str(dft)


def model_schema(model: type[BaseModel]) -> Schema:
    """The schema of a model with our own keys, each `anyOf` with null made plain, without empty defaults."""
    whole = model.model_json_schema(schema_generator=_Canonical)
    for part in (whole, *whole.get("$defs", {}).values()):
        part["properties"] = {name: _plain(one) for name, one in part.get("properties", {}).items()}
    return whole


def _plain(field: Schema) -> Schema:
    kinds = [one for one in field.get("anyOf", ()) if one != {"type": "null"}]
    merged = {**kinds[0], **{key: value for key, value in field.items() if key != "anyOf"}} if len(kinds) == 1 else dict(field)
    if "$ref" in merged:
        merged.pop("default", None)
    return {key: value for key, value in merged.items() if key != "default" or value not in EMPTY}


def published(schema: Schema) -> Schema:
    """A schema of `model_schema` for editors: only keys of JSON Schema, and nothing refused that the loader accepts."""
    for part in (schema, *schema.get("$defs", {}).values()):
        required, lenient = part.get("required", ()), part.get("additionalProperties") is True
        part.pop("title", None)
        part["properties"] = {name: _published(one, optional=name not in required, lenient=lenient) for name, one in part["properties"].items()}
    return schema


def _published(field: Schema, *, optional: bool, lenient: bool) -> Schema:
    hint = f" {field['hint'][0].upper()}{field['hint'][1:]}." if field.get("hint") else ""
    shown = {key: value for key, value in field.items() if key in ("default", "examples")}
    shown["description"] = f"{field.get('description', '')}{hint}".strip()
    rule = {key: value for key, value in field.items() if key not in (*_OWN_KEYS, *shown)}
    rules = [rule, *_tolerated(field, lenient), *([{"enum": [None, ""]}] if optional else [])]
    return {"anyOf": rules, **shown} if rules[1:] and rule else {**rule, **shown}


def _tolerated(field: Schema, lenient: bool) -> list[Schema]:
    """What else the loader reads as this type: enumerated words in any case, numbers in quotes, and in krkn's sections numbers as text."""
    kind = str(field.get("type"))
    if "enum" in field:
        return [{"type": "string", "pattern": field["spellings"]}] if "spellings" in field else []
    return [_ALSO[kind]] if kind in _ALSO and (lenient or kind != "string") else []
