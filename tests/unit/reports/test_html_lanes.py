"""Lanes of the timeline: what was late, missing or left is told and looks different."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from records import STARTED, write_record

from chaos_modules.reports.html.history import history_of
from chaos_modules.reports.html.shapes import Group, Lane
from chaos_modules.reports.html.target_lanes import LATE_SECONDS
from chaos_modules.reports.html.timeline import Timeline, timeline
from chaos_modules.reports.recorded import Recorded, read_record


def drawn(recorded: Recorded) -> Timeline:
    return timeline(recorded, history_of(recorded.events))


def record(tmp_path: Path, **wishes: Any) -> Recorded:
    return write_record(tmp_path / "record", **wishes)


def kinds(lane: Lane) -> list[str]:
    return [one.kind for one in lane.shapes]


def group(shown: Timeline, title: str) -> Group:
    return next(one for one in shown.seen if one.title == title)


def test_a_target_goes_from_launched_to_reverted(tmp_path: Path) -> None:
    lane = drawn(record(tmp_path)).targets[0].lanes[0]
    assert kinds(lane) == ["launched", "applied", "held", "reverting"]
    assert [one.kind for one in lane.marks] == ["reverted"]
    assert lane.facts == ("loss 20%", "yes", "19.9%", "yes")
    assert [one.x for one in lane.shapes] == sorted(one.x for one in lane.shapes)
    assert lane.shapes[2].lasts == "60 s"


def test_a_lost_fault_is_missing_from_where_it_was_last_seen_and_left_until_the_end(tmp_path: Path) -> None:
    recorded = record(tmp_path, failed_targets=1)
    lane = drawn(recorded).targets[0].lanes[0]
    assert lane.note == "not-in-effect"
    assert kinds(lane) == ["launched", "applied", "held", "missing", "left"]
    held, missing, left = lane.shapes[2:]
    assert held.lasts == "20 s"
    assert missing.x == pytest.approx(held.x + held.width, abs=0.01)
    assert left.x == pytest.approx(missing.x + missing.width, abs=0.2)
    assert left.x + left.width == pytest.approx(100, abs=0.2)
    assert [one.kind for one in lane.marks] == ["left"]
    assert lane.facts == ("loss 20%", "NO", "~19.9%", "NO"), "too few samples are marked as on the screen"


def test_a_target_that_started_late_says_by_how_much(tmp_path: Path) -> None:
    recorded = record(tmp_path)
    late = recorded.result["scenarios"][0]["targets"][1]
    late["started"] += LATE_SECONDS + 2
    lanes = drawn(recorded).targets[0].lanes
    assert [one.word for one in lanes[1].shapes if one.kind == "late"] == ["late by 3 s"]
    assert "late" not in kinds(lanes[0])


def test_no_traffic_is_not_drawn_as_in_effect(tmp_path: Path) -> None:
    recorded = record(tmp_path)
    recorded.result["scenarios"][0]["targets"][0]["status"] = "no-traffic"
    lane = drawn(recorded).targets[0].lanes[0]
    assert "idle" in kinds(lane)
    assert "held" not in kinds(lane)
    assert lane.state == "bad"


def test_what_never_began_is_missing_for_as_long_as_its_fellow_was_there(tmp_path: Path) -> None:
    recorded = record(tmp_path)
    target = recorded.result["scenarios"][0]["targets"][0]
    target |= {"status": "not-applied", "in_effect": False, "started": None, "ended": None, "reverted": None}
    recorded = Recorded(**{
        **{name: getattr(recorded, name) for name in ("directory", "plan", "result", "series")},
        "events": tuple(one for one in recorded.events if one["target"] != "pod/shop/web-0/egress"),
    })  # fmt: skip
    lane = drawn(recorded).targets[0].lanes[0]
    assert kinds(lane) == ["missing"]
    assert lane.shapes[0].word == "never in effect: not-applied"
    assert lane.shapes[0].lasts == "60 s"
    assert lane.facts[3] == "–"


def test_failed_targets_come_first_and_the_others_fold(tmp_path: Path) -> None:
    shown = drawn(record(tmp_path, targets=80, failed_targets=3)).targets[0]
    assert [lane.name for lane in shown.lanes] == ["pod/shop/web-0", "pod/shop/web-1", "pod/shop/web-2"]
    assert len(shown.rest) == 77
    assert shown.rest_title == "77 targets, all as requested"
    assert shown.whole is not None
    assert shown.whole.facts[1] == "77 of 80"
    assert kinds(shown.whole) == ["part", "held", "missing"]


def test_a_failed_target_is_never_behind_a_title_that_says_all_is_well(tmp_path: Path) -> None:
    shown = drawn(record(tmp_path, targets=80, failed_targets=60)).targets[0]
    assert len(shown.rest) == 32
    assert "failed ones among them" in shown.rest_title


def test_the_same_target_in_two_scenarios_has_two_lanes_of_their_own_time(tmp_path: Path) -> None:
    first, second = drawn(record(tmp_path, scenarios=2)).targets
    assert first.lanes[0].name == second.lanes[0].name
    assert first.lanes[0].shapes[-1].x + first.lanes[0].shapes[-1].width < second.lanes[0].shapes[0].x


def test_many_scenarios_unfold_only_where_something_failed(tmp_path: Path) -> None:
    recorded = record(tmp_path, scenarios=8, seconds=20.0)
    recorded.result["scenarios"][3]["status"] = "failed"
    assert [one.unfolded for one in drawn(recorded).targets] == [number == 3 for number in range(8)]


def test_probes_are_good_bad_or_unknown_and_failed_ones_first(tmp_path: Path) -> None:
    shown = drawn(record(tmp_path, passed=False))
    lanes = {lane.name: lane for lane in group(shown, "Probes").lanes}
    assert kinds(lanes["storefront"])[:2] == ["good", "bad"]
    assert "unknown" in kinds(lanes["dedup"])
    assert kinds(lanes["checkout error rate"])[:2] == ["good", "bad"], "read from its series: it has no samples"
    assert [lane.state for lane in group(shown, "Probes").lanes] == ["bad", "bad", "good", "good"]
    assert lanes["storefront"].marks[0].kind == "crossed"
    assert lanes["storefront"].facts[0] == "100%"


def test_a_probe_that_could_not_be_answered_is_unknown_and_never_good(tmp_path: Path) -> None:
    lanes = {lane.name: lane for lane in group(drawn(record(tmp_path, unknown=True)), "Probes").lanes}
    assert lanes["checkout error rate"].state == "unknown"
    assert lanes["checkout error rate"].shapes == ()
    assert lanes["storefront"].state == "good"


def test_one_bad_sample_in_an_hour_stays_visible_however_much_flaps(tmp_path: Path) -> None:
    recorded = record(tmp_path, seconds=3600.0, probes=1)
    samples = [one for one in recorded.events if one["event"] == "sample"]
    for number, one in enumerate(samples):
        one["good"] = None if number % 2 else True
    samples[1000]["good"] = False
    lane = group(drawn(recorded), "Probes").lanes[0]
    assert kinds(lane).count("bad") == 1
    assert len(lane.shapes) <= 400


def test_a_stretch_ends_where_samples_are_missing(tmp_path: Path) -> None:
    recorded = record(tmp_path, probes=1)
    kept = tuple(one for one in recorded.events if one["event"] != "sample" or not STARTED + 20 < one["time"] < STARTED + 30)
    thin = Recorded(directory="", plan=recorded.plan, events=kept, result=recorded.result)
    shapes = group(drawn(thin), "Probes").lanes[0].shapes
    assert any(after.x - (before.x + before.width) > 5 for before, after in pairwise(shapes))


def test_alerts_are_bars_those_that_count_first(tmp_path: Path) -> None:
    lanes = group(drawn(record(tmp_path, passed=False)), "Alerts").lanes
    assert [lane.facts for lane in lanes] == [("fired, counts",), ("fired before",)]
    assert [lane.shapes[0].kind for lane in lanes] == ["severe", "severe"]
    assert [lane.state for lane in lanes] == ["bad", "plain"]
    assert lanes[1].marks[0].kind == "before"


def test_health_is_a_lane_per_url(tmp_path: Path) -> None:
    lane, = group(drawn(record(tmp_path, unhealthy=True)), "Health").lanes
    assert kinds(lane) == ["good", "bad"]
    assert lane.facts == ("1 time not healthy",)


@pytest.mark.parametrize(("wishes", "words"), [
    ({"passed": False}, ["first limit crossed: checkout error rate"]), ({"halted": True}, ["halted: too many errors"]),
    ({"interrupted": True}, ["interrupted"]), ({}, []),
])  # fmt: skip
def test_the_moments_that_matter_are_marked(wishes: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    told = [one.word for one in drawn(record(tmp_path, **wishes)).moments]
    assert [one for one in told if one in words] == words
    assert bool(told) is bool(words)


def test_windows_are_shaded_and_an_older_record_has_at_least_its_fault(tmp_path: Path) -> None:
    assert [one.phase for one in drawn(record(tmp_path)).shades] == ["baseline", "fault", "recovery"]
    older = drawn(write_record(tmp_path / "older", observed=False))
    assert [one.phase for one in older.shades] == ["fault"]
    assert older.shades[0].width > 90


def test_a_run_in_which_nothing_ran_has_an_axis_and_no_lane(tmp_path: Path) -> None:
    shown = drawn(record(tmp_path, scenarios=0))
    assert (shown.targets, shown.seen, shown.shades) == ((), (), ())
    nothing = drawn(write_record(tmp_path / "empty", empty=True)).targets[0].lanes[0]
    assert (nothing.note, nothing.shapes) == ("no-target", ())


def test_a_record_read_twice_is_the_same(tmp_path: Path) -> None:
    recorded = record(tmp_path, passed=False, metrics=3)
    assert read_record(Path(recorded.directory)).result == recorded.result
    assert len(list(recorded.metrics())) == 3
    again = write_record(tmp_path / "again", passed=False, metrics=3)
    first, second = ({one.name: one.read_bytes() for one in Path(each.directory).iterdir()} for each in (recorded, again))
    assert first == second
