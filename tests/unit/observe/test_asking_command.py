"""The command probe: real programs, in time and late, loud and silent; nothing of them is left and nothing of ours is told to them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chaos_modules.model.observation import Sample
from chaos_modules.model.probe import CommandProbe
from chaos_modules.observe.network_namespace import Source
from chaos_modules.observe.probes.asking_command import ask_command, environment_for

SHORT = 1.0


def ask(*argv: str, timeout: float = 20.0, **other: Any) -> Sample:
    return ask_command(CommandProbe(argv=argv, **other), timeout)


def python(code: str, *arguments: str, **other: Any) -> Sample:
    return ask(sys.executable, "-c", code, *arguments, **other)


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.01)


@pytest.mark.parametrize(("code", "expected", "detail"), [
    (0, 0, ""), (3, 3, ""), (3, 0, "exit status 3, expected 0"), (0, 1, "exit status 0, expected 1"),
])  # fmt: skip
def test_the_exit_status_decides(code: int, expected: int, detail: str) -> None:
    sample = ask("sh", "-c", f"exit {code}", expected_exit=expected)
    assert (sample.good, sample.detail) == (not detail, detail)
    assert sample.seconds is not None and sample.seconds > 0


def test_a_signal_is_told_by_its_name() -> None:
    assert ask("sh", "-c", "kill -KILL $$").detail == "ended by SIGKILL, expected 0"


def test_the_output_must_contain_the_text() -> None:
    assert ask("echo", "all is über", output_contains="über").good
    missing = ask("sh", "-c", "echo s3cret; echo über >&2", output_contains="über")
    assert (missing.good, missing.detail) == (False, "exit status 0, without the expected text in its output")


def test_there_is_no_shell() -> None:
    assert ask("echo", "$HOME;", "*", output_contains="$HOME; *").good


def test_its_input_is_empty() -> None:
    assert ask("cat").good


def test_past_its_time_it_is_killed_with_its_children(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    sample = ask("sh", "-c", f"sleep 60 & echo $! > {told}; wait", timeout=SHORT)
    assert (sample.good, sample.seconds, sample.detail) == (False, None, "it did not end within 1 s")
    until_gone(int(told.read_text()))


def test_a_program_that_closes_its_output_and_goes_on_is_killed_too(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    sample = ask("sh", "-c", f"echo $$ > {told}; exec >&-; exec sleep 60", timeout=SHORT)
    assert (sample.good, sample.detail) == (False, "it did not end within 1 s")
    until_gone(int(told.read_text()))


def test_a_child_that_holds_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    sample = ask("sh", "-c", f"sleep 60 & echo $! > {told}; echo fine", output_contains="fine")
    os.kill(int(told.read_text()), 9)
    assert sample.good


def test_endless_output_costs_no_memory_and_ends_in_time() -> None:
    sample = ask("yes", timeout=SHORT)
    assert (sample.good, sample.detail) == (False, "it did not end within 1 s")


def test_only_the_first_mib_of_its_output_is_kept() -> None:
    code = "import sys; sys.stdout.write('a' * (1 << 20) + 'needle')"
    assert python(code, output_contains="a" * 100).good
    assert python(code, output_contains="needle").good is False


@pytest.mark.parametrize("argv", [("/nowhere/check",), ("/etc/passwd",), ("",), ("echo", "a\0b")])
def test_what_cannot_be_started_is_unknown(argv: tuple[str, ...]) -> None:
    sample = ask(*argv)
    assert (sample.good, sample.seconds) == (None, None)
    assert "cannot be started" in sample.detail


def test_its_arguments_are_not_told() -> None:
    assert "s3cret" not in ask("/nowhere/check", "s3cret").detail + ask("false", "s3cret").detail


def test_the_program_gets_nothing_that_looks_like_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUALL_SET__elastic__password", "s3cret")
    monkeypatch.setenv("PLAIN", "plain")
    assert ask("env", output_contains="PLAIN=plain").good
    assert ask("env", output_contains="s3cret").good is False


def test_what_looks_like_a_secret_goes_by_its_name() -> None:
    secret = ["SQUALL_SET__elastic__run_tag", "GITHUB_TOKEN", "ES_PASSWORD", "DB_PASSWD", "aws_secret_access_key", "API_KEY", "OPENAI_APIKEY",
              "MYSQL_PWD", "GOOGLE_APPLICATION_CREDENTIALS", "BASIC_AUTH"]  # fmt: skip
    plain = ["PATH", "HOME", "PWD", "OLDPWD", "KUBECONFIG", "SSH_AUTH_SOCK", "LANG", "MONKEY", "AUTHOR", "SQUALL"]
    assert list(environment_for(dict.fromkeys([*secret, *plain], "x"))) == plain


def test_a_source_that_is_gone_is_unknown(tmp_path: Path) -> None:
    sample = ask_command(CommandProbe(argv=("touch", str(tmp_path / "ran"))), 5.0, Source(tmp_path / "squall.load.client"))
    assert sample.good is None
    assert "there is no network namespace" in sample.detail
    assert not (tmp_path / "ran").exists()
