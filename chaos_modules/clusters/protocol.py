"""The small seam between the engine and whatever runs the pods: a Kubernetes cluster or the sandbox on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..model.peer import PeerCount
from ..model.plan import Plan
from ..model.target import Scope, Snapshot, Target


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

    def snapshot(self, scope: Scope) -> Snapshot:
        """As much of the cluster as it is now as `scope` asks for; more does no harm. Raises ClusterProblem."""
        ...

    def preflight(self, plan: Plan) -> Sequence[str]:
        """Look whether the plan can be executed; warnings. Raises ClusterProblem with what is in the way; nothing is touched."""
        ...

    def start(self) -> None:
        """Be ready for carriers; a cluster that is there already is."""
        ...

    def locate(self, target: Target) -> Mapping[str, Any]:
        """How the injector finds the target's network namespace: the `find` part of its job."""
        ...

    def audit(self, run_id: str, doubtful: Sequence[str]) -> Sequence[str]:
        """What of a run is still in the network namespaces, as commands that remove it.

        `doubtful` are the nodes whose injector did not say that everything is gone. Raises ClusterProblem where it could not look.
        """
        ...

    def close(self) -> None:
        """Release what this adapter holds; the sandbox removes itself."""
        ...
