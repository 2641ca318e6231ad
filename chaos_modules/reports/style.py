"""Colour and symbols, decided per stream: NO_COLOR, FORCE_COLOR, TERM=dumb, --color; meaning is never carried by colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

_ASCII = {"→": "->", "…": "..", "±": "+-", "≤": "<=", "·": "-", "–": "-", "√": "+", "‼": "!", "×": "x"}


@dataclass(frozen=True, slots=True)
class Style:
    """How one stream wants its text."""

    colour: bool
    encoding: str

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def good(self, text: str) -> str:
        """Something that went as it should."""
        return self._paint("32", text)

    def bad(self, text: str) -> str:
        """Something that did not."""
        return self._paint("31", text)

    def bold(self, text: str) -> str:
        """A heading."""
        return self._paint("1", text)

    def encodable(self, text: str) -> str:
        """The text with ASCII stand-ins where the stream cannot write a character."""
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            for symbol, plain in _ASCII.items():
                text = text.replace(symbol, plain)
            return text.encode("ascii", "backslashreplace").decode()
        return text


def style_for(stream: IO[str], choice: str, environment: Mapping[str, str]) -> Style:
    """`choice` is auto, always or never."""
    forced = environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE")
    if choice == "auto":
        terminal = stream.isatty() and environment.get("TERM") != "dumb"
        colour = not environment.get("NO_COLOR") and bool(terminal or forced)
    else:
        colour = choice == "always"
    return Style(colour, getattr(stream, "encoding", None) or "ascii")
