"""The whole page: self-contained, a pure function of the record, nothing unescaped, nothing blank."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from records import write_record

from chaos_modules.reports.html import report_page
from chaos_modules.reports.recorded import Recorded

HOSTILE = "</script><img onerror=alert(1) src=x><!--\"'&lt;{{7*7}}{% raw %}\u202e\x1b[31m\u2028"
STATES: dict[str, dict[str, Any]] = {
    "passed": {}, "failed": {"passed": False}, "unhealthy": {"unhealthy": True}, "halted": {"halted": True}, "interrupted": {"interrupted": True},
    "residue": {"residue": True}, "unknown": {"unknown": True}, "no target": {"empty": True}, "no scenario": {"scenarios": 0},
    "older": {"observed": False}, "lost": {"failed_targets": 1},
}


class Parsed(HTMLParser):
    """The elements, their attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            self.scripts.append(data)
        elif self._within != "style":
            self.text += data

    def values(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def record(tmp_path: Path, **wishes: Any) -> Recorded:
    return write_record(tmp_path / "record", **wishes)


def read(tmp_path: Path, **wishes: Any) -> Parsed:
    return Parsed(report_page(record(tmp_path, **wishes)))


def words(page: Parsed) -> str:
    return " ".join(page.text.split())


@pytest.mark.parametrize("state", STATES)
def test_nothing_outside_of_the_page_is_referred_to(state: str, tmp_path: Path) -> None:
    page = read(tmp_path, **STATES[state])
    assert page.values("src") == []
    assert {value for value in page.values("href") if not (value or "").startswith("#")} == {"data:,"}
    assert [tag for tag, _ in page.elements if tag in ("img", "iframe", "object", "embed", "form", "base", "video")] == []
    assert not re.search(r"url\((?!#)", report_page(record(tmp_path / "again", **STATES[state])))
    policy = next(attributes["content"] for tag, attributes in page.elements if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert "script-src 'unsafe-inline'" not in policy


@pytest.mark.parametrize("state", STATES)
def test_every_link_leads_to_a_part_of_the_page_and_every_id_is_unique(state: str, tmp_path: Path) -> None:
    page = read(tmp_path, **STATES[state], panels=2)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {(value or "")[1:] for value in page.values("href") if (value or "").startswith("#")} <= set(ids)
    named = " ".join(value or "" for value in (*page.values("aria-labelledby"), *page.values("for")))
    assert set(named.split()) <= set(ids)


@pytest.mark.parametrize("state", STATES)
def test_the_verdict_comes_first_with_every_reason(state: str, tmp_path: Path) -> None:
    recorded = record(tmp_path, **STATES[state])
    text, verdict = words(Parsed(report_page(recorded))), recorded.result["verdict"]
    assert f"{verdict['status']} exit {verdict['exit_code']}" in text[: text.index("Timeline")]
    for reason in verdict["reasons"]:
        assert reason in text[: text.index("Run it again")]


def test_the_same_record_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    first = report_page(record(tmp_path, passed=False, unhealthy=True))
    shutil.copytree(tmp_path / "record", tmp_path / "elsewhere" / "far" / "away")
    program = "import sys, pathlib; from chaos_modules.reports.html import report_page; from chaos_modules.reports.recorded import read_record; " \
        "sys.stdout.buffer.write(report_page(read_record(pathlib.Path(sys.argv[1]))).encode())"
    environment = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "elsewhere" / "far" / "away")], env=environment, capture_output=True, check=True, timeout=60,
        cwd=tmp_path,
    )
    assert done.stdout == first.encode()
    assert str(tmp_path) not in first


def test_hostile_names_stay_text_everywhere(tmp_path: Path) -> None:
    text = report_page(record(
        tmp_path, hostile=HOSTILE, passed=False, unhealthy=True, halted=True, failed_targets=1, residue=True, problems=[HOSTILE], probes=5, alerts=4,
    ))  # fmt: skip
    page = Parsed(text)
    assert [tag for tag, _ in page.elements if tag == "img"] == []
    assert len(page.scripts) == 3, "the data, the library, and ours"
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert "{{7*7}}" in page.text
    assert not {"\u202e", "\x1b"} & set(text), "what would hide or turn text is spelled out"
    assert json.loads(page.scripts[0])["charts"][0]["lines"][0]["label"] == '{job="shop' + HOSTILE + '"}'


def test_the_hashes_in_the_policy_are_those_of_the_scripts(tmp_path: Path) -> None:
    page = read(tmp_path)
    policy = next(attributes["content"] for _, attributes in page.elements if attributes.get("http-equiv"))
    for script in page.scripts[1:]:
        assert f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in str(policy)


def test_the_record_is_in_the_page_unchanged(tmp_path: Path) -> None:
    recorded = record(tmp_path, hostile=HOSTILE, passed=False)
    raw = report_page(recorded).split('<pre id="result">')[1].split("</pre>")[0]
    assert json.loads(Parsed(f"<pre>{raw}</pre>").text) == recorded.result


def test_what_was_not_measured_says_so(tmp_path: Path) -> None:
    text = words(read(tmp_path, targets=2))
    assert text.count("not measured") == 1, "of the two targets, the peer measured one"
    assert "loss 19.9% (17.9% to 21.9%), 1,500 samples, within tolerance" in text


def test_a_value_outside_the_tolerance_and_one_that_was_not_judged_are_told(tmp_path: Path) -> None:
    recorded = record(tmp_path, failed_targets=1)
    recorded.result["scenarios"][0]["targets"][1]["measured"]["loss"]["within_tolerance"] = False
    text = words(Parsed(report_page(recorded)))
    assert "OUTSIDE tolerance" in text
    assert "101 samples, too few to judge" in text


