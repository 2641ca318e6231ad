"""Help, misspelled commands and flags; and what `--help` must not load."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chaos_modules.cli.arguments import EXAMPLES, SUMMARIES, parse
from chaos_modules.cli.main import main
from chaos_modules.cli.reading import read_configuration
from chaos_modules.model.errors import BadInput

ROOT = Path(__file__).parents[3]
HEAVY = {"pydantic", "yaml", "kubernetes", "rich", "elasticsearch", "shtab", "prometheus_api_client"}


@pytest.mark.parametrize("words", [["--help"], ["-h"], *([name, "--help"] for name in SUMMARIES)])
def test_help_begins_with_an_example_and_fits_on_a_screen(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words, {})
    lines = capsys.readouterr().out.splitlines()
    assert caught.value.code == 0
    assert any("run_chaos.py" in line for line in lines[:3])
    assert len(lines) <= 40


def test_every_command_is_in_the_help_and_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"], {})
    text = capsys.readouterr().out
    assert set(EXAMPLES) == set(SUMMARIES)
    assert all(re.search(rf"^ +{name} ", text, re.MULTILINE) for name in SUMMARIES)


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_every_example_is_understood(line: str) -> None:
    words = line.partition(" > ")[0].split()[1:]
    assert parse(words).command in SUMMARIES


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"], {})
    assert caught.value.code == 0
    assert re.fullmatch(r"squall \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize(("words", "command", "scenarios"), [
    ([], "run", []),
    (["--sandbox"], "run", []),
    (["a.yaml", "b/c.yaml"], "run", ["a.yaml", "b/c.yaml"]),
    (["run", "a.yaml"], "run", ["a.yaml"]),
    (["plan", "a.yaml"], "plan", ["a.yaml"]),
])
def test_run_is_the_default_command(words: list[str], command: str, scenarios: list[str]) -> None:
    found = parse(words)
    assert (found.command, found.scenarios) == (command, scenarios)


@pytest.mark.parametrize(("word", "hint"), [
    ("plam", "did you mean plan? "), ("validat", "did you mean validate? "), ("xyzzy", "commands: run, plan"),
])
def test_a_misspelled_command(word: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word], {}) == 255
    error = capsys.readouterr().err
    assert f"run_chaos.py: '{word}' is not a command" in error
    assert hint in error


@pytest.mark.parametrize(("words", "what"), [
    (["run", "--sandbx"], "unrecognized arguments: --sandbx"),
    (["plan", "--format", "xml"], "invalid choice: 'xml'"),
    (["run", "--config"], "expected one argument"),
    (["explain"], "the following arguments are required: TOPIC[.FIELD]"),
    (["completion", "tcsh"], "invalid choice: 'tcsh'"),
    (["--no-such-flag"], "unrecognized arguments: --no-such-flag"),
])
def test_bad_flags(words: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words, {}) == 255
    output = capsys.readouterr()
    assert output.out == ""
    assert what in output.err
    assert "--help" in output.err
    assert "Traceback" not in output.err


@pytest.mark.parametrize("assignment", ["squall.seed", ""])
def test_a_set_without_value(assignment: str) -> None:
    with pytest.raises(BadInput, match="sets nothing"):
        read_configuration(parse(["plan", "--set", assignment]), {}, optional=True)


def _loaded(*words: str) -> set[str]:
    """The top-level modules that a run of the program imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "run_chaos.py", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_help_loads_nothing_heavy() -> None:
    loaded = _loaded("--help")
    assert "chaos_modules" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("words", [["validate"], ["explain", "pod-network-loss"]])
def test_looking_at_files_loads_no_cluster_client(words: list[str]) -> None:
    loaded = _loaded(*words)
    assert "pydantic" in loaded
    assert not loaded & {"kubernetes", "rich", "elasticsearch", "jinja2"}


@pytest.mark.parametrize("words", [["list"], ["schema", "config"]])
def test_a_reader_that_leaves_is_no_bug(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "run_chaos.py", *words], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
