"""Real nodes, one after the other: SQUALL_TEST_SEARCH names a command that starts them, ES_URL a node of the user's own.

The command is asked `up PORT --flavour FLAVOUR`, `down PORT --wipe` and `status` (a line `…/FLAVOUR-PORT runs as PID` for each node).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
import requests
from search_node import SearchNode, started

from chaos_modules.model.observation_plan import Indices

COMMAND, OWN = "SQUALL_TEST_SEARCH", "ES_URL"
FLAVOURS = ("opensearch", "opensearch3", "elasticsearch", "elasticsearch8")


@pytest.fixture(scope="session", params=[*FLAVOURS, OWN])
def node(request: pytest.FixtureRequest) -> Iterator[SearchNode]:
    """One node at a time, to spare the machine."""
    command, own = os.environ.get(COMMAND, ""), os.environ.get(OWN, "")
    if request.param == OWN:
        if not own:
            pytest.skip(f"no {OWN}: set it to the URL of an Elasticsearch or OpenSearch for tests")
        yield SearchNode(url=own.rstrip("/"), flavour=OWN)
        return
    if not command:
        pytest.skip(f"no {COMMAND}: set it to a command that starts nodes, see tests/storage/conftest.py")
    one = started(command, request.param)
    yield one
    one.end()


@pytest.fixture
def indices(node: SearchNode) -> Iterator[Indices]:
    """Indices of this test alone, with krkn's names at their end; gone afterwards."""
    prefix = f"squall-test-{uuid.uuid4().hex[:8]}"
    yield Indices(telemetry=f"{prefix}-krkn-telemetry", metrics=f"{prefix}-krkn-metrics", alerts=f"{prefix}-krkn-alerts")
    for name in ("telemetry", "metrics", "alerts"):
        requests.delete(f"{node.url}/{prefix}-krkn-{name}", timeout=60)
