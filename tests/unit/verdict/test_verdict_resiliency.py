"""krkn's score: points of the objectives that held, per scenario and over all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos_modules.model.observation import Observed, Series
from chaos_modules.model.probe import AlertRule
from chaos_modules.verdict.resiliency import Span, left_out, points_of, report, score_of


def rule(name: str, severity: str = "warning", weight: float | None = None) -> AlertRule:
    return AlertRule(expr=name, description=name, severity=severity, weight=weight)


def seen(*points: tuple[float, float], problem: str = "") -> Observed:
    found = (Series(labels=(), points=points),) if points else ()
    return Observed(name="x", query="x", limit="", step=1.0, series=found, problem=problem)


RULES = (rule("critical", "critical"), rule("warning"), rule("error", "error"), rule("heavy", "info", 5.0))
SPANS = (Span(name="first", start=0, end=10), Span(name="second", start=20, end=30, weight=3))
QUIET = (seen(), seen((5, 0.0)), seen((5, -1.0)), seen())


@pytest.mark.parametrize(("one", "points"), [
    (rule("a", "critical"), 3), (rule("a", "error"), 1), (rule("a", "debug"), 1), (rule("a", "critical", 7), 7), (rule("a", "info", 0.5), 0.5),
])
def test_points_of_an_objective(one: AlertRule, points: float) -> None:
    assert points_of(one) == points


def test_nothing_above_zero_is_a_full_score() -> None:
    found = score_of(RULES, QUIET, SPANS, start=0, end=30)
    assert found
    assert (found.score, found.passed, found.total, [one.score for one in found.scenarios]) == (100, 4, 4, [100, 100])
    assert found.scenarios[0].total_points == 10


@pytest.mark.parametrize(("failing", "scores", "overall"), [
    (0, [70, 100], 92), (1, [90, 100], 97), (3, [50, 100], 87),
])
def test_a_failed_objective_costs_its_points_in_its_scenario_only(failing: int, scores: list[int], overall: int) -> None:
    observed = [seen((5, 0.1), (15, 0.0)) if index == failing else one for index, one in enumerate(QUIET)]
    found = score_of(RULES, observed, SPANS, start=0, end=30)
    assert found
    assert ([one.score for one in found.scenarios], found.score, found.passed, found.total) == (scores, overall, 3, 4)


def test_the_score_is_cut_off_and_not_rounded() -> None:
    found = score_of([rule("a"), rule("b"), rule("c")], [seen((1, 1)), seen(), seen()], SPANS[:1], start=0, end=10)
    assert found
    assert found.score == 66


def test_a_failure_between_the_scenarios_counts_for_the_run_only() -> None:
    found = score_of(RULES, [seen((15, 1)), *QUIET[1:]], SPANS, start=0, end=30)
    assert found
    assert (found.score, found.passed, found.total) == (100, 3, 4)


def test_what_could_not_be_evaluated_is_left_out_and_named() -> None:
    found = score_of(RULES, [seen(problem="gone"), seen((5, 1)), *QUIET[2:]], SPANS[:1], start=0, end=30)
    assert found
    scenario, = found.scenarios
    assert (scenario.total_points, scenario.points_lost, scenario.score, found.total) == (7, 1, 85, 3)
    assert [one.passed for one in scenario.results] == [None, False, True, True]
    assert left_out(found) == ("critical",)
    assert report(found, "standalone")["scenarios"][0]["unknown"] == ["critical"]


@pytest.mark.parametrize(("rules", "observed", "spans"), [
    ((), (), SPANS), (RULES, QUIET, ()), (RULES, [seen(problem="gone")] * 4, SPANS),
])
def test_nothing_evaluated_is_no_score(rules: tuple[AlertRule, ...], observed: tuple[Observed, ...], spans: tuple[Span, ...]) -> None:
    assert score_of(rules, observed, spans, start=0, end=30) is None


def test_scenarios_without_weight_and_objectives_without_points_do_not_divide_by_nothing() -> None:
    found = score_of([rule("a", weight=0)], [seen()], [replace(SPANS[0], weight=0)], start=0, end=30)
    assert found
    assert (found.score, found.scenarios[0].score) == (0, 0)


def test_the_report_is_krkns() -> None:
    rules = [rule("same"), rule("same"), rule("critical", "critical")]
    found = score_of(rules, [seen(), seen((5, 1)), seen()], SPANS[:1], start=0, end=30)
    assert found
    document = {
        "scenarios": [{
            "name": "first", "window": {"start": "1970-01-01T00:00:00+00:00", "end": "1970-01-01T00:00:10+00:00"}, "score": 80, "weight": 1.0,
            "breakdown": {"total_points": 5.0, "points_lost": 1.0, "passed": 2, "failed": 1},
            "slo_results": {"same": False, "critical": True}, "health_check_results": {},
        }],
    }
    assert report(found, "standalone") == report(found, "detailed") == document
