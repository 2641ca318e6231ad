"""Builds and removes the sandbox's network with few `ip -batch` calls; nothing is ever added to this machine's own namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ...model.errors import ClusterProblem
from .layout import FABRIC, NETNS_DIRECTORY, PREFIXES, Layout, Place

TAP = "tap0"
TUN_DEVICE = Path("/dev/net/tun")
# A tap drops what its queue cannot take, and with length 0 everything: a whole TCP window must fit, or traffic beside the fault is lost.
_TAP_QUEUE = "txqueuelen 8192"
_SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def require_tools() -> None:
    """Say what this machine lacks before anything is done."""
    for tool, package in (("ip", "iproute2"), ("mount", "util-linux")):
        if shutil.which(tool, path=_SYSTEM_PATH) is None:
            raise ClusterProblem(f"{tool} is not installed", "sandbox", f"install it: apt-get install {package}, or dnf install {package}")


def require_taps() -> None:
    """Say why there can be no virtual machines here."""
    if not os.access(TUN_DEVICE, os.R_OK | os.W_OK):
        what = "may not be opened" if TUN_DEVICE.exists() else "is not there"
        raise ClusterProblem(
            f"virtual machines need taps, and {TUN_DEVICE} {what}",
            "sandbox",
            "load the module tun, pass the device into the container (--device /dev/net/tun), or run it as root",
        )


def build(layout: Layout) -> None:
    """Namespaces, bridges, devices, addresses and routes, all up."""
    residents, machines = layout.residents(), layout.machine_places()
    insides, launchers = [inside for inside, _ in machines], [launcher for _, launcher in machines]
    _batch(f"netns add {name}" for name in (FABRIC, *(place.netns for place in (*layout.nodes.values(), *residents, *insides))))
    _batch(_fabric_lines(layout), FABRIC)
    for node in layout.nodes.values():
        pods = [place for place in residents if place.node == node.node]
        _batch(_node_lines(node, pods), node.netns)
        for pod in pods:
            _batch(_launcher_lines(pod) if pod in launchers else _pod_lines(pod, node), pod.netns)
        for inside in (place for place in insides if place.node == node.node):
            _batch(("tuntap add dev eth0 mode tap", f"link set eth0 address {inside.link_address} {_TAP_QUEUE}"), inside.netns)
            _batch(_pod_lines(inside, node), inside.netns)
    for path, home in layout.guests.items():
        _share(home, layout.pods[path].netns)


def ours() -> list[str]:
    """The names of the network namespaces that a sandbox made, of this run or of another."""
    if not NETNS_DIRECTORY.is_dir():
        return []
    return sorted(entry.name for entry in NETNS_DIRECTORY.iterdir() if entry.name.startswith(PREFIXES))


def remove(names: Iterable[str]) -> None:
    """Remove namespaces, and with them every device and every fault inside."""
    _batch((f"netns del {name}" for name in names), force=True)


def _fabric_lines(layout: Layout) -> Iterable[str]:
    yield "link add br0 type bridge mcast_snooping 0"
    yield "link set br0 addrgenmode none up"
    for node in layout.nodes.values():
        yield f"link add node{node.node} type veth peer name eth0 netns {node.netns}"
        yield f"link set node{node.node} addrgenmode none master br0 up"


def _node_lines(node: Place, pods: list[Place]) -> Iterable[str]:
    yield "link set lo up"
    # A fixed address: a bridge otherwise takes the lowest of its ports', and neighbours' caches go stale as pods come.
    yield f"link add cni0 address {node.link_address} type bridge mcast_snooping 0"
    yield f"address add {node.address_v4}/16 dev cni0"
    yield f"address add {node.address_v6}/64 dev cni0 nodad"
    yield "link set cni0 up"
    yield "link set eth0 addrgenmode none master cni0 up"
    # eth0 carries what leaves the node, its own packets and the pods'; nothing lies beyond the /16, so these routes
    # move no packet: they tell whoever asks for the default device that the uplink is eth0.
    yield "route add default dev eth0"
    yield "route add ::/0 dev eth0"
    for pod in pods:
        yield f"link add pod{pod.host} type veth peer name eth0 address {pod.link_address} netns {pod.netns}"
        yield f"link set pod{pod.host} addrgenmode none master cni0 up"


def _pod_lines(pod: Place, node: Place) -> Iterable[str]:
    yield "link set lo up"
    yield f"address add {pod.address_v4}/16 dev eth0"
    yield f"address add {pod.address_v6}/64 dev eth0 nodad"
    yield "link set eth0 up"
    yield f"route add default via {node.address_v4}"
    yield f"route add default via {node.address_v6}"


def _launcher_lines(pod: Place) -> Iterable[str]:
    """As KubeVirt's bridge binding: the pod's device and the machine's tap are ports of one bridge, and only the machine has addresses."""
    yield "link set lo up"
    yield "link add k6t-eth0 type bridge mcast_snooping 0"
    yield "link set k6t-eth0 addrgenmode none up"
    yield f"link set eth0 address {pod.outer_link_address} addrgenmode none master k6t-eth0 up"
    yield f"tuntap add dev {TAP} mode tap"
    yield f"link set {TAP} {_TAP_QUEUE} addrgenmode none master k6t-eth0 up"


def _share(home: str, name: str) -> None:
    """Make a node's namespace known under a second name, as that of a pod with host network."""
    (NETNS_DIRECTORY / name).touch(mode=0o444, exist_ok=False)
    run(["mount", "--bind", str(NETNS_DIRECTORY / home), str(NETNS_DIRECTORY / name)])


def _batch(lines: Iterable[str], netns: str = "", *, force: bool = False) -> None:
    """Run lines in one process; `force` goes on after one that fails, and still raises."""
    text = "".join(f"{line}\n" for line in lines)
    if text:
        run(["ip", *(["-n", netns] if netns else []), *(["-force"] if force else []), "-batch", "-"], text)


def run(argv: list[str], text: str = "") -> str:
    """A command's output. Raises ClusterProblem with what it complained of."""
    environment = {**os.environ, "PATH": _SYSTEM_PATH, "LC_ALL": "C"}
    done = subprocess.run(argv, input=text, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise ClusterProblem(
            f"`{' '.join(argv)}` failed: {done.stderr.strip()}{_failed_line(text, done.stderr)}",
            "sandbox",
            "the sandbox needs root and a kernel with network namespaces, veth and bridge (modules veth, bridge)",
        )
    return done.stdout


def _failed_line(text: str, errors: str) -> str:
    """`ip -batch` names the line by its number only."""
    number = errors.rpartition("Command failed -:")[2].strip()
    return f" ({text.splitlines()[int(number) - 1]})" if number.isdigit() else ""
