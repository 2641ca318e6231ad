"""A session as the connection asks for it, and nothing of what it must not take from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from answering import Answering, vector

from chaos_modules.model.errors import BadInput
from chaos_modules.model.probe import Connection
from chaos_modules.observe.session import session_for


@pytest.mark.parametrize(("connection", "sent"), [
    ({"bearer_token": "t0ken"}, "Bearer t0ken"),
    ({"username": "me", "password": "pä:ss"}, "Basic bWU6cMOkOnNz"),
    ({"bearer_token": "t0ken", "username": "me"}, "Bearer t0ken"),
    ({"user": "me:p%40ss@"}, "Basic bWU6cEBzcw=="),
    ({"user": "me:pass@", "bearer_token": "t0ken"}, "Bearer t0ken"),
    ({}, None),
])
def test_who_we_are(connection: dict[str, str], sent: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Answering(lambda _: vector(1)) as server:
        url = server.url.replace("://", f"://{connection.pop('user', '')}")
        with session_for(Connection(url=url, **connection)) as session, session.get(url) as response:  # type: ignore[arg-type]
            assert response.status_code == 200
    assert server.authorised == [sent]


def test_whom_we_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    file.touch()
    other.touch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    url = "https://prometheus.example"
    for connection, verify in (
        (Connection(url=url), str(other)), (Connection(url=url, ca_file=str(file)), str(file)),
        (Connection(url=url, ca_file=str(file), verify=False), False),
    ):
        with session_for(connection) as session:
            assert session.verify == verify
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with session_for(Connection(url=url, client_certificate=str(file), client_key=str(other))) as session:
        assert (session.verify, session.cert) == (True, (str(file), str(other)))
    with session_for(Connection(url=url, client_certificate=str(file))) as session:
        assert session.cert == str(file)


def test_the_proxies_of_the_environment_unless_the_server_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    with session_for(Connection(url="https://prometheus.example")) as session:
        assert session.proxies["https"] == "http://proxy.example:3128"
    with session_for(Connection(url="https://prometheus.inside.example")) as session:
        assert session.proxies == {}


@pytest.mark.parametrize("wrong", [
    {"bearer_token": "s3cret\n"}, {"bearer_token": "s3crét"}, {"headers": (("X-Key", "s3cret\r\nX-Other: 1"),)},
    {"ca_file": "/nowhere/ca.pem"}, {"client_certificate": "/nowhere/c.pem"}, {"client_key": "/nowhere/key.pem"},
])
def test_what_cannot_be_used_is_told_without_secrets(wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput) as caught:
        session_for(Connection(url="https://me:s3cret@prometheus.example", **wrong))  # type: ignore[arg-type]
    assert "s3c" not in str(caught.value)
    assert caught.value.where == "https://prometheus.example"
