"""What every test may use: golden files, and the option that renews them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing with them")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: the text is what tests/golden/<name> holds; pytest shows the difference."""

    def check(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing; write it with --update-golden and read what it says"
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory is the repository's, as shipped configuration files expect it."""
    monkeypatch.chdir(ROOT)
    return ROOT
