"""Where everything of a described sandbox is: names, addresses and the hosts file. Pure, so that it can be tested without root."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .description import PodDescription, SandboxDescription

NETNS_DIRECTORY = Path("/run/netns")
FABRIC = "squall-fabric"
PREFIXES = ("squall.", "squall-node.", FABRIC)
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
    def netns_path(self) -> str:
        """The file by which the namespace is entered."""
        return str(NETNS_DIRECTORY / self.netns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The places of a sandbox by node name and by pod path; `guests` are the pods that live in their node's namespace."""

    nodes: dict[str, Place]
    pods: dict[str, Place]
    guests: dict[str, str]

    def residents(self) -> list[Place]:
        """The pods that have a namespace of their own."""
        return [place for path, place in self.pods.items() if path not in self.guests]


def pod_netns(path: str) -> str:
    """The name of the pod's namespace."""
    namespace, name = path.split("/")
    return f"squall.{namespace}.{name}"


def lay_out(description: SandboxDescription) -> Layout:
    """Number nodes and running pods in the order of the description."""
    nodes = {name: Place(netns=f"squall-node.{name}", node=index, host=_NODE_HOST) for index, name in enumerate(description.nodes, 1)}
    pods: dict[str, Place] = {}
    guests: dict[str, str] = {}
    used: dict[int, int] = defaultdict(lambda: _FIRST_POD_HOST)
    for pod in description.pods:
        if not pod.running:
            continue
        home = nodes[description.node_of(pod)]
        if pod.host_network:
            guests[pod.path] = home.netns
            pods[pod.path] = Place(netns=pod_netns(pod.path), node=home.node, host=home.host)
        else:
            pods[pod.path] = Place(netns=pod_netns(pod.path), node=home.node, host=used[home.node])
            used[home.node] += 1
    return Layout(nodes=nodes, pods=pods, guests=guests)


def hosts_file(description: SandboxDescription, layout: Layout) -> str:
    """Every pod by its names and every owner by its own, as a cluster's DNS would have them."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for pod in description.pods:
        if pod.path in layout.pods:
            names = " ".join(_names(pod))
            lines += [f"{address} {names}" for address in layout.pods[pod.path].addresses]
    return "\n".join(lines) + "\n"


def _names(pod: PodDescription) -> Iterator[str]:
    yield from (pod.name, f"{pod.name}.{pod.namespace}", f"{pod.name}.{pod.namespace}.pod.sandbox")
    if pod.owner:
        service = f"{pod.owner.name}.{pod.namespace}"
        yield from (service, f"{service}.svc", f"{service}.svc.cluster.local")
