"""Numbers and times of the HTML report."""

from __future__ import annotations

import math

import pytest

from chaos_modules.reports.html.axis import axis_over
from chaos_modules.reports.html.figures import NONE, duration, labels, number, plural, quantity, share, utc

NOON = 1_795_262_400.0


@pytest.mark.parametrize(("seconds", "text"), [
    (None, NONE), (math.nan, NONE), (0, "0 s"), (0.048, "48 ms"), (0.0123456, "12.3 ms"), (1.0, "1 s"), (12.34, "12.3 s"), (119.9, "119.9 s"),
    (125, "2 min 5 s"), (180, "3 min"), (3720, "62 min"), (7200, "2 h"), (7380, "2 h 3 min"), (400_000, "111 h 6 min"),
])  # fmt: skip
def test_durations_have_the_unit_that_fits(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [
    (None, NONE), (math.nan, NONE), (math.inf, "+∞"), (-math.inf, "−∞"), (0.0, "0"), (1500.0, "1,500"), (0.0123456, "0.01235"),
    (12345.67, "12,345.7"), (1e15, "1e+15"), (-3.0, "-3"),
])  # fmt: skip
def test_numbers_have_four_significant_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [
    (None, NONE), (1.0, "100%"), (0.99999, "> 99.9%"), (0.9, "90%"), (0.1986, "19.9%"), (0.0001, "< 0.1%"), (0.0, "0%"),
])  # fmt: skip
def test_a_share_is_never_rounded_to_all_or_nothing(value: float | None, text: str) -> None:
    assert share(value) == text


def test_quantities_have_their_units() -> None:
    assert quantity(0.2, "share") == "20%"
    assert quantity(0.25, "s") == "250 ms"
    assert quantity(998_000, "bit/s") == "998kbit"
    assert quantity(3, "apples") == "3 apples"
    assert quantity(math.inf, "bit/s") == "+∞ bit/s"
    assert quantity(None, "s") == NONE


def test_times_are_utc_and_relative_to_the_run() -> None:
    axis = axis_over(NOON, NOON + 60, [NOON + 90])
    assert utc(NOON + 0.26) == "12:00:00.3"
    assert utc(NOON, day=True) == "2026-11-21 12:00:00 UTC"
    assert utc(1e18) == "1e+18", "no calendar has it"
    assert axis.moment(NOON + 8.1) == "+8.1 s (12:00:08.1 UTC)"
    assert axis.relative(NOON - 2) == "−2 s"
    assert axis.moment(None) == axis.relative(None) == NONE
    assert axis.end == NOON + 90, "the axis reaches as far as anything does"


def test_places_are_percent_of_the_axis_and_stay_on_it() -> None:
    axis = axis_over(100.0, 200.0, [])
    assert [axis.place(time) for time in (50, 100, 125, 200, 900)] == [0, 0, 25, 100, 100]
    assert axis_over(100.0, 100.0, []).end > 100.0, "a run without length has an axis all the same"


@pytest.mark.parametrize("length", [0.3, 1, 7, 60, 76, 600, 3600, 86_400, 3_000_000])
def test_ticks_are_few_and_round(length: float) -> None:
    ticks = axis_over(NOON, NOON + length, []).ticks()
    assert 2 <= len(ticks) <= 10
    assert [tick.x for tick in ticks] == sorted({tick.x for tick in ticks})
    assert ticks[0].relative == "0"


def test_labels_and_plurals() -> None:
    assert labels({"job": "shop", "le": "0.5"}) == '{job="shop", le="0.5"}'
    assert labels({}) == ""
    assert [plural(amount, "target") for amount in (0, 1, 2000)] == ["0 targets", "1 target", "2,000 targets"]
