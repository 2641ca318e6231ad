"""junit.xml and krkn's test case: their shape, and that a reader sees failures exactly where the run had some."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from records import write_record

from chaos_modules.reports.junit import junit
from chaos_modules.reports.junit_krkn import junit_krkn, junit_krkn_path

RUNS: dict[str, dict[str, Any]] = {
    "held": {}, "objective": {"passed": False}, "unknown": {"unknown": True}, "halted": {"halted": True}, "unhealthy": {"unhealthy": True},
    "stopped": {"interrupted": True}, "left": {"residue": True}, "empty": {"empty": True}, "nothing": {"scenarios": 0}, "old": {"observed": False},
    "broken": {"failed_targets": 1}, "two": {"scenarios": 2, "passed": False, "problems": ["half of it"]},
    "hostile": {"hostile": "\"'<&>|\x00\x1b\x85\ud800\ufffe\uffff\r\n\t]]>", "passed": False, "unhealthy": True, "residue": True},
}  # fmt: skip
# jenkins-junit.xsd, which is what readers agree on: allowed attributes (those with ! are required) and children, in this order.
SHAPE: dict[str, tuple[set[str], list[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors", "disabled"}, ["testsuite"]),
    "testsuite": ({"name!", "tests!", "failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
                  ["properties", "testcase", "system-out", "system-err"]),
    "properties": (set(), ["property"]),
    "property": ({"name!", "value!"}, []),
    "testcase": ({"name!", "classname!", "assertions", "time", "status"}, ["skipped", "error", "failure", "system-out", "system-err"]),
    "skipped": ({"type", "message"}, []), "error": ({"type", "message"}, []), "failure": ({"type", "message"}, []), "system-out": (set(), []),
}  # fmt: skip


def check_shape(element: Element) -> None:
    attributes, children = SHAPE[element.tag]
    assert set(element.attrib) <= {name.rstrip("!") for name in attributes}, element.attrib
    assert {name.rstrip("!") for name in attributes if name.endswith("!")} <= set(element.attrib)
    places = [children.index(child.tag) for child in element]
    assert places == sorted(places)
    for name in ("tests", "failures", "errors", "skipped", "id"):
        assert re.fullmatch(r"\d+", element.attrib.get(name, "0"))
    assert re.fullmatch(r"\d+(\.\d+)?", element.attrib.get("time", "0"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.attrib.get("timestamp", "2026-11-21T13:39:08"))
    for child in element:
        check_shape(child)


def cases(root: Element) -> dict[str, Element]:
    found = {f"{case.attrib['classname']}/{case.attrib['name']}": case for case in root.iter("testcase")}
    assert len(found) == len(list(root.iter("testcase")))
    return found


def outcome(case: Element) -> str:
    return next((child.tag for child in case if child.tag != "system-out"), "passed")


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, Any], Element]:
    """The result of each kind of run, and its junit.xml, parsed."""
    recorded = write_record(tmp_path, **RUNS[request.param])
    return recorded.result, ElementTree.fromstring(junit(recorded).encode("utf-8"))


def test_it_has_the_shape_that_readers_know(run: tuple[dict[str, Any], Element]) -> None:
    check_shape(run[1])


def test_its_counts_are_those_of_its_cases(run: tuple[dict[str, Any], Element]) -> None:
    _, root = run
    for part in [root, *root]:
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(part.attrib.get(name, len(list(part.iter(tag))))) == len(list(part.iter(tag)))


def test_it_fails_exactly_if_the_run_did(run: tuple[dict[str, Any], Element]) -> None:
    result, root = run
    bad = [case for case in root.iter("testcase") if outcome(case) in ("failure", "error")]
    assert bool(bad) is (result["verdict"]["exit_code"] != 0)
    assert [suite.attrib["name"] for suite in root][-1] == "the run"
    assert len(root) == len(result["scenarios"]) + 1


def test_another_reader_finds_the_same(tmp_path: Path) -> None:
    junitparser = pytest.importorskip("junitparser")
    read = junitparser.JUnitXml.fromstring(junit(write_record(tmp_path, passed=False)).encode("utf-8"))
    assert (read.tests, read.failures, read.errors, [suite.name for suite in read][-1]) == (21, 4, 0, "the run")


def test_golden(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    golden("junit-objective.xml", junit(write_record(tmp_path / "a", passed=False, probes=2)))
    golden("junit-broken.xml", junit(write_record(tmp_path / "b", failed_targets=1, residue=True, unknown=True, probes=1)))


@pytest.mark.parametrize(("status", "scenario", "halted", "wanted"), [
    ("passed", "passed", "", "passed"), ("no-traffic", "passed", "", "skipped"), ("no-traffic", "failed", "", "error"),
    ("interrupted", "interrupted", "", "error"), ("interrupted", "interrupted", "too many errors", "skipped"),
    ("out-of-tolerance", "failed", "", "failure"),
    ("not-in-effect", "failed", "", "error"), ("lapsed", "failed", "", "error"), ("not-applied", "failed", "", "error"),
    ("refused", "failed", "", "error"), ("no-target", "failed", "", "error"),
])
def test_what_a_status_becomes(tmp_path: Path, status: str, scenario: str, halted: str, wanted: str) -> None:
    recorded = write_record(tmp_path, observed=False, targets=1)
    recorded.result["scenarios"][0] |= {"status": scenario, "halted": halted}
    recorded.result["scenarios"][0]["targets"][0] |= {"status": status, "reason": "because"}
    case = cases(ElementTree.fromstring(junit(recorded)))["squall.pod-network-loss/pod/shop/web-0 (egress): fault in effect"]
    assert outcome(case) == wanted
    if wanted in ("failure", "error"):
        assert case[0].attrib == {"message": f"{status}: because", "type": status}
        assert "\nrequested: loss 20%\n" in str(case[0].text)
        assert "\nwhat to do: " in str(case[0].text)


def test_a_failed_check_tells_observed_and_expected(tmp_path: Path) -> None:
    found = cases(ElementTree.fromstring(junit(write_record(tmp_path, passed=False))))
    case = found["squall.pod-network-loss/storefront (http): fault"]
    assert outcome(case) == "failure"
    assert str(case[0].text).splitlines()[1:3] == [
        "observed: 10 of 60 samples good, 1 unknown, p50 12 ms, p95 216 ms", "expected: 95% good, p95 <= 250ms",
    ]  # fmt: skip
    assert float(case.attrib["time"]) == pytest.approx(60, abs=0.1)
    assert outcome(found["squall.pod-network-loss/storefront (http): baseline"]) == "passed"
    assert outcome(found["squall.pod-network-loss/dedup (command): recovery"]) == "skipped"
    assert not [name for name in found if name.startswith("squall.run/objective")]  # its check has told it


def test_an_objective_that_no_check_tells_is_a_case(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, passed=False, probes=0)
    found = cases(ElementTree.fromstring(junit(recorded)))
    assert outcome(found["squall.run/objective: storefront: fewer than 95% good under the fault"]) == "failure"


def test_what_could_not_be_told_and_gates_is_an_error(tmp_path: Path) -> None:
    found = cases(ElementTree.fromstring(junit(write_record(tmp_path, unknown=True))))
    assert outcome(found["squall.pod-network-loss/checkout error rate (prometheus): fault"]) == "error"
    assert not [name for name in found if name.startswith("squall.run/unknown: ")]  # its check has told it
    assert [outcome(case) for name, case in found.items() if name.startswith("squall.run/alert: ")] == ["skipped"] * 3


def test_what_could_not_be_told_and_gates_nothing_is_skipped(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, unknown=True)
    recorded.result["findings"] = []
    found = cases(ElementTree.fromstring(junit(recorded)))
    assert outcome(found["squall.pod-network-loss/checkout error rate (prometheus): fault"]) == "skipped"


def test_an_unknown_that_no_check_tells_is_a_case(tmp_path: Path) -> None:
    found = cases(ElementTree.fromstring(junit(write_record(tmp_path, unknown=True, probes=1))))
    assert [outcome(case) for name, case in found.items() if name.startswith("squall.run/unknown: ")] == ["error"]


def test_residue_is_a_failure_of_the_scenario_and_of_the_run(tmp_path: Path) -> None:
    found = cases(ElementTree.fromstring(junit(write_record(tmp_path, residue=True))))
    for name in ("squall.pod-network-loss/everything removed", "squall.run/nothing is left", "squall.run/verdict"):
        assert outcome(found[name]) == "failure"
    assert "nft delete table netdev squall_0badcafe_egress" in str(found["squall.run/nothing is left"][0].text)


def test_problems_of_the_run_itself_are_no_failure(tmp_path: Path) -> None:
    found = cases(ElementTree.fromstring(junit(write_record(tmp_path, problems=["the clock went backwards"]))))
    case = found["squall.run/no problem of the run itself"]
    assert (outcome(case), case[0].attrib["message"]) == ("skipped", "the clock went backwards")


def test_a_test_case_of_krkn(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, passed=False)
    root = ElementTree.fromstring(junit_krkn(recorded, "[sig-etcd] it <holds>\x1b", "v1"))
    assert root.attrib == {"tests": "1", "skipped": "0", "errors": "0", "failures": "1", "time": "76"}
    [suite] = root
    assert suite.attrib == {"name": "chaos-krkn", **root.attrib, "timestamp": "2026-11-21T13:40:24"}
    properties, case = suite
    assert [one.attrib for one in properties] == [{"name": "TestVersion", "value": "v1"}]
    assert case.attrib == {"name": "[sig-etcd] it <holds>\\x1b", "classname": "", "time": "76"}
    [failure] = case
    assert (failure.tag, failure.attrib) == ("failure", {"message": ""})
    assert "FAILED  The fault was in effect on 2 of 2 targets" in str(failure.text)
    assert junit_krkn_path(recorded, "out") == Path("out/junit_krkn_1795268424.xml")


def test_a_test_case_of_krkn_that_passed(tmp_path: Path) -> None:
    [suite] = ElementTree.fromstring(junit_krkn(write_record(tmp_path), "it holds"))
    assert (suite.attrib["failures"], [one.tag for one in suite.iter()]) == ("0", ["testsuite", "testcase"])
