"""`result.json` and `series.json`, from what a run gave."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from .. import __version__
from ..model.observation import Observation, Series
from ..model.plan import Plan, document
from .run import RunResult

PAIRED = {"requested", "measured", "at_peer", "labels", "latency"}


def result_document(plan: Plan, result: RunResult, run_uuid: str) -> dict[str, Any]:
    """`result.json`, schema 1."""
    head = {
        "schema": 1, "run_id": plan.run_id, "run_uuid": run_uuid, "seed": plan.seed, "cluster": plan.cluster, "versions": {"squall": __version__},
    }  # fmt: skip
    seen = result.observation
    whole = {
        **head, "started": result.started, "ended": result.ended, "verdict": document(result.verdict), "scenarios": document(result.scenarios),
        "windows": document(seen.windows), "checks": document(seen.checks), "alerts": [{**document(one), "fired": one.fired} for one in seen.alerts],
        "health": document(seen.health), "findings": [{**document(one), "exit_code": one.exit_code} for one in seen.findings],
        "problems": list(seen.problems), "resiliency": document(seen.resiliency), "residue": list(result.residue),
    }  # fmt: skip
    return {key: _mapped(part) for key, part in whole.items()}


def series_document(observation: Observation) -> dict[str, Any]:
    """`series.json`, schema 1: the watched queries over the whole run. JSON has no infinity, such as a ratio over 0: it is left out."""
    return {"schema": 1, "series": _mapped(document([replace(one, series=tuple(map(_finite, one.series))) for one in observation.series]))}


def _finite(series: Series) -> Series:
    return replace(series, points=tuple(point for point in series.points if math.isfinite(point[1])))


def _mapped(value: Any) -> Any:
    """Pairs as mappings, where the record has mappings."""
    if isinstance(value, dict):
        return {key: dict(part) if key in PAIRED else _mapped(part) for key, part in value.items()}
    return [_mapped(part) for part in value] if isinstance(value, list) else value
