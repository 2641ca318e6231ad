"""`plan --save` and `run --plan`: what is executed is exactly what was looked at."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..model.errors import BadInput
from ..model.plan import document
from .origin import is_secret
from .preparation import Prepared, prepare

SCHEMA = 1
KEPT = ("config", "assignments", "scenarios", "type", "sandbox", "sandbox_file", "enforce_limits")


def saved(prepared: Prepared, arguments: argparse.Namespace) -> dict[str, Any]:
    """The plan with the inputs that made it; secrets among them change no plan, and are to be given again."""
    inputs = {name: getattr(arguments, name) for name in KEPT}
    inputs["assignments"] = [text for text in arguments.assignments if not is_secret(text.partition("=")[0])]
    return {"schema": SCHEMA, "inputs": inputs, "plan": document(prepared.plan)}


def prepare_saved(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Prepared:
    """Plan again from the saved inputs, seed and run id, and refuse any difference. Raises BadInput naming what has drifted."""
    where = arguments.saved_plan
    try:
        content = json.loads(Path(where).read_text(encoding="utf-8"))
        inputs, plan = content["inputs"], content["plan"]
        known = content["schema"] == SCHEMA
        seed, run_id = str(plan["seed"]), str(plan["run_id"])
        given = arguments.assignments
        vars(arguments).update({name: inputs[name] for name in KEPT})
        arguments.assignments = [*inputs["assignments"], *given]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"not a saved plan: {error}", where, "write one with: run_chaos.py plan --save FILE") from None
    if not known:
        raise BadInput(f"a plan of schema {content['schema']}; this version speaks {SCHEMA}", where, "plan again")
    arguments.seed = seed
    prepared = prepare(arguments, environment, run_id)
    drift = list(differences(plan, document(prepared.plan), "plan"))
    if drift and not arguments.allow_drift:
        shown = "; ".join(drift[:5]) + (f"; and {len(drift) - 5} more" if len(drift) > 5 else "")
        raise BadInput(f"the plan no longer fits: {shown}", where, "plan again, or give --allow-drift")
    done_before = Path(prepared.configuration.squall.record_directory, run_id).exists()
    return prepare(arguments, environment) if done_before else prepared  # the same plan under a run id of its own


def differences(old: Any, new: Any, path: str) -> Iterator[str]:
    """Where two plans differ, as `path: old → new`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif old != new:
        yield f"{path}: {' → '.join(_around_difference(json.dumps(old), json.dumps(new)))}"


def _around_difference(old: str, new: str) -> tuple[str, str]:
    """Two texts, cut to where they begin to differ."""
    begin = max(0, next((index for index, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0) - 20)

    def cut(text: str) -> str:
        return f"{'…' if begin else ''}{text[begin : begin + 60]}{'…' if len(text) > begin + 60 else ''}"

    return cut(old), cut(new)
