"""krkn's telemetry document of a run, from its record: the names and shapes of krkn-lib's `ChaosRunTelemetry` 7.0."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from ..storage.document import finite
from .recorded import Json, Recorded

# Makes a UUID of the run id of records that have none: always the same.
_RUNS = UUID("6d1c7f0a-7c5e-5a53-9d0b-53f0a5c5a1f7")
# krkn-lib reads no null here, and 0 is what it shows for a pod that never went away. No fault of ours takes one away.
_POD_TIMES = ("total_recovery_time", "{}_readiness_time", "{}_rescheduling_time")
_NODE_TIMES = ("not_ready_time", "ready_time", "stopped_time", "running_time", "terminating_time")
# JSON allows them as they are, YAML does not, and krkn reads the parameters as YAML.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\ufeff\ufffe\uffff]")


def chaos_run_telemetry(record: Recorded, tag: str = "") -> Json:
    """The document. What we do not know of the cluster is null, as krkn has it on plain Kubernetes; so is a score that nobody computed."""
    result = record.result
    unknown = ("total_node_count", "cloud_infrastructure", "cloud_type", "cluster_version", "major_version",
               "fips_enabled", "etcd_encryption_enabled", "ipsec_enabled")  # fmt: skip
    fired = [alert for alert in result.get("alerts", ()) if alert.get("fired")]
    document = {
        "scenarios": _scenarios(record), "node_summary_infos": [], "node_taints": [], "kubernetes_objects_count": {},
        "network_plugins": ["Unknown"], **dict.fromkeys(unknown),
        "run_uuid": run_uuid(record), "timestamp": utc(result["ended"], "seconds"),
        "health_checks": [_health_check(one) for one in result.get("health", ())] or None, "virt_checks": None, "object_state_checks": None,
        "job_status": result["verdict"]["status"] == "passed", "build_url": result.get("build_url") or "manual", "tag": tag,
        "error_logs": [{"timestamp": utc(result["ended"], "seconds"), "message": text} for text in result.get("problems", ())],
        "overall_resiliency_report": _resiliency(result.get("resiliency")),
        "alerts": [_alert(one, windows(result)) for one in fired],
        "failed_alerts": [_failed_alert(one) for one in fired if one.get("counted")],
    }  # fmt: skip
    return dict(finite(document))


def run_uuid(record: Recorded) -> str:
    """The run's UUID; of older records one that follows from the run id."""
    return str(record.result.get("run_uuid") or uuid5(_RUNS, record.result["run_id"]))


@lru_cache(maxsize=1024)  # the samples of many series have the same times
def utc(seconds: float, precision: str = "milliseconds") -> str:
    """`YYYY-MM-DDTHH:MM:SS.sssZ`. krkn writes its own local time without a zone, which servers take for UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def windows(result: Json) -> list[Json]:
    """The fault windows of a run."""
    return [one for one in result.get("windows", ()) if one.get("phase") == "fault"]


def phase_of(alert: Json, faults: list[Json]) -> str:
    """When an alert began, in krkn's words: `pre`, `during` or `post` the faults."""
    begin = alert["intervals"][0][0]
    if alert.get("before") or (faults and begin < min(one["start"] for one in faults)):
        return "pre"
    return "post" if faults and begin > max(one["end"] for one in faults) else "during"


def _scenarios(record: Recorded) -> list[Json]:
    """One item for each executed entry, not for each file: entries have their own targets, times and outcome. All of a file name it, with all
    of its parameters; whoever counts files counts the distinct `scenario`.
    """
    started = [event["time"] for event in record.events if event.get("event") == "scenario-started"]
    finished = [event["time"] for event in record.events if event.get("event") == "scenario-finished"]
    return [
        _scenario(
            one, record,
            one.get("started") or (started[place] if place < len(started) else record.result["started"]),
            one.get("ended") or (finished[place] if place < len(finished) else record.result["ended"]),
        )
        for place, one in enumerate(record.result["scenarios"])
    ]  # fmt: skip


def _scenario(scenario: Json, record: Recorded, start: float, end: float) -> Json:
    content = record.scenario_files.get(scenario["file"])
    parameters = finite(content) if isinstance(content, (dict, list)) else {}
    return {
        "start_timestamp": int(start), "end_timestamp": int(end), "scenario": scenario["file"], "scenario_type": scenario["type"],
        "exit_status": 0 if scenario["status"] == "passed" else 1,
        "parameters_base64": _base64(parameters) if parameters else "", "parameters": parameters,
        "affected_pods": _affected(scenario, "pod", "pod"), "affected_vmis": _affected(scenario, "vm", "vmi"),
        "affected_nodes": [
            {"node_name": path, "node_id": "", **dict.fromkeys(_NODE_TIMES, 0.0)} for path, _ in _touched(scenario, "node")
        ],
        "cluster_events": [],
    }  # fmt: skip


def _base64(parameters: Any) -> str:
    """JSON that is YAML, too."""
    text = _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(parameters, ensure_ascii=False))
    return base64.b64encode(text.encode("utf-8", "backslashreplace")).decode()


def _affected(scenario: Json, kind: str, word: str) -> Json:
    """Whose network was impaired: `recovered` if the fault is off again for certain. krkn's own network scenarios name nobody."""
    found: Json = {"recovered": [], "unrecovered": [], "error": None}
    for path, reverted in _touched(scenario, kind):
        namespace, _, name = path.rpartition("/")
        one: Json = {f"{word}_name": name, "namespace": namespace}
        one |= {key.format(word): 0.0 if reverted else None for key in _POD_TIMES}
        found["recovered" if reverted else "unrecovered"].append(one)
    return found


def _touched(scenario: Json, kind: str) -> Iterator[tuple[str, bool]]:
    """Name and whether everything was reverted, of each target of a kind on which a fault was put; both directions together."""
    reverted: dict[str, bool] = {}
    for target in scenario["targets"]:
        of_kind, _, path = target["target"].partition("/")
        if of_kind == kind and target["reverted"] is not None:
            reverted[path] = reverted.get(path, True) and target["reverted"]
    yield from reverted.items()


def _health_check(health: Json) -> Json:
    times = {key: utc(health[key]) for key in ("start_timestamp", "end_timestamp")}
    return {"url": health["url"], "status": health["status"], "status_code": health["status_code"], **times,
            "duration": health["duration"], "phase": "during"}  # fmt: skip


def _alert(alert: Json, faults: list[Json]) -> Json:
    """The name is krkn's description, filled in already; `status` is whether the rule was kept."""
    return {"name": alert["name"], "severity": alert["severity"], "message": alert["name"], "starts_at": utc(alert["intervals"][0][0]),
            "status": False, "phase": phase_of(alert, faults)}  # fmt: skip


def _failed_alert(alert: Json) -> Json:
    """The same for readers of krkn-lib before 7."""
    namespace = str(alert.get("labels", {}).get("namespace", ""))
    return {"name": alert["name"], "severity": alert["severity"], "message": alert["name"], "namespace": namespace,
            "starts_at": utc(alert["intervals"][0][0])}  # fmt: skip


def _resiliency(report: Json | None) -> Json | None:
    if not report:
        return None
    scores: dict[str, int] = {}
    for one in report["scenarios"]:  # of entries of one name, the worst: krkn has one score for each name
        scores[one["name"]] = min(one["score"], scores.get(one["name"], one["score"]))
    return {"scenarios": scores, "resiliency_score": report["score"], "passed_slos": report["passed"], "total_slos": report["total"]}
