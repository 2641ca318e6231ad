"""Nothing may be touched by wrong input: what would touch anything fails the test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos_modules.cli.main import main
from chaos_modules.clusters.sandbox.cluster import Sandbox

Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """(exit code, standard error) of a command in an empty directory, which it leaves as it was, starting nothing."""

    def touched(*_: object, **__: object) -> None:
        pytest.fail("something was touched")

    for name in ("start", "preflight"):
        monkeypatch.setattr(Sandbox, name, touched)
    monkeypatch.setattr(subprocess, "Popen", touched)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **environment: str) -> tuple[int, str]:
        before = sorted(tmp_path.iterdir())
        code = main(words, environment)
        assert sorted(tmp_path.iterdir()) == before
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        assert all(one.isprintable() or one in "\n\t" for one in output.out + output.err)
        return code, output.err

    return run
