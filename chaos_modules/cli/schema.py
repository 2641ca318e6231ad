"""`schema`: JSON Schema for editors, from the models."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from ..loading.configuration import Configuration
from ..model.errors import EXIT_PASSED
from ..styles.registry import styles
from .explain import find_model

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Print the schema of a scenario type, of one fault, or of the configuration."""
    print(json.dumps({"$schema": DIALECT, **_schema(arguments.kind)}, indent=2))
    return EXIT_PASSED


def _schema(kind: str) -> dict[str, Any]:
    if kind == "config":
        return Configuration.model_json_schema()
    if kind in styles():
        return {"type": "array", "items": {"anyOf": [model.model_json_schema() for model in styles()[kind].models().values()]}}
    return find_model(kind).model_json_schema()
