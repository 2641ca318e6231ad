"""Panels of Prometheus series: thinned without losing a peak, gaps as gaps, the crossing told exactly."""

from __future__ import annotations

import math
from typing import Any

import pytest

from chaos_modules.reports.html.axis import Axis, axis_over
from chaos_modules.reports.html.series import BUCKETS, MOST_LINES, Panel, panels

WINDOWS = [{"phase": "baseline", "start": 1000.0, "end": 1010.0}, {"phase": "fault", "start": 1010.0, "end": 1050.0}]
AXIS = axis_over(1000.0, 1100.0, [])


def observed(*points: tuple[float, float], limit: str = "<= 0.01", step: float = 1.0, **changes: Any) -> dict[str, Any]:
    made = {"name": "errors", "query": "rate(errors[10s])", "limit": limit, "step": step, "problem": ""}
    return {**made, "series": [{"labels": {"job": "shop"}, "points": [list(one) for one in points]}], **changes}


def panel(one: dict[str, Any], checks: list[dict[str, Any]] | None = None, axis: Axis = AXIS) -> Panel:
    return panels(axis, {"checks": checks or []}, [one], WINDOWS)[0]


def check(crossed: float | None, passed: bool) -> dict[str, Any]:
    return {"name": "errors", "phase": "fault", "crossed": crossed, "passed": passed}


def level(value: float, *, since: int = 0, until: int = 100) -> list[tuple[float, float]]:
    return [(1000.0 + second, value) for second in range(since, until)]


def test_one_point_of_3600_beyond_the_limit_survives_the_thinning() -> None:
    axis = axis_over(1000.0, 4600.0, [])
    points = [(1000.0 + second, 0.9 if second == 1777 else 0.001 + second % 7 / 1e5) for second in range(3600)]
    drawn = panel(observed(*points), axis=axis)
    kept = drawn.lines[0].stretches[0]
    assert (1777.0, 0.9) in kept
    assert len(kept) <= 2 * BUCKETS + 2
    assert min(value for _, value in kept) == min(value for _, value in points)
    assert [time for time, _ in kept] == sorted(time for time, _ in kept)


def test_a_missing_sample_is_a_gap_in_the_picture_and_in_the_data() -> None:
    drawn = panel(observed(*level(0.001, until=20), *level(0.001, since=25)))
    assert len(drawn.lines[0].polylines) == 2
    chart = drawn.chart["lines"][0]
    assert chart["y"].count(None) == 1
    assert chart["x"][chart["y"].index(None)] == pytest.approx(22.0)
    whole = panel(observed(*level(0.001)))
    assert (len(whole.lines[0].polylines), whole.chart["lines"][0]["y"].count(None)) == (1, 0)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_gap_and_reaches_no_script(odd: float) -> None:
    drawn = panel(observed(*level(0.001, until=20), (1020.0, odd), *level(0.001, since=21)))
    assert len(drawn.lines[0].polylines) == 2
    assert all(value is None or math.isfinite(value) for value in drawn.chart["lines"][0]["y"])
    assert math.isfinite(drawn.low)
    assert math.isfinite(drawn.high)


def test_a_lone_point_is_drawn() -> None:
    assert panel(observed((1005.0, 0.5))).lines[0].polylines[0].count(",") == 2


def test_the_crossing_is_that_of_the_checks() -> None:
    drawn = panel(observed(*level(0.001, until=30), *level(0.5, since=30)), [check(1029.75, passed=False)])
    assert drawn.told == "crossed <= 0.01 at +29.8 s (00:17:09.8 UTC)"
    assert drawn.state == "bad"


def test_without_a_check_it_is_the_first_point_under_the_fault_that_breaks_the_limit() -> None:
    early = panel(observed(*level(0.5, until=5), *level(0.001, since=5, until=30), *level(0.5, since=30)))
    assert early.told == "crossed <= 0.01 at +30 s (00:17:10.0 UTC)"
    calm = panel(observed(*level(0.001)))
    assert (calm.told, calm.state) == ("never crossed <= 0.01", "good")


@pytest.mark.parametrize(("limit", "beyond"), [
    ("<= 0.5", "top"), ("< 0.5", "top"), (">= 0.5", "bottom"), ("> 0.5", "bottom"), ("== 0.5", None), ("", None),
])  # fmt: skip
def test_the_side_of_the_limit_that_is_broken_is_known(limit: str, beyond: str | None) -> None:
    drawn = panel(observed((1000.0, 0.0), (1001.0, 1.0), limit=limit))
    if beyond is None:
        assert drawn.beyond is None
        return
    assert drawn.beyond is not None
    assert drawn.limit_y is not None
    assert drawn.beyond[0] == (0.0 if beyond == "top" else drawn.limit_y)
    assert drawn.beyond[0] + drawn.beyond[1] == pytest.approx(drawn.limit_y if beyond == "top" else 100)


def test_medians_are_of_the_windows_and_nothing_else() -> None:
    drawn = panel(observed(*level(1.0, until=10), *level(3.0, since=11, until=50), *level(9.0, since=51)))
    assert drawn.medians == (("baseline", "1"), ("fault", "3"))
    assert panel(observed()).medians == (("baseline", "–"), ("fault", "–"))


def test_no_answer_and_an_empty_answer_are_told_apart() -> None:
    down = panel(observed(series=[], problem="connection refused"))
    assert (down.told, down.state, down.lines) == ("no answer: connection refused", "unknown", ())
    assert panel(observed(series=[])).told == "the answer has no series"


def test_of_many_series_those_that_break_the_limit_are_drawn() -> None:
    many = [{"labels": {"pod": str(number)}, "points": [[1020.0, 5.0 if number == 30 else 0.001 * number]]} for number in range(40)]
    drawn = panel(observed(series=many, limit="<= 1"))
    assert len(drawn.lines) == MOST_LINES
    assert drawn.lines[0].label == '{pod="30"}'
    assert drawn.more == "12 of 40 series drawn"
    falling = panel(observed(series=many, limit=">= 0.001"))
    assert '{pod="0"}' in [line.label for line in falling.lines], "one that is too low, too"


def test_the_picture_holds_every_value_and_the_limit() -> None:
    for values in ((5.0, 6.0), (0.0, 0.0), (-4.0, -2.0), (1e9, 1e9), (1e9, 1e9 + 1e-6), (1e250, -1e250)):
        drawn = panel(observed(*((1000.0 + second, value) for second, value in enumerate(values))))
        assert drawn.low <= min(*values, 0.01) <= max(*values, 0.01) <= drawn.high
        assert 1 <= len(drawn.ticks) <= 6
        assert all(0 <= y <= 100 for y, _ in drawn.ticks)


@pytest.mark.parametrize("odd", [1.7e308, -1.7e308, 5e-324, 1e-300])
def test_numbers_at_the_end_of_what_a_float_holds_break_nothing(odd: float) -> None:
    for limit in ("", "<= 0.01"):
        drawn = panel(observed((1000.0, odd), (1001.0, 0.0), (1002.0, odd), limit=limit))
        assert drawn.low < drawn.high
        assert all(math.isfinite(y) for y, _ in drawn.ticks)


def test_failed_panels_come_first() -> None:
    calm, broken = observed(*level(0.001), name="calm"), observed(*level(0.5), name="broken")
    assert [one.name for one in panels(AXIS, {}, [calm, broken], WINDOWS)] == ["broken", "calm"]
