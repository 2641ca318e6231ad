"""What is in the cluster, as far as choosing targets needs it, and the targets that were chosen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a pod; `id` is empty while it does not run."""

    name: str
    id: str = ""
    running: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod as the cluster reports it. `owners` is the whole chain, as (kind in lower case, name)."""

    namespace: str
    name: str
    node: str
    labels: tuple[tuple[str, str], ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    containers: tuple[Container, ...] = ()
    phase: str = "Running"
    terminating: bool = False
    host_network: bool = False
    addresses: tuple[str, ...] = ()
    uid: str = ""

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """What keeps pods without a matching toleration off a node."""

    key: str
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node as the cluster reports it. `images` are references to what it has pulled; all of it where `images_complete`."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[Taint, ...] = ()
    ready: bool = True
    unschedulable: bool = False
    operating_system: str = "linux"
    images: tuple[str, ...] = ()
    images_complete: bool = False
    kubelet_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment, StatefulSet, DaemonSet, ReplicaSet or Job; `kind` is in lower case."""

    kind: str
    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """A port of a Service, and those that its endpoints listen on in its place; `protocol` is in lower case."""

    port: int
    protocol: str = "tcp"
    targets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service: its own addresses (none when it is headless) and its endpoints', or the name that it stands for."""

    namespace: str
    name: str
    cluster_ips: tuple[str, ...] = ()
    ports: tuple[ServicePort, ...] = ()
    endpoints: tuple[str, ...] = ()
    external_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a snapshot must hold so that the scenarios can be planned, besides the nodes.

    The pods of `namespaces` (`everywhere`: of all); the labels of the `workloads` (namespace, kind); whether a `named` one (namespace, kind, name)
    without pods is there at all; the labels of all namespaces; and what the `services` (namespace, name) are, if they are any.
    """

    namespaces: tuple[str, ...] = ()
    everywhere: bool = False
    workloads: tuple[tuple[str, str], ...] = ()
    named: tuple[tuple[str, str, str], ...] = ()
    namespace_labels: bool = False
    services: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The cluster at the moment of planning; `cluster` names it for the user (context, or the sandbox's file).

    `namespaces` and `namespace_labels` are empty where nobody asked, or where they may not be listed. `hidden_services` may not be read.
    """

    cluster: str
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    workloads: tuple[Workload, ...] = ()
    namespaces: tuple[str, ...] = ()
    namespace_labels: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    services: tuple[Service, ...] = ()
    hidden_services: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One network namespace to be impaired: that of a `pod`, a `node`, or the pod around a virtual machine (`vm`).

    `container_id` and the pod's `uid` are how the injector finds it on the node.
    """

    kind: str
    namespace: str
    name: str
    node: str
    container: str = ""
    container_id: str = ""
    addresses: tuple[str, ...] = ()
    uid: str = ""

    @property
    def path(self) -> str:
        """`kind/namespace/name`, or `kind/name` of what is in no namespace: the name of the target in the record."""
        return "/".join(filter(None, (self.kind, self.namespace, self.name)))

    @property
    def reversed(self) -> bool:
        """Whether its device is the host's end of the workload's: what a virtual machine sends comes *in* at its tap."""
        return self.kind == "vm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Who was chosen, out of how many, and who was passed over and why."""

    targets: tuple[Target, ...]
    candidates: int
    skipped: tuple[tuple[str, str], ...] = ()
