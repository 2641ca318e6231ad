"""How Prometheus is reached: credentials, certificates, headers and proxies; wrong ones are told, and not by quoting them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_gateway import Gateway, problem_of, ready
from prometheus_server import Exporter, PrometheusServer, free_port, needs, until
from prometheus_tls import PASSWORD, USER, Authority, basic_auth, tls

from chaos_modules.model.errors import BadInput
from chaos_modules.model.probe import Connection
from chaos_modules.observe.prometheus import Prometheus
from chaos_modules.observe.prometheus_ready import prometheus_check

pytestmark = needs("prometheus", "openssl")
TOKEN = "t0p-secret-token"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    with PrometheusServer(tmp_path_factory.mktemp("prometheus"), web=tls(authority) | basic_auth()) as server:
        yield server


def test_tls_with_a_private_authority_and_basic_auth(secured: PrometheusServer, authority: Authority) -> None:
    ready(Connection(url=secured.url, ca_file=authority.file, username=USER, password=PASSWORD))
    ready(Connection(url=secured.url.replace("://", f"://{USER}:{PASSWORD}@"), ca_file=authority.file))
    ready(Connection(url=secured.url + "/", verify=False, username=USER, password=PASSWORD))


def test_the_authority_of_the_environment_holds_where_none_is_given(
    secured: PrometheusServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Connection(url=secured.url, username=USER, password=PASSWORD)
    assert "certificate" in problem_of(connection).what
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.file)
    ready(connection)


def test_the_wrong_authority_and_none_are_told_at_once(secured: PrometheusServer, stranger: Authority) -> None:
    for connection in (Connection(url=secured.url), Connection(url=secured.url, ca_file=stranger.file)):
        problem = problem_of(connection)
        assert "TLS: " in problem.what
        assert "certificate" in problem.what
        assert "ca_file" in problem.remedy


@pytest.mark.parametrize("password", ["wr0ng-password", ""])
def test_the_wrong_password_is_refused_and_not_told(secured: PrometheusServer, authority: Authority, password: str) -> None:
    problem = problem_of(Connection(url=secured.url, ca_file=authority.file, username=USER if password else "", password=password))
    assert problem.status == 401
    assert "credentials" in problem.remedy
    assert "wr0ng" not in str(problem)


def test_a_client_certificate_is_shown_where_one_is_wanted(authority: Authority, stranger: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issued("client")
    theirs, their_key = stranger.issued("client")
    with PrometheusServer(tmp_path, web=tls(authority, clients=True)) as server:
        known = Connection(url=server.url, ca_file=authority.file)
        ready(Connection(url=server.url, ca_file=authority.file, client_certificate=certificate, client_key=key))
        assert problem_of(known).silent
        assert problem_of(Connection(url=server.url, ca_file=authority.file, client_certificate=theirs, client_key=their_key)).silent


def test_a_bearer_token_is_sent_and_never_told(server: PrometheusServer) -> None:
    with Gateway(server.url, token=TOKEN) as gateway:
        ready(Connection(url=gateway.url, bearer_token=TOKEN))
        ready(Connection(url=gateway.url.replace("://", "://someone:else@"), bearer_token=TOKEN))
        assert problem_of(Connection(url=gateway.url)).status == 401
        gateway.planned = [(403, f"{TOKEN} is not enough".encode())]
        problem = problem_of(Connection(url=gateway.url, bearer_token=TOKEN))
    assert "(hidden) is not enough" in problem.what
    assert TOKEN not in str(problem) + repr(problem)


def test_headers_are_sent_and_the_netrc_is_not(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    ready(Connection(url=gateway.url, headers=(("X-Scope-OrgID", "team"),)))
    assert gateway.asked[0].headers["X-Scope-OrgID"] == "team"
    assert "Authorization" not in gateway.asked[0].headers


def test_the_proxy_of_the_environment_is_used_unless_it_is_excepted(
    gateway: Gateway, server: PrometheusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", gateway.url)
    gateway.upstream = ""  # a proxy is asked for whole URLs
    ready(Connection(url=server.url))
    assert gateway.asked[0].path.startswith(f"{server.url}/api/v1/query?")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    ready(Connection(url=server.url))
    assert len(gateway.asked) == 1


def test_the_check_says_what_answers(server: PrometheusServer, tmp_path: Path) -> None:
    empty = prometheus_check(Connection(url=server.url), gating=True)
    assert (str(empty.state), "no scrape target" in empty.seen) == ("warning", True)
    with Exporter(errors=1) as exporter, PrometheusServer(tmp_path, scrape=[exporter.address, f"127.0.0.1:{free_port()}"]) as scraping:
        with Prometheus(Connection(url=scraping.url)) as prometheus:
            until(lambda: len(prometheus.instant("up")) == 2 and prometheus.instant("up == 1"), "both looked at")
        check = prometheus_check(Connection(url=scraping.url), gating=True)
    assert str(check.state) == "passed"
    assert check.seen.endswith("answers; 1 of 2 scrape targets are up")


def test_a_url_that_is_none_is_refused_without_telling_it() -> None:
    with pytest.raises(BadInput) as caught:
        Prometheus(Connection(url="ftp://me:s3cret@host"))
    assert "s3cret" not in str(caught.value)
