"""The reports in a record: written whole or not at all, and the same bytes whenever and wherever they are written again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from records import write_record

from chaos_modules.reports.files import REPORTS, write_reports, write_whole
from chaos_modules.reports.recorded import read_record


def contents(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in REPORTS}


def test_the_reports_of_a_run(tmp_path: Path) -> None:
    assert write_reports(tmp_path, write_record(tmp_path, passed=False)) == []
    assert set(contents(tmp_path)) == {"junit.xml", "report.md", "report.html"}
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("wishes", [{"passed": False, "unhealthy": True}, {"observed": False}, {"empty": True}, {"hostile": "<&\x1b\ud800\n"}])
def test_they_are_rebuilt_byte_for_byte_also_in_a_copy(tmp_path: Path, wishes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "elsewhere" / "copy"
    write_reports(here, write_record(here, **wishes))
    first = contents(here)
    for name in REPORTS:
        (here / name).unlink()
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    assert write_reports(here, read_record(here)) == []
    assert contents(here) == first
    shutil.copytree(here, there)
    monkeypatch.chdir(there.parent)
    assert write_reports(Path("copy"), read_record(Path("copy"))) == []
    assert contents(there) == first
    assert str(tmp_path).encode() not in b"".join(first.values())


def test_a_report_follows_its_record(tmp_path: Path) -> None:
    write_reports(tmp_path, write_record(tmp_path))
    before = contents(tmp_path)
    write_reports(tmp_path, write_record(tmp_path, passed=False))
    assert not [name for name, text in contents(tmp_path).items() if text == before[name]]


def test_what_cannot_be_written_is_a_problem_and_the_others_are_written(tmp_path: Path) -> None:
    recorded = write_record(tmp_path)
    (tmp_path / "report.md").mkdir()
    [problem] = write_reports(tmp_path, recorded)
    assert problem.startswith(f"{tmp_path}/report.md could not be written: ")
    assert (tmp_path / "junit.xml").is_file()
    assert (tmp_path / "report.html").is_file()


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "a" / "b" / "junit.xml", "→") == ""
    assert (tmp_path / "a" / "b" / "junit.xml").read_text(encoding="utf-8") == "→"
    assert "could not be written" in write_whole(tmp_path / "a" / "b" / "junit.xml" / "c", "x")


def test_a_file_that_is_right_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(path, "x")
    before = path.stat().st_ino
    assert write_whole(path, "x") == ""
    assert path.stat().st_ino == before
    assert write_whole(path, "y") == ""
    assert (path.stat().st_ino, path.read_text(encoding="utf-8")) != (before, "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_is_a_problem(tmp_path: Path) -> None:
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    assert write_whole(link, "x") == f"{link} could not be written: No space left on device"


def test_half_a_file_is_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text("old", encoding="utf-8")
    assert "could not be written" in write_whole(path, "\ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["junit.xml"]  # noqa: PTH208 - hidden files, too
