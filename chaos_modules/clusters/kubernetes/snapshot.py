"""What is in the cluster, as far as planning needs it: few requests, each for a whole list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...model.target import Container, Node, Pod, Scope, Snapshot, Taint, Workload
from .api import Api, ApiProblem, Object, pods_path
from .services import Name, read_services

KINDS = {
    "deployment": ("apps/v1", "deployments"), "statefulset": ("apps/v1", "statefulsets"), "daemonset": ("apps/v1", "daemonsets"),
    "replicaset": ("apps/v1", "replicasets"), "job": ("batch/v1", "jobs"),
}  # fmt: skip
FORBIDDEN = 403
# A kubelet reports no more images than this.
MOST_IMAGES = 50
HASH_LABEL = "pod-template-hash"


def read_snapshot(api: Api, scope: Scope, name: str) -> Snapshot:
    """The cluster as it is now, under this name. Raises ApiProblem where something may not be read without which the plan could be wrong."""
    pods = tuple(_pods(api, scope))
    services, hidden = read_services(api, scope.services)
    namespaces, labels = _namespaces(api, scope, pods, hidden)
    if namespaces:  # what is forbidden in a namespace that is not there is no Service
        hidden = tuple(named for named in hidden if named[0] in namespaces)
    return Snapshot(
        cluster=name, nodes=tuple(node_of(item) for item in api.list("/api/v1/nodes").items), pods=pods,
        workloads=tuple(_workloads(api, scope, pods)), namespaces=namespaces, namespace_labels=labels, services=services, hidden_services=hidden,
    )  # fmt: skip


def _pods(api: Api, scope: Scope) -> Iterator[Pod]:
    for path in ["/api/v1/pods"] if scope.everywhere else map(pods_path, scope.namespaces):
        yield from map(pod_of, api.list(path).items)


def _namespaces(
    api: Api, scope: Scope, pods: Iterable[Pod], hidden: Iterable[Name]
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[tuple[str, str], ...]], ...]]:  # fmt: skip
    """Their names and labels: if a filter needs them, or to tell a namespace without pods, or with hidden Services, from one that is not there."""
    if not scope.namespace_labels and {pod.namespace for pod in pods}.issuperset((*scope.namespaces, *(namespace for namespace, _ in hidden))):
        return (), ()
    try:
        items = api.list("/api/v1/namespaces").items
    except ApiProblem as problem:
        if scope.namespace_labels or problem.status != FORBIDDEN:
            raise
        return (), ()
    return tuple(item["metadata"]["name"] for item in items), tuple((item["metadata"]["name"], _labels(item)) for item in items)


def _workloads(api: Api, scope: Scope, pods: Iterable[Pod]) -> Iterator[Workload]:
    """Those whose labels select, and those of a kind of which a named one has no pods: it may be there, scaled down to nothing."""
    owners = {(pod.namespace, *owner) for pod in pods for owner in pod.owners}
    empty = [(namespace, kind) for namespace, kind, name in scope.named if (namespace, kind, name) not in owners]
    for namespace, kind in dict.fromkeys((*scope.workloads, *empty)):
        group, plural = KINDS[kind]
        try:
            items = api.list(f"/apis/{group}/namespaces/{namespace}/{plural}").items
        except ApiProblem as problem:
            if (namespace, kind) in scope.workloads or problem.status != FORBIDDEN:
                raise
            continue
        for item in items:
            yield Workload(kind=kind, namespace=namespace, name=item["metadata"]["name"], labels=_labels(item))


def pod_of(item: Object) -> Pod:
    """A pod of the API."""
    metadata, spec, status = item["metadata"], item["spec"], item.get("status", {})
    addresses = [one["ip"] for one in status.get("podIPs", ()) if "ip" in one]
    return Pod(
        namespace=metadata["namespace"], name=metadata["name"], node=spec.get("nodeName", ""), labels=_labels(item), owners=tuple(_owners(metadata)),
        containers=tuple(_containers(spec, status)), phase=status.get("phase", ""), terminating="deletionTimestamp" in metadata,
        host_network=spec.get("hostNetwork", False), addresses=tuple(addresses), uid=metadata.get("uid", ""),
    )  # fmt: skip


def _owners(metadata: Object) -> Iterator[tuple[str, str]]:
    """The controller; and a ReplicaSet's Deployment, which names it after itself and the hash that is also the pods' label."""
    for owner in metadata.get("ownerReferences", ()):
        if owner.get("controller"):
            kind, name = owner["kind"].lower(), owner["name"]
            yield kind, name
            ending = f"-{metadata.get('labels', {}).get(HASH_LABEL, '')}"
            if kind == "replicaset" and ending != "-" and name.endswith(ending):
                yield "deployment", name.removesuffix(ending)


def _containers(spec: Object, status: Object) -> Iterator[Container]:
    """In the order of the specification, whatever that of the statuses; sidecars (init containers that go on) come last."""
    statuses = {one["name"]: one for one in (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))}
    sidecars = [one for one in spec.get("initContainers", ()) if one.get("restartPolicy") == "Always"]
    for container in (*spec["containers"], *sidecars):
        known = statuses.get(container["name"], {})
        yield Container(name=container["name"], id=known.get("containerID", ""), running="running" in known.get("state", {}))


def node_of(item: Object) -> Node:
    """A node of the API."""
    spec, status = item.get("spec", {}), item.get("status", {})
    conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
    about, images = status.get("nodeInfo", {}), status.get("images", ())
    return Node(
        name=item["metadata"]["name"], labels=_labels(item), ready=conditions.get("Ready") == "True", unschedulable=spec.get("unschedulable", False),
        taints=tuple(Taint(key=one["key"], value=one.get("value", ""), effect=one["effect"]) for one in spec.get("taints", ())),
        operating_system=about.get("operatingSystem", "linux"), kubelet_version=about.get("kubeletVersion", ""),
        images=tuple(name for image in images for name in image.get("names") or ()), images_complete=len(images) < MOST_IMAGES,
    )  # fmt: skip


def _labels(item: Object) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(item["metadata"].get("labels", {}).items()))
