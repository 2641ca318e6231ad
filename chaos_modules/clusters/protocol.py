"""The small seam between the engine and whatever runs the pods: a Kubernetes cluster or the sandbox on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..model.peer import PeerCount
from ..model.target import Snapshot, Target


class PeerCounts(Protocol):
    """Traffic that counts at both ends; only the sandbox has it."""

    def count(self, start: float, end: float) -> Sequence[PeerCount]:
        """The flows' counts for packets sent between two moments (seconds since the epoch)."""
        ...


class Cluster(Protocol):
    """What the engine needs of a cluster."""

    @property
    def name(self) -> str:
        """For the user: the context, or the sandbox's file."""
        ...

    @property
    def peers(self) -> PeerCounts | None:
        """Traffic that counts at both ends, where the cluster has it."""
        ...

    def snapshot(self) -> Snapshot:
        """Pods, nodes and workloads as they are now."""
        ...

    def locate(self, target: Target) -> Mapping[str, Any]:
        """How the injector finds the target's network namespace: the `find` part of its job."""
        ...

    def audit(self, run_id: str) -> Sequence[str]:
        """What of a run is still in the network namespaces, as commands that remove it; empty where the cluster has no way to look."""
        ...

    def leftovers(self) -> Sequence[str]:
        """What of ours is in the cluster, one line each."""
        ...

    def close(self) -> None:
        """Release what this adapter holds; the sandbox removes itself."""
        ...
