"""Pods by workload, labels or name: who is hit, who is passed over and why (seed 000 A9..A12, A21, A23, A25)."""

from __future__ import annotations

from random import Random

from ..model.errors import NoTarget, Refused
from ..model.labels import parse_selector, selects
from ..model.request import PodSelector
from ..model.target import Container, Pod, Selection, Snapshot, Target
from ..model.workload import RUN_LABEL
from . import nodes
from .nearest import nothing_matches

HOST_NETWORK = "uses the node's own network (hostNetwork)"


def select(snapshot: Snapshot, selector: PodSelector, random: Random) -> Selection:
    """The pods to hit. The same snapshot, selector and seed give the same pods.

    Raises NoTarget when nothing matches or can be hit (naming the nearest match), Refused when only pods in the node's network remain.
    """
    if selector.target_pods:
        return _by_name(snapshot, selector)
    matching = matching_pods(snapshot, selector)
    if not matching:
        raise nothing_matches(snapshot, selector)
    judged = [(pod, _obstacle(snapshot, selector, pod)) for pod in matching]
    eligible = [pod for pod, obstacle in judged if not obstacle]
    skipped = tuple((pod.path, obstacle) for pod, obstacle in judged if obstacle)
    if not eligible:
        raise _none_eligible(snapshot, selector, judged)
    chosen = random.sample(eligible, _wanted(selector, len(eligible), random))
    targets = tuple(_target(pod, selector) for pod in sorted(chosen, key=lambda pod: pod.name))
    return Selection(targets=targets, candidates=len(eligible), skipped=skipped)


def matching_pods(snapshot: Snapshot, selector: PodSelector) -> list[Pod]:
    """The pods of the selector's workload in the order of their names, whatever their state.

    With a kind, labels are the workload's; where no workload of that kind has them, those of its pods (as Litmus reads them).
    """
    pods = sorted((pod for pod in snapshot.pods if pod.namespace == selector.namespace), key=lambda pod: pod.name)
    wanted = parse_selector(selector.labels) if selector.labels else ()
    if selector.kind in ("", "pod"):
        return [pod for pod in pods if selects(wanted, dict(pod.labels)) and (not selector.names or pod.name in selector.names)]
    if selector.names:
        for name in selector.names:
            if not any((selector.kind, name) in pod.owners for pod in pods):
                raise nothing_matches(snapshot, selector, name)
        return [pod for pod in pods if any((selector.kind, name) in pod.owners for name in selector.names)]
    owners = {
        (workload.kind, workload.name) for workload in snapshot.workloads
        if workload.namespace == selector.namespace and workload.kind == selector.kind and selects(wanted, dict(workload.labels))
    }
    if owners:
        return [pod for pod in pods if owners.intersection(pod.owners)]
    return [pod for pod in pods if selector.kind in dict(pod.owners) and selects(wanted, dict(pod.labels))]


def _wanted(selector: PodSelector, eligible: int, random: Random) -> int:
    """Rounded down and at least one; a range is drawn with the run's seed."""
    percentage = random.randint(selector.affected.first, selector.affected.last)
    return max(1, percentage * eligible // 100)


def _container(pod: Pod, selector: PodSelector) -> Container | None:
    if not selector.container:
        return pod.containers[0] if pod.containers else None
    return next((container for container in pod.containers if container.name == selector.container), None)


def _obstacle(snapshot: Snapshot, selector: PodSelector, pod: Pod) -> str:
    """Why this pod cannot be hit; empty when it can."""
    return _state_obstacle(selector, pod) or _node_obstacle(snapshot, selector, pod)


def _state_obstacle(selector: PodSelector, pod: Pod) -> str:
    if RUN_LABEL in dict(pod.labels):
        return "is one of Squall's own"
    if pod.phase != "Running":
        return f"is {pod.phase or 'in no known phase'}, not Running"
    if pod.terminating:
        return "is being deleted"
    container = _container(pod, selector)
    if container is None:
        return f"has no container {selector.container or 'at all'} (has: {', '.join(each.name for each in pod.containers) or 'none'})"
    if not container.running:
        return f"its container {container.name} does not run"
    return HOST_NETWORK if pod.host_network else ""


def _node_obstacle(snapshot: Snapshot, selector: PodSelector, pod: Pod) -> str:
    node = next((node for node in snapshot.nodes if node.name == pod.node), None)
    if node and (obstacle := nodes.obstacle(node)):
        return f"its node {pod.node} {obstacle}"
    wanted = selector.node_label if not selector.target_pods else ""
    if not wanted or selects(parse_selector(wanted), dict(node.labels) if node else {}):
        return ""
    return f"its node {pod.node} has not {wanted}"


def _target(pod: Pod, selector: PodSelector) -> Target:
    container = _container(pod, selector)
    assert container is not None  # _state_obstacle
    return Target(
        kind="pod", namespace=pod.namespace, name=pod.name, node=pod.node,
        container=container.name, container_id=container.id, addresses=pod.addresses, uid=pod.uid,
    )


def _none_eligible(snapshot: Snapshot, selector: PodSelector, judged: list[tuple[Pod, str]]) -> NoTarget | Refused:
    reasons = "; ".join(f"{pod.name} {obstacle}" for pod, obstacle in judged[:5])
    more = f"; and {len(judged) - 5} more" if len(judged) > 5 else ""
    if any(obstacle == HOST_NETWORK for _, obstacle in judged):
        return _host_network(", ".join(pod.path for pod, obstacle in judged if obstacle == HOST_NETWORK))
    where = f"namespace {selector.namespace}"
    if selector.node_label and not any(selects(parse_selector(selector.node_label), dict(node.labels)) for node in snapshot.nodes):
        known = ", ".join(sorted({f"{key}={value}" for node in snapshot.nodes for key, value in node.labels})[:20])
        return NoTarget(f"no node has {selector.node_label}", where, f"correct NODE_LABEL; nodes have: {known or 'no labels'}")
    return NoTarget(f"none of {len(judged)} matching pods can be hit: {reasons}{more}", where, "wait until they run, or select others")


def _host_network(paths: str) -> Refused:
    what = f"{HOST_NETWORK.removesuffix(' (hostNetwork)')} (hostNetwork: true), so that the fault would hit the whole node"
    return Refused(what, paths, "select pods with a network of their own")


def _by_name(snapshot: Snapshot, selector: PodSelector) -> Selection:
    """TARGET_PODS wins over everything else (A9): each of them is hit, or the scenario does not run."""
    present = {pod.name: pod for pod in snapshot.pods if pod.namespace == selector.namespace}
    pods = []
    for name in sorted(set(selector.target_pods)):
        if name not in present:
            raise nothing_matches(snapshot, selector, name)
        obstacle = _obstacle(snapshot, selector, present[name])
        if obstacle == HOST_NETWORK:
            raise _host_network(present[name].path)
        if obstacle:
            raise NoTarget(obstacle, present[name].path, "correct TARGET_PODS or TARGET_CONTAINER, or wait until it runs")
        pods.append(present[name])
    return Selection(targets=tuple(_target(pod, selector) for pod in pods), candidates=_siblings(snapshot, selector, pods))


def _siblings(snapshot: Snapshot, selector: PodSelector, pods: list[Pod]) -> int:
    """How many pods that could be hit share a workload with the listed ones, for the blast radius."""
    owners = {owner for pod in pods for owner in pod.owners[-1:]}
    names = {pod.name for pod in pods}
    return sum(
        pod.name in names or bool(owners.intersection(pod.owners[-1:]) and not _state_obstacle(selector, pod))
        for pod in snapshot.pods if pod.namespace == selector.namespace
    )
