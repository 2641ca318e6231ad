"""An HTTP session as a connection asks for it: who we are, whom we trust, and what does not come from the environment."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..model.errors import BadInput
from ..model.probe import Connection
from ..model.wording import one_line

if TYPE_CHECKING:
    from requests import PreparedRequest, Session


def session_for(connection: Connection) -> Session:
    """A session for the connection's server alone. Close it. Nothing is tried again by itself, and no cookie is kept, so that threads may share it.

    The proxies of the environment (with `no_proxy`) and its REQUESTS_CA_BUNDLE hold; ~/.netrc does not: it would send what nobody configured.
    Credentials in the URL are used where the connection has none. Raises BadInput for a file, a token or a header
    that cannot be used.
    """
    from http.cookiejar import DefaultCookiePolicy  # noqa: PLC0415 - only those who observe need an HTTP client

    from requests import Session  # noqa: PLC0415
    from requests.utils import get_environ_proxies  # noqa: PLC0415
    from urllib3 import disable_warnings  # noqa: PLC0415
    from urllib3.exceptions import InsecureRequestWarning  # noqa: PLC0415

    _require_sendable(connection)
    session = Session()
    session.trust_env = False
    session.proxies = dict(get_environ_proxies(connection.url))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(dict(connection.headers))
    _sign_in(session, connection)
    session.verify = (connection.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or True) if connection.verify else False
    if not connection.verify:
        disable_warnings(InsecureRequestWarning)  # it was asked for, and would be told at every request
    if connection.client_certificate:
        key = connection.client_key
        session.cert = (connection.client_certificate, key) if key else connection.client_certificate
    return session


def _sign_in(session: Session, connection: Connection) -> None:
    """The token goes before user and password, as in krkn; both before what the URL holds."""
    from requests.auth import HTTPBasicAuth  # noqa: PLC0415

    there = urlsplit(connection.url)
    if connection.bearer_token:
        session.auth = partial(_with_token, connection.bearer_token)
    elif connection.username or connection.password:
        session.auth = HTTPBasicAuth(connection.username.encode(), connection.password.encode())
    elif there.username is not None:
        session.auth = HTTPBasicAuth(unquote(there.username).encode(), unquote(there.password or "").encode())


def _with_token(token: str, request: PreparedRequest) -> PreparedRequest:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _require_sendable(connection: Connection) -> None:
    """Said before the first request, and without the value: the client library would raise in the middle of one, and quote the secret."""
    for name, path in (
        ("ca_file", connection.ca_file), ("client_certificate", connection.client_certificate), ("client_key", connection.client_key),
    ):  # fmt: skip
        if path and not os.access(path, os.R_OK):
            raise BadInput(f"{name}: {one_line(path)} cannot be read", connection.address, "correct the path, or the file's permissions")
    for name, value in (("bearer_token", connection.bearer_token), *connection.headers):
        if value and not (value.isascii() and value.isprintable()):
            raise BadInput(f"{one_line(name)} cannot be sent: it holds a line break or another character that no header may hold",
                           connection.address, "correct it; often a line break at its end is too much")
