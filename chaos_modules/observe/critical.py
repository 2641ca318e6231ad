"""krkn's `check_critical_alerts`, with a baseline: only what fires after a scenario, and did not before the run, counts."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

from ..model.observation import AlertFact, Finding, FindingKind
from ..verdict.alerts import Labels, critical_fact, critical_facts, findings, firing
from .evaluation import observe_ranges
from .prometheus import Prometheus, QueryProblem

# krkn asks without the state, and so counts pending alerts.
CRITICAL_QUERY = 'ALERTS{severity="critical",alertstate="firing"}'


class CriticalAlerts:
    """Look before the run, after every scenario, and at the end. Not for several threads. `problems`: what could not be asked, each text once."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._before: frozenset[Labels] | None = None
        self._noted_at = 0.0
        self._last: frozenset[Labels] = frozenset()
        self._looked: dict[Labels, tuple[float, ...]] = {}
        self._findings: list[Finding] = []
        self._unknown: list[Finding] = []
        self._untimed = ""

    def note_before(self) -> None:
        """What fires now is not the fault of this run. If Prometheus does not answer, it is asked for this moment again later."""
        self._noted_at = time.time()
        try:
            self._before = frozenset(firing(self._prometheus.instant(CRITICAL_QUERY)))
        except QueryProblem:
            self._before = None

    def after(self, scenario: int) -> tuple[AlertFact, ...]:
        """The critical alerts that fire now, and fired neither before the run nor at the look before this one.

        Nothing is raised: without an answer it is empty, and `findings` says so.
        """
        try:
            if self._before is None:
                self._before = frozenset(firing(self._prometheus.instant(CRITICAL_QUERY, self._noted_at or None)))
            now = firing(self._prometheus.instant(CRITICAL_QUERY))
        except QueryProblem as problem:
            self._unknown.append(_unknown(problem.what, scenario))
            return ()
        fresh = {labels: at for labels, at in now.items() if labels not in self._before and labels not in self._last}
        self._last = frozenset(now)
        facts = tuple(critical_fact(labels, CRITICAL_QUERY, ((at, at),), counted=True) for labels, at in sorted(fresh.items()))
        for labels, at in fresh.items():
            self._looked[labels] = (*self._looked.get(labels, ()), at)
        self._findings += [replace(one, scenario=scenario) for one in findings(facts, "fail")]
        return facts

    def facts(self, *, start: float, end: float, step: float) -> tuple[AlertFact, ...]:
        """Every critical alert that fired in the run, for the record: when, whether before, whether it counts."""
        seen, = observe_ranges(self._prometheus, [CRITICAL_QUERY], start=start, end=end, step=step)
        if seen.problem:  # the looks after each scenario have decided, and stand
            self._untimed = f"when critical alerts fired is not known: {seen.problem}"
        return critical_facts(seen, self._looked, self._before or frozenset(), start=start, end=end)

    def findings(self, on_unknown: Literal["fail", "pass"]) -> tuple[Finding, ...]:
        """The new alerts after each scenario, and, unless unknown passes, the looks that had no answer."""
        return (*self._findings, *(self._unknown if on_unknown == "fail" else ()))

    @property
    def problems(self) -> tuple[str, ...]:
        """Why critical alerts are not known."""
        return tuple(dict.fromkeys([*(one.reason for one in self._unknown), *([self._untimed] if self._untimed else [])]))


def _unknown(what: str, scenario: int | None) -> Finding:
    return Finding(kind=FindingKind.UNKNOWN, reason=f"critical alerts could not be looked at: {what}", scenario=scenario)
