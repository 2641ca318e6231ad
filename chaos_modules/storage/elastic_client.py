"""The official Elasticsearch client, over our own session: one place decides on TLS, credentials and proxies."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple

from ..model.probe import Connection
from .bulk import ANSWER_FILTER, Answer, answer_of
from .document import Document
from .exchange import Undelivered, refuse_status, unreached, without_credentials
from .server import Product, Server

if TYPE_CHECKING:
    from elastic_transport import ApiResponseMeta, BaseNode
    from requests import Session

FIRST_RELEASE = (7, 17)
_OLDEST_CLIENT = 8


def installed_client() -> int:
    """The major version of the installed client; 0 where there is none."""
    try:
        return int(version("elasticsearch").split(".")[0])
    except PackageNotFoundError:
        return 0


def client_fits(server: Server, client: int) -> bool:
    """Whether the client of that major version can be used: it speaks to servers of its own major version and of the next.

    It asks for answers `compatible-with` its version, which an older server refuses (400; before 8: 406). A client of version 7 has another
    interface and asks for plain JSON, as we do ourselves.
    """
    if server.product != Product.ELASTICSEARCH or not server.declared or server.release < FIRST_RELEASE:
        return False
    return client >= _OLDEST_CLIENT and client <= server.release[0] <= client + 1


class ClientBulk:
    """The client's own bulk helper, one request at a time: when to try again is decided in one place for both ways."""

    def __init__(self, session: Session, connection: Connection) -> None:
        from elasticsearch import Elasticsearch  # noqa: PLC0415 - 140 ms

        self._client = Elasticsearch(
            [without_credentials(connection.url)], node_class=_node_over(session, connection), max_retries=0, retry_on_timeout=False,
        )  # fmt: skip

    def store(self, documents: Sequence[Document]) -> list[Answer]:
        """See BulkWriter."""
        from elastic_transport import TransportError  # noqa: PLC0415
        from elasticsearch import ApiError, ElasticsearchWarning  # noqa: PLC0415
        from elasticsearch.helpers import streaming_bulk  # noqa: PLC0415
        from requests import RequestException  # noqa: PLC0415

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ElasticsearchWarning)  # about the server's own set-up
                answers = list(streaming_bulk(
                    self._client, (document.lines for document in documents), expand_action_callback=_expand, chunk_size=len(documents),
                    raise_on_error=False, max_retries=0, filter_path=ANSWER_FILTER,
                ))  # fmt: skip
        except RequestException as error:
            raise unreached(error) from None
        except ApiError as error:
            refuse_status(error.meta.status, str(error.message))
            raise Undelivered(f"the client does not understand it: {type(error).__name__}") from None
        except TransportError as error:
            raise Undelivered(f"the client does not understand it: {type(error).__name__}") from None
        if len(answers) != len(documents):
            raise Undelivered(f"it answers for {len(answers)} of {len(documents)} documents")
        return [answer_of(next(iter(item.values()))) for _, item in answers]

    def close(self) -> None:
        """Let go of the client; the session belongs to who opened it."""
        self._client.close()


class _Answered(NamedTuple):
    """What the client's transport wants of a node."""

    meta: ApiResponseMeta
    body: bytes


def _expand(lines: str | bytes | dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Two lines as the helper wants them; it leaves bytes as they are."""
    action, body = str(lines).split("\n", 1)
    return json.loads(action), body.rstrip("\n").encode()


def _node_over(session: Session, connection: Connection) -> type[BaseNode]:
    """A transport for the client that makes its requests with the session."""
    from elastic_transport import ApiResponseMeta, BaseNode, HttpHeaders  # noqa: PLC0415

    class SessionNode(BaseNode):
        _CLIENT_META_HTTP_CLIENT = ("rq", "")

        def perform_request(self, method: str, target: str, body: Any = None, headers: Any = None, request_timeout: Any = None) -> Any:
            begin = time.monotonic()
            response = session.request(
                method, self.base_url + target, data=body, headers=dict(headers or {}), timeout=connection.timeout_seconds, allow_redirects=False,
            )  # fmt: skip
            meta = ApiResponseMeta(
                node=self.config, duration=time.monotonic() - begin, http_version="1.1", status=response.status_code,
                headers=HttpHeaders(dict(response.headers)),
            )  # fmt: skip
            return _Answered(meta, response.content)

        def close(self) -> None:
            """The session belongs to who opened it."""

    return SessionNode
