"""Packet tests need root and the tools; without them they are skipped, and say so."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from two_ends import two_ends

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MISSING = [tool for tool in ("ip", "tc", "nft") if shutil.which(tool, path=PATH) is None]
REASON = "needs root" if os.geteuid() else f"needs {', '.join(MISSING)}" if MISSING else ""


# Whole runs, every device and every kernel take minutes: `make test` leaves them to `make test-slow`.
SLOW = ("netem", "rootless", "test_devices.py", "test_endings.py", "test_runs.py", "test_sabotage.py", "test_virtual_machines.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if set(SLOW) & set(item.path.parts):
            item.add_marker(pytest.mark.slow)
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.packets)
            if REASON:
                item.add_marker(pytest.mark.skip(reason=f"real packets in network namespaces: {REASON}"))


@pytest.fixture
def ends() -> Iterator[tuple[str, str]]:
    with two_ends() as names:
        yield names
