"""Health checks as findings: only those that gate."""

from __future__ import annotations

from chaos_modules.model.observation import FindingKind, HealthRecord
from chaos_modules.verdict.health import findings


def record(status: bool, gating: bool, detail: str = "") -> HealthRecord:
    return HealthRecord(
        url="http://shop.example/", status=status, status_code=200 if status else 503, start_timestamp=5.0, end_timestamp=9.0, duration=4.0,
        gating=gating, detail=detail,
    )  # fmt: skip


def test_an_unhealthy_stretch_that_gates_is_a_finding() -> None:
    told = findings([record(True, True), record(False, False), record(False, True, "connection refused"), record(False, True)])
    assert [(one.kind, one.reason, one.time, one.exit_code) for one in told] == [
        (FindingKind.HEALTH, "http://shop.example/ was not healthy for 4.0 s: connection refused", 5.0, 3),
        (FindingKind.HEALTH, "http://shop.example/ was not healthy for 4.0 s: status 503", 5.0, 3),
    ]


def test_without_one_there_is_none() -> None:
    assert findings([record(True, True), record(False, False)]) == ()
