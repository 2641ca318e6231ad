"""`plan --save` and `run --plan`: what is executed is exactly what was looked at."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..loading.documents import read_text
from ..loading.validation import dotted
from ..model.errors import BadInput
from ..model.plan import document
from ..model.wording import one_line, shown
from .origin import is_secret
from .preparation import Prepared, prepare

SCHEMA = 1
LARGEST = 64 * 2**20


class _Inputs(BaseModel):
    """The arguments that made a plan."""

    model_config = ConfigDict(strict=True, extra="forbid")
    config: str | None
    assignments: list[str]
    scenarios: list[str]
    type: str | None
    sandbox: bool
    sandbox_file: str | None
    enforce_limits: bool


class _Plan(BaseModel):
    """The plan itself, of which only the seed and the run id are used; the rest is compared."""

    model_config = ConfigDict(strict=True, extra="allow")
    seed: Annotated[int, Field(ge=0)]
    run_id: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]


class _Saved(BaseModel):
    model_config = ConfigDict(strict=True)
    inputs: _Inputs
    plan: _Plan
    version: Annotated[Literal[1], Field(alias="schema")]


KEPT = tuple(_Inputs.model_fields)


def saved(prepared: Prepared, arguments: argparse.Namespace) -> dict[str, Any]:
    """The plan with the inputs that made it; secrets among them change no plan, and are to be given again."""
    inputs = {name: getattr(arguments, name) for name in KEPT}
    inputs["assignments"] = [text for text in arguments.assignments if not is_secret(text.partition("=")[0])]
    return {"schema": SCHEMA, "inputs": inputs, "plan": document(prepared.plan)}


def prepare_saved(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Prepared:
    """Plan again from the saved inputs, seed and run id, and refuse any difference. Raises BadInput naming what has drifted."""
    where, given = one_line(arguments.saved_plan), arguments.assignments
    content = _read(arguments.saved_plan)
    vars(arguments).update(content.inputs.model_dump())
    arguments.assignments = [*content.inputs.assignments, *given]
    arguments.seed, run_id = str(content.plan.seed), content.plan.run_id
    prepared = prepare(arguments, environment, run_id)
    drift = list(differences(content.plan.model_dump(), document(prepared.plan), "plan"))
    if drift and not arguments.allow_drift:
        shown = "; ".join(drift[:5]) + (f"; and {len(drift) - 5} more" if len(drift) > 5 else "")
        raise BadInput(f"the plan no longer fits: {shown}", where, "plan again, or give --allow-drift")
    done_before = Path(prepared.configuration.squall.record_directory, run_id).exists()
    return prepare(arguments, environment) if done_before else prepared  # the same plan under a run id of its own


def _read(path: str) -> _Saved:
    """The file, with the shape that `saved` gives it. Raises BadInput."""
    where = one_line(path)
    try:
        content = json.loads(read_text(path, LARGEST))
        if isinstance(content, dict) and content.get("schema", SCHEMA) != SCHEMA:
            raise BadInput(f"a plan of schema {shown(content['schema'])}; this version speaks {SCHEMA}", where, "plan again")
        json.dumps(content)  # as deep as `differences` may have to go
        return _Saved.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"{dotted(first['loc'])}: {first['msg']}".lstrip(": ")
    except RecursionError:
        what = "nested too deeply"
    except ValueError as error:
        what = str(error)
    raise BadInput(f"not a saved plan: {what}", where, "write one with: run_chaos.py plan --save FILE")


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
