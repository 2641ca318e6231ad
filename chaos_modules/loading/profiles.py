"""krkn's alert and metrics profiles, checked as a whole before any chaos: an entry that is skipped would be a gate that is silently off.

The format is krkn's (`config/alerts.yaml`, `config/metrics*.yaml`). PromQL is not parsed here: only Prometheus knows what its version understands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ..model.errors import BadInput, BadInputs
from ..model.probe import AlertRule, MetricQuery
from ..model.wording import shown
from .documents import Document, load_yaml
from .nodes import Location


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("it is empty; write a PromQL expression, or a name")
    return text


_Text = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_not_empty)]
_Severity = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
]
_ALERT_FORM = "write `- expr: …`, and below it `description: …` and `severity: …`"
_METRIC_FORM = "write `- query: …`, and below it `metricName: …`"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class _Objective(_Entry):
    expr: _Text
    description: str = ""
    severity: _Severity
    weight: float | None = Field(None, ge=0)


class _Alert(_Objective):
    description: _Text


class _Metric(_Entry):
    query: _Text
    metricName: _Text
    instant: bool = False


Entry = TypeVar("Entry", bound=_Entry)


def load_alert_profile(path: Path | str) -> tuple[AlertRule, ...]:
    """krkn's alert profile: a list of {expr, description, severity}, with an optional `weight` for the resiliency score.

    Raises BadInputs with everything that is wrong, each at its position; an empty profile, which could never fire, is wrong.
    """
    return _rules(_entries(load_yaml(path), (), _Alert, _ALERT_FORM))


def load_objectives(path: Path | str) -> tuple[AlertRule, ...]:
    """krkn's `resiliency_file`: an alert profile in which the description, then `slo_0` and so on, may be left out. Raises BadInputs."""
    return _rules(_entries(load_yaml(path), (), _Objective, _ALERT_FORM))


def load_metrics_profile(path: Path | str) -> tuple[MetricQuery, ...]:
    """krkn's metrics profile: `metrics:`, a list of {query, metricName}, and `instant: true` for one look at the end.

    krkn skips an entry with `instant: false`; here it is a range query, as if the key were not there. Raises BadInputs.
    """
    document = load_yaml(path)
    if not isinstance(document.data, dict) or "metrics" not in document.data:
        raise BadInput("a metrics profile begins with `metrics:`", document.position(), f"below it, {_METRIC_FORM}")
    further = [BadInput(f"{shown(key)}: unknown key", document.position((key,), key=True), "a metrics profile has `metrics:` alone")
               for key in document.data if key != "metrics"]  # fmt: skip
    if further:
        raise BadInputs(further)
    found = _entries(document, ("metrics",), _Metric, _METRIC_FORM)
    return tuple(MetricQuery(query=one.query, name=one.metricName, instant=one.instant) for one in found)


def _rules(found: list[Any]) -> tuple[AlertRule, ...]:
    return tuple(
        AlertRule(expr=one.expr, description=one.description.strip() or f"slo_{index}", severity=one.severity, weight=one.weight)
        for index, one in enumerate(found)
    )


def _entries(document: Document, at: Location, model: type[Entry], form: str) -> list[Entry]:
    listed = document.at(at)
    if not isinstance(listed, list):
        raise BadInput(f"{shown(listed)} is not a list of entries", document.position(at), form)
    if not listed:
        raise BadInput("no entry, so nothing would ever be looked at", document.position(at), form)
    found: list[Entry] = []
    problems: list[BadInput] = []
    for index, entry in enumerate(listed):
        place = (*at, index)
        if not isinstance(entry, dict):
            problems.append(BadInput(f"{shown(entry)} is not an entry", document.position(place), form))
            continue
        try:
            found.append(document.validated(model, place))
        except BadInputs as error:
            problems += error.problems
    if problems:
        raise BadInputs(problems)
    return found
