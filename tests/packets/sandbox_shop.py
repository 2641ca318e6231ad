"""A small sandbox for tests, and waiting for what is to come true."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import Any

import pytest

from chaos_modules.clusters.sandbox.description import SandboxDescription, describe

MARKS = [
    pytest.mark.packets,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not all(map(shutil.which, ("ip", "tc", "nft"))), reason="needs ip, tc and nft (iproute2, nftables)"),
]


def shop() -> SandboxDescription:
    ends = {"from": "load/client", "to": "shop/web"}
    return describe(
        {
            "nodes": ["one", "two"],
            "pods": [
                {
                    "name": "web",
                    "namespace": "shop",
                    "owner": {"kind": "Deployment", "name": "front"},
                    "serve": {"tcp": [8080], "udp": [9000]},
                },
                {"name": "client", "namespace": "load", "node": "two", "serve": {"udp": [9000]}},
                {"name": "exporter", "node": "two", "hostNetwork": True, "serve": {"tcp": [9100]}},
            ],
            "traffic": [
                {"from": "shop/web", "to": "load/client", "udp": 9000, "rate": 400},
                {**ends, "udp": 9000, "rate": 100, "family": 6},
                {**ends, "http": 8080, "bytes": 20_000},
                {**ends, "ping": 50},
                {"from": "load/client", "to": "exporter", "ping": 50, "family": 6},
            ],
        }
    )


def until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
    return value
