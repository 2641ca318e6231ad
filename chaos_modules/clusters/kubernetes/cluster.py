"""A Kubernetes cluster behind the engine's seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model.errors import CLEANUP_COMMAND, ClusterProblem
from ...model.plan import Plan
from ...model.target import Node, Scope, Snapshot, Target
from ...model.workload import InjectionWorkload
from .api import Api
from .preflight import Preflight, refuse_unless_ready
from .snapshot import read_snapshot
from .sweep import sweep


class Kubernetes:
    """One cluster, reached through its API server; `workload` says how carrier pods are made.

    `stop`: faults end without their runner, which takes a stream to each injector; `target_events`: targets get events too.
    """

    peers = None

    def __init__(self, api: Api, workload: InjectionWorkload, *, stop: bool = False, target_events: bool = False) -> None:
        self.api, self.workload, self.stop, self.target_events = api, workload, stop, target_events
        self._nodes: tuple[Node, ...] = ()
        self._hiding: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For the user: the context."""
        return self.api.name

    def snapshot(self, scope: Scope) -> Snapshot:
        """What the scope asks for, as it is now."""
        snapshot = read_snapshot(self.api, scope, self.name)
        self._nodes = snapshot.nodes
        there = {*snapshot.namespaces, *(pod.namespace for pod in snapshot.pods)}
        self._hiding = tuple(dict.fromkeys(namespace for namespace, _ in snapshot.hidden_services if namespace in there))
        return snapshot

    def preflight(self, plan: Plan) -> Sequence[str]:
        """The checks that cost next to nothing. Raises ClusterProblem with all that failed; nothing is touched."""
        return refuse_unless_ready(self.checks(plan))

    def checks(self, plan: Plan, *, thorough: bool = False) -> Preflight:
        """What is looked at before a plan is executed; `thorough` starts a pod where only that tells."""
        return Preflight(
            api=self.api, plan=plan, nodes=self._nodes, workload=self.workload, cleanup=CLEANUP_COMMAND, stop=self.stop,
            target_events=self.target_events, hiding=self._hiding, thorough=thorough,
        )  # fmt: skip

    def start(self) -> None:
        """It is there already."""

    def locate(self, target: Target) -> Mapping[str, Any]:
        """By container, and by pod where the container was restarted meanwhile; both as the node's control groups name them."""
        return {"host": True} if target.kind == "node" else {"container": target.container_id, "pod": target.uid}

    def audit(self, run_id: str, doubtful: Sequence[str]) -> Sequence[str]:
        """A look at the nodes whose injector did not say that everything is gone, by a short-lived pod on each."""
        if not doubtful:
            return ()
        swept = sweep(self.api, self.workload, doubtful, run=run_id, remove=False)
        found = [str(finding) for finding in swept.findings]
        if swept.problems:
            raise ClusterProblem("; ".join([*swept.problems, *found]), self.name, f"when the node is back: {CLEANUP_COMMAND} --run {run_id}")
        return found

    def close(self) -> None:
        """Let go of the connections."""
        self.api.close()
