"""The HTTP probe against real servers: what is good, what is bad and why, what is not known, and that it always ends in time."""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback_http import Answering, Server, answer, drip, full_port, raw, serving, silent, unused_port

from chaos_modules.model.observation import Sample
from chaos_modules.model.probe import Connection, HttpProbe
from chaos_modules.observe.probes.asking_http import ask_http

CERTIFICATE = Path(__file__).parents[1] / "clusters" / "kubernetes_transport" / "server.pem"
SHORT = 0.3
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        one.answers["/"] = answer()
        yield one


def probe(url: str, **other: Any) -> HttpProbe:
    connection = {name: other.pop(name) for name in list(other) if name in Connection.__slots__}
    return HttpProbe(connection=Connection(url=url, **connection), **other)


def ask(url: str, timeout: float = 5.0, **other: Any) -> Sample:
    return ask_http(probe(url, **other), timeout)


def test_an_expected_answer_is_good_and_has_a_time(server: Server) -> None:
    before = time.time()
    sample = ask(f"{server.url}/")
    assert (sample.good, sample.detail) == (True, "")
    assert sample.seconds is not None and 0 < sample.seconds < 5
    assert before <= sample.time <= time.time()


@pytest.mark.parametrize(("status", "expected", "good"), [
    (503, (200,), False), (503, (503,), True), (204, (200, 204), True), (404, (200, 204), False),
])  # fmt: skip
def test_the_status_must_be_an_expected_one(server: Server, status: int, expected: tuple[int, ...], good: bool) -> None:
    server.answers["/"] = answer(status, b"")
    sample = ask(f"{server.url}/", expected_status=expected)
    assert (sample.good, sample.detail) == (good, "" if good else f"status {status}")
    assert sample.seconds is not None


@pytest.mark.parametrize(("body", "good"), [(b"all is \xc3\xbcber", True), (b"all is uber", False), (b"x" * (1 << 20) + "über".encode(), False)])
def test_the_body_must_contain_the_text_within_its_first_mib(server: Server, body: bytes, good: bool) -> None:
    server.answers["/"] = answer(200, body)
    sample = ask(f"{server.url}/", body_contains="über")
    assert (sample.good, sample.detail) == (good, "" if good else "status 200, without the expected text in the body")


def test_a_compressed_body_is_read_as_it_was_meant(server: Server) -> None:
    server.answers["/"] = answer(200, gzip.compress(b"all is well"), Content_Encoding="gzip")
    assert ask(f"{server.url}/", body_contains="is well").good


def test_every_look_has_a_connection_of_its_own(server: Server) -> None:
    assert all(ask(f"{server.url}/").good for _ in range(3))
    assert server.connections == 3


def test_who_we_are_is_sent_and_never_told(server: Server) -> None:
    server.answers["/"] = answer(401)
    for sent in ({"bearer_token": "s3cret"}, {"username": "me", "password": "s3cret"}, {"headers": (("X-Key", "s3cret"),)}):
        assert "s3cret" not in repr(ask(f"{server.url}/?key=s3cret", **sent))
    assert "s3cret" not in repr(ask(server.url.replace("http://", "http://me:s3cret@") + "/"))
    tokens = [headers.get("authorization", headers.get("x-key")) for _, _, headers in server.asked]
    basic = "Basic " + base64.b64encode(b"me:s3cret").decode()
    assert tokens == ["Bearer s3cret", basic, "s3cret", basic]


def test_the_method_is_the_probes(server: Server) -> None:
    for method in ("HEAD", "POST"):
        assert ask(f"{server.url}/", method=method).good
    assert [method for method, _, _ in server.asked] == ["HEAD", "POST"]


def test_redirects_are_followed_unless_one_is_expected(server: Server) -> None:
    server.answers["/old"] = answer(302, b"", Location="/")
    server.answers["/round"] = answer(302, b"", Location="/round")
    assert ask(f"{server.url}/old", body_contains="ok").good
    assert ask(f"{server.url}/old", expected_status=(302,)).good
    assert [path for _, path, _ in server.asked] == ["/old", "/", "/old"]
    assert ask(f"{server.url}/round").detail == "it redirects without end"


@pytest.mark.parametrize("slow", [
    silent,
    drip(b""),
    drip(HEAD),
    drip(HEAD + b"X-Long: "),
    drip(HEAD + b"Content-Length: 100000\r\n\r\n"),
    drip(HEAD + b"\r\n"),
    drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n"),
], ids=["silent", "status line", "headers", "one header", "body", "body without length", "chunks"])  # fmt: skip
def test_an_answer_that_drips_does_not_outlive_the_deadline(server: Server, slow: Answering) -> None:
    """Without a deadline over everything, each of the dripping ones would go on until the server is told to end, after this test."""
    server.answers["/"] = slow
    sample = ask(f"{server.url}/", SHORT)
    assert (sample.good, sample.seconds, sample.detail) == (False, None, "no answer within 0.3 s")
    assert not server.over.is_set()


def test_redirects_share_one_deadline(server: Server) -> None:
    def slow(handler: Any) -> None:
        handler.server.over.wait(SHORT / 2)
        answer(302, b"", Location="/slow")(handler)

    server.answers["/slow"] = slow
    assert ask(f"{server.url}/slow", SHORT).detail == "no answer within 0.3 s"
    assert len(server.asked) <= 3


def test_a_connection_that_is_not_accepted_is_no_answer() -> None:
    with full_port() as port:
        assert ask(f"http://127.0.0.1:{port}/", SHORT).detail == "no answer within 0.3 s"


