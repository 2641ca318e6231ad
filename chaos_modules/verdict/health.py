"""krkn's health checks as findings."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.observation import Finding, FindingKind, HealthRecord


def findings(records: Sequence[HealthRecord]) -> tuple[Finding, ...]:
    """One for each stretch in which a URL was not healthy that gates the run (krkn's `exit_on_failure`)."""
    return tuple(
        Finding(kind=FindingKind.HEALTH, reason=_told(record), time=record.start_timestamp)
        for record in records if record.gating and not record.status
    )  # fmt: skip


def _told(record: HealthRecord) -> str:
    return f"{record.url} was not healthy for {record.duration:.1f} s: {record.detail or f'status {record.status_code}'}"
