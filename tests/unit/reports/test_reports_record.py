"""The record on disk, and what becomes of a run that cannot be recorded."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos_modules.model.errors import BadInput
from chaos_modules.reports.record import Record


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    made = Record(str(tmp_path / "deep" / "runs"), "0badcafe")
    yield made
    made.close()


def test_events_are_lines_and_on_disk_at_once(record: Record) -> None:
    record.event({"event": "a", "target": "→"})
    record.event({"event": "b"})
    lines = (record.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"event": "a", "target": "→"}, {"event": "b"}]


def test_documents(record: Record) -> None:
    record.document("plan.json", {"a": [1, None]})
    assert json.loads((record.path / "plan.json").read_text(encoding="utf-8")) == {"a": [1, None]}
    assert record.problem == ""


def test_everything_that_is_logged_is_in_the_record(record: Record) -> None:
    logging.getLogger("chaos_modules.carriers").debug("a detail")
    record.close()
    logging.getLogger("chaos_modules.carriers").debug("after the end")
    text = (record.path / "debug.log").read_text(encoding="utf-8")
    assert "DEBUG chaos_modules.carriers: a detail" in text
    assert "after the end" not in text


@pytest.mark.parametrize("prepare", [lambda path: path.write_text("a file"), lambda path: (path / "0badcafe").mkdir(parents=True)])
def test_a_directory_that_cannot_be_written_stops_before_anything_is_done(tmp_path: Path, prepare: Callable[[Path], object]) -> None:
    prepare(tmp_path / "runs")
    with pytest.raises(BadInput, match="the record cannot be written") as caught:
        Record(str(tmp_path / "runs"), "0badcafe")
    assert (caught.value.exit_code, caught.value.remedy) == (255, "choose another squall.record_directory")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_a_problem_of_the_run_and_no_exception(record: Record) -> None:
    record._events.close()
    record._events = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - the record closes it
    record.event({"event": "a"})
    first = record.problem
    assert first.startswith("the record could not be written: ")
    assert "No space left on device" in first
    record.document("missing/result.json", {})
    assert record.problem == first
    record.close()


def test_a_document_that_cannot_be_written_is_a_problem(record: Record) -> None:
    record.document("missing/result.json", {})
    assert "No such file" in record.problem


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_log_on_a_full_disk_is_a_problem_too_and_says_nothing_on_the_terminal(record: Record, capfd: pytest.CaptureFixture[str]) -> None:
    record._log.stream.close()
    record._log.stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - the record closes it
    logging.getLogger("chaos_modules").debug("a detail")
    assert "No space left on device" in record.problem
    record.close()
    assert capfd.readouterr().err == ""


def test_a_broken_log_line_is_no_problem_of_the_record(record: Record, capfd: pytest.CaptureFixture[str]) -> None:
    record._log.handle(logging.LogRecord("chaos_modules", logging.DEBUG, "", 0, "%d", ("no number",), None))
    assert record.problem == ""
    assert "TypeError" in capfd.readouterr().err
