"""A shop on a real Kubernetes: targets, peers and bystanders that count their traffic, and Squall run against it as its user would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_cluster import Cluster
from shop import Shop

SUITE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a cluster."""
    needed = {"KUBECONFIG": "the cluster", "SQUALL_TEST_IMAGE": "an image with python3, sh, iproute2, nftables and nsenter"}
    absent = ", ".join(f"{name} does not name {what}" for name, what in needed.items() if not os.environ.get(name))
    for item in items:
        if SUITE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            if absent:
                item.add_marker(pytest.mark.skip(reason=absent))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster of KUBECONFIG, with the namespace of the carriers."""
    made = Cluster(os.environ["KUBECONFIG"])
    made.prepare()
    yield made
    made.close()


@pytest.fixture(scope="session")
def shop(cluster: Cluster) -> Iterator[Shop]:
    """Eight targets on two nodes and the one with netem, their peers, and bystanders; all of them send."""
    made = Shop(cluster)
    made.open()
    made.until_it_flows()
    yield made
    made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What a failed test leaves is not the next one's fault."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" and report.failed:
        item.funcargs["cluster"].squall("cleanup")  # type: ignore[attr-defined]


@pytest.fixture
def netem(shop: Shop) -> str:
    """The node whose kernel has netem."""
    if not shop.netem:
        pytest.skip("no node with netem: label one squall-test/netem=true, or name it in SQUALL_TEST_NETEM_NODE")
    return shop.netem
