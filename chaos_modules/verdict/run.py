"""Targets → scenario → run → exit code (design: exit codes)."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.errors import EXIT_ALERTS, EXIT_FAILED, EXIT_HEALTH, EXIT_PASSED, EXIT_RESIDUE
from ..model.observation import Finding
from ..model.outcome import Bystanders, RunStatus, ScenarioOutcome, TargetOutcome, TargetStatus, Verdict

# More than a busy machine loses by itself.
MOST_LOST_BESIDE = 0.02


def scenario_status(targets: Sequence[TargetOutcome], require_traffic: str, beside: Bystanders | None = None) -> tuple[RunStatus, str]:
    """A scenario passes when every target passed and nobody else was touched.

    Targets without traffic are tolerated beside proven ones unless `require_traffic` is `all`.
    """
    if not targets:
        return RunStatus.FAILED, "there was no target"
    statuses = [target.status for target in targets]
    bad = [one for one in targets if one.status not in (TargetStatus.PASSED, TargetStatus.NO_TRAFFIC, TargetStatus.INTERRUPTED)]
    if bad:
        return RunStatus.FAILED, f"{len(bad)} of {len(targets)} targets failed: {_told(bad[0])}"
    if TargetStatus.INTERRUPTED in statuses:
        return RunStatus.INTERRUPTED, next(one.reason for one in targets if one.status is TargetStatus.INTERRUPTED)
    silent = [one for one in targets if one.status is TargetStatus.NO_TRAFFIC]
    if silent and (require_traffic == "all" or len(silent) == len(targets)):
        return RunStatus.FAILED, f"{len(silent)} of {len(targets)} targets met no traffic: {_told(silent[0])}"
    if beside and (beside.copied or beside.lost > MOST_LOST_BESIDE * beside.sent):
        touched = f"{beside.lost} of {beside.sent} packets lost, {beside.copied} copied"
        return RunStatus.FAILED, f"flows that the filter does not match were touched: {touched}"
    return RunStatus.PASSED, ""


def _told(one: TargetOutcome) -> str:
    return f"{one.target} ({one.direction}): {one.status}: {one.reason}"


def timing(targets: Sequence[TargetOutcome]) -> tuple[float | None, float | None]:
    """(skew of the starts, seconds in which all targets were faulted together); None where not every target was."""
    starts = [one.started for one in targets if one.started is not None]
    ends = [one.ended for one in targets if one.ended is not None]
    if not targets or len(starts) != len(targets) or len(ends) != len(targets):
        return None, None
    return max(starts) - min(starts), max(0.0, min(ends) - max(starts))


def decide(
    scenarios: Sequence[ScenarioOutcome], residue: Sequence[str], interrupted: int | None, broken: Sequence[str] = (),
    findings: Sequence[Finding] = (),
) -> Verdict:  # fmt: skip
    """The exit code, and every reason for it. Residue outranks all others; `interrupted` is 130 or 143; `broken` says why the run itself broke.

    Among the rest krkn's order holds: a failure (1), then health (3), then alerts and objectives (2).
    """
    bad = [one for one in scenarios if _failed(one, interrupted)]
    failed = [f"{one.id} ({one.file}): {one.reason}" for one in bad]
    told = [one.reason for one in findings if not any(scenario.reason == one.reason for scenario in bad)]
    reasons = [*(f"residue: {item}" for item in residue), *broken, *failed, *told]
    if interrupted:
        reasons.append("interrupted by " + ("SIGINT" if interrupted == 130 else "SIGTERM"))
    if residue:
        return Verdict(status=RunStatus.FAILED, exit_code=EXIT_RESIDUE, reasons=tuple(reasons))
    if interrupted:
        return Verdict(status=RunStatus.INTERRUPTED, exit_code=interrupted, reasons=tuple(reasons))
    codes = {one.exit_code for one in findings} | ({EXIT_FAILED} if broken or failed else set())
    for code in (EXIT_FAILED, EXIT_HEALTH, EXIT_ALERTS):
        if code in codes:
            return Verdict(status=RunStatus.FAILED, exit_code=code, reasons=tuple(reasons))
    if not scenarios:
        return Verdict(status=RunStatus.FAILED, exit_code=EXIT_FAILED, reasons=("no scenario ran, so nothing was proven",))
    return Verdict(status=RunStatus.PASSED, exit_code=EXIT_PASSED, reasons=())


def _failed(one: ScenarioOutcome, interrupted: int | None) -> bool:
    """A scenario may be interrupted without us: its injector was told to end, or lost us. One that was halted was interrupted by us."""
    if one.status is RunStatus.INTERRUPTED:
        return not interrupted and not one.halted
    return one.status is RunStatus.FAILED
