"""Peers that a filter names by labels, as the addresses that they have when the run is planned."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from ..model.errors import BadInput
from ..model.labels import parse_selector, selects
from ..model.target import Snapshot
from ..model.traffic import Network, TrafficFilter, TrafficRule

# The label by which Kubernetes lets a namespace be selected by its name.
NAME_LABEL = "kubernetes.io/metadata.name"
# Pods that have ended still show the addresses that others may have by now.
GONE = ("Succeeded", "Failed")


def with_addresses(traffic: TrafficFilter, snapshot: Snapshot, home: str = "") -> tuple[TrafficFilter, tuple[str, ...]]:
    """The filter with label selectors replaced by addresses, and a warning for each that names nobody; such a rule is left out.

    Pod labels alone mean pods of the namespace `home`, as in a NetworkPolicy; without a home, of every namespace.
    Raises BadInput where no rule to include would be left: no rule at all means every packet.
    """
    warnings: list[str] = []
    include = [_resolved(rule, snapshot, warnings, home) for rule in traffic.include]
    exclude = [_resolved(rule, snapshot, warnings, home) for rule in traffic.exclude]
    kept = [tuple(rule for rule in rules if rule is not None) for rules in (include, exclude)]
    if traffic.include and not kept[0]:
        raise BadInput(f"{warnings[0].partition(':')[0]}; a filter without addresses would mean everything", remedy="correct the labels")
    return replace(traffic, include=kept[0], exclude=kept[1]), tuple(dict.fromkeys(warnings))


def _resolved(rule: TrafficRule, snapshot: Snapshot, warnings: list[str], home: str) -> TrafficRule | None:
    if not rule.pod_labels and not rule.namespace_labels:
        return rule
    found = _addresses(rule, snapshot, home)
    if not found:
        warnings.append(f"no pod is named by {' and '.join(filter(None, (rule.pod_labels, rule.namespace_labels)))}: nobody is allowed by it")
        return None
    return replace(rule, peers=(*rule.peers, *found), pod_labels="", namespace_labels="")


def _addresses(rule: TrafficRule, snapshot: Snapshot, home: str) -> tuple[Network, ...]:
    pod_terms = parse_selector(rule.pod_labels) if rule.pod_labels else ()
    namespace_terms = parse_selector(rule.namespace_labels) if rule.namespace_labels else ()
    namespaces = {name: dict(labels) for name, labels in snapshot.namespace_labels}
    at_home = home if home and not rule.namespace_labels else ""
    return tuple(
        ip_network(address)
        for pod in snapshot.pods
        if at_home in ("", pod.namespace) and pod.phase not in GONE
        and selects(pod_terms, dict(pod.labels))
        and selects(namespace_terms, namespaces.get(pod.namespace, {NAME_LABEL: pod.namespace}))
        for address in pod.addresses
    )
