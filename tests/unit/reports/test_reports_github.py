"""GitHub's annotations and step summary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from records import write_record

from chaos_modules.model.errors import BadInput, BadInputs
from chaos_modules.reports.github import Annotation, append_summary, input_annotations, lines, on_github, run_annotations
from chaos_modules.reports.markdown import MOST_BYTES, markdown

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^:,\r\n]*,?)+)::[^\r\n]*")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the records' scenario file in it, and the current directory."""
    file = tmp_path / "scenarios" / "harness" / "loss.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def annotated(here: Path, **wishes: Any) -> list[str]:
    return run_annotations(write_record(here / "record", **wishes), {"GITHUB_WORKSPACE": str(here)})


def test_only_github_is_github() -> None:
    assert [on_github({"GITHUB_ACTIONS": value}) for value in ("true", "false", "")] == [True, False, False]
    assert not on_github({})


@pytest.mark.usefixtures("here")
def test_a_run_that_passed_has_none(here: Path) -> None:
    assert annotated(here) == []


def test_a_failed_scenario_is_annotated_at_its_line(here: Path) -> None:
    assert annotated(here, failed_targets=1, scenarios=2, passed=True) == [
        "::error file=scenarios/harness/loss.yaml,line=1,col=3,title=pod-network-loss failed::1 of 2 targets failed",
        "::error file=scenarios/harness/loss.yaml,line=7,col=3,title=pod-network-loss-2 failed::1 of 2 targets failed",
    ]


def test_the_worst_comes_first(here: Path) -> None:
    told = annotated(here, residue=True, passed=False, unhealthy=True, failed_targets=1, problems=["half of it"])
    assert [re.findall(r"^::(\w+) .*title=([^:]+)::", line)[0] for line in told] == [
        ("error", "Residue"), ("error", "pod-network-loss failed"), ("error", "health"), ("error", "objective"), ("error", "alert"),
        ("warning", "The run itself"),
    ]  # fmt: skip


def test_findings_point_at_the_scenario(here: Path) -> None:
    [halt] = annotated(here, halted=True)
    assert halt == "::error file=scenarios/harness/loss.yaml,line=1,col=3,title=halt::too many errors: job:errors:ratio > 0.2"


def test_a_run_that_was_interrupted_is_annotated_too(here: Path) -> None:
    [only] = annotated(here, interrupted=True)
    assert only.startswith("::error ")
    assert only.endswith("title=Squall%3A interrupted::interrupted by SIGINT")


def test_iterations_point_at_the_same_entries(here: Path) -> None:
    recorded = write_record(here / "record", scenarios=2, failed_targets=1)
    recorded.result["scenarios"] *= 2
    places = [re.findall(r"line=(\d+)", line)[0] for line in run_annotations(recorded, {})]
    assert places == ["1", "7", "1", "7"]


@pytest.mark.parametrize("text", ["a\nb::error::c", "100%, :,\r\n::", "\x1b[31m\ud800", "%0A", "x" * 5000])
def test_no_text_ends_its_command_or_begins_another(here: Path, text: str) -> None:
    for line in [*annotated(here, hostile=text, passed=False, unhealthy=True, residue=True, problems=[text]), *lines(
        [Annotation(kind="error", title=text, message=text, place=f"scenarios/harness/loss.yaml{text}:1:2")], {}
    )]:  # fmt: skip
        assert COMMAND.fullmatch(line)
        assert line.isprintable()


def test_escapes() -> None:
    [line] = lines([Annotation(kind="error", title="a:b,c%d\ne", message="a:b,c%d\ne")], {})
    assert line == "::error title=a%3Ab%2Cc%25d%0Ae::a:b,c%25d%0Ae"


def test_ten_of_a_kind_and_how_many_more() -> None:
    many = [Annotation(kind="error", title="t", message=f"number {number}") for number in range(50)]
    told = lines([*many, Annotation(kind="warning", title="t", message="w")], {})
    assert [line.partition("::")[2].partition(" ")[0] for line in told] == ["error"] * 10 + ["warning", "notice"]
    assert told[0].endswith("number 0")
    assert told[-1] == "::notice title=Squall::and 40 more errors in the summary"
    assert "more" not in "".join(lines(many[:10], {}))


def test_a_file_outside_the_repository_has_no_place(here: Path) -> None:
    (here / "repository").mkdir()
    outside = Annotation(kind="error", title="t", message="m", place=f"{here}/scenarios/harness/loss.yaml:3")
    assert lines([outside], {"GITHUB_WORKSPACE": str(here / "repository")}) == ["::error title=t::m"]
    assert lines([outside], {"GITHUB_WORKSPACE": str(here)}) == ["::error file=scenarios/harness/loss.yaml,line=3,title=t::m"]
    assert lines([Annotation(kind="error", title="t", message="m", place="--set")], {}) == ["::error title=t::m"]


def test_wrong_input_is_annotated_where_it_is(here: Path) -> None:
    wrong = BadInput("LOSS: write a percentage", "scenarios/harness/loss.yaml:4:7", "e.g. 20")
    line = "::error file=scenarios/harness/loss.yaml,line=4,col=7,title=Squall%3A wrong input::LOSS: write a percentage%0A→ e.g. 20"
    assert input_annotations(wrong, {"GITHUB_WORKSPACE": str(here)}) == [line]
    told = input_annotations(BadInputs([wrong] * 12), {})
    assert told == [line] * 10 + ["::notice title=Squall::and 2 more errors in the log"]


def test_the_summary_is_appended(here: Path) -> None:
    recorded = write_record(here / "record")
    (here / "summary.md").write_text("# before\n", encoding="utf-8")
    assert append_summary(recorded, {"GITHUB_STEP_SUMMARY": str(here / "summary.md")}) == ""
    assert (here / "summary.md").read_text(encoding="utf-8") == "# before\n" + markdown(recorded)
    assert append_summary(recorded, {}) == ""


def test_the_summary_of_a_step_stays_within_its_limit(here: Path) -> None:
    recorded, path = write_record(here / "record"), here / "summary.md"
    path.write_text("x" * (MOST_BYTES - 1000), encoding="utf-8")
    assert append_summary(recorded, {"GITHUB_STEP_SUMMARY": str(path)}) == ""
    assert MOST_BYTES - 1000 < path.stat().st_size <= MOST_BYTES
    path.write_text("x" * MOST_BYTES, encoding="utf-8")
    assert append_summary(recorded, {"GITHUB_STEP_SUMMARY": str(path)}) == ""
    assert path.stat().st_size == MOST_BYTES


@pytest.mark.parametrize("path", ["no/such/folder/summary.md", ".", "a\0b"])
def test_a_summary_that_cannot_be_written_is_a_problem(here: Path, path: str) -> None:
    assert append_summary(write_record(here / "record"), {"GITHUB_STEP_SUMMARY": path}).startswith("the step summary could not be written: ")
