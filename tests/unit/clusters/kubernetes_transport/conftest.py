"""A scripted API server, and the Api that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_server import Interrupted, ScriptedServer, kubeconfig

from chaos_modules.clusters.kubernetes.transport_api import KubernetesApi
from chaos_modules.clusters.kubernetes_api import connect


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    one = ScriptedServer()
    yield one
    one.stop()


@pytest.fixture
def interrupted() -> Interrupted:
    return Interrupted()


@pytest.fixture
def api(server: ScriptedServer, interrupted: Interrupted, tmp_path: Path) -> Iterator[KubernetesApi]:
    one = connect(kubeconfig(tmp_path / "config", server.url), None, interrupted.wait)
    yield one
    one.close()
