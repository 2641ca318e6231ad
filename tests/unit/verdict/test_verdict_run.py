"""Targets → scenario → run → exit code; whatever goes wrong besides never makes the verdict better."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.model.outcome import Bystanders, RunStatus, ScenarioOutcome, TargetOutcome, TargetStatus
from chaos_modules.verdict.run import decide, scenario_status, timing

PASSED, SILENT, STOPPED = TargetStatus.PASSED, TargetStatus.NO_TRAFFIC, TargetStatus.INTERRUPTED
BAD = [one for one in TargetStatus if one not in (PASSED, SILENT, STOPPED)]
# From good to bad; an interrupted run proves nothing, and residue is the worst.
SEVERITY = {0: 0, 130: 1, 143: 1, 1: 2, 4: 3}


def outcome(status: TargetStatus, started: float | None = 10.0, ended: float | None = 40.0) -> TargetOutcome:
    return TargetOutcome(
        target="pod/shop/web-0", node="n", device="eth0", direction="egress", engine="", requested=(), status=status, in_effect=False,
        traffic=0, measured=(), at_peer=(), reverted=True, started=started, ended=ended, reason=f"because {status}",
    )


def scenario(status: RunStatus, reason: str = "") -> ScenarioOutcome:
    return ScenarioOutcome(type="t", file="f.yaml", id="loss", style="harness", status=status, reason=reason, targets=())


@pytest.mark.parametrize(("statuses", "any_traffic", "all_traffic"), [
    ([], "failed", "failed"),
    ([PASSED], "passed", "passed"),
    ([PASSED, SILENT], "passed", "failed"),
    ([SILENT, SILENT], "failed", "failed"),
    ([PASSED, STOPPED], "interrupted", "interrupted"),
    ([SILENT, STOPPED], "interrupted", "interrupted"),
    *[([PASSED, STOPPED, bad], "failed", "failed") for bad in BAD],
])
def test_scenario_status(statuses: list[TargetStatus], any_traffic: str, all_traffic: str) -> None:
    targets = [outcome(status) for status in statuses]
    assert (scenario_status(targets, "any")[0], scenario_status(targets, "all")[0]) == (any_traffic, all_traffic)


@pytest.mark.parametrize(("statuses", "reason"), [
    ([PASSED], ""),
    ([], "there was no target"),
    ([PASSED, TargetStatus.LAPSED, TargetStatus.REFUSED], "2 of 3 targets failed: pod/shop/web-0 (egress): lapsed: because lapsed"),
    ([SILENT], "1 of 1 targets met no traffic: pod/shop/web-0 (egress): no-traffic: because no-traffic"),
    ([STOPPED], "because interrupted"),
])
def test_a_scenario_that_did_not_pass_says_why(statuses: list[TargetStatus], reason: str) -> None:
    assert scenario_status([outcome(status) for status in statuses], "any")[1] == reason


@pytest.mark.parametrize(("times", "expected"), [
    ([], (None, None)),
    ([(10.0, 40.0)], (0.0, 30.0)),
    ([(10.0, 40.0), (12.5, 41.0)], (2.5, 27.5)),
    ([(10.0, 20.0), (30.0, 40.0)], (20.0, 0.0)),
    ([(10.0, 40.0), (None, None)], (None, None)),
    ([(10.0, None)], (None, None)),
])
def test_timing(times: list[tuple[float | None, float | None]], expected: tuple[float | None, float | None]) -> None:
    assert timing([outcome(PASSED, *pair) for pair in times]) == expected


@pytest.mark.parametrize(("parts", "status", "code"), [
    ({"scenarios": ["passed"]}, "passed", 0),
    ({"scenarios": []}, "failed", 1),
    ({"scenarios": ["passed", "failed"]}, "failed", 1),
    ({"scenarios": ["passed"], "broken": ["disk full"]}, "failed", 1),
    ({"scenarios": ["interrupted"]}, "failed", 1),
    ({"scenarios": ["interrupted"], "interrupted": 130}, "interrupted", 130),
    ({"scenarios": ["failed"], "interrupted": 143}, "interrupted", 143),
    ({"scenarios": [], "interrupted": 130}, "interrupted", 130),
    ({"scenarios": ["failed"], "interrupted": 130, "residue": ["x"], "broken": ["y"]}, "failed", 4),
    ({"scenarios": ["passed"], "residue": ["x"]}, "failed", 4),
])
def test_precedence(parts: dict[str, Any], status: str, code: int) -> None:
    scenarios = [scenario(RunStatus(one), "it broke" if one != "passed" else "") for one in parts["scenarios"]]
    verdict = decide(scenarios, parts.get("residue", ()), parts.get("interrupted"), parts.get("broken", ()))
    assert (verdict.status, verdict.exit_code) == (status, code)
    assert bool(verdict.reasons) is (code != 0)


def test_every_reason_is_told() -> None:
    verdict = decide([scenario(RunStatus.FAILED, "no target"), scenario(RunStatus.PASSED)], ["table t"], 143, ["disk full"])
    assert verdict.reasons == ("residue: table t", "disk full", "loss (f.yaml): no target", "interrupted by SIGTERM")
    assert decide([], (), 130).reasons == ("interrupted by SIGINT",)
    assert decide([scenario(RunStatus.INTERRUPTED, "the runner is lost")], (), None).reasons == ("loss (f.yaml): the runner is lost",)


runs = st.fixed_dictionaries({
    "scenarios": st.lists(st.sampled_from(RunStatus).map(scenario), max_size=3), "residue": st.lists(st.just("x"), max_size=1),
    "interrupted": st.sampled_from([None, 130, 143]), "broken": st.lists(st.just("disk full"), max_size=1),
})


@given(before=runs, worse=st.sampled_from(["failed", "residue", "broken"]))
def test_adding_a_failure_never_improves_the_verdict(before: dict[str, Any], worse: str) -> None:
    after = {key: list(value) if isinstance(value, list) else value for key, value in before.items()}
    if worse == "failed":
        after["scenarios"].append(scenario(RunStatus.FAILED, "it broke"))
    else:
        after[worse].append("one more")
    old, new = decide(**before), decide(**after)
    if before["scenarios"] or new.exit_code != 1:
        assert SEVERITY[new.exit_code] >= SEVERITY[old.exit_code]
    assert new.exit_code != 0
    assert new.exit_code == 4 or not after["residue"]


@given(statuses=st.lists(st.sampled_from(TargetStatus), max_size=4), bad=st.sampled_from(BAD), traffic=st.sampled_from(["any", "all"]))
def test_adding_a_failing_target_fails_the_scenario(statuses: list[TargetStatus], bad: TargetStatus, traffic: str) -> None:
    targets = [outcome(status) for status in statuses]
    assert scenario_status([*targets, outcome(bad)], traffic)[0] is RunStatus.FAILED


@given(statuses=st.lists(st.sampled_from(TargetStatus), min_size=1, max_size=4), traffic=st.sampled_from(["any", "all"]))
def test_a_scenario_passes_only_with_a_proven_target(statuses: list[TargetStatus], traffic: str) -> None:
    status, _ = scenario_status([outcome(one) for one in statuses], traffic)
    if status is RunStatus.PASSED:
        assert PASSED in statuses
        assert set(statuses) <= ({PASSED} if traffic == "all" else {PASSED, SILENT})




@pytest.mark.parametrize(("lost", "copied", "status"), [(0, 0, "passed"), (20, 0, "passed"), (21, 0, "failed"), (0, 1, "failed")])
def test_flows_beside_the_target_must_not_be_touched(lost: int, copied: int, status: str) -> None:
    beside = Bystanders(flows=3, sent=1000, lost=lost, copied=copied)
    found, reason = scenario_status([outcome(PASSED)], "any", beside)
    assert str(found) == status
    assert ("touched" in reason) is (status == "failed")
