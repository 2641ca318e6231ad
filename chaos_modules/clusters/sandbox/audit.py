"""An independent look into the sandbox's namespaces for what an injector left there: it does not believe what the injector said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .network import run

_ROOT = "ca05:"


def audit(netns: str, run_id: str) -> Iterator[str]:
    """Commands that remove what is left of a run in one namespace; a root qdisc of ours does not tell its run."""
    tables = _listed(["ip", "netns", "exec", netns, "nft", "-j", "list", "tables"])["nftables"]
    for table in (item["table"] for item in tables if "table" in item):
        if table["name"].startswith(f"squall_{run_id}"):
            yield f"ip netns exec {netns} nft delete table {table['family']} {table['name']}"
    device = f"sq{run_id}"
    for link in _listed(["ip", "-n", netns, "-j", "link", "show"]):
        if link["ifname"] == device:
            yield f"ip -n {netns} link del dev {device}"
    for queue in _listed(["tc", "-n", netns, "-j", "qdisc", "show"]):
        if queue["handle"] == _ROOT and queue.get("root") and not queue["dev"].startswith("sq"):
            yield f"tc -n {netns} qdisc del dev {queue['dev']} root handle {_ROOT}"


def _listed(argv: list[str]) -> Any:
    return json.loads(run(argv))
