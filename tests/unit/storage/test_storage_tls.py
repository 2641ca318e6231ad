"""Documents go only to a server whose certificate is trusted, by either way of sending."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from search_server import SearchServer

from chaos_modules.model.probe import Connection
from chaos_modules.observe.session import session_for
from chaos_modules.storage.document import Document
from chaos_modules.storage.elastic_client import installed_client
from chaos_modules.storage.sending import Patience, Sent, send

WAYS = [("opensearch", "2.19.6"), ("elasticsearch", f"{max(8, installed_client())}.1.0")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=search",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def sent(server: SearchServer, **trust: str) -> Sent:
    one = Document(index="metrics", id="1", body={"value": 1})
    connection = Connection(url=server.url, timeout_seconds=5, **trust)
    return send(connection, [one], lambda _: None, open_session=session_for, patience=Patience(attempts=2, first_wait=0.0))


@pytest.mark.parametrize(("product", "version"), WAYS)
def test_a_private_authority_is_trusted_where_it_is_named_and_nowhere_else(certificate: Path, product: str, version: str) -> None:
    with SearchServer(product, version, certificate=certificate) as server:
        refused = sent(server)
        assert (refused.stored, refused.unsent) == (0, 1)
        assert refused.problem == "the TLS connection failed: self-signed certificate; correct squall.elastic.ca_file or the certificate"
        assert server.stored == {}
        assert sent(server, ca_file=f"{certificate}.crt") == Sent(stored=1)


def test_a_certificate_for_another_host_is_not_trusted(certificate: Path) -> None:
    with SearchServer(certificate=certificate) as server:
        connection = Connection(url=f"https://localhost:{server.server_port}", ca_file=f"{certificate}.crt", timeout_seconds=5)
        done = send(connection, [Document(index="a", id="1", body={})], lambda _: None, open_session=session_for)
    assert done.unsent == 1
    assert "TLS connection failed: Hostname mismatch" in done.problem
