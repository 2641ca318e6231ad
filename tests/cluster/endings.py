"""A fault that takes everything from one port, and whether what was sent at a time arrived."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from real_cluster import SHOP, Cluster, Object, Running
from shop import Shop

LEASE, HOLD = 4, 20
TARGET, FLOW = "web-a-0", "web-a-0>peer-b:9000"


def loss(pod: str = TARGET, hold: int = HOLD) -> Object:
    """Everything that a pod sends to one port."""
    return {
        "id": "pod-network-loss", "APP_NAMESPACE": SHOP, "TARGET_PODS": pod, "DESTINATION_PORTS": "9000",
        "NETWORK_PACKET_LOSS_PERCENTAGE": 100, "TOTAL_CHAOS_DURATION": hold,
    }  # fmt: skip


def begun(cluster: Cluster, folder: Path, *words: str, pod: str = TARGET, hold: int = HOLD, **squall: Any) -> Running:
    """A run whose fault has been in effect for a second."""
    running = cluster.start(folder, [loss(pod, hold)], *words, config={"squall": {"lease_seconds": LEASE, **squall}})
    running.until(": in effect")
    time.sleep(1)
    return running


def passing(shop: Shop, start: float, end: float, flow: str = FLOW) -> float:
    """The share of packets that arrived, of those sent between two moments."""
    facts = shop.counts(start, end)[flow]
    assert facts["sent"] > 10
    return float(facts.get("received", 0) / facts["sent"])


def normal_after(shop: Shop, moment: float, seconds: float, flow: str = FLOW) -> None:
    """The fault was there just before the moment, and every packet sent from `seconds` after it arrives."""
    time.sleep(max(0.0, moment + seconds + 2.5 - time.time()))
    assert passing(shop, moment - 0.8, moment - 0.1, flow) == 0
    assert passing(shop, moment + seconds, moment + seconds + 1.5, flow) == 1
