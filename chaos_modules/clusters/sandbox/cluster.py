"""The embedded cluster behind the engine's seam: starts from a description, shows its pods, removes itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from ...model.errors import ClusterProblem
from ...model.plan import Plan
from ...model.target import Container, Node, Pod, Scope, Snapshot, Target, Workload
from . import cleanup, network, rootless, state
from .audit import audit
from .description import PodDescription, SandboxDescription
from .layout import Place, hosts_file, lay_out
from .machines import Cards
from .peers import Peers

_RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"


class Sandbox:
    """One sandbox; `source` names its description for the user. Use it in a `with` statement, or call `start` and `close`."""

    def __init__(self, description: SandboxDescription, source: str, state_directory: Path = state.STATE_DIRECTORY) -> None:
        self._description = description
        self._layout = lay_out(description)
        self._source = source
        self._state_directory = state_directory
        self._peers: Peers | None = None
        self._cards: Cards | None = None
        self._up = False

    @property
    def name(self) -> str:
        """For the user: the file that describes the sandbox."""
        return f"sandbox ({self._source})"

    @property
    def peers(self) -> Peers | None:
        """The traffic's counts, while it runs and if there is any."""
        return self._peers if self._description.traffic else None

    def start(self) -> None:
        """Build everything and let the traffic run; whatever fails, nothing stays behind."""
        self.preflight()
        state.claim(self._state_directory, self._source)
        self._up = True
        with ExitStack() as unfinished:
            unfinished.callback(self.close)
            self._write_names()
            network.build(self._layout)
            if self._layout.machines:
                self._cards = Cards(self._layout, self._state_directory)
                self._cards.start()
            self._peers = Peers(self._description, self._layout, self._state_directory)
            self._peers.start()
            unfinished.pop_all()

    def preflight(self, plan: Plan | None = None) -> Sequence[str]:
        """Get the rights that it takes, and say what is in the way, before anything is done. Raises ClusterProblem."""
        rootless.enter_unless_root()
        network.require_tools()
        if self._layout.machines:
            network.require_taps()
        state.refuse_if_taken(self._state_directory)
        self._refuse_others()
        return ()

    def _refuse_others(self) -> None:
        """Namespaces without our state directory belong to a sandbox with another one: `claim` cannot see it."""
        others = [] if self._state_directory.exists() else network.ours()
        if others:
            what = f"network namespaces of another sandbox are in the way: {', '.join(others)}"
            raise ClusterProblem(what, self.name, f"wait until it ends; if it was killed: {state.CLEANUP_COMMAND}")

    def _write_names(self) -> None:
        hosts = hosts_file(self._description, self._layout)
        for directory in map(self._etc, (*self._layout.pods.values(), *self._layout.nodes.values())):
            directory.mkdir(parents=True)
            (directory / "hosts").write_text(hosts, encoding="utf-8")
            (directory / "resolv.conf").write_text(_RESOLVER, encoding="utf-8")

    def _etc(self, place: Place) -> Path:
        kind, _, name = place.netns.partition(".")
        return self._state_directory / ("pods" if kind == "squall" else "nodes") / name / "etc"

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def snapshot(self, scope: Scope | None = None) -> Snapshot:
        """The described pods, nodes and workloads, whatever is asked for; the sandbox never changes them."""
        description = self._description
        return Snapshot(
            cluster=self.name,
            nodes=tuple(
                Node(name=name, labels=(("kubernetes.io/hostname", name), ("kubernetes.io/os", "linux"))) for name in description.nodes
            ),
            pods=tuple(self._pod(pod) for pod in description.all_pods()),
            workloads=tuple(_workloads(description)),
            namespaces=tuple(sorted({pod.namespace for pod in description.all_pods()})),
        )

    def _pod(self, pod: PodDescription) -> Pod:
        place = self._layout.pods.get(pod.path)
        return Pod(
            namespace=pod.namespace,
            name=pod.name,
            node=self._description.node_of(pod),
            labels=tuple(sorted(pod.labels.items())),
            owners=(_owner(pod),) if pod.owner else (),
            containers=tuple(
                Container(name=name, id=f"sandbox://{pod.path}/{name}" if place else "", running=place is not None)
                for name in pod.containers
            ),
            phase=pod.phase,
            host_network=pod.host_network,
            addresses=place.addresses if place else (),
        )

    def locate(self, target: Target) -> Mapping[str, Any]:
        """The files by which the injector enters a target: its namespace, its hosts file, and its node's namespace."""
        place = self._place(target)
        if place is None:
            remedy = "choose a running pod, a node or a virtual machine of the sandbox"
            raise ClusterProblem(f"{target.path} has no network namespace", self.name, remedy)
        node = next(node for node in self._layout.nodes.values() if node.node == place.node)
        return {"netns": place.netns_path, "etc": str(self._etc(place)), "host_netns": node.netns_path}

    def _place(self, target: Target) -> Place | None:
        if target.kind == "node":
            return self._layout.nodes.get(target.name)
        path = f"{target.namespace}/{target.name}"
        return self._layout.pods.get(self._layout.launchers.get(path, "") if target.kind == "vm" else path)

    def audit(self, run_id: str, doubtful: Sequence[str]) -> Sequence[str]:
        """What of a run is still in the namespaces, as commands that remove it; asked of the kernel, not of the injector."""
        places = [place for place in (*self._layout.nodes.values(), *self._layout.residents()) if self._up and Path(place.netns_path).exists()]
        return [command for place in places for command in audit(place.netns, run_id)]

    def leftovers(self) -> Sequence[str]:
        """While it is up: injectors that still run inside. Before and after: everything that a sandbox left on this machine."""
        if not self._up:
            return cleanup.leftovers(self._state_directory)
        return [str(resident) for resident in cleanup.residents(self._state_directory) if resident.ours and resident.netns]

    def close(self) -> None:
        """Remove everything, however far `start` has come; nothing happens when it is closed already."""
        if not self._up:
            return
        for child in (self._peers, self._cards):
            if child:
                child.close()
        self._peers = self._cards = None
        cleanup.cleanup_sandbox(self._state_directory)
        self._up = False


def _owner(pod: PodDescription) -> tuple[str, str]:
    return (pod.owner.kind.lower(), pod.owner.name) if pod.owner else ("", "")


def _workloads(description: SandboxDescription) -> Iterator[Workload]:
    """One per owner; its labels are those that all its pods share."""
    labels: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for pod in description.pods:
        if pod.owner:
            key = (pod.namespace, *_owner(pod))
            labels[key] = labels.get(key, set(pod.labels.items())) & set(pod.labels.items())
    for (namespace, kind, name), common in labels.items():
        yield Workload(kind=kind, namespace=namespace, name=name, labels=tuple(sorted(common)))
