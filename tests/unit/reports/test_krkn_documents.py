"""The documents of a run: which there are, where they go, and that a record always gives the same ones."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import records

from chaos_modules.model.observation_plan import Indices
from chaos_modules.reports.krkn_documents import run_documents
from chaos_modules.reports.recorded import Recorded
from chaos_modules.storage.document import Document

INDICES = Indices()


@pytest.fixture
def record(tmp_path: Path) -> Recorded:
    return records.write_record(tmp_path, passed=False, unhealthy=True, metrics=5)


def sampled(record: Recorded, *samples: dict[str, Any]) -> list[dict[str, Any]]:
    assert record.metrics_path
    line = {"metricName": "cpu", "query": "rate(cpu[1m])", "labels": {}}
    written = [
        {**line, **one, "points": [[one.pop("timestamp", 1_795_268_348.175), one.pop("value", 1.5)]]} for one in map(dict, samples)
    ]  # fmt: skip
    record.metrics_path.write_text("".join(json.dumps(one) + "\n" for one in written))
    return [one.body for one in run_documents(record, INDICES) if one.body.get("metricName") == "cpu"]


def test_a_run_has_telemetry_alerts_derived_records_and_samples(record: Recorded) -> None:
    found = list(run_documents(record, INDICES, "nightly"))
    fired = sum(one["fired"] for one in record.result["alerts"])
    assert Counter(one.index for one in found) == {"krkn-telemetry": 1, "krkn-alerts": fired, "krkn-metrics": 5 + len(record.result["health"])}
    assert {one.body["run_uuid"] for one in found} == {record.result["run_uuid"]}
    assert found[0].body["tag"] == "nightly"


def test_the_same_record_always_gives_the_same_documents(record: Recorded) -> None:
    first, again = list(run_documents(record, INDICES)), list(run_documents(record, INDICES))
    assert first == again
    assert len({one.id for one in first}) == len(first)
    other = replace(record, result={**record.result, "run_uuid": "another"})
    assert not {one.id for one in first} & {one.id for one in run_documents(other, INDICES)}


def test_indices_are_in_lower_case_as_servers_want_them(record: Recorded) -> None:
    found = run_documents(record, Indices(telemetry="Krkn-T", metrics="KRKN-M", alerts="krkn-a"))
    assert {one.index for one in found} == {"krkn-t", "krkn-m", "krkn-a"}


def test_an_alert_says_what_when_and_in_which_phase(record: Recorded) -> None:
    alerts = [one.body for one in run_documents(record, INDICES) if one.index == "krkn-alerts"]
    assert [set(one) for one in alerts] == [
        {"run_uuid", "severity", "alert", "created_at", "phase"}, {"run_uuid", "severity", "alert", "created_at", "phase", "alertstate"},
    ]  # fmt: skip
    assert (alerts[0]["alert"], alerts[0]["phase"]) == ("checkout error rate is 0.031", "during")
    assert alerts[0]["created_at"].endswith("Z")


def test_a_sample_is_flat_as_krkn_stores_it(record: Recorded) -> None:
    assert sampled(record, {"labels": {"pod": "web-0", "__name__": "up"}}) == [
        {"run_uuid": record.result["run_uuid"], "metricName": "cpu", "query": "rate(cpu[1m])", "pod": "web-0", "__name__": "up",
         "timestamp": "2026-11-21T13:39:08.175Z", "value": 1.5},
    ]  # fmt: skip


def test_a_label_never_replaces_one_of_our_own_fields(record: Recorded) -> None:
    labels = {"value": "high", "run_uuid": "spoofed", "timestamp": "now", "label_value": "kept", "_id": "mine", "query": "q", "metricName": "m"}
    (found,) = sampled(record, {"labels": labels})
    assert (found["value"], found["run_uuid"], found["metricName"]) == (1.5, record.result["run_uuid"], "cpu")
    assert (found["label_label_value"], found["label_value"], found["label_run_uuid"], found["label__id"]) == ("high", "kept", "spoofed", "mine")
    assert "_id" not in found
    assert len(found) == 5 + len(labels)


def test_what_is_no_number_has_no_value(record: Recorded) -> None:
    found = sampled(record, {"value": float("nan")}, {"value": float("inf"), "timestamp": 1.0}, {"value": 0, "timestamp": 2.0})
    assert [one["value"] for one in found] == [None, None, 0.0]


def test_samples_that_differ_in_query_labels_or_time_are_different_documents(record: Recorded) -> None:
    assert len(sampled(record, {}, {"query": "other"}, {"labels": {"a": "1"}}, {"timestamp": 2.0}, {"metricName": "cpu"})) == 5
    ids = [one.id for one in run_documents(record, INDICES) if one.body.get("metricName") == "cpu"]
    assert len(set(ids)) == 4  # the last one is the first again


def test_only_pods_that_still_have_the_fault_become_records(tmp_path: Path) -> None:
    clean = records.write_record(tmp_path / "clean", passed=True)
    dirty = records.write_record(tmp_path / "dirty", residue=True)
    assert [one.body for one in run_documents(clean, INDICES) if one.body.get("metricName") == "affected_pods_recovery"] == []
    found = [one.body for one in run_documents(dirty, INDICES) if one.body.get("metricName") == "affected_pods_recovery"]
    assert [(one["pod_name"], one["type"]) for one in found] == [("web-0", "unrecovered")]


FIELDS = [("./a/one.yaml", "/a/one.yaml"), ("../one.yaml", "/one.yaml"), ("one.yaml", "one.yaml"), ("...", "scenario")]
KINDS: list[dict[str, Any]] = [
    {"empty": True}, {"interrupted": True}, {"observed": False}, {"unknown": True}, {"scenarios": 0}, {"hostile": "\x1b[31m\n\u202e"},
]  # fmt: skip


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_the_scores_of_files_have_names_that_a_server_takes(record: Recorded, name: str, field: str) -> None:
    scores = {"score": 50, "passed": 1, "total": 2, "scenarios": [{"name": name, "score": 50}]}
    telemetry = next(run_documents(replace(record, result={**record.result, "resiliency": scores}), INDICES))
    assert telemetry.body["overall_resiliency_report"]["scenarios"] == {field: 50}


@pytest.mark.parametrize("wishes", KINDS)
def test_every_kind_of_run_can_be_stored(tmp_path: Path, wishes: dict[str, Any]) -> None:
    found: list[Document] = list(run_documents(records.write_record(tmp_path, **wishes), INDICES))
    assert found[0].index == "krkn-telemetry"
    assert all(json.loads(one.lines.split("\n")[1]) == one.body for one in found)
