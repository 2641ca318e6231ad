"""Our telemetry is krkn's: krkn-lib's models read it and write the same again."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import records
from krkn_lib_models import NotInstalled, oracle_python, round_trip

from chaos_modules.reports.krkn_telemetry import chaos_run_telemetry

Json = dict[str, Any]
KINDS: dict[str, Json] = {
    "full": {"passed": False, "unhealthy": True, "scenarios": 2, "problems": ["Prometheus was away"]}, "passed": {}, "older": {"observed": False},
    "interrupted": {"interrupted": True}, "residue": {"residue": True, "failed_targets": 1}, "no target": {"empty": True},
    "no scenario": {"scenarios": 0}, "hostile": {"passed": False, "hostile": " \x1b[31m\u202e\x85\U0001f600"},
}  # fmt: skip
# What krkn-lib has where there is nothing.
NO_SCORE = {"scenarios": {}, "resiliency_score": 0, "passed_slos": 0, "total_slos": 0}


@pytest.fixture(scope="session")
def krkn_lib() -> Path:
    try:
        return oracle_python()
    except NotInstalled as reason:
        pytest.skip(f"krkn-lib could not be installed: {reason}")


def as_read(document: Json) -> Json:
    """Ours as krkn-lib must give it back: it knows `failed_alerts` only where `alerts` is missing, and parameters it has decoded leave the base64."""
    expected = {key: value for key, value in document.items() if key != "failed_alerts"}
    expected["scenarios"] = [{**one, "parameters_base64": ""} for one in document["scenarios"]]
    expected["overall_resiliency_report"] = document["overall_resiliency_report"] or NO_SCORE
    return expected


@pytest.mark.parametrize("kind", KINDS)
def test_krkn_lib_reads_our_telemetry_and_writes_the_same(krkn_lib: Path, tmp_path: Path, kind: str) -> None:
    document = chaos_run_telemetry(records.write_record(tmp_path, **KINDS[kind]), "nightly")
    back = round_trip(krkn_lib, document)
    assert back["run"] == as_read(document)
    assert back["scenarios"] == as_read(document)["scenarios"]


def test_readers_of_older_documents_find_the_failed_alerts(krkn_lib: Path, tmp_path: Path) -> None:
    document = chaos_run_telemetry(records.write_record(tmp_path, passed=False))
    failed = document["failed_alerts"]
    del document["alerts"]
    back = round_trip(krkn_lib, document)["run"]["alerts"]
    assert [(one["name"], one["severity"], one["starts_at"]) for one in back] == [(one["name"], one["severity"], one["starts_at"]) for one in failed]
    assert failed


def _rename(one: Json) -> None:
    one["scenarios"][0]["start_time"] = one["scenarios"][0].pop("start_timestamp")


BROKEN: dict[str, Callable[[Json], object]] = {
    "no scenarios": lambda one: one.pop("scenarios"),
    "another name": _rename,
    "no recovery time": lambda one: one["scenarios"][0]["affected_pods"]["recovered"][0].pop("total_recovery_time"),
    "health without code": lambda one: one["health_checks"][0].pop("status_code"),
    "parameters of another run": lambda one: one["scenarios"][0].update(parameters=[{"other": 1}]),
    "field that krkn lacks": lambda one: one.update(verdict="failed"),
    "time with a fraction": lambda one: one["scenarios"][0].update(start_timestamp=1.5),
    "alert of another shape": lambda one: one["alerts"][0].update(namespace="shop"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_document_that_is_not_krkns_does_not_come_back_the_same(krkn_lib: Path, tmp_path: Path, how: str) -> None:
    document = copy.deepcopy(chaos_run_telemetry(records.write_record(tmp_path, **KINDS["full"])))
    BROKEN[how](document)
    try:
        back = round_trip(krkn_lib, document)["run"]
    except subprocess.CalledProcessError:
        return
    assert back != as_read(document)
