"""The object probe: whether something holds of a Kubernetes object."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ...model.condition import found_at, holds
from ...model.errors import ClusterProblem
from ...model.observation import Sample
from ...model.probe import ObjectProbe
from ...model.wording import shown

Read = Callable[[str], Mapping[str, Any]]

# Where Kubernetes' own rule (apimachinery, UnsafeGuessKindToResource) does not give the name of the resource.
_PLURALS = {
    "endpoints": "endpoints", "gateway": "gateways", "networkattachmentdefinition": "network-attachment-definitions", "nodemetrics": "nodes",
    "podmetrics": "pods", "securitycontextconstraints": "securitycontextconstraints",
}  # fmt: skip
_FORBIDDEN, _UNAUTHORIZED, _NOT_FOUND = 403, 401, 404


def resource_of(kind: str) -> str:
    """The plural by which the API names a kind: `deployments`, `networkpolicies`, `ingresses`."""
    lower = kind.lower()
    if lower in _PLURALS:
        return _PLURALS[lower]
    if lower.endswith("y"):
        return f"{lower[:-1]}ies"
    return f"{lower}es" if lower.endswith("s") else f"{lower}s"


def path_of(probe: ObjectProbe) -> str:
    """The raw path of the object; without a namespace, it is one of the cluster's own."""
    base = f"/apis/{probe.api_version}" if "/" in probe.api_version else f"/api/{probe.api_version}"
    space = f"/namespaces/{quote(probe.namespace, safe='')}" if probe.namespace else ""
    return f"{base}{space}/{resource_of(probe.kind)}/{quote(probe.name, safe='')}"


def ask_object(probe: ObjectProbe, read: Read) -> Sample:
    """Look once. `read` makes a GET of a raw path and raises ClusterProblem (with HTTP's `status`, if it has one); its time-outs are its own.

    Bad: the object is not there, it has no such field (which does equal null: Kubernetes leaves out what is null), or the comparison fails.
    Unknown: the API server did not let us see it, or did not answer.
    """
    asked = time.time()
    try:
        content = read(path_of(probe))
    except ClusterProblem as problem:
        return _unseen(probe, asked, problem)
    try:
        actual = found_at(probe.path, content)
    except LookupError as missing:
        if probe.value is not None:
            detail = f"{missing.args[0]}; Kubernetes leaves out many fields that are 0 or empty"
            return Sample(time=asked, good=False, detail=detail)
        actual = None
    if holds(actual, probe.comparison, probe.value):
        return Sample(time=asked, good=True)
    return Sample(time=asked, good=False, detail=f"{probe.path} is {_written(actual)}, expected {probe.comparison} {_written(probe.value)}")


def _written(value: object) -> str:
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else shown(value)


def _unseen(probe: ObjectProbe, asked: float, problem: ClusterProblem) -> Sample:
    status = getattr(problem, "status", 0)
    place = f"{probe.namespace}/{probe.name}" if probe.namespace else probe.name
    if status == _NOT_FOUND:
        return Sample(time=asked, good=False, detail=f"there is no {probe.kind} {place}")
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        return Sample(time=asked, good=None, detail=f"may not be seen (status {status}); add to your role: {rule_for(probe)}")
    return Sample(time=asked, good=None, detail=f"the API server could not be asked: {problem.what}")


def rule_for(probe: ObjectProbe) -> str:
    """The rule of RBAC that lets this object be read, as YAML."""
    group = probe.api_version.rpartition("/")[0]
    return f'{{apiGroups: ["{group}"], resources: ["{resource_of(probe.kind)}"], verbs: ["get"]}}'
