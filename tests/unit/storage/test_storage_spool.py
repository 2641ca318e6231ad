"""What waits in the record: private, whole, and read back as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from chaos_modules.model.errors import BadInput
from chaos_modules.storage.document import Document
from chaos_modules.storage.spool import NAME, Spool, spooled

ONE = Document(index="krkn-metrics", id="a", body={"query": "up\n", "value": 1.5, "labels": ["ü", "\U0001f600"]})
TWO = Document(index="krkn-alerts", id="b", body={"alert": None})


def test_kept_documents_come_back_as_they_were(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.keep(ONE)
        spool.keep(TWO)
        assert not (tmp_path / NAME).exists()  # until it is whole
        spool.finish()
    assert list(spooled(tmp_path / NAME)) == [ONE, TWO]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Spool(tmp_path) as spool:
            spool.keep(ONE)
            spool.finish()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_nothing_kept_removes_what_was_waiting(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("old")
    with Spool(tmp_path) as spool:
        spool.finish()
    assert list(tmp_path.iterdir()) == []


def test_an_attempt_that_breaks_off_leaves_what_was_waiting(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("old")
    with pytest.raises(KeyboardInterrupt), Spool(tmp_path) as spool:
        spool.keep(ONE)
        raise KeyboardInterrupt
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_folder_that_is_gone_is_a_problem_and_no_traceback(tmp_path: Path) -> None:
    with Spool(tmp_path / "gone") as spool:
        spool.keep(ONE)
        spool.keep(TWO)
        spool.finish()
    assert "could not be written: No such file or directory" in spool.problem


ACTION = '{"index": {"_index": "a", "_id": "b"}}\n'


@pytest.mark.parametrize("text", ["{}\n{}\n", ACTION, "nothing\n{}\n", f"{ACTION}3\n"])
def test_a_spool_that_was_edited_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(BadInput, match=r"unsent.ndjson:1: not a document") as caught:
        list(spooled(tmp_path / NAME))
    assert "remove the file" in caught.value.remedy
