"""What is watched in a run, and who watches it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..clusters.protocol import Cluster
from ..engine.watch import NobodyWatches, Watch
from ..loading.configuration import Configuration
from ..loading.observation import observation_plan
from ..model.check import CheckState, require
from ..model.errors import BadInput, BadInputs, ClusterProblem
from ..model.observation_plan import ObservationPlan
from ..model.probe import CommandProbe, HaltOn, HttpProbe, ObjectProbe
from ..model.target import Target
from ..reports.record import Record

if TYPE_CHECKING:
    from ..engine.interruption import Interruption
    from ..observe.network_namespace import Sources
    from ..observe.probes.asking_object import Read


def observation_for(arguments: argparse.Namespace, configuration: Configuration, cluster: Cluster) -> ObservationPlan:
    """What the configuration and `--halt-on` ask for, if it can be done there. Raises BadInput or BadInputs."""
    observation = observation_plan(configuration)
    queries = tuple(getattr(arguments, "halt_on", None) or ())
    if queries and not observation.prometheus:
        raise BadInput("there is no Prometheus to ask", "--halt-on", "set performance_monitoring.prometheus_url")
    observation = replace(observation, halt_on=(*observation.halt_on, *(HaltOn(query=query) for query in queries)))
    wrong = list(_misplaced(configuration, observation, cluster)) if observation.probes else []
    if wrong:
        raise BadInputs(wrong)
    return observation


def _misplaced(configuration: Configuration, observation: ObservationPlan, cluster: Cluster) -> Iterator[BadInput]:
    """Probes that this kind of cluster cannot have."""
    from ..clusters.sandbox.cluster import Sandbox  # noqa: PLC0415 - a cluster without probes needs none of it

    sandbox = isinstance(cluster, Sandbox)
    for number, probe in enumerate(observation.probes):
        where = configuration.origin(("squall", "probes", number))
        if isinstance(probe.what, (HttpProbe, CommandProbe)) and probe.what.source and not sandbox:
            yield BadInput(f"{probe.name}: `from` names a pod of the sandbox, and this is a cluster", where, "remove `from`: the runner itself asks")
        elif isinstance(probe.what, (HttpProbe, CommandProbe)) and probe.what.source:
            try:
                cluster.locate(_pod(probe.what.source))
            except ClusterProblem as problem:
                yield BadInput(f"{probe.name}: from: {problem.what}", where, problem.remedy)
        if isinstance(probe.what, ObjectProbe) and sandbox:
            yield BadInput(f"{probe.name}: the sandbox has no Kubernetes objects", where, "use an http or command probe, or run it on a cluster")


def refuse_unless_seen(observation: ObservationPlan, where: str) -> list[str]:
    """Ask Prometheus before anything is touched; warnings. Raises ClusterProblem where what gates the run could not be told."""
    if not observation.prometheus:
        return []
    from ..observe.prometheus_ready import prometheus_check  # noqa: PLC0415 - the same

    check = prometheus_check(observation.prometheus, gating=observation.gates_on_prometheus and observation.on_unknown == "fail")
    require([check], where)
    return [f"{check.seen} → {check.remedy}"] if check.state is CheckState.WARNING else []


def watch_for(observation: ObservationPlan, cluster: Cluster, interruption: Interruption, record: Record, emit: Callable[..., None]) -> Watch:
    """Who watches this run."""
    if not any(observation.described()):
        return NobodyWatches()
    from ..observe.watch import SystemWatch  # noqa: PLC0415 - only those who watch need an HTTP client

    def keep(samples: Iterable[Mapping[str, Any]]) -> None:
        record.lines("metrics.jsonl", samples)

    return SystemWatch(
        observation, emit, nudge=interruption.nudge, hurry=lambda: interruption.count > 1, keep_metrics=keep,
        sources=_sources(cluster), read=_read(cluster),
    )  # fmt: skip


def _sources(cluster: Cluster) -> Sources | None:
    """Where a probe `from` a pod of the sandbox is asked."""
    from ..clusters.sandbox.cluster import Sandbox  # noqa: PLC0415
    from ..observe.network_namespace import Source  # noqa: PLC0415

    if not isinstance(cluster, Sandbox):
        return None

    def source(pod: str) -> Source:
        return Source.located(cluster.locate(_pod(pod)))

    return source


def _pod(path: str) -> Target:
    namespace, _, name = path.partition("/")
    return Target(kind="pod", namespace=namespace, name=name, node="")


def _read(cluster: Cluster) -> Read | None:
    """How an object of the cluster is read."""
    from ..clusters.kubernetes.cluster import Kubernetes  # noqa: PLC0415

    if not isinstance(cluster, Kubernetes):
        return None
    api = cluster.api
    return lambda path: api.call("GET", path)
