"""Series → which entries of the profile held, when, and which of them decide the exit code."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.model.observation import AlertFact, AlertSource, FindingKind, Observed, Phase, Series, Window
from chaos_modules.model.probe import AlertRule
from chaos_modules.verdict.alerts import (
    GAP_STEPS,
    alert_fact,
    critical_facts,
    described,
    findings,
    firing,
    identity,
    intervals_of,
    step_for,
    touches,
)

START, END, STEP = 100.0, 200.0, 2.0


def series(points: list[tuple[float, float]], **labels: str) -> Series:
    return Series(labels=tuple(sorted(labels.items())), points=tuple(points))


def seen(*found: Series, problem: str = "") -> Observed:
    return Observed(name="x", query="x > 1", limit="", step=STEP, series=found, problem=problem)


def fact(observed: Observed, severity: str = "error", description: str = "pod {{$labels.pod}}: {{$value}}") -> AlertFact:
    return alert_fact(AlertRule(expr="x > 1", description=description, severity=severity), observed, start=START, end=END)


def window(phase: Phase, start: float, end: float, scenario: int = 0) -> Window:
    return Window(scenario=scenario, phase=phase, start=start, end=end)


@pytest.mark.parametrize(("lengths", "step"), [([], 10.0), ([6], 1.0), ([60], 1.0), ([180, 600], 3.0), ([600], 10.0), ([86_400], 10.0)])
def test_the_step_gives_sixty_looks_in_the_shortest_fault_window(lengths: list[float], step: float) -> None:
    windows = [window(Phase.FAULT, 0, length) for length in lengths]
    assert step_for([*windows, window(Phase.BASELINE, 0, 1), window(Phase.RECOVERY, 0, 1)]) == step


@pytest.mark.parametrize(("times", "intervals"), [
    ([], ()),
    ([5], ((5, 5),)),
    ([1, 3, 5], ((1, 5),)),
    ([5, 1, 3], ((1, 5),)),
    ([1, 4], ((1, 4),)),
    ([1, 4.001], ((1, 1), (4.001, 4.001))),
    ([1, 3, 9, 11], ((1, 3), (9, 11))),
])
def test_samples_join_to_intervals_until_a_gap(times: list[float], intervals: tuple[tuple[float, float], ...]) -> None:
    assert intervals_of(times, STEP) == intervals


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0.5, 50))
def test_intervals_hold_every_sample_and_are_apart(times: list[float], step: float) -> None:
    found = intervals_of(times, step)
    assert all(any(begin <= time <= end for begin, end in found) for time in times)
    assert all(begin in times and end in times for begin, end in found)
    assert all(later[0] - earlier[1] > GAP_STEPS * step for earlier, later in pairwise(found))


def test_an_entry_that_holds_says_when_with_the_labels_of_its_first_series() -> None:
    late, early = series([(150, 3), (152, 4)], pod="late"), series([(120, 7.25), (122, 9)], pod="early")
    found = fact(seen(late, early))
    assert (found.name, found.value, found.labels) == ("pod early: 7.25 (and 1 more series)", 7.25, (("pod", "early"),))
    assert found.intervals == ((120, 122), (150, 152))
    assert (found.source, found.fired, found.before, found.counted, found.problem) == (AlertSource.PROFILE, True, False, True, "")


def test_samples_of_several_series_are_one_interval() -> None:
    assert fact(seen(series([(120, 1)], pod="a"), series([(122, 1)], pod="b"), series([(124, 1)], pod="c"))).intervals == ((120, 124),)


def test_nothing_returned_has_not_fired() -> None:
    found = fact(seen())
    assert (found.fired, found.before, found.counted, found.value, found.labels) == (False, False, True, None, ())
    assert found.name == "pod {{$labels.pod}}: {{$value}}"


def test_a_returned_zero_has_fired_as_in_krkn() -> None:
    assert fact(seen(series([(120, 0)]))).fired


def test_a_problem_has_not_fired_whatever_came_with_it() -> None:
    found = fact(seen(series([(90, 1), (120, 1)]), problem="it answers 400"))
    assert (found.fired, found.before, found.problem) == (False, False, "it answers 400")


@pytest.mark.parametrize(("found", "before", "fired"), [
    ([series([(90, 1)], pod="a")], True, False),
    ([series([(98, 1), (100, 1)], pod="a")], True, True),
    ([series([(100, 1)], pod="a")], False, True),
    ([series([(98, 1), (100, 1)], pod="a"), series([(130, 1)], pod="b")], False, True),
    ([series([(98, 1)], pod="a"), series([(130, 1)], pod="b")], False, True),
    ([series([(201, 1)], pod="a")], False, False),
])
def test_it_held_before_only_if_every_series_did(found: list[Series], before: bool, fired: bool) -> None:
    told = fact(seen(*found))
    assert (told.before, told.fired) == (before, fired)


def test_an_infinite_value_fires_and_is_told_but_is_no_number_of_the_record() -> None:
    found = fact(seen(series([(120, float("inf"))], pod="a")))
    assert (found.name, found.value, found.fired) == ("pod a: inf", None, True)


@pytest.mark.parametrize(("text", "told"), [
    ("{{$labels.pod}}", "web"), ("{{ $labels.pod }}", "web"), ("{{$value}} s", "0.25 s"), ("{{ $value }}", "0.25"),
    ("{{- $value -}}", "0.25"), ("{{ $value | humanizePercentage }}", "0.25"), ("{{$labels.none}}!", "!"),
    ("{{ printf $value }}", "{{ printf $value }}"),
    ("no place", "no place"), ("{{$labels.pod}}/{{$labels.pod}}: {{$value}}", "web/web: 0.25"),
])
def test_descriptions_are_filled_in(text: str, told: str) -> None:
    assert described(text, (("pod", "web"),), 0.25) == told


@pytest.mark.parametrize(("severity", "counted"), [("debug", False), ("info", False), ("warning", False), ("error", True), ("critical", True)])
def test_errors_and_critical_ones_count(severity: str, counted: bool) -> None:
    held, unknown = fact(seen(series([(120, 1)], pod="a")), severity), fact(seen(problem="gone"), severity)
    assert (held.counted, unknown.counted) == (counted, counted)
    assert [one.kind for one in findings((held, unknown), "fail")] == ([FindingKind.ALERT, FindingKind.UNKNOWN] if counted else [])
    assert [one.kind for one in findings((held, unknown), "pass")] == ([FindingKind.ALERT] if counted else [])


def test_a_finding_says_when_and_in_which_scenario_it_began() -> None:
    windows = [
        window(Phase.BASELINE, 100, 110), window(Phase.FAULT, 110, 130), window(Phase.RECOVERY, 130, 140),
        window(Phase.BASELINE, 140, 150, 1), window(Phase.FAULT, 150, 170, 1),
    ]

    def scenario(time: float) -> int | None:
        one, = findings((fact(seen(series([(time, 1)], pod="a"))),), "fail", windows)
        assert one.time == time
        return one.scenario

    assert [scenario(time) for time in (105, 110, 135, 145, 160, 180)] == [None, 0, 0, None, 1, None]


def test_an_alert_touches_the_windows_in_which_it_held() -> None:
    held = fact(seen(series([(120, 1), (122, 1), (160, 1)])))
    assert [touches(held, window(Phase.FAULT, *bounds)) for bounds in ((100, 119), (100, 120), (121, 121.5), (122, 130), (123, 150), (150, 170))] == [
        False, True, True, True, False, True,
    ]
    assert not touches(fact(seen(problem="gone")), window(Phase.FAULT, 0, 1000))


OLD, NEW, PASSING = ({"__name__": "ALERTS", "alertstate": "firing", "alertname": name, "severity": "critical"} for name in ("Old", "New", "Passing"))


def test_alerts_are_known_by_their_labels_whatever_their_state() -> None:
    found = firing([series([(120, 1)], **OLD), series([(120, 0)], **NEW)])
    assert found == {(("alertname", "Old"), ("severity", "critical")): 120}
    assert identity(tuple(sorted((OLD | {"alertstate": "pending"}).items()))) in found


def test_critical_alerts_count_if_they_were_seen_after_a_scenario() -> None:
    old, new, passing = (identity(tuple(sorted(one.items()))) for one in (OLD, NEW, PASSING))
    observed = seen(series([(98, 1), (100, 1), (102, 1)], **OLD), series([(150, 1)], **NEW), series([(120, 1)], **PASSING))
    facts = critical_facts(observed, {new: (151.0,)}, {old}, start=START, end=END)
    assert [(one.name, one.before, one.counted, one.intervals) for one in facts] == [
        ("Old", True, False, ((100, 102),)), ("Passing", False, False, ((120, 120),)), ("New", False, True, ((150, 151),)),
    ]
    assert passing in {one.labels for one in facts}
    finding, = findings(facts, "fail")
    assert (finding.kind, finding.exit_code, finding.reason) == (FindingKind.CRITICAL_ALERT, 2, "critical alert New fires")


def test_what_was_seen_after_a_scenario_counts_even_if_its_times_are_unknown() -> None:
    new = identity(tuple(sorted(NEW.items())))
    one, = critical_facts(seen(problem="gone"), {new: (151.0,)}, (), start=START, end=END)
    assert (one.counted, one.intervals) == (True, ((151.0, 151.0),))
