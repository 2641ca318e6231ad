"""Every failure is a message and an exit code; a bug is a report file, never a traceback on the terminal."""

from __future__ import annotations

import io
import stat
import sys
from pathlib import Path

import pytest

from chaos_modules.cli import listing
from chaos_modules.cli.main import console, main
from chaos_modules.clusters.sandbox import cleanup as sandbox


class Broken:
    """In place of the styles: whatever is asked of it fails as told."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure

    def __call__(self) -> None:
        raise self.failure


def test_a_bug_is_reported_in_a_private_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(listing, "styles", Broken(RuntimeError("boom")))
    assert main(["list", "--format", "json"], {}) == 1
    output = capsys.readouterr()
    [report] = tmp_path.glob("squall-bug-*.txt")
    assert output.err == f"error: Squall itself failed: RuntimeError: boom\n  → please report it with {report}\n"
    assert output.out == ""
    assert "Traceback" not in output.err
    text = report.read_text(encoding="utf-8")
    assert "RuntimeError: boom" in text
    assert text.startswith("squall ")
    assert "command list\n" in text  # and not the other arguments, which may hold secrets
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_an_interruption_before_anything_is_done(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(listing, "styles", Broken(KeyboardInterrupt()))
    assert main(["list"], {}) == 130
    assert capsys.readouterr().err == "interrupted; nothing was touched\n"


def test_errors_can_be_read_on_an_ascii_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["explain", "nothing"], {}) == 255
    stream.flush()
    text = stream.buffer.getvalue()  # type: ignore[attr-defined]
    assert text.startswith(b"error: run_chaos.py: there is no scenario type or fault nothing\n")
    assert text.isascii()


def test_the_console_script_exits_with_the_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["squall", "explain", "nothing"])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as caught:
        console()
    assert caught.value.code == 255
    assert "there is no scenario type or fault nothing" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "error"), [
    ([], "there is no kubeconfig"), (["--run", "mine"], "'mine' is not a run id"), (["--sandbox", "--run", "0badcafe"], "removed as a whole"),
])
def test_cleanup_wants_to_know_where(words: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cleanup", *words], {}) == 255
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(("words", "left", "code", "text"), [
    (["--audit"], [], 0, "nothing is left\n"),
    (["--audit"], ["directory d"], 4, "left     directory d\n1 things are left\n"),
    ([], [], 0, "removed  directory d\nnothing is left\n"),
    ([], ["process 7 (x)"], 4, "removed  directory d\nleft     process 7 (x)\n1 things are left\n"),
])
def test_cleanup(
    words: list[str], left: list[str], code: int, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The real ones look at the whole machine, where another test may be at work.
    monkeypatch.setattr(sandbox, "cleanup_sandbox", lambda: ["directory d"])
    monkeypatch.setattr(sandbox, "leftovers", lambda: left)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert main(["cleanup", "--sandbox", *words], {}) == code
    assert capsys.readouterr().out == text


@pytest.mark.parametrize(("left", "code"), [([], 0), (["network namespace squall.shop.web"], 4)])
def test_cleanup_without_root_removes_nothing_and_says_why(
    left: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox, "cleanup_sandbox", None)
    monkeypatch.setattr(sandbox, "leftovers", lambda: left)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(["cleanup", "--sandbox"], {}) == code
    assert "a sandbox without root ends with its run" in capsys.readouterr().out
