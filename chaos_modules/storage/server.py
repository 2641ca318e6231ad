"""What kind of server is there: Elasticsearch, OpenSearch, and which version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..model.probe import Connection
from .exchange import Undelivered, ask

if TYPE_CHECKING:
    from requests import Session


class Product(StrEnum):
    """Who made the server. Unknown: it does not tell us, which some security settings forbid."""

    ELASTICSEARCH = "Elasticsearch"
    OPENSEARCH = "OpenSearch"
    UNKNOWN = "a server that does not say what it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`declared`: it sends the header by which the official client knows Elasticsearch from 7.14 on, and without which it refuses to work."""

    product: Product
    version: str = ""
    declared: bool = False

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version; (0, 0) where it is not known."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else (0, 0)


def probe_server(session: Session, connection: Connection) -> Server:
    """Ask the server what it is. Raises Undelivered where it does not answer, or is something else.

    This is our own request because the official client fails on OpenSearch before it can tell what is there.
    """
    try:
        response = ask(session, connection, "GET", "/")
    except Undelivered as failure:
        if failure.status == 403:  # may write, but not look at the cluster
            return Server(product=Product.UNKNOWN)
        raise
    try:
        return server_of(response.json(), response.headers.get("X-Elastic-Product", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        what = "what answers there is neither Elasticsearch nor OpenSearch; correct elastic.elastic_url and elastic.elastic_port"
        raise Undelivered(what) from None


def server_of(info: Any, product_header: str = "") -> Server:
    """What the answer to `GET /` says. Raises ValueError, TypeError, KeyError or AttributeError for another answer.

    OpenSearch is known by its distribution, build type, tagline or the cluster's name, as krkn does: an OpenSearch that pretends to be
    Elasticsearch 7.10 for old clients changes its version only.
    """
    version = info["version"]
    if not isinstance(version["number"], str):
        raise TypeError(version)
    marks = (version.get("distribution"), version.get("build_type"), info.get("tagline"), info.get("cluster_name"))
    opensearch = any("opensearch" in str(mark).lower() for mark in marks)
    return Server(
        product=Product.OPENSEARCH if opensearch else Product.ELASTICSEARCH, version=version["number"],
        declared=product_header == "Elasticsearch",
    )  # fmt: skip
