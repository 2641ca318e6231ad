"""One HTTP exchange with an API server over the official client's pool: no patience here, every failure becomes an ApiProblem."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from socket import EAI_NONAME, gaierror
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ... import __version__
from ...model.wording import one_line
from .api import ApiProblem, Object
from .backoff import Passing
from .refusal import Request, Who, place, refusal

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_SECONDS, READ_SECONDS = 3.0, 30.0
# TLS that ends in the middle is a lost connection; every other problem of TLS stays.
_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An API server and who we are to it. `authorization` renews itself; `pool` is the official client's."""

    who: Who
    server: str
    pool: PoolManager
    authorization: Callable[[], str]

    def headers(self) -> dict[str, str]:
        """What every request carries. Raises ApiProblem when the credentials cannot be renewed."""
        authorization = self.authorization()
        return {"User-Agent": f"squall/{__version__}", **({"Authorization": authorization} if authorization else {})}

    def address(self, request: Request) -> str:
        """The URL of a request."""
        return f"{self.server}{request.path}{'?' if request.query else ''}{urlencode(request.query)}"


class Http:
    """Exchanges as one user; may be used from any thread."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.answered = False

    def exchange(self, request: Request, read_seconds: float) -> Object:
        """One request and its JSON. Raises ApiProblem; Passing where another attempt may succeed."""
        response = self._send(request, read_seconds, {"Accept": "application/json", "Accept-Encoding": "gzip"}, streamed=False)
        try:
            found = json.loads(response.data)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            remedy = f"is {self.login.server} an API server, or a proxy before it?"
            raise ApiProblem("the answer is not a JSON object", place(self.login.who, request), remedy, status=response.status)
        return found

    def open(self, request: Request, silent_seconds: float) -> BaseHTTPResponse:
        """Begin to read an answer that goes on. Raises ApiProblem."""
        return self._send(request, silent_seconds, {"Accept": "*/*"}, streamed=True)

    def chunks(self, request: Request, response: BaseHTTPResponse) -> Iterator[bytes]:
        """The parts of such an answer as they come. Raises ApiProblem when it breaks off."""
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            yield from response.stream(2**16)
        except HTTPError as error:
            raise unanswered(self.login, request, error) from error

    def _send(self, request: Request, read_seconds: float, headers: dict[str, str], streamed: bool) -> BaseHTTPResponse:
        from urllib3 import Timeout  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        body = None
        if request.body is not None:
            body = json.dumps(request.body, separators=(",", ":")).encode()
            headers["Content-Type"] = _CONTENT_TYPES.get(request.method, "application/json")
        try:
            response = self.login.pool.request(
                request.method, self.login.address(request), body=body, headers={**self.login.headers(), **headers},
                timeout=Timeout(connect=CONNECT_SECONDS, read=read_seconds), retries=False, redirect=False, preload_content=not streamed,
            )  # fmt: skip
            self.answered = True
            if not 200 <= response.status <= 299:
                raise refusal(self.login.who, request, response.status, response.data, response.headers)
        except HTTPError as error:
            raise unanswered(self.login, request, error) from error
        return response


def unanswered(login: Login, request: Request, error: Exception) -> ApiProblem:
    """The problem behind a connection that was not made, or broke off."""
    from urllib3 import exceptions  # noqa: PLC0415

    where = place(login.who, request)
    remedy = f"is the API server running and reachable from here? `kubectl --context {login.who.name} get --raw /readyz` asks the same one"
    cause = _cause(error)
    if isinstance(error, exceptions.ReadTimeoutError):
        return Passing("the API server sent nothing in time", where, remedy, perhaps_done=True, silent=True)
    if isinstance(error, (exceptions.SSLError, ssl.SSLError)) and not isinstance(cause, _CUT_OFF):
        remedy = "compare certificate-authority-data, server and client certificate of the kubeconfig with the cluster's"
        return ApiProblem(f"no TLS with {login.server}: {_text(cause)}", where, remedy)
    hopeless = isinstance(error, exceptions.LocationValueError) or (isinstance(cause, gaierror) and cause.errno == EAI_NONAME)
    kind = ApiProblem if hopeless else Passing
    lost = isinstance(error, exceptions.ProtocolError) and not isinstance(cause, OSError)
    problem = kind(f"no answer from {login.server}: {'it broke off' if lost else _text(cause)}", where, remedy)
    if isinstance(problem, Passing):
        problem.perhaps_done = isinstance(error, exceptions.ProtocolError)
    return problem


def _cause(error: BaseException) -> BaseException:
    """The innermost reason: urllib3 wraps what the system said, as argument or as cause."""
    inner = error.__cause__ or error.__context__ or next((one for one in error.args if isinstance(one, BaseException)), None)
    return _cause(inner) if inner else error


def _text(error: BaseException) -> str:
    return one_line((error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__)
