"""A query's history as samples: one a step, by every series."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos_modules.model.limit import Limit, limit_of
from chaos_modules.model.observation import Observed, Series
from chaos_modules.verdict.series import samples_of


def series(*points: tuple[float, float], **labels: str) -> Series:
    return Series(labels=tuple(labels.items()), points=points)


def observed(*all_series: Series, step: float = 1.0, problem: str = "") -> Observed:
    return Observed(name="errors", query="rate(errors[10s])", limit="<= 0.1", step=step, series=all_series, problem=problem)


def marks(history: Observed, limit: str = "<= 0.1", start: float = 100.0, end: float = 104.0) -> list[bool | None]:
    return [sample.good for sample in samples_of(history, limit_of(limit), start, end)]


def test_every_series_that_has_a_point_must_keep_the_limit() -> None:
    one = series((100.0, 0.0), (101.0, 0.2), (102.0, 0.1), pod="a")
    other = series((101.0, 0.0), (102.0, 0.3), (103.0, 0.0), pod="b")
    found = samples_of(observed(one, other), limit_of("<= 0.1"), 100.0, 104.0)
    assert [(sample.time, sample.good) for sample in found] == [(100.0, True), (101.0, False), (102.0, False), (103.0, True)]
    assert [sample.detail for sample in found] == ["", '{pod="a"} is 0.2, expected <= 0.1', '{pod="b"} is 0.3, expected <= 0.1', ""]
    assert {sample.seconds for sample in found} == {None}


def test_a_step_without_a_point_is_unknown() -> None:
    assert marks(observed(series((100.0, 0.0), (103.0, 0.0)))) == [True, None, None, True]
    assert marks(observed()) == [None] * 4
    assert {sample.detail for sample in samples_of(observed(), Limit("<", 1.0), 100.0, 104.0)} == {"no series has a value"}


def test_a_query_that_was_not_answered_is_unknown_with_its_reason() -> None:
    found = samples_of(observed(series((100.0, 0.0)), problem="Prometheus does not answer"), Limit("<", 1.0), 100.0, 102.0)
    assert [(sample.good, sample.detail) for sample in found] == [(None, "Prometheus does not answer")] * 2


def test_the_worst_series_is_the_farthest_beyond_the_limit() -> None:
    history = observed(series((100.0, 0.5), __name__="up", pod="a"), series((100.0, 0.1), __name__="up"), series((100.0, 0.9), pod="c"))
    for limit, worst in ((">= 1", "up is 0.1, expected >= 1"), ("<= 0", '{pod="c"} is 0.9, expected <= 0'), ("== 1", "up is 0.1, expected == 1")):
        assert samples_of(history, limit_of(limit), 100.0, 101.0)[0].detail == worst
    [named] = samples_of(observed(series((100.0, 5.0), __name__="up", pod="a", job="b")), Limit("<", 1.0), 100.0, 101.0)
    assert named.detail == 'up{job="b", pod="a"} is 5, expected < 1'


def test_what_is_no_number_keeps_no_limit() -> None:
    [sample] = samples_of(observed(series((100.0, math.nan), pod="a"), series((100.0, 9.0), pod="b")), Limit("<=", 0.1), 100.0, 101.0)
    assert (sample.good, sample.detail) == (False, '{pod="a"} is nan, expected <= 0.1')


def test_the_steps_are_those_of_the_points_and_the_end_is_outside() -> None:
    history = observed(*(series(*((100.25 + 0.5 * number, 0.0) for number in range(20))),), step=0.5)
    found = samples_of(history, Limit("<=", 0.1), 101.0, 102.25)
    assert [sample.time for sample in found] == pytest.approx([101.25, 101.75])
    assert marks(history, start=102.25, end=102.25) == []


@settings(max_examples=60)
@given(st.floats(0.1, 30), st.integers(1, 60), st.integers(0, 60), st.floats(0, 2e9))
def test_windows_that_meet_share_no_sample_and_lose_none(step: float, count: int, cut: int, origin: float) -> None:
    origin = round(origin, 3)
    points = tuple((origin + number * step, 0.0) for number in range(count))
    history = observed(series(*points), step=step)
    end = origin + count * step - step / 2
    middle = min(origin + cut * step, end)
    whole = samples_of(history, Limit("<", 1.0), origin, end)
    assert [sample.good for sample in whole] == [True] * count
    parts = samples_of(history, Limit("<", 1.0), origin, middle) + samples_of(history, Limit("<", 1.0), middle, end)
    assert parts == whole
