"""A place of its own for each test that runs a command: files, record directory, signal handlers, log handlers."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SANDBOX = """
nodes: [worker-1]
pods:
  - {name: web-0, namespace: shop, labels: {app: web}, owner: {kind: Deployment, name: web}}
  - {name: web-1, namespace: shop, labels: {app: web}, owner: {kind: Deployment, name: web}}
"""
CONFIG = """
kraken:
  chaos_scenarios:
  - pod_network_fault_scenarios: [loss.yaml]
tunings: {wait_duration: 0}
squall:
  sandbox_file: sandbox.yaml
  record_directory: record
  seed: 1
"""
LOSS = """
- id: pod-network-loss
  workload: {kind: deployment, namespace: shop, names: [web]}
  NETWORK_PACKET_LOSS_PERCENTAGE: 20
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory with config.yaml, loss.yaml, wrong.yaml (no such workload) and sandbox.yaml as the current one."""
    for name, text in (("config.yaml", CONFIG), ("loss.yaml", LOSS), ("wrong.yaml", LOSS.replace("[web]", "[wbe]")), ("sandbox.yaml", SANDBOX)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    numbers, logger = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP), logging.getLogger("chaos_modules")
    handlers, log_handlers, level = [signal.getsignal(number) for number in numbers], list(logger.handlers), logger.level
    yield tmp_path
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
    logger.handlers, logger.level = log_handlers, level


@pytest.fixture
def write(place: Path) -> Callable[[str, str], str]:
    """Write a file of the current directory; its name."""

    def to_file(name: str, text: str) -> str:
        (place / name).write_text(text, encoding="utf-8")
        return name

    return to_file
