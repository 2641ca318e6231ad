"""Quantities: every form that the dialects use, one canonical form, and errors that show how to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.model.errors import QuantityError
from chaos_modules.model.quantities import Duration, Percentage, PercentageRange, Rate, Size


@given(st.integers(0, Duration.LONGEST))
def test_durations_survive_being_printed(microseconds: int) -> None:
    assert Duration.parse(str(Duration(microseconds))) == Duration(microseconds)


@given(st.integers(Rate.SMALLEST, Rate.LARGEST))
def test_rates_survive_being_printed(bits: int) -> None:
    assert Rate.parse(str(Rate(bits))) == Rate(bits)


@given(st.integers(1, Size.LARGEST))
def test_sizes_survive_being_printed(octets: int) -> None:
    assert Size.parse(str(Size(octets))) == Size(octets)


@given(st.integers(0, 10**6))
def test_percentages_survive_being_printed(millionths: int) -> None:
    assert Percentage.parse(str(Percentage(millionths))) == Percentage(millionths)


@given(st.integers(0, 100), st.integers(0, 100))
def test_ranges_survive_being_printed(one: int, other: int) -> None:
    drawn = PercentageRange(min(one, other), max(one, other))
    assert PercentageRange.parse(str(drawn)) == drawn


@given(st.text(max_size=50))
def test_no_text_raises_anything_but_a_quantity_error(text: str) -> None:
    for kind in (Duration, Rate, Size, Percentage, PercentageRange):
        try:
            kind.parse(text)
        except QuantityError as error:
            assert "; " in str(error) or "smallest step" in str(error)


@pytest.mark.parametrize(("text", "microseconds"), [
    ("100ms", 100_000), ("1.5s", 1_500_000), (" 500 us ", 500), ("1m", 60_000_000), ("1H", 3_600_000_000), ("1000ns", 1), (0, 0), ("0", 0),
])
def test_durations(text: object, microseconds: int) -> None:
    assert Duration.parse(text).microseconds == microseconds


def test_a_bare_number_takes_the_unit_of_its_dialect() -> None:
    assert Duration.parse(60, "s") == Duration.of_seconds(60)
    assert Duration.parse("2", "ms").seconds == 0.002
    assert Rate.parse(100, "mbit") == Rate.parse("100mbit")
    assert Size.parse(1514) == Size.parse("1514b")


@pytest.mark.parametrize(("text", "bits"), [
    ("1mbit", 10**6), ("1mbps", 8 * 10**6), ("1mibit", 1024 * 1024), ("1024kibit", 2**20), ("0.5gbit", 5 * 10**8), ("1Mbit", 10**6),
])
def test_rates_mean_what_they_mean_to_tc(text: str, bits: int) -> None:
    assert Rate.parse(text).bits_per_second == bits


@pytest.mark.parametrize(("text", "octets"), [("32kb", 32768), ("2mb", 2**21), ("1k", 1024), ("1mib", 2**20), ("1.5kb", 1536)])
def test_sizes_are_1024_based(text: str, octets: int) -> None:
    assert Size.parse(text).octets == octets


@pytest.mark.parametrize(("value", "fraction"), [(10, 0.1), ("10%", 0.1), (10.5, 0.105), ("100", 1.0), (0, 0.0)])
def test_percentages(value: object, fraction: float) -> None:
    assert Percentage.parse(value).fraction == fraction


@pytest.mark.parametrize(("kind", "value", "message"), [
    (Duration, "5", "has no unit"), (Duration, "8 h 5", "is not a duration"), (Duration, "0.1us", "finer than 1us"),
    (Duration, "200h", "longer than 7 days"), (Duration, True, "True is not a duration"), (Duration, "1" * 90, "is not a duration"),
    (Duration, None, "None is not a duration"), (Rate, "1mb", "unknown unit 'mb'"), (Rate, "0", "outside 8bit"), (Rate, "20tbit", "outside"),
    (Rate, "8.5bit", "finer than 1bit"), (Size, "0", "outside 1b"), (Size, "3gb", "outside"), (Size, "-1", "is negative"),
    (Percentage, "101", "more than 100"), (Percentage, "5s", "unknown unit 's'"), (Percentage, "0.00001", "finer than 0.0001%"),
    (PercentageRange, "75-25", "rising order"), (PercentageRange, "1-2-3", "not a percentage of pods"), (PercentageRange, True, "not a perc"),
])
def test_errors_name_the_value_and_the_way_to_write_it(kind: type[Duration], value: object, message: str) -> None:
    with pytest.raises(QuantityError, match=message):
        kind.parse(value)
