"""What could not be stored, in the record: NDJSON as a bulk request has it, which any client can send as it is."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from ..model.errors import BadInput
from .document import Document

NAME = "unsent.ndjson"


class Spool:
    """Replaces `unsent.ndjson` of a record as a whole, at the end: readable for its owner alone, and never half written.

    `problem` says why it could not be written; what was there before is then still there.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self.problem = ""
        self._file: IO[str] | None = None
        self._temporary = ""

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        """Without `finish`, everything stays as it was."""
        self._discard()

    def keep(self, document: Document) -> None:
        """Add one document."""
        if self.problem:
            return
        try:
            if self._file is None:  # mkstemp: mode 0600
                descriptor, self._temporary = tempfile.mkstemp(prefix=f".{NAME}.", dir=self.path.parent)
                self._file = os.fdopen(descriptor, "w", encoding="utf-8")
            self._file.write(document.lines)
        except OSError as error:
            self.problem = f"{self.path} could not be written: {error.strerror or error}"

    def finish(self) -> None:
        """Put the kept documents in place; with none, remove what an earlier attempt had left."""
        try:
            if self.problem:
                return
            if self._file is None:
                self.path.unlink(missing_ok=True)
                return
            self._file.flush()
            os.fsync(self._file.fileno())
            Path(self._temporary).replace(self.path)
        except OSError as error:
            self.problem = f"{self.path} could not be written: {error.strerror or error}"
        finally:
            self._discard()

    def _discard(self) -> None:
        if self._file:
            with suppress(OSError):  # said already, and nothing more can be done
                self._file.close()
            with suppress(OSError):
                Path(self._temporary).unlink(missing_ok=True)
            self._file = None


def spooled(path: Path) -> Iterator[Document]:
    """The documents of a spool, one by one. Raises BadInput where it is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                yield _document(line, next(lines, ""), f"{path}:{2 * number - 1}")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", str(path), "correct the file's permissions") from None


def _document(action: str, body: str, where: str) -> Document:
    try:
        target, content = json.loads(action)["index"], json.loads(body)
        return Document(index=str(target["_index"]), id=str(target["_id"]), body=dict(content))
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(
            f"not a document that waits to be sent: {error}", where, "remove the file: everything is sent from the record again"
        ) from None  # fmt: skip
