"""Probes in their windows: what was seen against what was asked for. Adding a bad sample never improves a judgement."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..model.observation import Finding, FindingKind, Phase, ProbeCheck, Sample, Window
from ..model.probe import Probe, Threshold
from .quantiles import nearest_rank, quantile_name, seconds_text

SHOWN_QUANTILES = (0.5, 0.95, 0.99)
NOTHING_ASKED = "nothing is asked of this window"
# 99.9 % is a little more than 0.999 as a float.
_ROUNDING = 1e-9
_GOOD_AT_THE_END = "good at the end"


def judge(probe: Probe, samples: Sequence[Sample], windows: Sequence[Window]) -> tuple[ProbeCheck, ...]:
    """One check for each window, of the samples asked in it (start <= time < end), in whatever order they come.

    The pass rate is over the known samples, latencies are those of good answers (nearest rank). `crossed` is the first bad sample or,
    where a limit on latency is broken, the first good answer beyond it. A recovery window must end good, whatever else is asked of it;
    its seconds count from the end of the same scenario's fault window. `passed` is None with a `limit` where nothing can be told, and
    without one where nothing is asked.
    """
    ends = {window.scenario: window.end for window in windows if window.phase is Phase.FAULT}
    ordered = sorted(samples, key=lambda sample: sample.time)
    return tuple(_check(probe, _within(ordered, window), window, ends.get(window.scenario, window.start)) for window in windows)


def _within(samples: Sequence[Sample], window: Window) -> list[Sample]:
    return [sample for sample in samples if window.start <= sample.time < window.end]


def _check(probe: Probe, samples: Sequence[Sample], window: Window, fault_end: float) -> ProbeCheck:
    threshold: Threshold = getattr(probe, window.phase)
    recovery = window.phase is Phase.RECOVERY
    known = [sample for sample in samples if sample.good is not None]
    good = [sample for sample in known if sample.good]
    recovered = _recovered_after(known, fault_end) if recovery and known else None
    limits = _limits(threshold, recovery, probe.recover_within)
    failures = _failures(known, threshold)
    if recovery and known:
        failures = (*_unrecovered(known, recovered, probe.recover_within), *failures)
    passed, reason = _judgement(samples, known, limits, failures, _untold(good, threshold))
    bad = next((sample for sample in known if not sample.good), None)
    times = sorted(sample.seconds for sample in good if sample.seconds is not None)
    return ProbeCheck(
        name=probe.name, kind=probe.kind, scenario=window.scenario, phase=window.phase, samples=len(samples), good=len(good),
        unknown=len(samples) - len(known), pass_rate=len(good) / len(known) if known else None,
        latency=tuple((quantile_name(share), nearest_rank(times, share)) for share in _quantiles(threshold)) if times else (),
        limit=", ".join(limits), passed=passed, reason=reason, recovered_after=recovered,
        crossed=min((sample.time for sample in (bad, _first_slow(good, threshold)) if sample), default=None),
    )  # fmt: skip


def _quantiles(threshold: Threshold) -> list[float]:
    return sorted({*SHOWN_QUANTILES, *(share for share, _ in threshold.latency)})


def _limits(threshold: Threshold, recovery: bool, recover_within: float | None) -> list[str]:
    """As text; empty where nothing is asked."""
    ending = [] if not recovery else [_GOOD_AT_THE_END] if recover_within is None else [f"good within {seconds_text(recover_within)}"]
    rate = [] if threshold.pass_rate is None else [f">= {100 * threshold.pass_rate:g} %"]
    return [*ending, *rate, *(f"{quantile_name(share)} <= {seconds_text(most)}" for share, most in threshold.latency)]


def _judgement(
    samples: Sequence[Sample], known: Sequence[Sample], limits: Sequence[str], failures: Sequence[str], untold: str
) -> tuple[bool | None, str]:  # fmt: skip
    """(passed, why not). What fails, fails, whatever else is not known."""
    if not limits:
        return None, NOTHING_ASKED
    if failures:
        return False, "; ".join(failures)
    if not known:
        return None, f"none of {len(samples)} samples could be told: {samples[-1].detail}" if samples else "there is no sample in this window"
    return (None, untold) if untold else (True, "")


def _failures(known: Sequence[Sample], threshold: Threshold) -> tuple[str, ...]:
    good = [sample for sample in known if sample.good]
    found = []
    if threshold.pass_rate is not None and known and len(good) / len(known) < threshold.pass_rate - _ROUNDING:
        rate = f"{_percent(len(good), len(known))} % good ({len(good)} of {len(known)}), expected >= {100 * threshold.pass_rate:g} %"
        found.append(f"{rate}{_first_bad(known)}")
    times = sorted(sample.seconds for sample in good if sample.seconds is not None)
    for share, most in threshold.latency:
        if known and not good:
            found.append(f"no good answer, expected {quantile_name(share)} <= {seconds_text(most)}{_first_bad(known)}")
        elif times and nearest_rank(times, share) > most:
            found.append(f"{quantile_name(share)} is {seconds_text(nearest_rank(times, share))}, expected <= {seconds_text(most)}")
    return tuple(found)


def _percent(good: int, known: int) -> str:
    """Rounded down, so that what fails 99.95 % never reads 100."""
    return f"{math.floor(1000 * good / known) / 10:g}"


def _first_bad(known: Sequence[Sample]) -> str:
    detail = next((sample.detail for sample in known if not sample.good), "")
    return f": {detail}" if detail else ""


def _untold(good: Sequence[Sample], threshold: Threshold) -> str:
    timed = any(sample.seconds is not None for sample in good)
    return "latency is asked for, and no answer has one" if threshold.latency and good and not timed else ""


def _first_slow(good: Sequence[Sample], threshold: Threshold) -> Sample | None:
    """The first good answer beyond a limit on latency that is broken."""
    times = sorted(sample.seconds for sample in good if sample.seconds is not None)
    broken = [most for share, most in threshold.latency if times and nearest_rank(times, share) > most]
    return next((sample for sample in good if broken and sample.seconds is not None and sample.seconds > min(broken)), None)


def _recovered_after(known: Sequence[Sample], fault_end: float) -> float | None:
    """Seconds from the fault's end until it was good for the rest of the window: 0.0 if it never was bad, None if it ended bad."""
    last_bad = max((position for position, sample in enumerate(known) if not sample.good), default=None)
    if last_bad is None:
        return 0.0
    return max(0.0, known[last_bad + 1].time - fault_end) if last_bad + 1 < len(known) else None


