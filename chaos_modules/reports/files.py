"""The reports in a record: written at the end of a run, and written again byte for byte by `report`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .junit import junit
from .markdown import markdown
from .record import PAGE
from .recorded import Recorded

JUNIT, MARKDOWN, HTML = "junit.xml", "report.md", PAGE


def html(recorded: Recorded) -> str:
    """`report.html`."""
    from .html import report_page  # noqa: PLC0415 - templates, which the other reports do not need

    return report_page(recorded)


REPORTS: dict[str, Callable[[Recorded], str]] = {JUNIT: junit, MARKDOWN: markdown, HTML: html}


def write_reports(directory: Path, recorded: Recorded) -> list[str]:
    """Write every report into the record; what could not be written, as texts."""
    return [problem for name, make in REPORTS.items() if (problem := write_whole(directory / name, make(recorded)))]


def write_whole(path: Path, text: str) -> str:
    """Write a file, with the folders that it needs, so that nobody ever sees half of it; a problem as text, or empty."""
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == text.encode("utf-8"):  # also where nothing may be written
            return ""
        if path.exists() and not path.is_file():  # a pipe or a device is written as it is
            path.write_text(text, encoding="utf-8")
            return ""
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except (OSError, ValueError) as error:
        _remove(part)
        return f"{path} could not be written: {getattr(error, 'strerror', None) or error}"
    return ""


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except (OSError, ValueError):
        pass
