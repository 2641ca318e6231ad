"""Whether the nodes of a plan take a carrier, by the rules of Kubernetes' scheduler: readiness, system, labels, taints."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ...model.check import Check, failed, passed, skipped
from ...model.plan import Plan
from ...model.target import Node, Taint
from ...model.workload import InjectionWorkload, Toleration
from .checks import OLDEST, dotted, version

CORDONED = Taint(key="node.kubernetes.io/unschedulable", value="", effect="NoSchedule")
# What the node itself is not well with; the readiness tells it better.
_UNWELL = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Kubernetes' own rule: an empty effect or an empty key stands for all of them."""
    if toleration.effect not in ("", taint.effect) or toleration.key not in ("", taint.key):
        return False
    return toleration.operator == "Exists" or toleration.value == taint.value


def repelling(node: Node, tolerations: Sequence[Toleration]) -> list[Taint]:
    """The taints of a node that keep a pod with these tolerations away; `PreferNoSchedule` keeps nobody away."""
    taints = dict.fromkeys([*node.taints, *([CORDONED] if node.unschedulable else [])])
    return [
        taint for taint in taints
        if taint.effect in ("NoSchedule", "NoExecute") and taint.key not in _UNWELL and not any(tolerates(one, taint) for one in tolerations)
    ]  # fmt: skip


def concerned(plan: Plan, nodes: Sequence[Node], workload: InjectionWorkload) -> list[Node]:
    """The nodes of the plan; without a scenario those that would take a carrier."""
    if plan.scenarios:
        names = {injection.target.node for scenario in plan.scenarios for injection in scenario.injections}
        return [node for node in nodes if node.name in names]
    return [node for node in nodes if not _flaw(node, workload) and not repelling(node, workload.tolerations)]


def node_checks(plan: Plan, nodes: Sequence[Node], workload: InjectionWorkload) -> list[Check]:
    """Readiness, operating system, kubelet and labels, and then the taints."""
    aimed = concerned(plan, nodes, workload)
    if not nodes:
        return [skipped(name, "no node is known", "see permissions") for name in ("nodes", "taints")]
    if not aimed:
        return [_nowhere(plan, nodes, workload), skipped("taints", "there is no node to look at", "see nodes")]
    flaws = [(node, _flaw(node, workload)) for node in aimed]
    wrong = [failed("nodes", f"node {node.name} {flaw[0]}", flaw[1]) for node, flaw in flaws if flaw]
    names = _listed([node.name for node in aimed])
    fit = [] if wrong else [passed("nodes", f"{names}: ready, Linux, kubelet {_span(aimed)}")]
    tainted = [_taints(node, taints) for node in aimed if (taints := repelling(node, workload.tolerations))]
    return [*wrong, *fit, *(tainted or [passed("taints", f"{names}: no taint keeps a carrier away")])]


def _nowhere(plan: Plan, nodes: Sequence[Node], workload: InjectionWorkload) -> Check:
    if plan.scenarios:
        return skipped("nodes", "no target, so no node", "see targets")
    reasons = "; ".join(f"{node.name} {(_flaw(node, workload) or ('is tainted', ''))[0]}" for node in nodes[:10])
    return failed("nodes", f"no node would take a carrier: {reasons or 'there are none'}", "kubectl get nodes -o wide")


def _flaw(node: Node, workload: InjectionWorkload) -> tuple[str, str] | None:
    """Why this node cannot run a carrier, taints aside, and what to do; None when it can."""
    labels = dict(node.labels)
    unmet = {key: value for key, value in workload.node_selector.items() if labels.get(key) != value}
    if not node.ready:
        return "is not ready", f"kubectl describe node {node.name}"
    if node.operating_system not in ("", "linux"):
        return f"runs {node.operating_system}; faults need Linux", "select pods on Linux nodes, e.g. NODE_LABEL: kubernetes.io/os=linux"
    found = version(node.kubelet_version)
    if found is not None and found < OLDEST:
        return f"has the old kubelet {node.kubelet_version}", f"upgrade it to {dotted(OLDEST)} or later"
    if unmet:
        wanted = ",".join(f"{key}={value}" for key, value in unmet.items())
        return f"has not {wanted} of squall.injector.node_selector", f"kubectl label node {node.name} {wanted.replace(',', ' ')}"
    return None


def _taints(node: Node, taints: Sequence[Taint]) -> Check:
    if taints == [CORDONED]:
        return failed("taints", f"node {node.name} is cordoned", f"kubectl uncordon {node.name}, or {_tolerations(taints)}")
    told = ", ".join(f"{taint.key}{f'={taint.value}' if taint.value else ''}:{taint.effect}" for taint in taints)
    return failed("taints", f"node {node.name} keeps carriers away by {told}", _tolerations(taints))


def _tolerations(taints: Sequence[Taint]) -> str:
    """As the configuration takes it."""
    listed = [{"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect} for taint in taints]
    return f"squall: {json.dumps({'injector': {'tolerations': listed}})}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{'node' if len(names) == 1 else 'nodes'} {', '.join(names[:5])}{more}"


def _span(nodes: Sequence[Node]) -> str:
    versions = sorted({node.kubelet_version for node in nodes if node.kubelet_version})
    return " to ".join(dict.fromkeys((versions[0], versions[-1]))) if versions else "of unknown version"
