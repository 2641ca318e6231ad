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

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node and its labels."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment, StatefulSet, DaemonSet, ReplicaSet or Job; `kind` is in lower case."""

    kind: str
    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The cluster at the moment of planning; `cluster` names it for the user (context, or the sandbox's file)."""

    cluster: str
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    workloads: tuple[Workload, ...] = ()
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One network namespace to be impaired: that of a `pod`, a `node`, or the pod around a virtual machine (`vm`).

    `container_id` is how the injector finds it on the node.
    """

    kind: str
    namespace: str
    name: str
    node: str
    container: str = ""
    container_id: str = ""
    addresses: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """`kind/namespace/name`, the name of the target in the record."""
        return f"{self.kind}/{self.namespace}/{self.name}"

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
