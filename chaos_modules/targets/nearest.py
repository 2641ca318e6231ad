"""What to say when a selector matches nothing: the part of it that is wrong, and what is there instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..model.errors import NoTarget
from ..model.labels import parse_selector
from ..model.request import NodeSelector, PodSelector
from ..model.target import Snapshot
from ..model.wording import nearest

_MOST_LISTED = 10


def nothing_matches(snapshot: Snapshot, selector: PodSelector, name: str = "") -> NoTarget:
    """The error for a selector without pods; `name` is the workload or the listed pod that is missing."""
    namespaces = sorted({*snapshot.namespaces, *(pod.namespace for pod in snapshot.pods)})
    namespace = selector.namespace
    if namespace not in namespaces:
        what = f"no {'namespace' if snapshot.namespaces else 'pod that can be seen in namespace'} {namespace}"
        return NoTarget(f"{what}{_nearest(namespace, namespaces)}", snapshot.cluster, _there(namespaces))
    kind = "pod" if selector.target_pods else selector.kind or "pod"
    present = _names(snapshot, namespace, kind)
    if name and name in present:
        return NoTarget(f"{kind} {name} in namespace {namespace} has no pods", snapshot.cluster, "scale it up, or select another")
    if selector.target_pods or selector.names:
        wanted = name or ", ".join(selector.names)
        return NoTarget(f"no {kind} {wanted} in namespace {namespace}{_nearest(wanted, present)}", snapshot.cluster, _there(present))
    labels = _labels(snapshot, namespace, kind)
    hint = _nearest_label(selector.labels, labels) if selector.labels else ""
    what = f"no {kind} in namespace {namespace} has {selector.labels}{hint}" if selector.labels else f"no {kind} in namespace {namespace}"
    return NoTarget(what, snapshot.cluster, _there(f"{key}={value}" for key, value in sorted(labels)))


def no_such_node(snapshot: Snapshot, selector: NodeSelector, name: str = "") -> NoTarget:
    """The error for a selector without nodes; `name` is the node that is missing."""
    if name:
        present = sorted(node.name for node in snapshot.nodes)
        return NoTarget(f"no node {name}{_nearest(name, present)}", snapshot.cluster, _there(present))
    labels = Counter(label for node in snapshot.nodes for label in node.labels)
    hint = _nearest_label(selector.labels, labels, "node") if selector.labels else ""
    what = f"no node has {selector.labels}{hint}" if selector.labels else "no node"
    return NoTarget(what, snapshot.cluster, _there(f"{key}={value}" for key, value in sorted(labels)))


def _names(snapshot: Snapshot, namespace: str, kind: str) -> list[str]:
    pods = [pod for pod in snapshot.pods if pod.namespace == namespace]
    if kind == "pod":
        return sorted(pod.name for pod in pods)
    workloads = {workload.name for workload in snapshot.workloads if (workload.kind, workload.namespace) == (kind, namespace)}
    return sorted(workloads | {name for pod in pods for owner, name in pod.owners if owner == kind})


def _labels(snapshot: Snapshot, namespace: str, kind: str) -> Counter[tuple[str, str]]:
    """How many objects have each label: the pods, and for a workload's kind the workloads of that kind and the pods they own."""
    pods = (pod for pod in snapshot.pods if pod.namespace == namespace and (kind == "pod" or kind in dict(pod.owners)))
    counted = Counter(label for pod in pods for label in pod.labels)
    for workload in snapshot.workloads:
        if (workload.kind, workload.namespace) == (kind, namespace):
            counted.update(label for label in workload.labels if label not in counted)
    return counted


def _nearest_label(text: str, present: Counter[tuple[str, str]], noun: str = "pod") -> str:
    """` (nearest: app=web, 3 pods)`: the same key with a close value first, then any close label."""
    everything = {f"{key}={value}": count for (key, value), count in present.items()}
    for requirement in parse_selector(text):
        wanted = f"{requirement.key}={requirement.values[0] if requirement.values else ''}"
        same_key = [label for label in everything if label.startswith(f"{requirement.key}=")]
        found = nearest(wanted, same_key) or nearest(wanted, everything)
        if requirement.wanted and wanted not in everything and found:
            return f" (nearest: {found}, {everything[found]} {noun}{'s' if everything[found] != 1 else ''})"
    return ""


def _nearest(word: str, present: Iterable[str]) -> str:
    found = nearest(word, present)
    return f" (nearest: {found})" if found else ""


def _there(present: Iterable[str]) -> str:
    names = list(present)
    listed = ", ".join(names[:_MOST_LISTED]) + (", …" if len(names) > _MOST_LISTED else "")
    return f"there are: {listed}" if names else "there are none"
