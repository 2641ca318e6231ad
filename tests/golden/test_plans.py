"""The plan of each shipped scenario, exactly as `plan -v` prints it: every line of every alternative; and as `plan` prints the whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos_modules.cli.main import main

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("scenarios/harness/*.yaml"))


def normalised(text: str) -> str:
    """With a fixed run id in place of the drawn one, and without the positions, which a comment in the file would move."""
    drawn = re.search(r"\brun ([0-9a-f]{8})\b", text)
    assert drawn
    return re.sub(r"(\.yaml):\d+:\d+", r"\1", text.replace(drawn.group(1), "0badcafe"))


@pytest.mark.usefixtures("at_root")
@pytest.mark.parametrize("path", SCENARIOS)
def test_plan(path: str, golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-v", "--sandbox", "--seed", "42", path], {}) == 0
    golden(f"plan-{Path(path).stem}.txt", normalised(capsys.readouterr().out))


@pytest.mark.usefixtures("at_root")
def test_plan_of_the_shipped_configuration(golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--sandbox", "--seed", "42"], {}) == 0
    golden("plan-config.txt", normalised(capsys.readouterr().out))


def test_no_golden_plan_is_left_of_a_scenario_that_is_gone() -> None:
    stored = {path.stem.removeprefix("plan-") for path in (ROOT / "tests" / "golden").glob("plan-*.txt")}
    assert stored == {Path(path).stem for path in SCENARIOS} | {"config"}
