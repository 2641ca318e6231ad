"""What must be known of a cluster to plan: no more is asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..model.request import ImpairmentRequest, PodSelector
from ..model.target import Scope
from .services import service_name

Item = TypeVar("Item")


def scope_of(requests: Iterable[ImpairmentRequest]) -> Scope:
    """What a snapshot must hold for these scenarios."""
    asked = list(requests)
    pods = [request.selector for request in asked if isinstance(request.selector, PodSelector)]
    owners = [selector for selector in pods if selector.kind not in ("", "pod") and not selector.target_pods]
    rules = [(request.selector.namespace, rule) for request in asked for rule in (*request.traffic.include, *request.traffic.exclude)]
    return Scope(
        namespaces=_once(selector.namespace for selector in pods),
        everywhere=any(rule.namespace_labels or (rule.pod_labels and not home) for home, rule in rules),
        workloads=_once((selector.namespace, selector.kind) for selector in owners if selector.labels and not selector.names),
        named=_once((selector.namespace, selector.kind, name) for selector in owners for name in selector.names),
        namespace_labels=any(rule.namespace_labels for _, rule in rules),
        services=_once(named for home, rule in rules for host in rule.hosts if (named := service_name(host, home))),
    )


def _once(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))
