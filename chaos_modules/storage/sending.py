"""Send documents until each is stored, refused, or kept for later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..model.probe import Connection
from .bulk import Answer, BulkWriter, PlainBulk
from .document import Document, without_parameters
from .elastic_client import ClientBulk, client_fits, installed_client
from .exchange import PASSING_STATUSES, Undelivered
from .server import Server, probe_server

if TYPE_CHECKING:
    from requests import Session

# Fewer, larger requests: a server makes each durable by itself.
CHUNK_DOCUMENTS = 5_000
CHUNK_BYTES = 5_000_000
_LOOK_SECONDS = 0.1
_BAD_DOCUMENT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often something that may pass is tried, and the seconds between two attempts, doubled each time up to the longest."""

    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 8.0

    def wait(self, attempt: int) -> float:
        """Seconds after the given attempt, from 1."""
        return float(min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1)))


USUAL_PATIENCE = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of the documents: each is counted once.

    `refusals` says for each index how many the server refused and why the first was. `problem` says why the unsent ones were given up.
    """

    stored: int = 0
    refused: int = 0
    unsent: int = 0
    refusals: tuple[str, ...] = ()
    problem: str = ""


def send(
    connection: Connection, documents: Iterable[Document], keep: Callable[[Document], None], *, open_session: Callable[[Connection], Session],
    stop: Callable[[], bool] = lambda: False, patience: Patience = USUAL_PATIENCE,
) -> Sent:  # fmt: skip
    """Store the documents at the connection's server, by the way that suits it. `keep` gets every document that is not stored.

    Nothing is raised for what the server does. `stop` is asked between requests and while waiting; once true, the rest is kept.
    """
    session = open_session(connection)
    try:
        delivery = _Delivery(keep, stop, patience)
        with _Closing(delivery.writer_for(session, connection)) as writer:
            for chunk in ahead(chunks(documents)):
                delivery.take(chunk, writer)
        return delivery.sent()
    finally:
        session.close()


def chunks(documents: Iterable[Document], most: int = CHUNK_DOCUMENTS, most_bytes: int = CHUNK_BYTES) -> Iterator[list[Document]]:
    """The documents in requests of bearable size; one that is too large by itself goes alone."""
    chunk: list[Document] = []
    size = 0
    for document in documents:
        length = len(document.lines)
        if chunk and (len(chunk) >= most or size + length > most_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(document)
        size += length
    if chunk:
        yield chunk


def ahead(made: Iterator[list[Document]]) -> Iterator[list[Document]]:
    """The same, the next one being made while the server works on the last."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, made, None)
        while (chunk := coming.result()) is not None:
            coming = worker.submit(next, made, None)
            yield chunk


def writer_to(session: Session, connection: Connection, server: Server) -> BulkWriter:
    """The official client where it can be used, else plain requests."""
    return ClientBulk(session, connection) if client_fits(server, installed_client()) else PlainBulk(session, connection)


class _Closing:
    def __init__(self, writer: BulkWriter | None) -> None:
        self._writer = writer

    def __enter__(self) -> BulkWriter | None:
        return self._writer

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()


@dataclass
class _Delivery:
    """The account of one `send`. Once `problem` is set, everything else is kept unsent."""

    keep: Callable[[Document], None]
    stop: Callable[[], bool]
    patience: Patience
    stored: int = 0
    unsent: int = 0
    problem: str = ""
    refused: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def writer_for(self, session: Session, connection: Connection) -> BulkWriter | None:
        """Find out what the server is; None, with the problem, where it does not say."""
        found: list[Server] = []

        def attempt() -> str:
            try:
                found.append(probe_server(session, connection))
            except Undelivered as failure:
                return self._failed(failure)
            return ""

        self._persist(attempt)
        return writer_to(session, connection, found[0]) if found else None

    def take(self, documents: Sequence[Document], writer: BulkWriter | None) -> None:
        """Send one chunk, in part again and again where that may help."""
        pending = list(documents)

        def attempt() -> str:
            nonlocal pending
            if writer is None:
                return self.problem
            pending, reason = self._once(pending, writer)
            return reason

        if not self.problem:
            self._persist(attempt)
        for document in pending:
            self.unsent += 1
            self.keep(document)

    def sent(self) -> Sent:
        """The account as it stands."""
        refusals = tuple(f"{count} for {index}, the first because {self.reasons[index]}" for index, count in self.refused.items())
        return Sent(stored=self.stored, refused=sum(self.refused.values()), unsent=self.unsent, refusals=refusals, problem=self.problem)

    def _persist(self, attempt: Callable[[], str]) -> None:
        """Try until an attempt gives no reason to try again."""
        reason = ""
        for number in range(1, self.patience.attempts + 1):
            if self.stop():
                self.problem = "it was interrupted"
            if self.problem:
                return
            reason = attempt()
            if not reason or self.problem:
                return
            if number < self.patience.attempts:
                self._sleep(self.patience.wait(number))
        self.problem = f"{reason} (tried {self.patience.attempts} times)"

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stop() and (left := until - time.monotonic()) > 0:
            time.sleep(min(_LOOK_SECONDS, left))

    def _failed(self, failure: Undelivered) -> str:
        if not failure.passing:
            self.problem = failure.reason
        return failure.reason

    def _once(self, documents: list[Document], writer: BulkWriter) -> tuple[list[Document], str]:
        """One request: the documents to send again, and why."""
        try:
            answers = writer.store(documents)
        except Undelivered as failure:
            return self._not_taken(documents, failure, writer)
        again, why = [], ""
        for document, first in zip(documents, answers, strict=True):
            answer = self._simplified(document, first, writer)
            if answer.stored:
                self.stored += 1
            elif answer.status in PASSING_STATUSES:
                again.append(document)
                why = why or f"it answers {answer.status}: {answer.reason}"
            else:
                self._refuse(document, f"{answer.status}: {answer.reason}")
        return again, why

    def _not_taken(self, documents: list[Document], failure: Undelivered, writer: BulkWriter) -> tuple[list[Document], str]:
        if not failure.too_large:
            return documents, self._failed(failure)
        if len(documents) == 1:
            self._refuse(documents[0], failure.reason)
            return [], ""
        half = len(documents) // 2
        first, why = self._once(documents[:half], writer)
        second, why_too = (documents[half:], why) if self.problem else self._once(documents[half:], writer)
        return first + second, why or why_too

    def _simplified(self, document: Document, answer: Answer, writer: BulkWriter) -> Answer:
        """The answer to the document without its parameters, where the server did not take it with them."""
        simpler = without_parameters(document) if answer.status == _BAD_DOCUMENT else None
        if simpler is None:
            return answer
        try:
            second = writer.store([simpler])[0]
        except Undelivered as failure:
            return Answer(503, failure.reason)
        return answer if second.status == _BAD_DOCUMENT else second

    def _refuse(self, document: Document, reason: str) -> None:
        self.refused[document.index] = self.refused.get(document.index, 0) + 1
        self.reasons.setdefault(document.index, reason)
        self.keep(document)
