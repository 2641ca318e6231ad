"""Send what a run found to Elasticsearch or OpenSearch; what does not arrive stays in the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..model.errors import SquallError
from ..model.observation_plan import Indices
from ..model.probe import Connection
from ..reports.krkn_documents import run_documents
from ..reports.recorded import Recorded
from ..storage.document import Document
from ..storage.sending import USUAL_PATIENCE, Patience, Sent, send
from ..storage.spool import NAME, Spool, spooled

if TYPE_CHECKING:
    from requests import Session


def send_run(
    record: Recorded, elastic: Connection, indices: Indices, tag: str, stop: Callable[[], bool], *,
    open_session: Callable[[Connection], Session] | None = None, patience: Patience = USUAL_PATIENCE,
) -> list[str]:  # fmt: skip
    """Store everything of the run, or only what an earlier attempt left in `unsent.ndjson`. The problems, for people; none if all is stored.

    Sending again does no harm, as every document keeps its id. Whatever is not stored, refused documents included, is in `unsent.ndjson` then.
    """
    directory = Path(record.directory)
    waiting = directory / NAME
    problems: list[str] = []
    documents = spooled(waiting) if waiting.exists() else _readable(run_documents(record, indices, tag), record.directory, problems)
    with Spool(directory) as spool:
        try:
            sent = send(
                elastic, documents, spool.keep, open_session=open_session or _session, stop=stop, patience=patience
            )  # fmt: skip
        except SquallError as problem:
            return [*problems, f"{elastic.address}: sending ended: {problem}"]
        spool.finish()
    return [*problems, *_told(sent, spool, elastic.address, record.directory)]


def _session(connection: Connection) -> Session:
    from ..observe.session import session_for  # noqa: PLC0415 - only those who send need an HTTP client

    return session_for(connection)


def _readable(documents: Iterable[Document], directory: str, problems: list[str]) -> Iterator[Document]:
    """The documents as far as the record can be read: metrics are the last of them."""
    try:
        yield from documents
    except SquallError as problem:
        problems.append(f"{directory}: only a part of the metrics was sent: {problem}")


def _told(sent: Sent, spool: Spool, address: str, directory: str) -> Iterator[str]:
    for refusal in sent.refusals:
        yield f"{address}: refused documents: {refusal}"
    if sent.unsent:
        yield f"{address}: {sent.unsent} documents were not stored ({sent.stored} were): {sent.problem}"
    if sent.refused or sent.unsent:
        kept = f"not kept in a file ({spool.problem}), but the record still has them" if spool.problem else f"kept in {spool.path}"
        yield f"what was not stored is {kept}; send it with: python run_chaos.py report --send {directory}"
    elif spool.problem:
        yield f"everything is stored, but {spool.problem}"
