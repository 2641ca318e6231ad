"""Removes what killed runs left in a cluster, from our labels and names alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...model.workload import COMPONENT_LABEL, OUR_LABELS, RUN_LABEL, InjectionWorkload
from .api import Api, ApiProblem, Object, Query, jobs_path, pods_path
from .checks import NOT_FOUND
from .pod_state import ended
from .snapshot import node_of
from .sweep import sweep

# An injector reverts within a second of SIGTERM; its pod goes once the kubelet has said so.
GONE_SECONDS, LOOK_SECONDS = 45.0, 1.0


def cleanup_cluster(api: Api, workload: InjectionWorkload, run: str, *, audit: bool) -> Iterator[tuple[str, str]]:
    """End the carriers of a run (empty: of every run), then sweep every node. Yields (`removed` or `left`, what). With `audit` nothing is removed."""
    found = api.list(jobs_path(workload.namespace), _selector(run, "injector")).items
    if not audit:
        _remove(api, workload, run)
    for job in found:
        yield "left" if audit else "removed", _described(job)
    for text in () if audit else _still_there(api, workload, run):
        yield "left", text
    ready, away = _nodes(api)
    swept = sweep(api, workload, ready, run=run, remove=not audit)
    for finding in swept.findings:
        yield "removed" if finding.removed else "left", str(finding)
    for problem in [*(f"node {name}: not Ready, so that nobody can look" for name in away), *swept.problems]:
        yield "left", f"perhaps something on {problem}"


def _selector(run: str, component: str = "") -> Query:
    """Of ours, of this run, and of this component; empty: of any."""
    labels = {**OUR_LABELS, **({COMPONENT_LABEL: component} if component else {})}
    return [("labelSelector", ",".join([*(f"{key}={value}" for key, value in labels.items()), f"{RUN_LABEL}{f'={run}' if run else ''}"]))]


def _remove(api: Api, workload: InjectionWorkload, run: str) -> None:
    """The Jobs of carriers, and what a killed `check` or an earlier look left, which holds no fault."""
    api.call("DELETE", jobs_path(workload.namespace), query=[*_selector(run), ("propagationPolicy", "Background")])
    for pod in api.list(pods_path(workload.namespace), _selector(run, "probe")).items:
        try:
            api.call("DELETE", f"{pods_path(workload.namespace)}/{pod['metadata']['name']}")
        except ApiProblem as problem:
            if problem.status != NOT_FOUND:
                raise


def _described(job: Object) -> str:
    metadata, status = job["metadata"], job.get("status", {})
    state = "at work" if status.get("active") else "ended"
    return f"job {metadata['namespace']}/{metadata['name']} of run {metadata['labels'][RUN_LABEL]} ({state})"


def _still_there(api: Api, workload: InjectionWorkload, run: str) -> list[str]:
    """Wait for the injectors to end; those that do not, such as on a node that nobody hears of. A pod that has ended holds nothing."""
    patience = time.monotonic() + GONE_SECONDS
    while pods := [pod for pod in api.list(pods_path(workload.namespace), _selector(run, "injector")).items if not ended(pod)]:
        if time.monotonic() > patience:
            break
        time.sleep(LOOK_SECONDS)
    return [f"pod {pod['metadata']['namespace']}/{pod['metadata']['name']} on {pod['spec'].get('nodeName', 'no node')}" for pod in pods]


def _nodes(api: Api) -> tuple[list[str], list[str]]:
    """The Linux nodes: those that can be looked at, and those that cannot."""
    linux = [node for node in map(node_of, api.list("/api/v1/nodes").items) if node.operating_system == "linux"]
    return [node.name for node in linux if node.ready], [node.name for node in linux if not node.ready]
