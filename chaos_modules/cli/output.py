"""Where commands print text: nothing that came from a file, a flag or a cluster reaches a terminal raw."""

from __future__ import annotations

import sys
from typing import IO

from ..model.wording import printable


def say(text: str) -> None:
    """A result, to standard output."""
    _write(text, sys.stdout)


def tell(text: str) -> None:
    """A remark or an error, to standard error."""
    _write(text, sys.stderr)


def _write(text: str, stream: IO[str]) -> None:
    text = printable(text)
    utf = "utf" in (getattr(stream, "encoding", None) or "").lower()
    print(text if utf else text.encode("ascii", "backslashreplace").decode(), file=stream)
