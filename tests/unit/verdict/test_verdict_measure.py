"""Measured next to requested: five standard errors, a thousand samples, and the exactness of none and all."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.model.outcome import Judged
from chaos_modules.verdict.measure import delay, goodput, rate, share


@pytest.mark.parametrize(("hits", "of", "requested", "within"), [
    (2000, 10_000, 0.2, True),
    (2199, 10_000, 0.2, True),   # five standard errors are 200 packets
    (2201, 10_000, 0.2, False),
    (1801, 10_000, 0.2, True),
    (1799, 10_000, 0.2, False),
    (10_000, 10_000, 1.0, True),
    (9_999, 10_000, 1.0, False),  # a partition loses everything
    (0, 10_000, 0.0, True),
    (1, 10_000, 0.0, False),      # and nothing means nothing
    (0, 1000, 0.5, False),
])
def test_the_limit_of_a_share(hits: int, of: int, requested: float, within: bool) -> None:
    found = share(hits, of, requested, "kernel")
    assert (found.judged, found.within_tolerance) == (Judged.YES, within)
    assert (found.value, found.samples, found.unit, found.source) == (hits / of, of, "share", "kernel")


@pytest.mark.parametrize(("of", "judged"), [(0, Judged.INSUFFICIENT), (1, Judged.INSUFFICIENT), (999, Judged.INSUFFICIENT), (1000, Judged.YES)])
def test_a_thousand_samples_are_needed(of: int, judged: Judged) -> None:
    found = share(0, of, 1.0, "kernel")
    assert found.judged is judged
    assert found.within_tolerance is (judged is Judged.INSUFFICIENT)


def test_a_tolerance_of_the_engine_is_added() -> None:
    assert not share(50, 10_000, 0.0, "peer").within_tolerance
    assert share(50, 10_000, 0.0, "peer", 0.005).within_tolerance
    assert not share(51, 10_000, 0.0, "peer", 0.005).within_tolerance


@given(st.integers(1000, 10**6), st.floats(0, 1), st.floats(-12, 12))
def test_only_what_lies_beyond_five_standard_errors_fails(of: int, requested: float, errors: float) -> None:
    error = sqrt(requested * (1 - requested) / of)
    hits = min(of, max(0, round((requested + errors * error) * of)))
    distance = abs(hits / of - requested)
    if abs(distance - 5 * error) > 1e-9:
        assert share(hits, of, requested, "kernel").within_tolerance is (distance < 5 * error)


@given(st.integers(1, 10**6).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_value(pair: tuple[int, int]) -> None:
    found = share(*pair, 0.5, "kernel")
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_the_interval_is_wilsons() -> None:
    found = share(20, 100, 0.5, "kernel")
    assert (found.low, found.high) == (pytest.approx(0.1334, abs=1e-4), pytest.approx(0.2888, abs=1e-4))
    assert (share(0, 0, 0.5, "kernel").low, share(0, 0, 0.5, "kernel").high) == (0.0, 1.0)


@pytest.mark.parametrize(("octets", "seconds", "saturated", "judged", "within"), [
    (1_250_000, 10.0, True, Judged.YES, True),
    (1_250_000, 10.0, False, Judged.INSUFFICIENT, True),
    (12_500_000, 10.0, False, Judged.INSUFFICIENT, True),
    (1_260_000, 10.0, True, Judged.YES, True),     # 1 % of tolerance, and 0.2 % for the clock
    (1_266_000, 10.0, True, Judged.YES, False),
    (626_000, 10.0, True, Judged.YES, True),       # the queue may have been empty between two looks
    (624_000, 10.0, True, Judged.YES, False),
    (2_000_000, 4.9, True, Judged.INSUFFICIENT, True),
    (2_000_000, 5.0, True, Judged.YES, False),
    (0, 0.0, False, Judged.INSUFFICIENT, True),
])
def test_a_rate(octets: int, seconds: float, saturated: bool, judged: Judged, within: bool) -> None:
    found = rate(octets, seconds, 100, 1e6, saturated=saturated)
    assert (found.judged, found.within_tolerance, found.unit, found.samples) == (judged, within, "bit/s", 100)
    assert found.value == (octets * 8 / seconds if seconds else 0.0)
    assert found.low <= found.value <= found.high
    assert found.detail == ("" if saturated else "the traffic did not fill the queue")


@pytest.mark.parametrize(("value", "seconds", "judged", "within"), [
    (0.9e6, 10.0, Judged.YES, True),
    (0.0, 10.0, Judged.YES, True),      # headers and retransmissions take their part; less disproves nothing
    (1.01e6, 10.0, Judged.YES, True),
    (1.02e6, 10.0, Judged.YES, False),
    (9e6, 4.0, Judged.INSUFFICIENT, True),
])
def test_goodput_is_disproved_only_by_more_than_the_cap(value: float, seconds: float, judged: Judged, within: bool) -> None:
    found = goodput(value, seconds, 1e6)
    assert (found.judged, found.within_tolerance, found.source) == (judged, within, "peer")


@pytest.mark.parametrize(("hits", "of"), [(0, 10_000), (10_000, 10_000), (2500, 10_000), (0, 0)])
def test_packets_that_share_their_fate_are_shown_and_never_judged(hits: int, of: int) -> None:
    found = share(hits, of, 0.2, "kernel", independent=False)
    assert (found.judged, found.within_tolerance) == (Judged.INSUFFICIENT, True)
    assert (found.value, found.samples) == (hits / of if of else 0.0, of)
    assert (found.low, found.high) == (share(hits, of, 0.2, "kernel").low, share(hits, of, 0.2, "kernel").high)


@pytest.mark.parametrize(("value", "samples", "jitter", "judged", "within"), [
    (0.1, 100, 0.0, Judged.YES, True),
    (0.086, 100, 0.0, Judged.YES, True),       # a tenth less, and the clocks
    (0.084, 100, 0.0, Judged.YES, False),
    (0.0, 100, 0.0, Judged.YES, False),
    (-0.01, 100, 0.0, Judged.YES, False),
    (0.0, 99, 0.0, Judged.INSUFFICIENT, True),
    (0.0, 0, 0.0, Judged.INSUFFICIENT, True),
    (0.399, 100, 0.0, Judged.YES, True),       # a busy machine adds to it
    (0.401, 100, 0.0, Judged.YES, False),
    (0.05, 100, 0.08, Judged.YES, True),       # the median of few may lie off by half of the jitter
    (0.044, 100, 0.08, Judged.YES, False),
    (0.479, 100, 0.08, Judged.YES, True),
    (0.481, 100, 0.08, Judged.YES, False),
])
def test_a_delay_is_disproved_by_less_and_by_several_times_as_much(value: float, samples: int, jitter: float, judged: Judged, within: bool) -> None:
    found = delay(value, samples, 0.1, jitter)
    assert (found.judged, found.within_tolerance) == (judged, within)
    assert (found.value, found.samples, found.requested, found.unit, found.source) == (value, samples, 0.1, "s", "peer")
    assert found.low < found.value < found.high
