"""One request to the server, and in words why there was no good answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model.probe import Connection
from ..model.wording import one_line

if TYPE_CHECKING:
    from requests import RequestException, Response, Session

# What a busy server, or a proxy before one that restarts, answers: worth another attempt.
PASSING_STATUSES = frozenset({429, 502, 503, 504})
TOO_LARGE = 413
_MOST_TOLD = 300
_REMEDIES = {
    401: "correct elastic.username and elastic.password",
    403: "let the user write to the indices",
    404: "correct elastic.elastic_url",
}


@dataclass
class Undelivered(Exception):
    """A request that did nothing. `status` is 0 where no answer came; `passing`: another attempt may do; `too_large`: a smaller one may."""

    reason: str
    status: int = 0
    passing: bool = False
    too_large: bool = False


def ask(session: Session, connection: Connection, method: str, path: str, body: bytes | None = None) -> Response:
    """A good answer (2xx) to one request with plain JSON in it. Raises Undelivered, whose reason holds no secret."""
    from requests import RequestException  # noqa: PLC0415 - only those who store need an HTTP client

    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    url = without_credentials(connection.url).rstrip("/") + path
    try:
        # A redirect would turn POST into GET.
        response = session.request(method, url, data=body, headers=headers, timeout=connection.timeout_seconds, allow_redirects=False)
    except RequestException as error:
        raise unreached(error) from None
    refuse_status(response.status_code, response.text if response.status_code >= 300 else "")
    return response


def refuse_status(status: int, text: str) -> None:
    """Raises Undelivered unless the status is 2xx."""
    if 200 <= status < 300:
        return
    remedy = f"; {_REMEDIES[status]}" if status in _REMEDIES else ""
    raise Undelivered(f"it answers {status}: {told(text)}{remedy}", status, passing=status in PASSING_STATUSES, too_large=status == TOO_LARGE)


def told(text: str) -> str:
    """What the server said, short and printable."""
    text = one_line(" ".join(text.split()))
    return (text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]}…") or "nothing more"


def without_credentials(url: str) -> str:
    """The URL without user and password: the session has them."""
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def unreached(error: RequestException) -> Undelivered:
    """Why no answer came. The text of the library's own errors is not shown: it may quote the URL."""
    from requests import exceptions  # noqa: PLC0415

    if isinstance(error, exceptions.SSLError):
        return Undelivered(f"the TLS connection failed: {_innermost(error)}; correct squall.elastic.ca_file or the certificate")
    if isinstance(error, exceptions.Timeout):
        return Undelivered("no answer in time", passing=True)
    if isinstance(error, (exceptions.ConnectionError, exceptions.ChunkedEncodingError, exceptions.ContentDecodingError)):
        return Undelivered(f"no connection: {_innermost(error)}", passing=True)
    return Undelivered(f"the request could not be made ({type(error).__name__}); correct elastic.elastic_url")


def _innermost(error: BaseException) -> str:
    """The operating system's own words at the bottom of the libraries' wrappings."""
    seen: BaseException = error
    for _ in range(8):
        inner = getattr(seen, "reason", None) or next((one for one in seen.args if isinstance(one, BaseException)), None) or seen.__cause__
        if not isinstance(inner, BaseException):
            break
        seen = inner
    if isinstance(seen, OSError):
        return told(str(getattr(seen, "verify_message", "") or seen.strerror or type(seen).__name__))
    cause = seen.__context__
    return told(cause.strerror) if isinstance(cause, OSError) and cause.strerror else type(seen).__name__
