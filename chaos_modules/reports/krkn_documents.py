"""What a run stores in Elasticsearch or OpenSearch: krkn's three kinds of documents, as its dashboards look for them.

No mapping is installed: the dashboards ask for `run_uuid.keyword` and the like, which dynamic mapping makes of every text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..model.observation_plan import Indices
from ..storage.document import Document, document_id
from .krkn_telemetry import chaos_run_telemetry, phase_of, run_uuid, utc, windows
from .recorded import Json, Recorded

_METRIC_FIELDS = frozenset({"run_uuid", "metricName", "query", "timestamp", "value"})


def run_documents(record: Recorded, indices: Indices, tag: str = "") -> Iterator[Document]:
    """Telemetry, alerts, derived records, then each sample of `metrics.jsonl`, series by series as it is read; a record always gives the same ids."""
    telemetry = chaos_run_telemetry(record, tag)
    yield _telemetry(telemetry, indices)
    yield from _alerts(record, indices)
    yield from _derived(telemetry, record, indices)
    uuid, index = run_uuid(record), indices.metrics.lower()
    for series in record.metrics():
        yield from _samples(series, uuid, index)


def _telemetry(telemetry: Json, indices: Indices) -> Document:
    report = telemetry["overall_resiliency_report"]
    if report:
        scores = {_field(name): score for name, score in report["scenarios"].items()}
        telemetry = {**telemetry, "overall_resiliency_report": {**report, "scenarios": scores}}
    return Document(index=indices.telemetry.lower(), id=document_id(telemetry["run_uuid"], "telemetry"), body=telemetry)


def _field(name: str) -> str:
    """A file's name as a field's: a dot means an object within, so that `./one.yaml` would have the whole document refused."""
    return ".".join(filter(str.strip, name.split("."))) or "scenario"


def _alerts(record: Recorded, indices: Indices) -> Iterator[Document]:
    """One for each alert that fired, created when it first did."""
    uuid, faults = run_uuid(record), windows(record.result)
    for alert in record.result.get("alerts", ()):
        if alert.get("fired"):
            begin, labels = alert["intervals"][0][0], alert.get("labels", {})
            body = {"run_uuid": uuid, "severity": alert["severity"], "alert": alert["name"], "created_at": utc(begin),
                    "phase": phase_of(alert, faults)}  # fmt: skip
            if alert.get("source") == "critical":
                body["alertstate"] = "firing"
            if labels.get("namespace"):
                body["namespace"] = str(labels["namespace"])
            identity = document_id(uuid, "alert", alert.get("source"), alert["name"], alert.get("expr"), labels, begin)
            yield Document(index=indices.alerts.lower(), id=identity, body=body)


def _derived(telemetry: Json, record: Recorded, indices: Indices) -> Iterator[Document]:
    """krkn's records that it makes of telemetry, as far as they say something here: answers of watched URLs, and pods that still have the fault.

    A pod that is free again has no recovery time, and its 0 would only lower averages.
    """
    ended = utc(record.result["ended"])
    found: list[Json] = [{"metricName": "health_check_recovery", **one} for one in telemetry["health_checks"] or ()]
    for scenario in telemetry["scenarios"]:
        unrecovered = scenario["affected_pods"]["unrecovered"]
        found += [{"metricName": "affected_pods_recovery", "type": "unrecovered", **pod} for pod in unrecovered]
    for place, one in enumerate(found):
        identity = document_id(telemetry["run_uuid"], "derived", place, one)
        body = {"run_uuid": telemetry["run_uuid"], **one, "timestamp": ended}
        yield Document(index=indices.metrics.lower(), id=identity, body=body)


def _samples(series: Json, uuid: str, index: str) -> Iterator[Document]:
    """The samples of a series, flat as krkn stores them. Neither NaN nor an infinity is a number there: their value is null."""
    name, query, labels = series["metricName"], series.get("query", ""), series.get("labels", {})
    common = {**_own_names(labels), "run_uuid": uuid, "metricName": name, "query": query}
    whole = document_id(uuid, "metric", name, query, labels)
    for time, value in series["points"]:
        number = float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
        yield Document(index=index, id=document_id(whole, time), body={**common, "timestamp": utc(time), "value": number})


def _own_names(labels: dict[str, str]) -> dict[str, str]:
    """Labels beside our own fields: one that is named as one of them, or as the server's own (`_id`), gets `label_` before it."""
    kept: dict[str, str] = {}
    for name, value in labels.items():
        field = name
        while field in _METRIC_FIELDS or (field.startswith("_") and not field.startswith("__")) or (field != name and field in labels):
            field = f"label_{field}"
        kept[field] = value
    return kept
