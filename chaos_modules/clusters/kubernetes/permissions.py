"""What Squall asks of the API server, feature by feature: `check` asks whether it may, containers/kubernetes/rbac.yaml grants exactly this."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

# A Role in the carriers' namespace; cluster roles, of which those of targets can be bound in the targets' namespaces alone.
CARRIERS, TARGETS, TARGET_EVENTS, CLUSTER = "squall-carriers", "squall-targets", "squall-target-events", "squall-cluster"
HOSTS = "hosts that are services"


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on one resource (`pods/log` for a subresource) that one feature needs; `role` is where rbac.yaml grants them."""

    feature: str
    role: str
    group: str
    resource: str
    verbs: tuple[str, ...]

    def __str__(self) -> str:
        """As YAML, to be added to a role."""
        verbs = ", ".join(f'"{verb}"' for verb in self.verbs)
        return f'- {{apiGroups: ["{self.group}"], resources: ["{self.resource}"], verbs: [{verbs}]}}  # {self.feature}'


RULES = (
    Rule("run", CARRIERS, "batch", "jobs", ("create", "deletecollection", "get", "list")),
    Rule("run", CARRIERS, "", "pods", ("create", "delete", "list", "watch")),
    Rule("run", CARRIERS, "", "pods/log", ("get",)),
    Rule("run", CARRIERS, "", "events", ("create", "list")),
    Rule("on_runner_loss: stop", CARRIERS, "", "pods/attach", ("create", "get")),
    Rule("targets", CLUSTER, "", "nodes", ("list",)),
    Rule("targets", TARGETS, "", "pods", ("list",)),
    Rule("targets by labels of their workload", TARGETS, "apps", "daemonsets", ("list",)),
    Rule("targets by labels of their workload", TARGETS, "apps", "deployments", ("list",)),
    Rule("targets by labels of their workload", TARGETS, "apps", "replicasets", ("list",)),
    Rule("targets by labels of their workload", TARGETS, "apps", "statefulsets", ("list",)),
    Rule("targets by labels of their workload", TARGETS, "batch", "jobs", ("list",)),
    Rule(HOSTS, TARGETS, "", "services", ("get",)),
    Rule(HOSTS, TARGETS, "discovery.k8s.io", "endpointslices", ("list",)),
    Rule("peers by labels of their namespace", CLUSTER, "", "namespaces", ("list",)),
    Rule("target_events", TARGET_EVENTS, "", "events", ("create",)),
)


def needed(role: str, features: Collection[str]) -> list[Rule]:
    """The rules of a role that these features need."""
    return [rule for rule in RULES if rule.role == role and rule.feature in features]


def lacking(rules: Iterable[Rule], allowed: Callable[[Rule, str], bool]) -> list[Rule]:
    """What is left of the rules without the verbs that are allowed."""
    left = [(rule, tuple(verb for verb in rule.verbs if not allowed(rule, verb))) for rule in rules]
    return [replace(rule, verbs=verbs) for rule, verbs in left if verbs]


def written(rules: Iterable[Rule], namespace: str) -> str:
    """The rules as YAML, and where they belong."""
    listed = list(rules)
    return "\n".join([f"add to your role in namespace {namespace} ({listed[0].role} of containers/kubernetes/rbac.yaml):", *map(str, listed)])


def granted(grants: Sequence[Mapping[str, Any]], rule: Rule, verb: str) -> bool:
    """By the `resourceRules` of a SelfSubjectRulesReview. A grant for named objects is none: nobody knows beforehand what ours are called."""
    return any(
        _has(grant.get("verbs"), verb) and _has(grant.get("apiGroups"), rule.group) and _has_resource(grant.get("resources"), rule.resource)
        for grant in grants if not grant.get("resourceNames")
    )  # fmt: skip


def _has(granted: Sequence[str] | None, wanted: str) -> bool:
    return bool({"*", wanted}.intersection(granted or ()))


def _has_resource(granted: Sequence[str] | None, wanted: str) -> bool:
    """`*` is everything, `*/log` the subresource of everything; `pods` is not `pods/log`, and `pods/*` means nothing to Kubernetes."""
    _, _, subresource = wanted.partition("/")
    return _has(granted, wanted) or bool(subresource and f"*/{subresource}" in (granted or ()))
