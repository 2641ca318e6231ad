"""krkn's alert profile over a run: one range query per entry, folded once per run and once per window."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..model.observation import AlertFact, Observed
from ..model.probe import AlertRule
from ..verdict.alerts import alert_fact
from .evaluation import observe_ranges
from .prometheus import Prometheus

# How much of the time before the run says whether something held already.
BEFORE_SECONDS = 60.0


def observe_rules(prometheus: Prometheus, rules: Sequence[AlertRule], *, start: float, end: float, step: float) -> tuple[Observed, ...]:
    """The series of each rule over the run and the minute before it, on points that fall on `start`. The score needs the same: ask once.

    `step` in seconds, see `verdict.alerts.step_for`. Nothing is raised; an `Observed` has a problem instead.
    """
    earlier = math.ceil(BEFORE_SECONDS / step) * step
    return observe_ranges(prometheus, [rule.expr for rule in rules], start=start - earlier, end=end, step=step)


def evaluate_alerts(prometheus: Prometheus, rules: Sequence[AlertRule], *, start: float, end: float, step: float) -> tuple[AlertFact, ...]:
    """One fact per entry of the profile, in its order, fired or not. A query without an answer is a problem, never an alert that fired."""
    return alert_facts(rules, observe_rules(prometheus, rules, start=start, end=end, step=step), start=start, end=end)


def alert_facts(rules: Sequence[AlertRule], seen: Sequence[Observed], *, start: float, end: float) -> tuple[AlertFact, ...]:
    """The same of what was asked already."""
    return tuple(alert_fact(rule, one, start=start, end=end) for rule, one in zip(rules, seen, strict=True))