def test_a_name_server_that_hangs_does_not_outlive_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(20) and [])
    sample = ask("http://shop.example/", SHORT)
    over.set()
    assert (sample.good, sample.detail) == (False, "no answer within 0.3 s")


def test_a_refused_connection_and_an_unknown_name_are_bad() -> None:
    refused = ask(f"http://127.0.0.1:{unused_port()}/")
    assert (refused.good, refused.seconds, refused.detail) == (False, None, "connection refused")
    unknown = ask("http://squall.invalid/")
    assert (unknown.good, unknown.detail) == (False, "its name cannot be resolved")


@pytest.mark.parametrize(("text", "detail"), [
    (b"", "the connection was closed before the answer was complete"),
    (HEAD + b"Content-Length: 100\r\n\r\nshort", "the connection was closed before the answer was complete"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "what came is no HTTP"),
])  # fmt: skip
def test_a_broken_answer_is_bad_and_says_why(server: Server, text: bytes, detail: str) -> None:
    server.answers["/"] = raw(text)
    sample = ask(f"{server.url}/")
    assert (sample.good, sample.detail) == (False, detail)


@pytest.mark.parametrize("other", [
    {"url": "shop.example/health"}, {"url": "ftp://shop.example/"}, {"url": "http://"}, {"headers": (("X-Key", "s3cret\r\nX: y"),)},
    {"bearer_token": "s3cret\n"}, {"ca_file": "/nowhere/ca.pem"},
])  # fmt: skip
def test_what_cannot_be_sent_is_unknown_without_secrets(server: Server, other: dict[str, Any]) -> None:
    sample = ask(**{"url": f"{server.url}/", **other})
    assert (sample.good, server.asked) == (None, [])
    assert sample.detail and "s3cret" not in sample.detail


@pytest.fixture
def secure() -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with serving(context) as one:
        one.answers["/"] = answer()
        yield one


def test_a_certificate_must_be_trusted_unless_told_otherwise(secure: Server) -> None:
    url = secure.url.replace("http:", "https:") + "/"
    strange = ask(url)
    assert (strange.good, strange.seconds) == (False, None)
    assert strange.detail.startswith("its certificate is not trusted: ")
    assert ask(url, ca_file=str(CERTIFICATE)).good


def test_the_public_authorities_are_trusted_by_default_and_loaded_once(secure: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours stands in for all of them."""
    from chaos_modules.observe import deadline_transport

    monkeypatch.setattr(deadline_transport, "DEFAULT_CA_BUNDLE_PATH", str(CERTIFICATE))
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", "/nowhere")  # so that the client cannot load them for each connection
    deadline_transport.public_trust.cache_clear()
    try:
        url = secure.url.replace("http:", "https:")
        assert [ask(f"{url}/").good, ask(f"{url}/").good, ask(f"{url.replace('127.0.0.1', 'localhost')}/").good] == [True, True, False]
        assert deadline_transport.public_trust.cache_info().misses == 1
    finally:
        deadline_transport.public_trust.cache_clear()


def test_trust_can_be_waived_without_a_warning_at_every_look(secure: Server) -> None:
    assert ask(secure.url.replace("http:", "https:") + "/", verify=False).good


def test_a_ca_file_without_certificates_is_ours_and_unknown(secure: Server, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    sample = ask(secure.url.replace("http:", "https:") + "/", ca_file=str(tmp_path / "ca.pem"))
    assert sample.good is None
    assert "CA file" in sample.detail and "ca.pem" in sample.detail


def test_a_handshake_that_hangs_does_not_outlive_the_deadline() -> None:
    with serving() as plain:  # which waits for a line that the client's greeting is not
        plain.answers["/"] = silent
        sample = ask(plain.url.replace("http:", "https:") + "/", SHORT)
    assert sample.good is False


def test_a_drip_over_tls_does_not_outlive_the_deadline(secure: Server) -> None:
    secure.answers["/"] = drip(HEAD + b"Content-Length: 100000\r\n\r\n")
    assert ask(secure.url.replace("http:", "https:") + "/", SHORT, ca_file=str(CERTIFICATE)).detail == "no answer within 0.3 s"


def test_without_descriptors_it_is_this_machine_that_could_not_ask(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("chaos_modules.observe.deadline_transport.create_connection", none_left)
    sample = ask(f"{server.url}/")
    assert (sample.good, sample.detail) == (None, "this machine could not ask: too many open files")


def test_a_source_that_is_gone_is_unknown(server: Server, tmp_path: Path) -> None:
    from chaos_modules.observe.network_namespace import Source

    sample = ask_http(replace(probe(f"{server.url}/"), source="load/client"), 5.0, Source(tmp_path / "squall.load.client"))
    assert (sample.good, server.asked) == (None, [])
    assert "there is no network namespace" in sample.detail


def test_with_the_names_of_a_pod_the_server_is_asked_by_its_name_and_no_proxy_is(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from chaos_modules.observe.http_exchange import exchange

    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    asked: list[str] = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.2", "127.0.0.1"]  # nobody listens at the first

    connection = Connection(url=f"http://web-0.shop:{server.server_port}/")
    assert exchange(connection, 5.0, resolve=resolve).status == 200
    assert (asked, server.asked[0][2]["host"]) == (["web-0.shop"], f"web-0.shop:{server.server_port}")


def test_a_proxy_of_the_environment_is_used_and_does_not_outlive_the_deadline(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["http://shop.example/"] = answer(200, b"by the proxy")
    server.answers["http://slow.example/"] = drip(HEAD)
    monkeypatch.setenv("http_proxy", server.url)
    assert ask("http://shop.example/", body_contains="by the proxy").good
    assert ask("http://slow.example/", SHORT).detail == "no answer within 0.3 s"
