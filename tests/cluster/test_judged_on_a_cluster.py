"""A run on a real cluster that judges the system, too: objects of the cluster, and a query that ends the fault early."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from real_cluster import SHOP, Cluster, Object
from shop import Shop
from test_faults import fault, nothing_left

sys.path.insert(0, str(Path(__file__).parents[1] / "observation"))
from prometheus_server import Exporter, PrometheusServer, needs


def probing(pod: str, condition: str) -> Object:
    """The configuration of a probe of one pod."""
    looked = {"api_version": "v1", "kind": "Pod", "namespace": SHOP, "name": pod, "condition": condition}
    probe = {"name": "the pod", "object": looked, "interval_seconds": 0.5}
    return {"squall": {"probes": [probe], "baseline_seconds": 2, "recovery_seconds": 2}}


def loss(**tunables: Any) -> list[Object]:
    return [fault("loss", "app=web,place=a", NETWORK_PACKET_LOSS_PERCENTAGE=20, DESTINATION_PORTS="9000", **tunables)]


def test_an_object_is_watched_before_during_and_after_the_fault(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    ended = cluster.run(tmp_path, loss(), config=probing("web-a-0", "status.conditions[type=Ready].status == True"))
    assert ended.code == 0, ended.err + ended.out
    assert [(check["phase"], check["passed"]) for check in ended.result["checks"]] == [("baseline", True), ("fault", True), ("recovery", True)]
    assert all(check["good"] >= 3 for check in ended.result["checks"])


@pytest.mark.parametrize(("pod", "condition"), [("web-a-0", "spec.nodeName == nowhere"), ("nobody", "status.phase == Running")])
def test_what_does_not_hold_before_keeps_the_fault_away(cluster: Cluster, shop: Shop, tmp_path: Path, pod: str, condition: str) -> None:
    ended = cluster.run(tmp_path, loss(), config=probing(pod, condition))
    assert ended.code == 1, ended.err + ended.out
    assert [finding["kind"] for finding in ended.result["findings"]] == ["steady-state"]
    assert {event["event"] for event in ended.events} & {"carrier", "applied", "armed"} == set()


@needs("prometheus")
@pytest.mark.parametrize("on_runner_loss", ["finish", "stop"])
def test_a_query_ends_the_fault_early(cluster: Cluster, shop: Shop, tmp_path: Path, on_runner_loss: str) -> None:
    with Exporter(errors=0) as exporter, PrometheusServer(tmp_path / "prometheus", scrape=[exporter.address]) as prometheus:
        config = {
            "performance_monitoring": {"prometheus_url": prometheus.url},
            "squall": {"halt_on": [{"query": "errors > 5", "interval_seconds": 0.2}], "on_runner_loss": on_runner_loss},
        }
        running = cluster.start(tmp_path, loss(TOTAL_CHAOS_DURATION=60), config=config)
        running.until("in effect")
        exporter.gauges["errors"] = 9
        ended = running.end()
    assert ended.code == 2, ended.err + ended.out
    halted = next(event["time"] for event in ended.events if event["event"] == "halt")
    reverted = [event["time"] for event in ended.events if event["event"] == "reverted"]
    assert len(reverted) == len(ended.targets) == 3
    assert max(reverted) - halted < 2
    assert {target["status"] for target in ended.targets} == {"interrupted"}
    nothing_left(cluster)
