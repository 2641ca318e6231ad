"""Everything is on loopback: proxies and certificates of the environment do not matter here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_gateway import Gateway
from prometheus_server import PrometheusServer


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A real Prometheus that scrapes nothing."""
    with PrometheusServer(tmp_path_factory.mktemp("prometheus")) as one:
        yield one


@pytest.fixture
def gateway(server: PrometheusServer) -> Iterator[Gateway]:
    """What stands before it."""
    with Gateway(server.url) as one:
        yield one
