"""What a sandbox file may say, and every mistake in it at the place where it was made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KEYS_OF_KIND = {"udp": {"rate", "size"}, "http": {"bytes", "pause"}, "ping": set[str]()}
_MOST_PER_NODE = 200
Location = tuple[str | int, ...]


def _dns_label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError("use lower-case letters, digits and '-', at most 63 (a DNS-1123 label)")
    return text


def _pod_path(value: object) -> object:
    return f"default/{value}" if isinstance(value, str) and "/" not in value else value


Name = Annotated[str, AfterValidator(_dns_label)]
PodPath = Annotated[str, BeforeValidator(_pod_path)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnerDescription(_Strict):
    """The workload that a pod belongs to."""

    kind: Annotated[str, Field(pattern="^[A-Za-z]+$")]
    name: Name


class ServeDescription(_Strict):
    """Ports on which a pod answers: TCP speaks HTTP, UDP echoes."""

    tcp: tuple[Port, ...] = ()
    udp: tuple[Port, ...] = ()


class _Machine(_Strict):
    """What has an address and may serve. Without `node` it runs on the first one."""

    name: Name
    namespace: Name = "default"
    node: Name | None = None
    labels: dict[str, str] = {}
    serve: ServeDescription = ServeDescription()

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


class PodDescription(_Machine):
    """One pod; one that is not Running has no network."""

    owner: OwnerDescription | None = None
    containers: Annotated[tuple[Name, ...], Field(min_length=1)] = ("app",)
    host_network: Annotated[bool, Field(alias="hostNetwork")] = False
    phase: Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"] = "Running"

    @property
    def running(self) -> bool:
        """Whether the pod has a network at all."""
        return self.phase == "Running"


class VirtualMachineDescription(_Machine):
    """One virtual machine, which runs in a pod of its own as KubeVirt makes it; that pod carries the machine's labels."""

    host_network: ClassVar[bool] = False
    phase: ClassVar[str] = "Running"
    running: ClassVar[bool] = True

    @property
    def launcher(self) -> PodDescription:
        """The pod that it runs in."""
        labels = {**self.labels, "kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": self.name}
        return PodDescription.model_construct(
            name=f"virt-launcher-{self.name}", namespace=self.namespace, node=self.node, labels=labels, containers=("compute",),
            owner=OwnerDescription(kind="VirtualMachineInstance", name=self.name),
        )  # fmt: skip


EndDescription = PodDescription | VirtualMachineDescription


