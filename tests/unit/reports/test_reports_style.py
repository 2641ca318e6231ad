"""Colour and characters, decided for each stream."""

from __future__ import annotations

from io import StringIO

import pytest

from chaos_modules.reports.style import Style, style_for


class Stream(StringIO):
    """A stream that says whether it is a terminal, and its encoding."""

    def __init__(self, terminal: bool, encoding: str | None = "utf-8") -> None:
        super().__init__()
        self.terminal, self.told = terminal, encoding

    def isatty(self) -> bool:
        return self.terminal

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        return self.told


@pytest.mark.parametrize(("terminal", "choice", "environment", "colour"), [
    (True, "auto", {}, True),
    (False, "auto", {}, False),
    (True, "auto", {"NO_COLOR": "1"}, False),
    (True, "auto", {"NO_COLOR": ""}, True),
    (False, "auto", {"FORCE_COLOR": "1"}, True),
    (False, "auto", {"CLICOLOR_FORCE": "1"}, True),
    (False, "auto", {"FORCE_COLOR": ""}, False),
    (False, "auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    (True, "auto", {"TERM": "dumb"}, False),
    (True, "auto", {"TERM": "xterm"}, True),
    (True, "never", {"FORCE_COLOR": "1"}, False),
    (False, "always", {"NO_COLOR": "1", "TERM": "dumb"}, True),
])
def test_the_matrix(terminal: bool, choice: str, environment: dict[str, str], colour: bool) -> None:
    assert style_for(Stream(terminal), choice, environment).colour is colour


def test_paint() -> None:
    assert (Style(True, "utf-8").good("x"), Style(True, "utf-8").bad("x"), Style(True, "utf-8").bold("x")) == (
        "\x1b[32mx\x1b[0m", "\x1b[31mx\x1b[0m", "\x1b[1mx\x1b[0m",
    )
    assert Style(False, "utf-8").bad("x") == "x"


@pytest.mark.parametrize(("encoding", "text"), [
    ("utf-8", "a → b … ± ≤ · – é"),
    ("ascii", "a -> b .. +- <= - - \\xe9"),
    ("latin-1", "a -> b .. +- <= - - \\xe9"),
    ("no-such-encoding", "a -> b .. +- <= - - \\xe9"),
])
def test_what_a_stream_cannot_write_has_a_stand_in(encoding: str, text: str) -> None:
    assert Style(False, encoding).encodable("a → b … ± ≤ · – é") == text


def test_a_stream_without_encoding_gets_ascii() -> None:
    assert style_for(Stream(False, None), "auto", {}).encoding == "ascii"
