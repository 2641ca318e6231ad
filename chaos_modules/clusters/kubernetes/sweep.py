"""A look into every network namespace of some nodes, by a short-lived pod on each, for what carries our name."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...model.errors import ClusterProblem
from ...model.workload import RUN_LABEL, InjectionWorkload
from .api import Api, ApiProblem, Object, Query, jobs_path, pods_path
from .manifest import KEPT_SECONDS, NODE_ANNOTATION, SWEEP_SECONDS, sweeper_manifest
from .pod_state import ended, failure

PATIENCE_SECONDS = 90.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing of ours in a network namespace, and the command that removes it; `reason` says why it could not be removed."""

    node: str
    where: str
    remedy: str
    removed: bool = False
    reason: str = ""

    def __str__(self) -> str:
        why = f"({self.reason})" if self.reason else ""
        return f"{self.node}, {self.where}: {' '.join(filter(None, (self.remedy, why)))}"


@dataclass
class Swept:
    """What was found, and which nodes could not be looked at."""

    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def sweep(api: Api, workload: InjectionWorkload, nodes: Sequence[str], *, run: str, remove: bool) -> Swept:
    """Look at these nodes for what a run left (empty: any run), and remove it if asked. Raises ApiProblem where a pod cannot even be asked for."""
    swept, label = Swept(), secrets.token_hex(4)
    jobs, pods = jobs_path(workload.namespace), pods_path(workload.namespace)
    selector = [("labelSelector", f"{RUN_LABEL}={label}")]
    try:
        for number, node in enumerate(nodes):
            api.call("POST", jobs, body=sweeper_manifest(workload, node, f"squall-sweep-{label}-{number}", label, run=run, remove=remove))
        waiting, patience = set(nodes), time.monotonic() + PATIENCE_SECONDS
        for change in api.watch(pods, selector, lambda: not waiting or time.monotonic() > patience):
            _look(api, pods, change.object, waiting, swept)
        swept.problems += [f"node {node}: its pod did not end within {PATIENCE_SECONDS:.0f} s" for node in sorted(waiting)]
    finally:
        _withdraw(api, jobs, selector)
    return swept


def _withdraw(api: Api, jobs: str, selector: Query) -> None:
    """Take the sweepers' Jobs away. They end and go by themselves too, so that a failure here hides nothing that was found."""
    try:
        api.call("DELETE", jobs, query=[*selector, ("propagationPolicy", "Background")])
    except ApiProblem as problem:
        _log.warning("the sweepers' Jobs are not deleted, and go by themselves within %d s: %s", SWEEP_SECONDS + KEPT_SECONDS, problem.what)


def _look(api: Api, pods: str, pod: Object, waiting: set[str], swept: Swept) -> None:
    """Take what a pod has to say, once it has ended; or why it never will."""
    node = pod["metadata"]["annotations"][NODE_ANNOTATION]
    problem = failure(pod)
    if node not in waiting or not (problem or ended(pod)):
        return
    waiting.discard(node)
    try:
        if problem:
            raise ClusterProblem(problem)
        _read(api, f"{pods}/{pod['metadata']['name']}/log", node, swept.findings)
    except ClusterProblem as error:
        swept.problems.append(f"node {node}: {error.what}")


def _read(api: Api, log: str, node: str, findings: list[Finding]) -> None:
    """The lines of one sweeper. What it found counts, but only its last line tells that this was all. Raises ApiProblem."""
    complete = False
    for line in filter(None, api.lines(log, [], lambda: False)):
        try:
            event = json.loads(line)
            complete = complete or event["event"] == "swept"
            if event["event"] == "found":
                facts = {key: str(event[key]) for key in ("where", "remedy", "reason")}
                findings.append(Finding(node=node, removed=bool(event["removed"]), **facts))
        except (ValueError, KeyError, TypeError):
            raise ApiProblem(f"its pod said: {line[:300]}") from None
    if not complete:
        raise ApiProblem("its pod ended without a last word")