def _unrecovered(known: Sequence[Sample], recovered: float | None, within: float | None) -> tuple[str, ...]:
    if recovered is None:
        detail = f" ({known[-1].detail})" if known[-1].detail else ""
        expected = _GOOD_AT_THE_END if within is None else f"good within {seconds_text(within)}"
        return (f"still bad at the end of the window{detail}, expected {expected}",)
    late = within is not None and recovered > within
    return (f"good again after {seconds_text(recovered)}, expected within {seconds_text(within or 0.0)}",) if late else ()


def findings(checks: Sequence[ProbeCheck], on_unknown: str) -> tuple[Finding, ...]:
    """What of the fault and recovery windows decides the exit code; the baseline's business is `steady`. `on_unknown` is `fail` or `pass`."""
    return tuple(finding for check in checks if check.phase is not Phase.BASELINE and (finding := _finding(check, on_unknown)))


def _finding(check: ProbeCheck, on_unknown: str) -> Finding | None:
    if check.passed is False:
        return Finding(kind=FindingKind.OBJECTIVE, reason=_told(check), time=check.crossed, scenario=check.scenario)
    if check.passed is None and check.limit and on_unknown == "fail":
        return Finding(kind=FindingKind.UNKNOWN, reason=f"{_told(check)} (expected {check.limit})", scenario=check.scenario)
    return None


def steady(checks: Sequence[ProbeCheck], on_unknown: str = "fail") -> str:
    """Why the system is not to be attacked, by its baseline checks: it is broken already or, with `fail`, nobody can tell. Empty if it may be."""
    baseline = [check for check in checks if check.phase is Phase.BASELINE]
    stopping = [check for check in baseline if check.passed is False or (check.passed is None and check.limit and on_unknown == "fail")]
    return "; ".join(map(_told, stopping))


def _told(check: ProbeCheck) -> str:
    return f"probe {check.name}, {check.phase} window: {check.reason}"