def test_an_alert_that_could_not_be_evaluated_has_not_fired(tmp_path: Path) -> None:
    rows = report_page(record(tmp_path, unknown=True)).split('<table class="alerts">')[1].split("</table>")[0]
    assert words(Parsed(rows)).count("? unknown") == 3
    assert "fired before" not in rows
    assert "√" not in rows


def test_problems_of_the_run_are_apart_from_findings(tmp_path: Path) -> None:
    recorded = record(tmp_path, unknown=True, problems=["the record could not be written: No space left on device"])
    recorded = replace(recorded, events=(
        *recorded.events, {"time": 1.0, "event": "unsent", "target": "0badcafe", "documents": 12, "problem": "the server was away"},
    ))  # fmt: skip
    findings, problems = report_page(recorded).split('<section id="problems">')
    told = problems.split('<section id="raw">')[0]
    for problem in ("No space left on device", "12 documents were not sent: the server was away", "http://prometheus.example:9090 did not answer"):
        assert told.count(problem) == 1
    assert "No space left" not in findings
    assert "None." in words(read(tmp_path / "good")).split("Problems of the run itself")[-1]


def test_queries_without_an_answer_are_named_with_the_problem_that_they_share(tmp_path: Path) -> None:
    recorded = record(tmp_path, alerts=8)
    told = words(Parsed(report_page(recorded).split('<section id="problems">')[1]))
    assert "badly written, badly written: 1:6: parse error: unclosed left parenthesis" in told


@pytest.mark.parametrize(("wishes", "meaning"), [
    ({"passed": False}, "an objective failed, an alert fired"), ({"halted": True}, "halted"), ({"failed_targets": 1}, "a scenario failed"),
    ({"unknown": True}, "a query that decides could not be answered"), ({"unhealthy": True, "passed": False}, "a health check failed"),
])  # fmt: skip
def test_the_exit_code_is_explained_by_what_was_found(wishes: dict[str, Any], meaning: str, tmp_path: Path) -> None:
    recorded = record(tmp_path, **wishes)
    assert f"exit {recorded.result['verdict']['exit_code']}: {meaning}" in words(Parsed(report_page(recorded)))


def test_many_rows_fold_but_never_one_that_failed(tmp_path: Path) -> None:
    recorded = record(tmp_path, scenarios=8, seconds=20.0, alerts=40)
    recorded.result["checks"][-1]["passed"] = False
    page = report_page(recorded)
    checks, folded = page.split('<section id="checks">')[1].split('<section id="alerts">')[0].split("<details")
    assert (checks.count("<tr class"), folded.count("<tr class")) == (10, 22)
    assert checks.count("failed") >= 1
    assert "failed</span>" not in folded
    assert page.count('<details class="scenario" open>') == 0
    recorded.result["scenarios"][2]["status"] = "failed"
    assert report_page(recorded).count('<details class="scenario" open>') == 1


def test_the_kernel_lines_of_the_engine_that_was_used_are_there_once(tmp_path: Path) -> None:
    recorded = record(tmp_path, targets=30)
    text = Parsed(report_page(recorded)).text
    assert text.count("Kernel lines: blackhole on eth0, egress") == 1
    programs = recorded.plan["scenarios"][0]["injections"][0]["programs"]
    used = next(one for one in programs if one["engine"] == "blackhole")
    for step in (used["arm"], *used["teardown"]):
        assert (step["nft"].strip() if isinstance(step, dict) else " ".join(step)) in text
    other = next(one for one in programs if one["engine"] != "blackhole")
    assert f"Kernel lines: {other['engine']}" not in text


def test_a_plan_without_its_programs_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    recorded = record(tmp_path)
    for damage in (None, "text", [], [None], [{"engine": "blackhole", "setup": {"odd": 1}, "arm": 5}]):
        for injection in recorded.plan["scenarios"][0]["injections"]:
            injection["programs"] = damage
        assert "What was done" in report_page(recorded)


@pytest.mark.parametrize(("cluster", "option"), [
    ("sandbox (config/sandbox.yaml)", "--sandbox "), ("sandbox (my rig.yaml)", "--sandbox-file 'my rig.yaml' "), ("prod", ""),
])  # fmt: skip
def test_the_command_to_run_it_again(cluster: str, option: str, tmp_path: Path) -> None:
    recorded = record(tmp_path)
    recorded.result["cluster"] = cluster
    assert f"python run_chaos.py run --seed 42 {option}scenarios/harness/loss.yaml" in Parsed(report_page(recorded)).text


def test_versions_are_shown_where_they_are_recorded(tmp_path: Path) -> None:
    recorded = record(tmp_path)
    assert "Versions" not in Parsed(report_page(recorded)).text
    recorded.result["versions"] = {"squall": "1.2.3", "injector": "1.2.3"}
    assert "squall 1.2.3, injector 1.2.3" in Parsed(report_page(recorded)).text


def test_what_cleans_up_is_named_where_something_is_left(tmp_path: Path) -> None:
    assert "python run_chaos.py cleanup" in read(tmp_path, residue=True).text
    assert "run_chaos.py cleanup" not in read(tmp_path / "clean").text


def test_neither_the_template_engine_nor_the_page_is_loaded_before_it_is_needed() -> None:
    program = "import sys, chaos_modules.reports.html; sys.exit('jinja2' in sys.modules or 'markupsafe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60, cwd=Path(__file__).parents[3]).returncode == 0
