"""krkn's telemetry document, made of a record."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import records

from chaos_modules.reports.krkn_telemetry import chaos_run_telemetry, run_uuid, utc
from chaos_modules.reports.recorded import Recorded

# krkn-lib 7.0.3, ChaosRunTelemetry and ScenarioTelemetry.
RUN_FIELDS = {
    "scenarios", "node_summary_infos", "node_taints", "kubernetes_objects_count", "network_plugins", "total_node_count", "cloud_infrastructure",
    "cloud_type", "cluster_version", "major_version", "run_uuid", "timestamp", "health_checks", "virt_checks", "object_state_checks", "job_status",
    "build_url", "tag", "fips_enabled", "etcd_encryption_enabled", "ipsec_enabled", "error_logs", "overall_resiliency_report", "alerts",
    "failed_alerts",
}  # fmt: skip
SCENARIO_FIELDS = {
    "start_timestamp", "end_timestamp", "scenario", "scenario_type", "exit_status", "parameters_base64", "parameters", "affected_pods",
    "affected_vmis", "affected_nodes", "cluster_events",
}  # fmt: skip


def target(path: str, reverted: bool | None) -> dict[str, Any]:
    return {"target": path, "reverted": reverted}


def with_targets(record: Recorded, *targets: dict[str, Any]) -> dict[str, Any]:
    changed = {**record.result, "scenarios": [{**record.result["scenarios"][0], "targets": list(targets)}]}
    return dict(chaos_run_telemetry(replace(record, result=changed))["scenarios"][0])


@pytest.fixture
def record(tmp_path: Path) -> Recorded:
    return records.write_record(tmp_path, passed=False, unhealthy=True, metrics=5, scenarios=2, problems=["Prometheus was away"])


def test_the_document_has_krkns_fields_and_no_other(record: Recorded) -> None:
    document = chaos_run_telemetry(record)
    assert set(document) == RUN_FIELDS
    assert set(document["scenarios"][0]) == SCENARIO_FIELDS


def test_a_run_is_named_timed_tagged_and_judged(record: Recorded) -> None:
    document = chaos_run_telemetry(record, "nightly")
    ended = record.result["ended"]
    assert document["run_uuid"] == record.result["run_uuid"]
    assert document["timestamp"] == utc(ended, "seconds")
    assert len(document["timestamp"]) == len("2026-11-21T13:39:08Z")
    assert (document["tag"], document["job_status"], document["build_url"]) == ("nightly", False, "manual")
    assert document["error_logs"] == [{"timestamp": document["timestamp"], "message": "Prometheus was away"}]


def test_times_are_utc_and_say_so() -> None:
    assert utc(1_795_268_348.175457) == "2026-11-21T13:39:08.175Z"
    assert utc(1_795_268_348.0, "seconds") == "2026-11-21T13:39:08Z"


def test_every_executed_entry_is_an_item_with_its_own_times_and_the_files_parameters(record: Recorded) -> None:
    found = chaos_run_telemetry(record)["scenarios"]
    assert [(one["scenario"], one["scenario_type"], one["exit_status"]) for one in found] == [(records.FILE, "pod_network_fault_scenarios", 0)] * 2
    assert [one["start_timestamp"] for one in found] == [int(one["started"]) for one in record.result["scenarios"]]
    assert [one["end_timestamp"] for one in found] == [int(one["ended"]) for one in record.result["scenarios"]]
    assert found[0]["parameters"] == record.scenario_files[records.FILE]
    assert json.loads(base64.b64decode(found[0]["parameters_base64"])) == found[0]["parameters"]


def test_older_records_take_times_from_their_events_and_a_uuid_from_the_run_id(tmp_path: Path) -> None:
    old = records.write_record(tmp_path, observed=False)
    document = chaos_run_telemetry(old)
    begun = [event["time"] for event in old.events if event["event"] == "scenario-started"]
    assert document["scenarios"][0]["start_timestamp"] == int(begun[0])
    assert document["scenarios"][0]["parameters"] == {}
    assert document["run_uuid"] == run_uuid(old) == chaos_run_telemetry(old)["run_uuid"]
    assert document["run_uuid"] != run_uuid(replace(old, result={**old.result, "run_id": "other"}))
    assert (document["health_checks"], document["overall_resiliency_report"], document["alerts"]) == (None, None, [])


def test_a_run_in_which_nothing_started_still_has_times(tmp_path: Path) -> None:
    empty = chaos_run_telemetry(records.write_record(tmp_path, empty=True))
    scenario = empty["scenarios"][0]
    assert scenario["start_timestamp"] == int(records.STARTED)
    assert scenario["affected_pods"] == {"recovered": [], "unrecovered": [], "error": None}
    assert scenario["exit_status"] == 1


def test_affected_is_whose_network_a_fault_was_on(record: Recorded) -> None:
    found = with_targets(
        record, target("pod/shop/web-0", True), target("pod/shop/web-0", False), target("pod/shop/web-1", True), target("pod/shop/web-2", None),
        target("vm/shop/one", True), target("node/worker-1", True), target("shop/app=web", None),
    )  # fmt: skip
    pods = found["affected_pods"]
    assert [one["pod_name"] for one in pods["recovered"]] == ["web-1"]
    assert [(one["namespace"], one["pod_name"]) for one in pods["unrecovered"]] == [("shop", "web-0")]
    assert pods["recovered"][0] == {
        "pod_name": "web-1", "namespace": "shop", "total_recovery_time": 0.0, "pod_readiness_time": 0.0, "pod_rescheduling_time": 0.0
    }  # fmt: skip
    assert pods["unrecovered"][0]["total_recovery_time"] is None
    assert [one["vmi_name"] for one in found["affected_vmis"]["recovered"]] == ["one"]
    assert [one["node_name"] for one in found["affected_nodes"]] == ["worker-1"]


def test_alerts_are_those_that_fired_and_failed_ones_those_that_count(record: Recorded) -> None:
    document = chaos_run_telemetry(record)
    fired = [one for one in record.result["alerts"] if one["fired"]]
    assert [one["name"] for one in document["alerts"]] == [one["name"] for one in fired]
    assert len(fired) < len(record.result["alerts"])
    assert {one["phase"] for one in document["alerts"] if one["severity"] == "error"} == {"during"}
    assert {one["phase"] for one in document["alerts"] if one["severity"] == "critical"} == {"pre"}
    assert [one["name"] for one in document["failed_alerts"]] == [one["name"] for one in fired if one["counted"]]
    assert document["failed_alerts"][0]["starts_at"] == utc(fired[0]["intervals"][0][0])


def test_an_alert_after_every_fault_is_one_after_it(record: Recorded) -> None:
    late = {**record.result["alerts"][0], "before": False, "fired": True, "intervals": [[record.result["ended"], record.result["ended"] + 1]]}
    document = chaos_run_telemetry(replace(record, result={**record.result, "alerts": [late]}))
    assert [one["phase"] for one in document["alerts"]] == ["post"]


def test_health_and_score_have_krkns_shapes(record: Recorded) -> None:
    document = chaos_run_telemetry(record)
    health = document["health_checks"]
    assert [(one["status"], one["status_code"]) for one in health] == [(True, 200), (False, 503)]
    assert {one["url"] for one in health} == {"http://shop.example/health"}
    assert health[0]["start_timestamp"] == utc(record.result["health"][0]["start_timestamp"])
    score = record.result["resiliency"]
    assert document["overall_resiliency_report"] == {
        "scenarios": {one["name"]: one["score"] for one in score["scenarios"]}, "resiliency_score": score["score"],
        "passed_slos": score["passed"], "total_slos": score["total"],
    }  # fmt: skip


def test_of_entries_with_one_name_the_worst_score_is_told(record: Recorded) -> None:
    scores = [{"name": "one.yaml", "score": score} for score in (80, 20, 60)]
    changed = {**record.result, "resiliency": {"score": 53, "passed": 1, "total": 2, "scenarios": scores}}
    assert chaos_run_telemetry(replace(record, result=changed))["overall_resiliency_report"]["scenarios"] == {"one.yaml": 20}


def test_parameters_that_json_cannot_hold_become_null_and_odd_characters_stay_readable(record: Recorded) -> None:
    content = [{"share": math.nan, "text": "a\x85\x7f\ufeffü\U0001f600"}]
    document = chaos_run_telemetry(replace(record, scenario_files={records.FILE: content}))
    scenario = document["scenarios"][0]
    assert scenario["parameters"] == [{"share": None, "text": "a\x85\x7f\ufeffü\U0001f600"}]
    assert json.loads(base64.b64decode(scenario["parameters_base64"])) == scenario["parameters"]
    json.dumps(document, allow_nan=False)
