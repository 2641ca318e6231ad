"""Programs that are run, alone, in batches and together: what is told of those that fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "containers" / "injector"))

import commands
from commands import CommandFailed, Waiting, batch, command, together


@pytest.fixture
def tool(tmp_path: Path) -> Callable[[str, str], str]:
    def write(name: str, script: str) -> str:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return write


def test_lines_of_one_tool_are_one_process(tool: Callable[[str, str], str], tmp_path: Path) -> None:
    tc = tool("tc", f'echo "$*" >> {tmp_path}/calls; cat >> {tmp_path}/calls')
    batch([[tc, "qdisc", "add"], [tc, "class", "add"]])
    batch([[tc, "qdisc", "del"]])
    assert (tmp_path / "calls").read_text() == "-batch -\nqdisc add\nclass add\nqdisc del\n"


def test_the_failing_line_of_a_batch_is_named(tool: Callable[[str, str], str]) -> None:
    tc = tool("tc", "echo 'Error: Specified qdisc kind is unknown.' >&2; echo 'Command failed -:2' >&2; exit 1")
    with pytest.raises(CommandFailed) as caught:
        batch([[tc, "qdisc", "add", "htb"], [tc, "qdisc", "add", "netem"], [tc, "qdisc", "add", "tbf"]])
    said = str(caught.value)
    assert said.startswith(f"`{tc} qdisc add netem` failed (1): Error: Specified qdisc kind is unknown. → this node's kernel has no netem")
    assert "Command failed" not in said


def test_a_failed_command_is_told_with_its_input(tool: Callable[[str, str], str]) -> None:
    with pytest.raises(CommandFailed, match=r"nft -f -  <<< add table x` failed \(3\): no"):
        command([tool("nft", "echo no >&2; exit 3"), "-f", "-"], "add table x\n")
    with pytest.raises(CommandFailed, match=r"no-such-tool is not installed \(packages iproute2 and nftables\)"):
        command(["no-such-tool"])


def test_what_hangs_is_ended(tool: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "COMMAND_SECONDS", 0.1)
    with pytest.raises(CommandFailed, match=r"tc`: .*timed out"):
        command([tool("tc", "exec sleep 60")])


def test_what_runs_together_is_told_in_order(tool: Callable[[str, str], str], tmp_path: Path) -> None:
    """Each waits for the other, so that one after the other would never end."""
    words = [[tool(one, f"touch {tmp_path}/{one}.on; until [ -e {tmp_path}/{two}.on ]; do :; done; echo {one}")] for one, two in ("ab", "ba")]
    assert together(*words) == ["a\n", "b\n"]
    assert together() == []


def test_the_first_failure_of_what_runs_together_is_told_and_the_rest_is_ended(tool: Callable[[str, str], str]) -> None:
    with pytest.raises(CommandFailed, match="one` failed"):
        together([tool("one", "exit 1")], [tool("two", "exec sleep 60")])
    with pytest.raises(CommandFailed, match="is not installed"):
        together([tool("three", "exec sleep 60")], ["no-such-tool"])


def test_what_waits_for_its_input_does_nothing_before_it(tool: Callable[[str, str], str], tmp_path: Path) -> None:
    nft = tool("nft", f"text=$(cat); echo \"$text\" > {tmp_path}/done; [ \"$text\" = good ] || {{ echo no >&2; exit 1; }}")
    waiting = Waiting([nft, "-f", "-"])
    assert not (tmp_path / "done").exists()
    waiting.run("good")
    assert (tmp_path / "done").read_text() == "good\n"
    waiting.end()
    with pytest.raises(CommandFailed, match=r"nft -f -  <<< bad` failed \(1\): no"):
        Waiting([nft, "-f", "-"]).run("bad")


def test_what_waited_in_vain_is_ended_without_having_done_anything(tool: Callable[[str, str], str], tmp_path: Path) -> None:
    waiting = Waiting([tool("nft", f"exec cat > {tmp_path}/done")])
    waiting.end()
    assert waiting.process.returncode == -9
    assert not (tmp_path / "done").exists() or (tmp_path / "done").read_text() == ""
