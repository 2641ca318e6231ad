"""report.md: the verdict first, nothing that a name holds means anything, and never more than GitHub takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from records import write_record

from chaos_modules.reports.markdown import MOST_BYTES, markdown

HOSTILE = "|`*_<script>[x](http://a)\n# big\r\\|~~&lt;\x1b\ud800"


@pytest.mark.parametrize(("name", "wishes"), [
    ("objective", {"passed": False, "unhealthy": True, "probes": 2, "problems": ["the clock went back"]}),
    ("empty", {"empty": True}), ("left", {"residue": True}),
])
def test_golden_markdown(name: str, wishes: dict[str, Any], tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    golden(f"report-{name}.md", markdown(write_record(tmp_path, **wishes)))


@pytest.mark.parametrize("wishes", [{}, {"interrupted": True}, {"observed": False}, {"scenarios": 0}, {"halted": True}, {"unknown": True}])
def test_the_verdict_is_the_first_line(wishes: dict[str, Any], tmp_path: Path) -> None:
    recorded = write_record(tmp_path, **wishes)
    verdict = recorded.result["verdict"]
    assert markdown(recorded).splitlines()[0] == f"# Squall: {verdict['status']}, exit {verdict['exit_code']}"


def test_a_halt_is_told(tmp_path: Path) -> None:
    assert "**Halted**: the fault was ended early: job:errors:ratio \\> 0.2" in markdown(write_record(tmp_path, halted=True))


def test_every_row_has_the_columns_of_its_head_and_no_name_ends_a_cell(tmp_path: Path) -> None:
    text = markdown(write_record(tmp_path, hostile=HOSTILE, passed=False, unhealthy=True, residue=True, problems=[HOSTILE]))
    width, tables = 0, 0
    for line in text.splitlines():
        if line.startswith("| "):
            cells = len(re.findall(r"(?<!\\)\|", line.replace("\\\\", "")))
            tables += not width
            width = width or cells
            assert cells == width, line
        else:
            width = 0
            assert not line.startswith("# big")
    assert tables == 5
    bare = re.sub(r"\\[\\`*_\[\]<>|~&$#@]", "", text)
    assert "<script>" not in bare
    assert "](" not in bare
    assert text.isprintable() is False
    assert not [one for one in text if not one.isprintable() and one != "\n"]


def test_it_is_never_larger_than_github_takes(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, targets=20, passed=False, hostile="x" * 400, problems=["→ " * 400_000] * 3)
    recorded.result["scenarios"] *= 80
    text = markdown(recorded)
    assert MOST_BYTES / 2 < len(text.encode()) <= MOST_BYTES < 2**20
    assert text.startswith("# Squall: failed, exit 2\n")
    small = markdown(recorded, 20_000)
    assert 10_000 < len(small.encode()) <= 20_000
    assert small.endswith("\n*Cut here: the rest is in the record.*\n")
    assert markdown(recorded, 5) == ""


def test_the_worst_targets_come_first(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, targets=3)
    recorded.result["scenarios"][0]["targets"][2] |= {"status": "lapsed", "reason": "too late"}
    rows = [line for line in markdown(recorded).splitlines() if line.startswith("| pod/")]
    assert "lapsed: too late" in rows[0]
    assert len(rows) == 3
