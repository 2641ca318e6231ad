"""What goes over the wire to Prometheus, beneath the client library: long queries as a form, every refusal with its status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

# Proxies commonly take 8 KiB of URL and headers; a GET needs fewer rights behind a proxy that asks Kubernetes.
LONGEST_URL = 4096
_FORM = frozenset({"query", "start", "end", "step", "time"})
_NO_POST = (403, 405, 501)
_LONGEST_SAID = 300


class Refusal(Exception):
    """An answer other than 200. `said` is Prometheus' own error, or the beginning of whatever else came."""

    def __init__(self, response: Response) -> None:
        self.status = response.status_code
        self.said = _said(response)
        super().__init__(f"{self.status} {self.said}")


class Transport(HTTPAdapter):
    """Never tries again by itself and follows no redirection: a POST that is redirected becomes a GET without its query."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=16)

    def send(
        self, request: PreparedRequest, stream: bool = False, timeout: Any = None, verify: bool | str = True, cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        """Raises Refusal, and what requests raises."""
        def sent(one: PreparedRequest) -> Response:
            return super(Transport, self).send(one, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)

        form = as_form(request)
        response = sent(form or request)
        if form and response.status_code in _NO_POST:
            response = sent(request)
        if response.status_code != 200:
            raise Refusal(response)
        return response


def as_form(request: PreparedRequest) -> PreparedRequest | None:
    """The same question by POST, or None where its URL is short enough."""
    url = request.url or ""
    if len(url) <= LONGEST_URL:
        return None
    parts = urlsplit(url)
    fields = parse_qsl(parts.query, keep_blank_values=True)
    form = request.copy()
    form.method = "POST"
    form.url = urlunsplit(parts._replace(query=urlencode([field for field in fields if field[0] not in _FORM])))
    form.prepare_body([field for field in fields if field[0] in _FORM], None)
    return form


def _said(response: Response) -> str:
    if response.is_redirect:
        there = urlsplit(response.headers.get("Location", ""))
        return f"it redirects to {there.scheme}://{there.hostname or ''}{there.path}"
    try:
        document = response.json()
        text = f"{document['errorType']}: {document['error']}"
    except (ValueError, KeyError, TypeError):
        text = " ".join(response.text[:10_000].split()) or str(response.reason)
    return text if len(text) <= _LONGEST_SAID else f"{text[:_LONGEST_SAID]}…"
