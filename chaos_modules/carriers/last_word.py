"""What an injector left in its termination message: a letter per target, then a line for each that failed or left something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

STATUSES = {
    "p": "passed", "t": "no-traffic", "i": "interrupted", "r": "refused", "l": "lapsed", "e": "not-in-effect", "n": "not-applied",
}  # fmt: skip


def last_words(message: str, keys: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(key, status, reason) per target in the order of the job; nothing where the message is not an injector's own."""
    letters, *lines = message.split("\n")
    if len(letters) != len(keys) or not set(letters) <= set(STATUSES):
        return
    for key, letter in zip(keys, letters, strict=True):
        told = [line.removeprefix(f"{key}: ") for line in lines if line.startswith(f"{key}: ")]
        reason = told[0].partition(":")[2].strip() if told else ""
        yield key, STATUSES[letter], reason
