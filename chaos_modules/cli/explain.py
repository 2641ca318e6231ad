"""`explain`: a fault's fields, from the models that read them."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping

from pydantic import BaseModel

from ..model.errors import EXIT_PASSED, BadInput
from ..model.wording import choices
from ..styles.registry import styles


def find_model(name: str) -> type[BaseModel]:
    """The model of a fault. Raises BadInput with the nearest name."""
    known = {fault: model for style in styles().values() for fault, model in style.models().items()}
    if name not in known:
        raise BadInput(f"there is no fault {name}", "run_chaos.py", choices(name, sorted(known)))
    return known[name]


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Print all fields of a fault, or one."""
    fault, _dot, wanted = arguments.kind.partition(".")
    model = find_model(fault)
    fields = {name: field for name, field in model.model_fields.items() if not wanted or name.lower() == wanted.lower()}
    if not fields:
        raise BadInput(f"{fault} has no field {wanted}", "run_chaos.py", choices(wanted, sorted(model.model_fields)))
    for name, field in fields.items():
        default = "required" if field.is_required() else f"default {field.get_default(call_default_factory=True)!s}"
        print(f"{name.upper() if name not in ('id', 'workload') else name}  ({default})")
        print(textwrap.indent(textwrap.fill(field.description or "", 96), "    "))
    return EXIT_PASSED
