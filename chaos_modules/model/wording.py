"""Words that every error shares: a value as it is shown, and the nearest thing that would have been right (U2)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST_TEXT = 40
_MOST_LISTED = 40


def shown(value: object) -> str:
    """A value of the user's for an error message: printable, and short."""
    text = ascii(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that `word` was probably meant to be, whatever its case; empty when nothing is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    begins = [candidate for candidate in by_lower if len(word) > 2 and candidate.startswith(word.lower())]
    return by_lower[(found or begins)[0]] if found or begins else ""


def choices(word: str, known: Iterable[str]) -> str:
    """The remedy for a word that is not one of `known`: did you mean …, and what there is."""
    names = list(known)
    meant = nearest(word, names)
    listed = ", ".join(names[:_MOST_LISTED]) + (", …" if len(names) > _MOST_LISTED else "")
    guess = f"did you mean {meant}? " if meant else ""
    return f"{guess}valid: {listed}" if names else guess.strip()
