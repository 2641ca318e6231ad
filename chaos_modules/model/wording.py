"""Words that every error shares: a value as it is shown, and the nearest thing that would have been right (U2)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

LOOSELY, CLOSELY = 0.6, 0.8
_LONGEST_TEXT = 40
_LONGEST_WORD = 100
_MOST_LISTED = 40


def shown(value: object) -> str:
    """A value of the user's for an error message: printable, and short."""
    text = ascii(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def printable(text: str) -> str:
    """Text for a terminal: line breaks and tabs stay; escapes, control, format and undecodable characters are spelled out."""
    return text if text.isprintable() else "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


def one_line(text: str) -> str:
    """The same without line breaks: for a name within a line, such as a file's."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def printable_parts(value: Any) -> Any:
    """Plain data whose every text can be shown."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable_parts(key): printable_parts(part) for key, part in value.items()}
    return [printable_parts(part) for part in value] if isinstance(value, (list, tuple)) else value


def nearest(word: str, known: Iterable[str], closeness: float = LOOSELY) -> str:
    """The one of `known` that `word` was probably meant to be, whatever its case; empty when nothing is close."""
    word = word[:_LONGEST_WORD].lower()
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(word, by_lower, n=1, cutoff=closeness)
    begins = [candidate for candidate in by_lower if closeness == LOOSELY and len(word) > 2 and candidate.startswith(word)]
    return by_lower[(found or begins)[0]] if found or begins else ""


def choices(word: str, known: Iterable[str], closeness: float = LOOSELY) -> str:
    """The remedy for a word that is not one of `known`: did you mean …, and what there is."""
    names = list(known)
    meant = nearest(word, names, closeness)
    listed = ", ".join(names[:_MOST_LISTED]) + (", …" if len(names) > _MOST_LISTED else "")
    guess = f"did you mean {meant}? " if meant else ""
    return f"{guess}valid: {listed}" if names else guess.strip()
