"""The final screen of runs that watched the system, as golden files, and the rules behind its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from records import write_record

from chaos_modules.model.observation import Phase, Sample, Window
from chaos_modules.model.plan import document
from chaos_modules.model.probe import CommandProbe, Probe, Threshold
from chaos_modules.reports.findings import (
    alert_rows,
    check_rows,
    clock,
    day,
    failed_span,
    health_rows,
    percent,
    probes,
    spans,
    tally,
)  # fmt: skip
from chaos_modules.reports.style import Style
from chaos_modules.reports.table import final_screen
from chaos_modules.verdict.probes import judge

PLAIN = Style(False, "utf-8")
ENDS: dict[str, dict[str, Any]] = {
    "held": {}, "objective": {"passed": False}, "unknown": {"unknown": True, "probes": 3}, "halted": {"halted": True, "alerts": 0},
    "unhealthy": {"unhealthy": True, "scenarios": 2, "problems": ["http://elastic.example:9200: 3 documents were not stored"]},
    "stopped": {"interrupted": True, "probes": 2}, "left": {"residue": True, "probes": 1, "alerts": 1, "resiliency": False},
}  # fmt: skip


def screen(directory: Path, width: int = 80, style: Style = PLAIN, **wishes: Any) -> str:
    return final_screen(write_record(directory, **wishes).result, "runs/0badcafe", style, width, report="runs/0badcafe/report.html")


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("end", ENDS)
def test_final_screen_of_an_observed_run(end: str, width: int, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    golden(f"screen-observed-{end}-{width}.txt", screen(tmp_path, width, **ENDS[end]))


@pytest.mark.parametrize("hostile", ["", "-with-a-very-long-name-that-fits-nowhere-at-all-and-goes-on"])
@pytest.mark.parametrize("end", ENDS)
def test_every_table_fits_into_80_columns(end: str, hostile: str, tmp_path: Path) -> None:
    lines = screen(tmp_path, hostile=hostile, **ENDS[end]).splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(("TARGET ", "CHECK ", "ALERT ", "URL "))]
    rows = [line for start in starts for line in lines[start : lines.index("", start)] if not line.startswith("  ")]
    assert len(starts) >= 2
    assert max(map(len, rows)) <= 80


@pytest.mark.parametrize("end", ENDS)
def test_no_cell_is_empty(end: str, tmp_path: Path) -> None:
    result = write_record(tmp_path, **ENDS[end]).result
    for row in check_rows(result):
        assert all([row.name, *row.values, row.limit, row.result])
    for other in [*alert_rows(result), *health_rows(result)]:
        assert all([other.name, other.detail, other.when, other.result])


def test_nothing_is_said_of_what_was_not_watched(tmp_path: Path) -> None:
    text = screen(tmp_path, observed=False)
    assert not [word for word in ("CHECK", "ALERT", "URL", "checks", "alerts", "score", "HALTED", "about the run") if word in text]


def test_the_last_lines_are_the_verdict_the_fault_the_reports_and_the_exit_code(tmp_path: Path) -> None:
    lines = screen(tmp_path, passed=False).splitlines()
    assert lines[-6:] == [
        "FAILED  The fault was in effect on 2 of 2 targets; removed on 2 of 2.",
        "  8 of 10 checks passed, 1 of 3 alerts fired, resiliency score 25 of 100",
        "  storefront: fewer than 95% good under the fault", "  checkout error rate is 0.031",
        "report  runs/0badcafe/report.html", "record  runs/0badcafe  run 0badcafe  seed 42  exit 2",
    ]  # fmt: skip


def test_a_failure_is_told_with_its_span(tmp_path: Path) -> None:
    text = screen(tmp_path, passed=False)
    assert "  storefront: fault: failed: 16.9% good, wanted 95% (13:39:24 – 13:40:15)\n" in text
    assert "(13:39:24" not in screen(tmp_path / "held")


def test_colour_marks_results_and_changes_no_word(tmp_path: Path) -> None:
    coloured = screen(tmp_path / "a", style=Style(True, "utf-8"), passed=False)
    bare = coloured
    for code in ("0", "1", "31", "32"):
        bare = bare.replace(f"\x1b[{code}m", "")
    assert bare == screen(tmp_path / "b", passed=False)
    assert "\x1b[31mFAILED\x1b[0m\n" in coloured
    assert "95% good  \x1b[32mpassed\x1b[0m" in coloured


def test_a_name_with_a_line_break_makes_no_line_of_its_own(tmp_path: Path) -> None:
    lines = screen(tmp_path, hostile="\nrecord  elsewhere  exit 0", passed=False, unhealthy=True).splitlines()
    table = lines.index(next(line for line in lines if line.startswith("CHECK")))
    assert not [line for line in lines[table : lines.index(next(line for line in lines if line.startswith("FAILED")))] if line.startswith("record")]


def check(**parts: Any) -> dict[str, Any]:
    made = {
        "name": "shop", "kind": "http", "scenario": 0, "phase": "fault", "samples": 10, "good": 8, "unknown": 0, "pass_rate": 0.8,
        "latency": {"p95": 0.3}, "limit": "95% good, p95 <= 250ms", "passed": False,
    }  # fmt: skip
    return {**made, **parts}


@pytest.mark.parametrize(("parts", "results"), [
    ({}, ("FAILED", "FAILED")),
    ({"pass_rate": 1.0}, ("passed", "FAILED")),
    ({"latency": {"p95": 0.1}}, ("FAILED", "passed")),
    ({"passed": True, "pass_rate": 1.0, "latency": {"p95": 0.1}}, ("passed", "passed")),
    ({"passed": True, "latency": {}}, ("passed", "not measured")),
    ({"passed": None, "pass_rate": None, "good": 0, "unknown": 10, "latency": {}}, ("unknown", "unknown")),
    ({"limit": "something else, p95 under a quarter"}, ("FAILED", "FAILED")),
])
def test_which_of_the_quantities_failed(parts: dict[str, Any], results: tuple[str, str]) -> None:
    rows = check_rows({"checks": [check(**parts)]})
    assert [row.name for row in rows] == ["shop", "shop p95"]
    assert tuple(row.result for row in rows) == results


def test_a_window_of_which_nothing_is_asked() -> None:
    [row] = check_rows({"checks": [check(limit="", passed=None, latency={})]})
    assert (row.values, row.limit, row.result, row.remarks) == (("not measured", "80%", "not measured"), "none", "not asked", ())


def test_checks_of_one_probe_stand_together_whatever_their_order() -> None:
    made = [check(name=name, scenario=number, phase=phase) for phase in ("baseline", "fault") for number in (1, 0) for name in ("a", "b")]
    together = [(one[0]["scenario"], one[0]["name"], len(one)) for one in probes({"checks": made})]
    assert together == [(1, "a", 2), (1, "b", 2), (0, "a", 2), (0, "b", 2)]
    assert [row.scenario for row in check_rows({"checks": made})] == [0] * 4 + [1] * 4


@pytest.mark.parametrize(("recovered", "end"), [(None, 100.0), (2.5, 102.5)])
def test_the_span_of_a_failure_lasts_until_the_recovery(recovered: float | None, end: float) -> None:
    bad, after = check(crossed=90.0), check(phase="recovery", passed=True, recovered_after=recovered)
    result = {"windows": [{"scenario": 0, "phase": "fault", "start": 80.0, "end": 100.0}], "checks": [bad, after]}
    assert failed_span(result, bad) == (90.0, end)
    assert failed_span(result, after) is None


def test_an_alert_that_does_not_count_says_why() -> None:
    alert = {"source": "profile", "name": "a", "expr": "b", "severity": "info", "intervals": [[1.0, 2.0]]}
    rows = alert_rows({"alerts": [alert, {**alert, "before": True}, {**alert, "counted": True}, {**alert, "intervals": []}]})
    assert [(row.result, row.remark) for row in rows] == [
        ("FAILED", ""), ("not counted", "severity info does not decide the exit code"), ("not counted", "it held before the run already"),
    ]  # fmt: skip


def test_an_alert_that_came_and_went_is_told_with_all_its_times() -> None:
    alert = {"source": "profile", "name": "a", "expr": "b", "severity": "error", "counted": True, "intervals": [[1.0, 2.0], [5.0, 6.0]]}
    verdict = {"status": "failed", "exit_code": 2, "reasons": []}
    result = {"scenarios": [], "alerts": [alert], "residue": [], "run_id": "x", "seed": 1, "verdict": verdict}
    assert "\n  a: 00:00:01 – 00:00:02, 00:00:05 – 00:00:06\n" in final_screen(result, "r", PLAIN, 80)


def test_health_that_does_not_gate_is_not_counted() -> None:
    stretch = {"url": "http://a", "status": False, "status_code": 0, "start_timestamp": 1.0, "end_timestamp": 2.0, "duration": 1.0}
    [row] = health_rows({"health": [stretch]})
    assert (row.detail, row.when, row.result) == ("status 0", "00:00:01 – 00:00:02", "not counted")
    [row] = health_rows({"health": [{**stretch, "gating": True, "detail": "connection refused"}]})
    assert (row.detail, row.result) == ("connection refused", "FAILED")


@pytest.mark.parametrize(("share", "text"), [
    (1.0, "100%"), (0.0, "0%"), (0.5, "50%"), (0.169, "16.9%"), (0.99999, "99.9%"), (0.00001, "0.1%"), (0.95, "95%"), (None, "not measured"),
])
def test_only_everything_is_100_percent(share: float | None, text: str) -> None:
    assert percent(share) == text


def judged(bad: int, slow: float, unknown: bool = False) -> dict[str, Any]:
    """Checks as the verdict makes them, of a probe with some bad answers and a slow one in the fault, and none in the recovery."""
    threshold = Threshold(pass_rate=0.9, latency=((0.95, 0.25),))
    probe = Probe(name="shop", what=CommandProbe(argv=("true",)), fault=threshold, recovery=threshold, recover_within=2.0)
    windows = tuple(Window(scenario=0, phase=phase, start=10.0 * number, end=10.0 * number + 10) for number, phase in enumerate(Phase))
    samples = [Sample(time=float(number), good=None if unknown else not 10 <= number < 10 + bad, seconds=slow, detail="503") for number in range(30)]
    checks = judge(probe, samples, windows)
    return {"windows": document(windows), "checks": [document(one) | {"latency": dict(one.latency)} for one in checks]}


def test_checks_as_the_verdict_makes_them() -> None:
    good, slow = check_rows(judged(0, 0.1))
    assert (good.values, good.limit, good.result) == (("100%", "100%", "100%"), ">= 90 %", "passed")
    assert (slow.name, slow.values, slow.limit, slow.result) == ("shop p95", ("100 ms",) * 3, "<= 250 ms", "passed")
    good, slow = check_rows(judged(0, 0.3))
    assert (good.result, slow.result) == ("passed", "FAILED")
    good, slow = check_rows(judged(4, 0.1))
    assert (good.result, slow.result, good.values[1]) == ("FAILED", "passed", "60%")
    assert good.remarks == ("fault: failed: 60 % good (6 of 10), expected >= 90 %: 503 (00:00:10 – 00:00:20)",)
    good, slow = check_rows(judged(4, 0.3))
    assert (good.result, slow.result) == ("FAILED", "FAILED")
    good, _ = check_rows(judged(0, 0.1, unknown=True))
    assert (good.values, good.result) == (("unknown",) * 3, "unknown")


def test_times_are_utc_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert (clock(0.0), clock(None), day(86_399.9)) == ("00:00:00", "unknown", "1970-01-01 23:59:59 UTC")
    assert spans([(number, number + 1) for number in range(5)]).endswith(", and 2 more")


def test_nothing_watched_has_no_tally() -> None:
    assert tally({}) == ""
    assert tally({"checks": [check()], "alerts": [], "health": []}) == "0 of 1 checks passed"
