"""Many documents in one request, with plain JSON: every OpenSearch and Elasticsearch understands it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..model.probe import Connection
from .document import Document
from .exchange import Undelivered, ask, told

if TYPE_CHECKING:
    from requests import Session

# Everything else of an answer would only be read and thrown away.
ANSWER_FILTER = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one document: an HTTP status, and why it was refused."""

    status: int
    reason: str = ""

    @property
    def stored(self) -> bool:
        """Whether it is in the index."""
        return 200 <= self.status < 300


class BulkWriter(Protocol):
    """What takes documents to the server."""

    def store(self, documents: Sequence[Document]) -> list[Answer]:
        """One answer for each document, in their order. Raises Undelivered where nothing is known of any."""
        ...

    def close(self) -> None:
        """End what it holds beside the session."""
        ...


class PlainBulk:
    """NDJSON over our own session."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self._session = session
        self._connection = connection

    def store(self, documents: Sequence[Document]) -> list[Answer]:
        """See BulkWriter."""
        body = "".join(document.lines for document in documents).encode()
        response = ask(self._session, self._connection, "POST", f"/_bulk?filter_path={ANSWER_FILTER}", body)
        try:
            answers = [answer_of(next(iter(item.values()))) for item in response.json()["items"]]
        except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
            raise Undelivered("its answer to a bulk request is none; correct elastic.elastic_url and elastic.elastic_port") from None
        if len(answers) != len(documents):
            raise Undelivered(f"it answers for {len(answers)} of {len(documents)} documents")
        return answers

    def close(self) -> None:
        """Nothing: the session belongs to who opened it."""


def answer_of(item: dict[str, Any]) -> Answer:
    """One item of the server's answer."""
    error = item.get("error") or {}
    if isinstance(error, str):  # as servers before 2.0, and some proxies
        return Answer(int(item["status"]), told(error))
    cause = (error.get("caused_by") or {}).get("reason")
    parts = [str(part) for part in (error.get("type"), error.get("reason"), cause) if part]
    return Answer(int(item["status"]), told(": ".join(parts)) if parts else "")
