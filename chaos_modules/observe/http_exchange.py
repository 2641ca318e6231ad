"""One HTTP request over a connection of its own, answered in full by a deadline, or why not."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model.errors import BadInput
from ..model.probe import Connection
from ..model.wording import one_line
from .not_asked import NotAsked
from .session import session_for

if TYPE_CHECKING:
    from requests import Response, Session

    from .deadline_transport import Deadline

MOST_KEPT = 1 << 20
_PIECE = 1 << 16
# What this machine, not the system under test, has run out of.
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EADDRNOTAVAIL}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: the first MiB of its body, and the seconds until its last byte."""

    status: int
    body: bytes
    seconds: float


class NoAnswer(Exception):
    """The other end did not answer, or not in full: refused, broken off, too late. The text is one sentence without secrets."""


def exchange(
    connection: Connection, timeout: float, *, method: str = "GET", follow: bool = True, resolve: Callable[[str], Sequence[str]] | None = None
) -> Answer:  # fmt: skip
    """Ask once, on a fresh connection: that is what a new user of the service pays, and a kept connection would hide what the network does to it.

    The deadline holds for everything together: name, connection, TLS, redirects, the last byte of the body. With `resolve` (the names of a pod of the
    sandbox) no proxy is used. Raises NoAnswer, and NotAsked where the request did not leave us.
    """
    import requests  # noqa: PLC0415
    import urllib3  # noqa: PLC0415

    from .deadline_transport import Deadline, DeadlineAdapter, public_trust  # noqa: PLC0415

    with ExitStack() as opened:
        session = opened.enter_context(_session(connection))
        trust = public_trust() if session.verify is True and not session.cert else None
        deadline = opened.enter_context(Deadline(timeout))
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter(deadline, resolve, trust))
        if resolve:
            session.proxies = {}
        if not connection.verify:  # as somebody chose
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        try:
            response = session.request(method, connection.url, timeout=timeout, allow_redirects=follow, stream=True)
            return Answer(response.status_code, _body(opened.enter_context(response), deadline), time.monotonic() - deadline.begun)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, requests.exceptions.InvalidSchema,
                requests.exceptions.MissingSchema, UnicodeError) as error:  # fmt: skip
            raise NotAsked(f"the request cannot be sent: {_kind(error)}; correct the URL, the headers and the credentials") from None
        except requests.exceptions.TooManyRedirects:
            raise NoAnswer("it redirects without end") from None
        except (requests.RequestException, OSError) as error:
            if deadline.late or any(isinstance(cause, TimeoutError) and not cause.errno for cause in _causes(error)):
                raise NoAnswer(f"no answer within {timeout:g} s") from None
            raise _failure(error) from None


def _session(connection: Connection) -> Session:
    """One that trusts files which are fit for it. Raises NotAsked."""
    try:
        _require_usable(connection)
        return session_for(connection)
    except BadInput as problem:
        raise NotAsked(problem.what) from None


def _require_usable(connection: Connection) -> None:
    """A file that is there and holds no certificate would look like a failed handshake."""
    if not connection.url.lower().startswith("https:"):
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if connection.ca_file and connection.verify and not os.path.isdir(connection.ca_file):  # noqa: PTH112 - may be any text
        _load("CA file", connection.ca_file, lambda: context.load_verify_locations(connection.ca_file))
    if connection.client_certificate:
        key = connection.client_key or None
        _load("client certificate", connection.client_certificate, lambda: context.load_cert_chain(connection.client_certificate, key, lambda: ""))


def _load(what: str, path: str, load: Callable[[], None]) -> None:
    try:
        load()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise NotAsked(f"the {what} {one_line(path)} cannot be used: {reason}") from None


def _body(response: Response, deadline: Deadline) -> bytes:
    """All of it is read, one MiB is kept."""
    kept = bytearray()
    for piece in response.iter_content(_PIECE):
        kept += piece[: MOST_KEPT - len(kept)]
        deadline.remaining()
    if deadline.late:
        raise TimeoutError
    return bytes(kept)


def _failure(error: BaseException) -> Exception:
    """The innermost cause that says something, in words of our own: the client's texts quote URLs."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _OURS:
            return NotAsked(f"this machine could not ask: {os.strerror(cause.errno).lower()}")
        words = _words(cause)
        if words:
            return NoAnswer(words)
    return NoAnswer(f"the connection failed: {_kind(error)}")


def _words(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {str(cause.reason or 'no reason given').lower().replace('_', ' ')}"
    if isinstance(cause, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(cause, (http.client.RemoteDisconnected, http.client.IncompleteRead)):
        return "the connection was closed before the answer was complete"
    if isinstance(cause, http.client.HTTPException):
        return "what came is no HTTP"
    return os.strerror(cause.errno).lower() if isinstance(cause, OSError) and cause.errno else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """From the outermost to the innermost: the client libraries wrap by `raise`, by `reason` and by arguments."""
    known: list[BaseException] = [error]
    for one in known:
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        known += [other for other in inner if isinstance(other, BaseException) and other not in known]
        yield one


def _kind(error: BaseException) -> str:
    return type(error).__name__
