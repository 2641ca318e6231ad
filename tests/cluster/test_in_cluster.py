"""Squall as a Job inside the cluster, from the shipped manifests, with the shipped rights."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from real_cluster import CARRIERS, REPOSITORY, SHOP, Cluster
from shop import Shop


@pytest.mark.skipif(not os.environ.get("SQUALL_TEST_RUNNER"), reason="SQUALL_TEST_RUNNER does not say that the runner's image is loaded")
def test_the_shipped_job_runs_a_scenario(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    shutil.copytree(REPOSITORY / "containers" / "kubernetes", folder)
    targets = folder / "targets.yaml"
    targets.write_text(targets.read_text().replace("namespace: shop", f"namespace: {SHOP}"))
    item = {"id": "pod-network-loss", "APP_NAMESPACE": SHOP, "TARGET_PODS": "web-a-0", "NETWORK_PACKET_LOSS_PERCENTAGE": 20,
            "TOTAL_CHAOS_DURATION": 4}
    (folder / "scenario.yaml").write_text(yaml.safe_dump([item]))
    cluster.kubectl("delete", "job", "-n", CARRIERS, "squall", "--ignore-not-found")
    cluster.kubectl("apply", "-k", str(folder))
    try:
        cluster.kubectl("wait", "-n", CARRIERS, "--for=condition=Complete", "job/squall", "--timeout=90s")
        events = [json.loads(line) for line in cluster.kubectl("logs", "-n", CARRIERS, "job/squall").splitlines() if line.startswith("{")]
        assert [event["exit_code"] for event in events if event["event"] == "run-finished"] == [0]
        assert "armed" in {event["event"] for event in events}
    finally:
        cluster.kubectl("delete", "job", "-n", CARRIERS, "squall")
    assert cluster.left() == []
