"""Probes in their windows: what passes, what fails and why, what nobody can tell, and laws that hold for any samples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos_modules.model.observation import FindingKind, Phase, ProbeCheck, Sample, Window
from chaos_modules.model.probe import CommandProbe, Probe, Threshold
from chaos_modules.verdict.probes import NOTHING_ASKED, findings, judge, steady
from chaos_modules.verdict.quantiles import nearest_rank, quantile_name, seconds_text

BASELINE = Window(scenario=0, phase=Phase.BASELINE, start=0.0, end=10.0)
FAULT = Window(scenario=0, phase=Phase.FAULT, start=10.0, end=30.0)
RECOVERY = Window(scenario=0, phase=Phase.RECOVERY, start=31.0, end=50.0)
WINDOWS = (BASELINE, FAULT, RECOVERY)


def probe(**other: Any) -> Probe:
    return Probe(name="storefront", what=CommandProbe(argv=("true",)), **other)


def samples(start: float, marks: str, seconds: float = 0.1) -> list[Sample]:
    """One a second: `+` good, `-` bad, `?` unknown."""
    known = {"+": True, "-": False, "?": None}
    return [
        Sample(time=start + number, good=known[mark], seconds=seconds if mark == "+" else None, detail="" if mark == "+" else f"because of {mark}")
        for number, mark in enumerate(marks)
    ]  # fmt: skip


def fault(marks: str, **threshold: Any) -> ProbeCheck:
    [check] = judge(probe(fault=Threshold(**{"pass_rate": 0.9, **threshold})), samples(10.0, marks), [FAULT])
    return check


def recovery(marks: str, **other: Any) -> ProbeCheck:
    return judge(probe(**other), samples(31.0, marks), WINDOWS)[2]


def test_each_window_has_the_samples_that_were_asked_in_it() -> None:
    at_the_edges = [Sample(time=time, good=True) for time in (-0.1, 0.0, 9.999, 10.0, 29.999, 30.0, 30.5, 31.0, 50.0)]
    checks = judge(probe(), at_the_edges, WINDOWS)
    assert [(check.phase, check.samples) for check in checks] == [(Phase.BASELINE, 2), (Phase.FAULT, 2), (Phase.RECOVERY, 1)]
    assert {(check.scenario, check.kind, check.name) for check in checks} == {(0, "command", "storefront")}


def test_the_pass_rate_is_over_what_is_known() -> None:
    check = fault("++++++++++++++++++-?")
    assert (check.samples, check.good, check.unknown) == (20, 18, 1)
    assert check.pass_rate == 18 / 19
    assert (check.passed, check.limit, check.reason, check.crossed) == (True, ">= 90 %", "", 28.0)


def test_too_few_good_ones_fail_and_the_first_bad_one_is_told() -> None:
    check = fault("++-++-++++")
    assert (check.passed, check.crossed) == (False, 12.0)
    assert check.reason == "80 % good (8 of 10), expected >= 90 %: because of -"


def test_a_share_that_is_met_exactly_passes_even_where_floats_round() -> None:
    thousand = [Sample(time=10.0 + number / 100, good=number != 3) for number in range(1000)]
    [check] = judge(probe(fault=Threshold(pass_rate=99.9 / 100)), thousand, [FAULT])
    assert check.passed
    [check] = judge(probe(fault=Threshold(pass_rate=0.9991)), thousand, [FAULT])
    assert check.reason == "99.9 % good (999 of 1000), expected >= 99.91 %"


def test_latencies_are_those_of_good_answers_by_nearest_rank() -> None:
    timed = [Sample(time=10.0 + number / 10, good=True, seconds=(number + 1) / 1000) for number in range(100)]
    slow = [Sample(time=29.0, good=False, seconds=9.0)]
    [check] = judge(probe(fault=Threshold(latency=((0.95, 0.095), (0.999, 0.1)))), timed + slow, [FAULT])
    assert check.latency == (("p50", 0.05), ("p95", 0.095), ("p99", 0.099), ("p99.9", 0.1))
    assert (check.passed, check.limit) == (True, "p95 <= 95 ms, p99.9 <= 100 ms")


def test_a_latency_beyond_its_limit_fails_from_the_first_slow_answer_on() -> None:
    fast, slow = samples(10.0, "+++++", 0.2), samples(15.0, "+++++", 0.3121)
    [check] = judge(probe(fault=Threshold(pass_rate=0.9, latency=((0.95, 0.25),))), fast + slow, [FAULT])
    assert (check.passed, check.limit, check.crossed) == (False, ">= 90 %, p95 <= 250 ms", 15.0)
    assert check.reason == "p95 is 312 ms, expected <= 250 ms"


def test_nobody_is_fast_who_does_not_answer() -> None:
    assert fault("--", pass_rate=None, latency=((0.5, 1.0),)).reason == "no good answer, expected p50 <= 1 s: because of -"


def test_what_has_no_latency_cannot_keep_or_break_one() -> None:
    [check] = judge(probe(fault=Threshold(latency=((0.5, 1.0),))), [Sample(time=10.0, good=True)], [FAULT])
    assert (check.passed, check.limit, check.reason) == (None, "p50 <= 1 s", "latency is asked for, and no answer has one")


def test_several_failures_are_all_told() -> None:
    [check] = judge(probe(fault=Threshold(pass_rate=1.0, latency=((0.5, 0.01),))), samples(10.0, "+-"), [FAULT])
    assert check.reason == "50 % good (1 of 2), expected >= 100 %: because of -; p50 is 100 ms, expected <= 10 ms"


@pytest.mark.parametrize(("marks", "reason"), [
    ("", "there is no sample in this window"), ("???", "none of 3 samples could be told: because of ?"),
])  # fmt: skip
def test_without_a_known_sample_nothing_can_be_told(marks: str, reason: str) -> None:
    check = fault(marks)
    assert (check.passed, check.limit, check.reason, check.pass_rate, check.latency) == (None, ">= 90 %", reason, None, ())
    assert recovery(marks).passed is None
    assert recovery(marks).recovered_after is None


def test_a_window_of_which_nothing_is_asked_has_no_limit() -> None:
    check = fault("---", pass_rate=None)
    assert (check.passed, check.limit, check.reason, check.pass_rate) == (None, "", NOTHING_ASKED, 0.0)


@pytest.mark.parametrize(("marks", "after", "passed"), [
    ("+++", 0.0, True), ("-+++", 2.0, True), ("+-+?+", 3.0, True), ("-?+", 3.0, True), ("++-", None, False), ("++-?", None, False),
    ("---", None, False),
])  # fmt: skip
def test_recovery_counts_from_the_end_of_the_fault_to_the_first_good_one_after_the_last_bad(marks: str, after: float | None, passed: bool) -> None:
    check = recovery(marks)
    assert (check.recovered_after, check.passed, check.limit) == (after, passed, "good at the end")
    if not passed:
        assert check.reason == "still bad at the end of the window (because of -), expected good at the end"


def test_recovery_must_be_in_time_where_a_time_is_set() -> None:
    assert recovery("--+++", recover_within=3.0).passed
    late = recovery("--+++", recover_within=2.5)
    assert (late.passed, late.limit, late.reason) == (False, "good within 2.5 s", "good again after 3 s, expected within 2.5 s")
    assert recovery("+-", recover_within=2.5).reason == "still bad at the end of the window (because of -), expected good within 2.5 s"


def test_recovery_may_have_a_threshold_of_its_own() -> None:
    check = recovery("--++", recovery=Threshold(pass_rate=0.75), recover_within=5.0)
    assert (check.passed, check.limit) == (False, "good within 5 s, >= 75 %")
    assert check.reason == "50 % good (2 of 4), expected >= 75 %: because of -"


def test_each_scenario_has_its_own_windows() -> None:
    later = Window(scenario=1, phase=Phase.FAULT, start=60.0, end=70.0)
    again = Window(scenario=1, phase=Phase.RECOVERY, start=70.0, end=80.0)
    checks = judge(probe(), [*samples(31.0, "-+"), *samples(70.0, "---+")], [FAULT, RECOVERY, later, again])
    assert [(check.scenario, check.recovered_after) for check in checks if check.phase is Phase.RECOVERY] == [(0, 2.0), (1, 3.0)]


def check(phase: Phase, passed: bool | None, limit: str = ">= 90 %") -> ProbeCheck:
    return ProbeCheck(
        name="storefront", kind="http", scenario=3, phase=phase, samples=2, good=1, unknown=0, pass_rate=0.5, latency=(), limit=limit, passed=passed,
        reason="why", crossed=12.0,
    )  # fmt: skip


def test_failures_under_the_fault_and_after_it_are_objectives_that_were_missed() -> None:
    told = findings([check(phase, False) for phase in Phase], "fail")
    assert [(one.kind, one.reason, one.time, one.scenario, one.exit_code) for one in told] == [
        (FindingKind.OBJECTIVE, "probe storefront, fault window: why", 12.0, 3, 2),
        (FindingKind.OBJECTIVE, "probe storefront, recovery window: why", 12.0, 3, 2),
    ]
    assert findings([check(phase, True) for phase in Phase], "fail") == ()


def test_what_cannot_be_told_is_a_finding_only_where_it_was_to_gate() -> None:
    [unknown] = findings([check(Phase.FAULT, None)], "fail")
    assert (unknown.kind, unknown.reason, unknown.exit_code) == (FindingKind.UNKNOWN, "probe storefront, fault window: why (expected >= 90 %)", 1)
    assert findings([check(Phase.FAULT, None)], "pass") == findings([check(Phase.FAULT, None, limit="")], "fail") == ()


def test_a_baseline_that_fails_or_cannot_be_told_stops_the_attack() -> None:
    assert steady([check(Phase.BASELINE, True), check(Phase.FAULT, False), check(Phase.BASELINE, None, limit="")]) == ""
    assert steady([check(Phase.BASELINE, False), check(Phase.BASELINE, None)]) == (
        "probe storefront, baseline window: why; probe storefront, baseline window: why"
    )
    assert steady([check(Phase.BASELINE, None)], "pass") == ""


@pytest.mark.parametrize(("values", "share", "rank"), [
    ([1.0], 0.5, 1.0), ([1.0, 2.0], 0.5, 1.0), ([1.0, 2.0], 0.51, 2.0), ([1.0, 2.0], 0.0, 1.0), ([1.0, 2.0], 1.0, 2.0),
    (list(range(1, 101)), 0.95, 95), (list(range(1, 11)), 0.7, 7),
])  # fmt: skip
def test_a_quantile_is_a_value_that_occurred(values: list[float], share: float, rank: float) -> None:
    assert nearest_rank(values, share) == rank


def test_quantiles_and_seconds_are_written_shortly() -> None:
    assert [quantile_name(share) for share in (0.5, 0.95, 0.999)] == ["p50", "p95", "p99.9"]
    assert [seconds_text(seconds) for seconds in (0.0, 0.0004, 0.25, 0.9999, 1.5, 60.0)] == ["0 s", "0.4 ms", "250 ms", "0.9999 s", "1.5 s", "60 s"]


# A rate of at least 0 % is kept by whatever is known: there, a bad sample is better than none.
LOOKS = st.lists(st.builds(Sample, time=st.floats(0, 60), good=st.sampled_from([True, False, None]), seconds=st.none() | st.floats(0, 2)), max_size=8)
THRESHOLDS = st.builds(
    Threshold, pass_rate=st.none() | st.floats(0.01, 1), latency=st.just(()) | st.tuples(st.tuples(st.sampled_from([0.5, 0.95]), st.floats(0, 2)))
)
PROBES = st.builds(probe, baseline=THRESHOLDS, fault=THRESHOLDS, recovery=THRESHOLDS, recover_within=st.none() | st.floats(0, 20))
RANK = {False: 0, None: 1, True: 2}


@settings(max_examples=60)
@given(PROBES, LOOKS, st.floats(0, 60))
def test_a_further_bad_sample_never_improves_a_check(one: Probe, looks: list[Sample], time: float) -> None:
    before, after = (judge(one, seen, WINDOWS) for seen in (looks, [*looks, Sample(time=time, good=False)]))
    for old, new in zip(before, after, strict=True):
        assert RANK[new.passed] <= RANK[old.passed]
        assert (new.pass_rate or 0.0) <= (old.pass_rate if old.pass_rate is not None else 1.0)
        if old.recovered_after is None and old.pass_rate is not None:
            assert new.recovered_after is None


@settings(max_examples=60)
@given(PROBES, LOOKS.filter(lambda looks: len({look.time for look in looks}) == len(looks)), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(one: Probe, looks: list[Sample], chance: Any) -> None:
    shuffled = list(looks)
    chance.shuffle(shuffled)
    assert judge(one, shuffled, WINDOWS) == judge(one, looks, WINDOWS)


@settings(max_examples=60)
@given(PROBES, LOOKS)
def test_every_verdict_can_be_understood(one: Probe, looks: list[Sample]) -> None:
    for made in judge(one, looks, WINDOWS):
        assert made.good + made.unknown <= made.samples
        assert (made.passed is True) == (not made.reason)
        assert made.limit or made.passed is None
        assert made.passed is not False or made.good < made.samples or made.latency or made.recovered_after
        assert "\n" not in made.reason


@settings(max_examples=60)
@given(PROBES, LOOKS)
def test_unknown_samples_change_nothing_but_their_count(one: Probe, looks: list[Sample]) -> None:
    known = [look for look in looks if look.good is not None]
    for with_them, without in zip(judge(one, looks, WINDOWS), judge(one, known, WINDOWS), strict=True):
        assert (with_them.passed, with_them.pass_rate, with_them.latency, with_them.recovered_after) == (
            without.passed, without.pass_rate, without.latency, without.recovered_after
        )  # fmt: skip