class FlowDescription(_Strict):
    """One conversation: numbered UDP datagrams, HTTP downloads (`to` serves, `from` downloads) or pings."""

    sender: Annotated[PodPath, Field(alias="from")]
    receiver: Annotated[PodPath, Field(alias="to")]
    udp: Port | None = None
    http: Port | None = None
    ping: Annotated[float, Field(gt=0, le=100)] | None = None
    family: Literal[4, 6] = 4
    rate: Annotated[float, Field(gt=0, le=20_000)] = 100
    size: Annotated[int, Field(ge=32, le=1460)] = 200
    bytes: Annotated[int, Field(ge=1, le=2**30)] = 262_144
    pause: Annotated[float, Field(ge=0, le=3600)] = 0.05

    @property
    def kind(self) -> str:
        """`udp`, `http` or `ping`."""
        return next(kind for kind in _KEYS_OF_KIND if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _one_kind_and_its_keys(self) -> FlowDescription:
        kinds = [kind for kind in _KEYS_OF_KIND if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError("a flow has exactly one of udp (port), http (port) and ping (per second)")
        strangers = self.model_fields_set & set[str]().union(*_KEYS_OF_KIND.values()) - _KEYS_OF_KIND[kinds[0]]
        if strangers:
            raise ValueError(f"{', '.join(sorted(strangers))}: not for a {kinds[0]} flow")
        return self


class SandboxDescription(_Strict):
    """A whole sandbox; build it with `describe`, which also checks that the parts fit together."""

    nodes: Annotated[tuple[Name, ...], Field(min_length=1, max_length=200)]
    pods: tuple[PodDescription, ...]
    virtual_machines: tuple[VirtualMachineDescription, ...] = ()
    traffic: tuple[FlowDescription, ...] = ()

    def node_of(self, end: EndDescription) -> str:
        """The node on which a pod or a virtual machine runs."""
        return end.node or self.nodes[0]

    def ends(self) -> tuple[EndDescription, ...]:
        """Everything that traffic may come from or go to."""
        return (*self.pods, *self.virtual_machines)

    def all_pods(self) -> tuple[PodDescription, ...]:
        """The pods of the file, and those that the virtual machines run in."""
        return (*self.pods, *(machine.launcher for machine in self.virtual_machines))


def describe(data: object) -> SandboxDescription:
    """Plain data, as YAML gives it, as a description; pydantic's ValidationError names every mistake and its place."""
    description = SandboxDescription.model_validate(data)
    mistakes = [
        InitErrorDetails(type=PydanticCustomError("sandbox", "{problem}", {"problem": problem}), loc=place, input=None)
        for place, problem in _mistakes(description)
    ]
    if mistakes:
        raise ValidationError.from_exception_data("sandbox", mistakes)
    return description


def _mistakes(description: SandboxDescription) -> Iterator[tuple[Location, str]]:
    yield from _repeated_nodes(description)
    yield from _place_mistakes(description)
    yield from _port_clashes(description)
    pods = {pod.path: pod for pod in description.ends()}
    for index, flow in enumerate(description.traffic):
        yield from _flow_mistakes(("traffic", index), flow, pods)


def _repeated_nodes(description: SandboxDescription) -> Iterator[tuple[Location, str]]:
    for index, name in enumerate(description.nodes):
        if name in description.nodes[:index]:
            yield ("nodes", index), f"node {name} is listed twice"


def _place_mistakes(description: SandboxDescription) -> Iterator[tuple[Location, str]]:
    seen: set[str] = set()
    for place, end, paths in _places(description):
        for path in seen & paths:
            yield (*place, "name"), f"{path} is listed twice, as a pod or a virtual machine"
        if description.node_of(end) not in description.nodes:
            yield (*place, "node"), f"there is no node {end.node}; nodes: {', '.join(description.nodes)}"
        seen |= paths
    for node, count in Counter(description.node_of(end) for end in description.ends()).items():
        if count > _MOST_PER_NODE:
            yield ("pods",), f"node {node} has {count} pods and virtual machines; at most {_MOST_PER_NODE} fit"


def _places(description: SandboxDescription) -> Iterator[tuple[Location, EndDescription, set[str]]]:
    """(where in the file, what, the paths that it takes): a machine takes that of the pod around it as well."""
    for index, pod in enumerate(description.pods):
        yield ("pods", index), pod, {pod.path}
    for index, machine in enumerate(description.virtual_machines):
        yield ("virtual_machines", index), machine, {machine.path, machine.launcher.path}


def _port_clashes(description: SandboxDescription) -> Iterator[tuple[Location, str]]:
    """Pods in the node's namespace share its ports."""
    taken: dict[tuple[str, str, str, int], str] = {}
    for index, pod in enumerate(description.pods):
        place = description.node_of(pod) if pod.host_network else pod.path
        for protocol, ports in (("tcp", pod.serve.tcp), ("udp", pod.serve.udp)):
            for number, port in enumerate(ports):
                other = taken.setdefault((str(pod.host_network), place, protocol, port), f"{pod.path}#{number}")
                if other != f"{pod.path}#{number}" and pod.running:
                    yield ("pods", index, "serve", protocol, number), f"{protocol} port {port} is already served by {other.split('#')[0]}"


def _flow_mistakes(place: Location, flow: FlowDescription, pods: dict[str, EndDescription]) -> Iterator[tuple[Location, str]]:
    for key, path in (("from", flow.sender), ("to", flow.receiver)):
        if path not in pods:
            yield (*place, key), f"there is no pod {path} and no such virtual machine; write namespace/name"
        elif not pods[path].running:
            yield (*place, key), f"pod {path} is {pods[path].phase} and has no network"
    if flow.sender == flow.receiver:
        yield (*place, "to"), "a flow needs two different pods or virtual machines"
    receiver = pods.get(flow.receiver)
    if receiver and flow.udp and flow.udp not in receiver.serve.udp:
        yield (*place, "udp"), f"{receiver.path} does not serve udp port {flow.udp}; add it to its serve.udp"
    if receiver and flow.http and flow.http not in receiver.serve.tcp:
        yield (*place, "http"), f"{receiver.path} does not serve tcp port {flow.http}; add it to its serve.tcp"
