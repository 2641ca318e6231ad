"""Each kind of probe gets the way it is asked; what this cluster does not have is said beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.limit import Limit
from chaos_modules.model.probe import CommandProbe, Connection, HttpProbe, Kind, ObjectProbe, Probe, PrometheusProbe
from chaos_modules.observe.network_namespace import Source
from chaos_modules.observe.probes.asking import asker

OBJECT = ObjectProbe(api_version="v1", kind="Node", name="one", path="a", comparison="==", value=1.0)


def probe(what: Kind) -> Probe:
    return Probe(name="one", what=what)


def test_every_kind_is_asked_in_its_own_way(tmp_path: Path) -> None:
    def read(_: str) -> dict[str, Any]:
        return {"a": 1}

    assert asker(probe(CommandProbe(argv=("true",))), None, read)().good
    assert asker(probe(OBJECT), None, read)().good
    assert asker(probe(HttpProbe(connection=Connection(url="http://127.0.0.1:1/"))), None, None)().good is False
    places: list[str] = []

    def source(path: str) -> Source:
        places.append(path)
        return Source(tmp_path / path.replace("/", "."))

    for what in (CommandProbe(argv=("true",), source="load/client"), HttpProbe(connection=Connection(url="http://127.0.0.1:1/"), source="shop/web")):
        assert asker(probe(what), source, None)().good is None
    assert places == ["load/client", "shop/web"]


def test_what_this_cluster_does_not_have_is_said_beforehand() -> None:
    with pytest.raises(ClusterProblem, match="no Kubernetes API"):
        asker(probe(OBJECT), None, None)
    with pytest.raises(ClusterProblem, match="only the sandbox has pods to ask from"):
        asker(probe(CommandProbe(argv=("true",), source="load/client")), None, None)
    with pytest.raises(TypeError, match="read from Prometheus"):
        asker(probe(PrometheusProbe(query="up", limit=Limit(">", 0.0))), None, None)
