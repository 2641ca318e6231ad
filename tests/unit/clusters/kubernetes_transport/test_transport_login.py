"""Credentials of every kind, TLS and proxies."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted_server import CERTIFICATE, Exchange, ScriptedServer, kubeconfig

from chaos_modules.clusters import kubernetes_api
from chaos_modules.clusters.kubernetes.api import ApiProblem
from chaos_modules.clusters.kubernetes.transport_api import KubernetesApi
from chaos_modules.clusters.kubernetes_api import connect
from chaos_modules.model.errors import BadInput, ClusterProblem


def never(_: float) -> bool:
    return False


def credentials(server: ScriptedServer, api: KubernetesApi) -> str:
    """What the server is shown by one request."""
    shown: list[str] = []
    server.will(lambda exchange: (shown.append(str(exchange.headers["Authorization"])), exchange.json({}))[0])
    api.call("GET", "/version")
    api.close()
    return shown[0]


@pytest.fixture
def secure() -> Any:
    one = ScriptedServer(tls=True)
    yield one
    one.stop()


@pytest.mark.parametrize(
    ("user", "shown"),
    [({"token": "sesame"}, "Bearer sesame"), ({"username": "ann", "password": "secret"}, "Basic YW5uOnNlY3JldA=="), ({}, "None")],
)
def test_tokens_and_passwords(server: ScriptedServer, tmp_path: Path, user: dict[str, str], shown: str) -> None:
    assert credentials(server, connect(kubeconfig(tmp_path / "config", server.url, user), None, never)) == shown


def plugin(tmp_path: Path, body: str) -> dict[str, Any]:
    script = tmp_path / "login-plugin"
    script.write_text(f"#!/bin/sh\necho run >> {tmp_path}/runs\n{body}\n", encoding="utf-8")
    script.chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": str(script), "args": ["--client-secret=hush"], "interactiveMode": "Never"}}


def credential(token: str, lives: str = "") -> str:
    expiry = f', "expirationTimestamp": "{lives}"' if lives else ""
    return f'echo \'{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {{"token": "{token}"{expiry}}}}}\''


def test_a_login_plugin_gives_the_token(server: ScriptedServer, tmp_path: Path) -> None:
    api = connect(kubeconfig(tmp_path / "config", server.url, plugin(tmp_path, credential("fresh"))), None, never)
    assert credentials(server, api) == "Bearer fresh"


def test_a_token_that_expires_is_renewed_but_not_for_every_request(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = plugin(tmp_path, credential("old", "2020-01-01T00:00:00Z"))
    api = connect(kubeconfig(tmp_path / "config", server.url, user), None, never)
    assert [credentials(server, api) for _ in range(3)] == ["Bearer old"] * 3
    assert (tmp_path / "runs").read_text().count("run") == 2
    monkeypatch.setattr(kubernetes_api, "_RENEW_SECONDS", -1.0)
    api = connect(kubeconfig(tmp_path / "config", server.url, user), None, never)
    assert credentials(server, api) == "Bearer old"
    plugin(tmp_path, credential("new", "2020-01-01T00:00:00Z"))
    assert credentials(server, api) == "Bearer new"


@pytest.mark.parametrize(
    ("body", "said"),
    [("echo 'your session is over' >&2; exit 3", "process returned 3. your session is over"), ("echo nonsense", "failed to decode process output"),
     (credential("x").replace("token", "nothing"), "missing token")],
)  # fmt: skip
def test_a_login_plugin_that_fails(tmp_path: Path, body: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ClusterProblem) as caught:
        connect(kubeconfig(tmp_path / "config", "http://127.0.0.1:1", plugin(tmp_path, body)), None, never)
    assert said in caught.value.what
    assert f"{tmp_path}/login-plugin" in caught.value.what
    assert "log in again" in caught.value.remedy
    assert "hush" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_login_plugin_that_is_not_there(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}}
    with pytest.raises(ClusterProblem, match=r"`no-such-plugin` failed: .*No such file"):
        connect(kubeconfig(tmp_path / "config", "http://127.0.0.1:1", user), None, never)


def test_a_plugin_that_fails_later_is_told(server: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    api = connect(kubeconfig(tmp_path / "config", server.url, plugin(tmp_path, credential("old", "2020-01-01T00:00:00Z"))), None, never)
    plugin(tmp_path, "echo 'no network' >&2; exit 1")
    server.will(lambda exchange: exchange.status(401, "Unauthorized"))
    with pytest.raises(ApiProblem, match="does not accept the credentials of user ann") as caught:
        api.call("GET", "/version")
    assert f"the plugin `{tmp_path}/login-plugin`" in caught.value.remedy
    assert "no network" in caplog.text


def test_the_root_logger_is_left_as_it_was(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), list(root.filters))
    connect(kubeconfig(tmp_path / "config", "http://127.0.0.1:1", plugin(tmp_path, credential("x"))), None, never)
    assert (list(root.handlers), list(root.filters)) == before


def test_tls_with_the_clusters_authority(secure: ScriptedServer, tmp_path: Path) -> None:
    api = connect(kubeconfig(tmp_path / "config", secure.url, **{"certificate-authority": str(CERTIFICATE)}), None, never)
    assert credentials(secure, api) == "Bearer sesame"


def test_tls_for_a_websocket_too(secure: ScriptedServer, tmp_path: Path) -> None:
    api = connect(kubeconfig(tmp_path / "config", secure.url, **{"certificate-authority": str(CERTIFICATE)}), None, never)
    secure.will(lambda exchange: exchange.status(404, "reached"))
    with pytest.raises(ApiProblem, match="reached"):
        api.attach("/attach", ())
    stranger = connect(kubeconfig(tmp_path / "config", secure.url), None, never)
    with pytest.raises(ApiProblem, match="no TLS with"):
        stranger.attach("/attach", ())


def test_tls_for_a_watch_that_is_left(secure: ScriptedServer, tmp_path: Path) -> None:
    def watched(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk({"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "6"}}})
        exchange.fall_silent()

    api = connect(kubeconfig(tmp_path / "config", secure.url, **{"certificate-authority": str(CERTIFICATE)}), None, never)
    secure.will(lambda exchange: exchange.json({"metadata": {"resourceVersion": "5"}}), watched)
    watch = api.watch("/api/v1/pods", (), lambda: False)
    assert next(iter(watch)).type == "ADDED"
    watch.close()  # type: ignore[attr-defined]


def test_an_unknown_authority_is_refused_at_once(secure: ScriptedServer, tmp_path: Path) -> None:
    api = connect(kubeconfig(tmp_path / "config", secure.url), None, never)
    with pytest.raises(ApiProblem, match=r"no TLS with https://127.0.0.1:\d+: .*certificate") as caught:
        api.call("GET", "/version")
    assert "certificate-authority-data" in caught.value.remedy
    api.close()


def test_another_server_name(secure: ScriptedServer, tmp_path: Path) -> None:
    authority = {"certificate-authority": str(CERTIFICATE)}
    named = connect(kubeconfig(tmp_path / "config", secure.url, **authority, **{"tls-server-name": "kubernetes.test"}), None, never)
    assert credentials(secure, named) == "Bearer sesame"
    wrong = connect(kubeconfig(tmp_path / "config", secure.url, **authority, **{"tls-server-name": "elsewhere.test"}), None, never)
    with pytest.raises(ApiProblem, match="no TLS with"):
        wrong.call("GET", "/version")


def test_whoever_answers_if_that_is_wished(secure: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    api = connect(kubeconfig(tmp_path / "config", secure.url, **{"insecure-skip-tls-verify": True}), None, never)
    assert credentials(secure, api) == "Bearer sesame"
    assert "insecure-skip-tls-verify" in caplog.text


def in_cluster(tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    from kubernetes.config import incluster_config

    token = tmp_path / "token"
    token.write_text("first", encoding="utf-8")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(CERTIFICATE))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.server_port))
    return token


def test_inside_a_cluster_the_token_is_renewed(secure: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubernetes.config.incluster_config import InClusterConfigLoader

    read = InClusterConfigLoader._read_token_file

    def read_and_expire(loader: Any) -> None:
        read(loader)
        loader.token_expires_at -= loader._token_refresh_period

    monkeypatch.setattr(InClusterConfigLoader, "_read_token_file", read_and_expire)
    monkeypatch.setattr(kubernetes_api, "_RENEW_SECONDS", -1.0)
    token = in_cluster(tmp_path, secure, monkeypatch)
    api = connect(None, None, never)
    assert (api.name, credentials(secure, api)) == ("in-cluster", "bearer first")
    token.write_text("second", encoding="utf-8")
    assert credentials(secure, api) == "bearer second"
    token.unlink()
    with pytest.raises(ApiProblem, match="does not accept the credentials of the pod's service account") as caught:
        api.call("GET", "/version")
    assert caught.value.status == 401


def test_inside_a_cluster_without_a_token(secure: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_cluster(tmp_path, secure, monkeypatch).unlink()
    with pytest.raises(ClusterProblem, match="Service token file does not exist") as caught:
        connect(None, None, never)
    assert "automountServiceAccountToken" in caught.value.remedy


def test_proxies_of_the_kubeconfig_and_of_the_environment(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server plays the proxy: it is asked for the whole address."""
    server.will(*[lambda exchange: exchange.json({})] * 3)
    proxy = server.url.replace("http://", "http://ann:secret@")
    connect(kubeconfig(tmp_path / "config", "http://cluster.test", **{"proxy-url": proxy}), None, never).call("GET", "/version")
    monkeypatch.setenv("http_proxy", server.url)
    connect(kubeconfig(tmp_path / "config", "http://cluster.test"), None, never).call("GET", "/version")
    connect(kubeconfig(tmp_path / "config", server.url), None, never).call("GET", "/version")
    assert server.asked == ["GET http://cluster.test/version", "GET http://cluster.test/version", "GET /version"]
    monkeypatch.setenv("no_proxy", "cluster.test")
    api = connect(kubeconfig(tmp_path / "config", "http://cluster.test"), None, never)
    assert getattr(api._login.pool, "proxy", None) is None


def test_a_proxy_of_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"the proxy gopher://proxy\.test cannot be used"):
        connect(kubeconfig(tmp_path / "config", "http://cluster.test", **{"proxy-url": "gopher://ann:hush@proxy.test"}), None, never)


def test_the_client_is_not_imported_before_a_cluster_is_asked_for() -> None:
    heavy = {"kubernetes", "urllib3", "websocket", "requests"}
    program = f"import sys, chaos_modules.clusters.kubernetes_api; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_typed_models_are_not_imported_where_the_client_can_do_without(tmp_path: Path) -> None:
    """Generation 37 and later; earlier ones import everything."""
    path = kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    program = (
        f"import sys; from chaos_modules.clusters.kubernetes_api import connect; connect({path!r}, None, bool); import kubernetes; "
        "print(int(kubernetes.__version__.split('.')[0]) >= 37 and 'kubernetes.client.api.core_v1_api' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_process_wide_configuration_is_left_alone(tmp_path: Path) -> None:
    from kubernetes.client import Configuration

    connect(kubeconfig(tmp_path / "config", "http://127.0.0.1:1"), None, never)
    assert Configuration.get_default_copy().api_key == {}
