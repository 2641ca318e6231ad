"""The record of a run: `<directory>/<run id>/` with plan.json, events.jsonl, result.json and debug.log."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..model.errors import BadInput

# What is written once the run is over.
PAGE, SCORE = "report.html", "resiliency-report.json"


class Record:
    """Writes as the run goes, so that a killed runner leaves what it knew. `problem` tells why writing failed, if it did."""

    def __init__(self, directory: str, run_id: str) -> None:
        """Make the folder. Raises BadInput where it cannot be written, before anything is touched."""
        self.path = Path(directory) / run_id
        self.problem = ""
        try:
            self.path.mkdir(parents=True)
            self._events = (self.path / "events.jsonl").open("w", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"the record cannot be written: {error}", str(self.path), "choose another squall.record_directory") from None
        self._log = _DebugLog(self.path / "debug.log", self._failed)
        self._log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.getLogger("chaos_modules").addHandler(self._log)
        logging.getLogger("chaos_modules").setLevel(logging.DEBUG)

    def document(self, name: str, content: Any) -> None:
        """Write one JSON document of the record."""
        self._guard(lambda: (self.path / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8"))

    def lines(self, name: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Write documents as they come, one a line."""

        def write() -> None:
            with (self.path / name).open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(document) + "\n" for document in documents)

        self._guard(write)

    def event(self, event: Mapping[str, Any]) -> None:
        """Append one event, at once on disk as far as the kernel is concerned."""

        def append() -> None:
            self._events.write(json.dumps(event) + "\n")
            self._events.flush()

        self._guard(append)

    def _guard(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.problem = self.problem or f"the record could not be written: {error}"

    def close(self) -> None:
        """Close the files; the record stays."""
        self._guard(self._events.close)
        logging.getLogger("chaos_modules").removeHandler(self._log)
        self._guard(self._log.close)


class _DebugLog(logging.FileHandler):
    """A log that tells the record when it cannot be written, where logging itself would print a traceback on the terminal."""

    def __init__(self, path: Path, failed: Callable[[OSError], None]) -> None:
        super().__init__(path, encoding="utf-8")
        self._failed = failed

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exception()
        if isinstance(error, OSError):
            self._failed(error)
        else:
            super().handleError(record)
