"""What an injector left in its termination message: a letter per target, then a line for each that failed or left something.

Where it left nothing and failed, the kubelet puts the end of its log there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.wording import one_line
from .lines import event_in

STATUSES = {
    "p": "passed", "t": "no-traffic", "i": "interrupted", "r": "refused", "l": "lapsed", "e": "not-in-effect", "n": "not-applied",
}  # fmt: skip
CUT = "(cut)"
LONGEST_LINE = 200


def last_words(message: str, keys: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(key, status, reason) per target in the order of the job; nothing where the message is not an injector's own."""
    letters, *lines = message.split("\n")
    if not _own(letters, lines, keys):
        return
    for key, letter in zip(keys, letters, strict=True):
        told = [line.removeprefix(f"{key}: ") for line in lines if line.startswith(f"{key}: ")]
        reason = told[0].partition(":")[2].strip() if told else ""
        yield key, STATUSES[letter], reason


def last_line(message: str, keys: Sequence[str]) -> str:
    """The last line of a log in its place, unless it is an event: what Python or a library said. Empty where there is none."""
    letters, *lines = message.split("\n")
    written = [line for line in (letters, *lines) if line.strip()]
    if not written or _own(letters, lines, keys) or event_in(written[-1]) is not None:
        return ""
    return one_line(written[-1])[:LONGEST_LINE]


def _own(letters: str, lines: Sequence[str], keys: Sequence[str]) -> bool:
    """The end of a log may begin in the middle of a line, of which letters may be left: what follows must be an injector's too."""
    followed = all(any(line.startswith(key) or key.startswith(line) for key in keys) for line in lines if line != CUT)
    return len(letters) == len(keys) and set(letters) <= set(STATUSES) and followed
