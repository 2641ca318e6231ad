"""How each type of field is written, as JSON Schema, with what people are told of it: `words`, `hint` and `unit` (see styles/schemas.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator, GetJsonSchemaHandler, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import CoreSchema

from ..model.quantities import PercentageRange

MOST_ITEMS = 1000
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?"
_ENTRIES = r"^\s*[^\s,][^,]*(,\s*[^\s,][^,]*)*$"
_PERCENT = r"\s*[0-9]{1,3}\s*%?\s*"
# Where a field comes from, for `json_schema_extra`; whoever describes the field adds its name.
HARNESS: JsonDict = {"source": "Harness pod-network-duplication"}
LITMUS: JsonDict = {"source": "Litmus"}
OWN: JsonDict = {"source": "Squall"}


def any_case(words: Iterable[str]) -> str:
    """A pattern for any of these words in any case: the patterns of JSON Schema have no flags."""
    return "|".join("".join(f"[{one.lower()}{one.upper()}]" if one.isalpha() else one for one in word) for word in words)


def text_schema(example: str, hint: str = "", words: str = "text", pattern: str = "") -> WithJsonSchema:
    """A text."""
    rule = {"type": "string", "pattern": pattern} if pattern else {"type": "string"}
    return WithJsonSchema({**rule, "examples": [example], "words": words, "hint": hint})


def list_schema(example: str, hint: str, words: str = "list") -> WithJsonSchema:
    """A text with commas, or a YAML list."""
    items = {"type": ["string", "integer"]}
    rule = {"type": ["string", "integer", "array"], "pattern": _ENTRIES, "items": items, "minItems": 1, "maxItems": MOST_ITEMS}
    return WithJsonSchema({**rule, "examples": [example], "words": words, "hint": hint})


def quantity_schema(kind: Any, example: object, words: str, unit: str, **bounds: object) -> WithJsonSchema:
    """A number, or a text of a number and a unit; `unit` is what a number alone means."""
    units = any_case(kind.UNITS) if hasattr(kind, "UNITS") else "%"
    rule = {"type": ["number", "string"], "pattern": rf"^\s*{_NUMBER}\s*({units})?\s*$", "minimum": 0, **bounds}
    return WithJsonSchema({**rule, "examples": [example], "words": words, "hint": kind.HINT, "unit": unit})


def share_of_pods_schema(example: object) -> WithJsonSchema:
    """A whole percentage, or a range of them."""
    rule = {"type": ["integer", "string"], "minimum": 0, "maximum": 100, "pattern": f"^{_PERCENT}(-{_PERCENT})?$"}
    return WithJsonSchema({**rule, "examples": [example], "words": "share of pods", "hint": PercentageRange.HINT, "unit": "percent"})


@dataclass(frozen=True)
class AnyCase(BeforeValidator):
    """Reads one of a few words in any case; editors offer the canonical ones, and accept the others."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The words themselves, and a pattern for their other spellings."""
        schema = handler.resolve_ref_schema(handler(core))
        return {**schema, "spellings": rf"^\s*({any_case(map(str, schema['enum']))})\s*$"}
