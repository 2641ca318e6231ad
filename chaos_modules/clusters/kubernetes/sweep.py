"""A look into every network namespace of some nodes, by a short-lived pod on each, for what carries our name."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...model.errors import ClusterProblem
from ...model.workload import RUN_LABEL, InjectionWorkload
from .api import Api, ApiProblem, Object
from .manifest import sweeper_manifest
from .pod_state import ended, failure

PATIENCE_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing of ours in a network namespace, and the command that removes it; `reason` says why it could not be removed."""

    node: str
    where: str
    remedy: str
    removed: bool = False
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.node}, {self.where}: {self.remedy}{f' ({self.reason})' if self.reason else ''}"


@dataclass
class Swept:
    """What was found, and which nodes could not be looked at."""

    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def sweep(api: Api, workload: InjectionWorkload, nodes: Sequence[str], *, run: str, remove: bool) -> Swept:
    """Look at these nodes for what a run left (empty: any run), and remove it if asked. Raises ApiProblem where nothing can be started at all."""
    swept, label = Swept(), secrets.token_hex(4)
    jobs, pods = f"/apis/batch/v1/namespaces/{workload.namespace}/jobs", f"/api/v1/namespaces/{workload.namespace}/pods"
    selector = [("labelSelector", f"{RUN_LABEL}={label}")]
    try:
        for number, node in enumerate(nodes):
            api.call("POST", jobs, body=sweeper_manifest(workload, node, f"squall-sweep-{label}-{number}", label, run=run, remove=remove))
        waiting, patience = set(nodes), time.monotonic() + PATIENCE_SECONDS
        for change in api.watch(pods, selector, lambda: not waiting or time.monotonic() > patience):
            _look(api, pods, change.object, waiting, swept)
        swept.problems += [f"node {node}: its pod did not end within {PATIENCE_SECONDS:.0f} s" for node in sorted(waiting)]
    finally:
        api.call("DELETE", jobs, query=[*selector, ("propagationPolicy", "Background")])
    return swept


def _look(api: Api, pods: str, pod: Object, waiting: set[str], swept: Swept) -> None:
    """Take what a pod has to say, once it has ended; or why it never will."""
    node = pod["metadata"]["annotations"]["squall.chaos/node"]
    problem = failure(pod)
    if node not in waiting or not (problem or ended(pod)):
        return
    waiting.discard(node)
    try:
        if problem:
            raise ClusterProblem(problem)
        swept.findings += list(_findings(api, f"{pods}/{pod['metadata']['name']}/log", node))
    except ClusterProblem as error:
        swept.problems.append(f"node {node}: {error.what}")


def _findings(api: Api, log: str, node: str) -> Iterator[Finding]:
    """The lines of one sweeper; a log without its last line tells nothing."""
    complete = False
    for line in api.lines(log, [], lambda: False):
        try:
            event = json.loads(line or "{}")
        except ValueError:
            raise ApiProblem(f"its pod said: {str(line)[:300]}") from None
        complete = complete or event.get("event") == "swept"
        if event.get("event") == "found":
            yield Finding(
                node=node, where=str(event["where"]), remedy=str(event["remedy"]), removed=bool(event["removed"]), reason=str(event["reason"])
            )
    if not complete:
        raise ApiProblem("its pod ended without a last word")
