"""What kind of server answers, and whether the official client may be used with it."""

from __future__ import annotations

from typing import Any

import pytest
from search_server import SearchServer

from chaos_modules.model.probe import Connection
from chaos_modules.observe.session import session_for
from chaos_modules.storage.elastic_client import client_fits
from chaos_modules.storage.exchange import Undelivered
from chaos_modules.storage.server import Product, Server, probe_server, server_of

ELASTIC = {"version": {"number": "7.17.29"}, "tagline": "You Know, for Search", "cluster_name": "es"}


def probed(server: SearchServer, **who: str) -> Server:
    connection = Connection(url=server.url, **who)
    with session_for(connection) as session:
        return probe_server(session, connection)


@pytest.mark.parametrize(
    ("info", "product", "version"),
    [
        (ELASTIC, Product.ELASTICSEARCH, "7.17.29"),
        ({"version": {"number": "2.19.6", "distribution": "opensearch"}}, Product.OPENSEARCH, "2.19.6"),
        ({"version": {"number": "7.10.2"}, "tagline": "The OpenSearch Project: https://opensearch.org/"}, Product.OPENSEARCH, "7.10.2"),
        ({"version": {"number": "7.10.2", "build_type": "OpenSearch-tar"}}, Product.OPENSEARCH, "7.10.2"),
        ({**ELASTIC, "cluster_name": "my-opensearch"}, Product.OPENSEARCH, "7.17.29"),
        ({"version": {"number": "1.5.2"}}, Product.ELASTICSEARCH, "1.5.2"),
    ],
)
def test_a_server_is_known_by_what_it_says_of_itself(info: dict[str, Any], product: Product, version: str) -> None:
    found = server_of(info)
    assert (found.product, found.version) == (product, version)


@pytest.mark.parametrize(("version", "release"), [("8.19.21", (8, 19)), ("10.0.0-SNAPSHOT", (10, 0)), ("", (0, 0)), ("odd", (0, 0))])
def test_a_release_is_two_numbers(version: str, release: tuple[int, int]) -> None:
    assert Server(product=Product.ELASTICSEARCH, version=version).release == release


def test_a_probe_tells_opensearch_from_elasticsearch() -> None:
    with SearchServer("opensearch") as opensearch, SearchServer("elasticsearch") as elasticsearch:
        assert probed(opensearch) == Server(product=Product.OPENSEARCH, version="2.19.6")
        assert probed(elasticsearch) == Server(product=Product.ELASTICSEARCH, version="8.19.21", declared=True)


def test_a_user_who_may_not_look_at_the_cluster_may_still_write() -> None:
    with SearchServer() as server:
        server.probe_status = 403
        assert probed(server).product == Product.UNKNOWN


def test_what_is_no_search_server_is_told_so() -> None:
    with SearchServer() as server:
        server.info = {"hello": "world"}
        with pytest.raises(Undelivered, match="neither Elasticsearch nor OpenSearch") as caught:
            probed(server)
        assert not caught.value.passing


def test_a_wrong_password_is_no_passing_problem_and_is_not_told() -> None:
    with SearchServer(user="chaos:right") as server:
        assert probed(server, username="chaos", password="right").product == Product.OPENSEARCH
        with pytest.raises(Undelivered, match="401") as caught:
            probed(server, username="chaos", password="hunter2")
    assert not caught.value.passing
    assert "hunter2" not in caught.value.reason
    assert "elastic.password" in caught.value.reason


def test_a_silent_port_is_a_passing_problem_in_the_words_of_the_operating_system() -> None:
    with SearchServer() as server:
        connection = Connection(url=server.url.replace("//", "//chaos:hunter2@"))
    with session_for(connection) as session, pytest.raises(Undelivered, match="no connection: Connection refused") as caught:
        probe_server(session, connection)
    assert caught.value.passing


def elastic(version: str, declared: bool = True) -> Server:
    return Server(product=Product.ELASTICSEARCH, version=version, declared=declared)


@pytest.mark.parametrize(
    ("server", "client", "fits"),
    [
        (elastic("8.19.21"), 8, True),
        (elastic("9.1.0"), 8, True),
        (elastic("9.1.0"), 9, True),
        (elastic("10.0.0"), 9, True),
        (elastic("8.19.21"), 9, False),
        (elastic("7.17.29"), 8, False),
        (elastic("7.17.29"), 7, False),
        (elastic("9.1.0"), 0, False),
        (elastic("8.19.21", declared=False), 8, False),
        (Server(product=Product.OPENSEARCH, version="8.0.0", declared=True), 8, False),
        (Server(product=Product.UNKNOWN), 9, False),
    ],
)
def test_the_official_client_is_used_where_both_sides_speak_a_common_version(server: Server, client: int, fits: bool) -> None:
    assert client_fits(server, client) is fits
