"""`schema`: JSON Schema for editors, from the models."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from ..loading.configuration import Configuration
from ..model.errors import EXIT_PASSED, BadInput
from ..model.wording import CLOSELY, choices
from ..styles.registry import styles
from ..styles.schemas import DIALECT, Schema, model_schema, published


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Print the schema of a scenario type, of one fault, or of the configuration."""
    print(json.dumps(schema_of(arguments.kind), indent=2))
    return EXIT_PASSED


def kinds() -> list[str]:
    """What has a schema of its own in docs/reference/schemas."""
    return ["config", *styles()]


def schema_of(kind: str) -> Schema:
    """The JSON Schema of a file (`config`, or a scenario type), or of one fault. Raises BadInput with the nearest name."""
    faults = {name: model for style in styles().values() for name, model in style.models().items()}
    if kind == "config":
        schema = _configuration()
    elif kind in styles():
        schema = styles()[kind].schema()
    elif kind in faults:
        schema = published(model_schema(faults[kind]))
    else:
        raise BadInput(f"there is no scenario type or fault {kind}", "run_chaos.py", choices(kind, [*kinds(), *faults], CLOSELY))
    return {"$schema": DIALECT, "title": kind, **schema}


def _configuration() -> Schema:
    schema = model_schema(Configuration)
    entry = schema["$defs"]["Kraken"]["properties"]["chaos_scenarios"]["items"]
    entry["propertyNames"] = {"enum": list(styles())}
    return published(schema)
