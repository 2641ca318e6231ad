"""Where everything of a described sandbox is: names, addresses and the hosts file. Pure, so that it can be tested without root."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .description import EndDescription, PodDescription, SandboxDescription

NETNS_DIRECTORY = Path("/run/netns")
FABRIC = "squall-fabric"
PREFIXES = ("squall.", "squall-node.", "squall-vm.", FABRIC)
_NODE_HOST = 1
_FIRST_POD_HOST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A network namespace with its addresses; `host` numbers it within its node."""

    netns: str
    node: int
    host: int

    @property
    def address_v4(self) -> str:
        """The IPv4 address, in one /16 for the whole sandbox."""
        return f"10.244.{self.node}.{self.host}"

    @property
    def address_v6(self) -> str:
        """The IPv6 address, in one /64 for the whole sandbox."""
        return f"fd00:5c::{self.node:x}:{self.host:x}"

    @property
    def addresses(self) -> tuple[str, str]:
        """IPv4 first."""
        return self.address_v4, self.address_v6

    @property
    def link_address(self) -> str:
        """A MAC address that tells in a capture whose it is."""
        return f"02:5c:00:00:{self.node:02x}:{self.host:02x}"

    @property
    def outer_link_address(self) -> str:
        """That of the pod around a virtual machine: the machine itself has the other one, and a bridge keeps its own ports' for itself."""
        return f"02:5c:01:00:{self.node:02x}:{self.host:02x}"

    @property
    def netns_path(self) -> str:
        """The file by which the namespace is entered."""
        return str(NETNS_DIRECTORY / self.netns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The places of a sandbox by node name and by path.

    `guests` are the pods that live in their node's namespace. `machines` are the insides of the virtual machines; the pod that one
    runs in, with the same number, is named by `launchers`.
    """

    nodes: dict[str, Place]
    pods: dict[str, Place]
    guests: dict[str, str]
    machines: dict[str, Place]
    launchers: dict[str, str]

    def end(self, path: str) -> Place:
        """Where the traffic of a pod or of a virtual machine begins and ends."""
        return self.machines.get(path) or self.pods[path]

    def machine_places(self) -> list[tuple[Place, Place]]:
        """(inside, the pod around it) of each virtual machine."""
        return [(inside, self.pods[self.launchers[path]]) for path, inside in self.machines.items()]

    def residents(self) -> list[Place]:
        """The pods that have a namespace of their own."""
        return [place for path, place in self.pods.items() if path not in self.guests]


def pod_netns(path: str, kind: str = "squall") -> str:
    """The name of the pod's namespace."""
    namespace, name = path.split("/")
    return f"{kind}.{namespace}.{name}"


def lay_out(description: SandboxDescription) -> Layout:
    """Number nodes, running pods and virtual machines in the order of the description."""
    nodes = {name: Place(netns=f"squall-node.{name}", node=index, host=_NODE_HOST) for index, name in enumerate(description.nodes, 1)}
    layout = Layout(nodes=nodes, pods={}, guests={}, machines={}, launchers={})
    used: dict[int, int] = defaultdict(lambda: _FIRST_POD_HOST)
    for pod in description.all_pods():
        if not pod.running:
            continue
        home = nodes[description.node_of(pod)]
        if pod.host_network:
            layout.guests[pod.path] = home.netns
            layout.pods[pod.path] = Place(netns=pod_netns(pod.path), node=home.node, host=home.host)
        else:
            layout.pods[pod.path] = Place(netns=pod_netns(pod.path), node=home.node, host=used[home.node])
            used[home.node] += 1
    for machine in description.virtual_machines:
        layout.launchers[machine.path] = machine.launcher.path
        layout.machines[machine.path] = replace(layout.pods[machine.launcher.path], netns=pod_netns(machine.path, "squall-vm"))
    return layout


def hosts_file(description: SandboxDescription, layout: Layout) -> str:
    """Every pod and machine by its names and every owner by its own, as a cluster's DNS would have them."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for end in description.ends():
        if end.running:
            names = " ".join(_names(end))
            lines += [f"{address} {names}" for address in layout.end(end.path).addresses]
    return "\n".join(lines) + "\n"


def _names(end: EndDescription) -> Iterator[str]:
    yield from (end.name, f"{end.name}.{end.namespace}", f"{end.name}.{end.namespace}.pod.sandbox")
    if isinstance(end, PodDescription) and end.owner:
        service = f"{end.owner.name}.{end.namespace}"
        yield from (service, f"{service}.svc", f"{service}.svc.cluster.local")
