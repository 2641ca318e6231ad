"""Removes what killed runs left in a cluster, from our labels and names alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...model.workload import OUR_LABELS, RUN_LABEL, InjectionWorkload
from .api import Api, Object, Query
from .sweep import sweep

# An injector reverts within a second of SIGTERM; its pod goes once the kubelet has said so.
GONE_SECONDS = 45.0


def carriers(api: Api, workload: InjectionWorkload, run: str = "") -> list[Object]:
    """The Jobs of a run, or of any run."""
    return list(api.list(_jobs(workload), _selector(run)).items)


def cleanup_cluster(api: Api, workload: InjectionWorkload, run: str, *, audit: bool) -> Iterator[tuple[str, str]]:
    """End the carriers of a run (empty: of every run), then sweep every node. Yields (`removed` or `left`, what). With `audit` nothing is removed."""
    found = carriers(api, workload, run)
    for job in found:
        yield "left" if audit else "removed", _described(job)
    if found and not audit:
        api.call("DELETE", _jobs(workload), query=[*_selector(run), ("propagationPolicy", "Background")])
        yield from (("left", text) for text in _still_there(api, workload, run))
    ready, away = _nodes(api)
    swept = sweep(api, workload, ready, run=run, remove=not audit)
    for finding in swept.findings:
        yield "removed" if finding.removed else "left", str(finding)
    for problem in [*(f"node {name}: not Ready, so that nobody can look" for name in away), *swept.problems]:
        yield "left", f"perhaps something on {problem}"


def _jobs(workload: InjectionWorkload) -> str:
    return f"/apis/batch/v1/namespaces/{workload.namespace}/jobs"


def _selector(run: str) -> Query:
    """Of ours, and of this run."""
    ours = ",".join(f"{key}={value}" for key, value in OUR_LABELS.items())
    return [("labelSelector", f"{ours},{RUN_LABEL}{f'={run}' if run else ''}")]


def _described(job: Object) -> str:
    metadata, status = job["metadata"], job.get("status", {})
    state = "at work" if status.get("active") else "ended"
    return f"job {metadata['namespace']}/{metadata['name']} of run {metadata['labels'][RUN_LABEL]} ({state})"


def _still_there(api: Api, workload: InjectionWorkload, run: str) -> list[str]:
    """Wait for the pods to go; those that stay, such as on a node that nobody hears of."""
    pods, patience = {}, time.monotonic() + GONE_SECONDS
    path = f"/api/v1/namespaces/{workload.namespace}/pods"
    for pod in api.list(path, _selector(run)).items:
        pods[pod["metadata"]["uid"]] = pod
    for change in api.watch(path, _selector(run), lambda: not pods or time.monotonic() > patience) if pods else ():
        if change.type == "DELETED":
            pods.pop(change.object["metadata"]["uid"], None)
    return [f"pod {pod['metadata']['namespace']}/{pod['metadata']['name']} on {pod['spec'].get('nodeName', 'no node')}" for pod in pods.values()]


def _nodes(api: Api) -> tuple[list[str], list[str]]:
    """The Linux nodes: those that can be looked at, and those that cannot."""
    ready: list[str] = []
    away: list[str] = []
    for node in api.list("/api/v1/nodes").items:
        conditions = {one["type"]: one["status"] for one in node["status"].get("conditions", [])}
        if node["status"].get("nodeInfo", {}).get("operatingSystem", "linux") == "linux":
            (ready if conditions.get("Ready") == "True" else away).append(node["metadata"]["name"])
    return ready, away
