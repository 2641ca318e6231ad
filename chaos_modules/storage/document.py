"""A document to be stored, and its two lines in a bulk request."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

# Made once: `json.dumps` with options makes an encoder at each call.
_PARTS = json.JSONEncoder(sort_keys=True)
_LINE = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, kw_only=True)  # without slots, for the cached property
class Document:
    """Plain JSON data for one index. The same `id` stored twice is one document."""

    index: str
    id: str
    body: dict[str, Any]

    @cached_property
    def lines(self) -> str:
        """Its two lines of a bulk request: which document, and the document. `index` replaces one of the same id, so that sending again does no
        harm. Raises ValueError for NaN and infinities, which are no JSON.
        """
        return f"{_LINE.encode({'index': {'_index': self.index, '_id': self.id}})}\n{_LINE.encode(self.body)}\n"


def document_id(*parts: object) -> str:
    """An id that the same parts (plain JSON data, whatever the order of keys) always give: 32 hexadecimal digits."""
    return blake2b(_PARTS.encode(parts).encode(), digest_size=16).hexdigest()


def finite(value: Any) -> Any:
    """The same plain data with null for every NaN and infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(part) for key, part in value.items()}
    return [finite(part) for part in value] if isinstance(value, (list, tuple)) else value


def without_parameters(document: Document) -> Document | None:
    """Telemetry whose scenarios do not show their parameters; None where there are none to leave out.

    Under dynamic mapping the first document decides the type at each path, and every scenario type puts other things there; a document that
    does not fit is refused whole. `parameters_base64` still has them.
    """
    scenarios = document.body.get("scenarios")
    if not isinstance(scenarios, list) or not any(isinstance(one, dict) and one.get("parameters") for one in scenarios):
        return None
    bare = [{key: value for key, value in one.items() if key != "parameters"} for one in scenarios]
    return replace(document, body={**document.body, "scenarios": bare})
