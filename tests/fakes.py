"""A cluster, a launcher and injectors that do as they are told, and small builders; plain classes behind the engine's own protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from chaos_modules.carriers.protocol import Pace, Said
from chaos_modules.engine.interruption import Interruption
from chaos_modules.engine.scenario import Session
from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.impairment import Chance, Direction, Impairment
from chaos_modules.model.peer import PeerCount
from chaos_modules.model.plan import Injection, Plan, ScenarioPlan
from chaos_modules.model.quantities import Duration, Percentage
from chaos_modules.model.request import ImpairmentRequest, PodSelector
from chaos_modules.model.target import Scope, Snapshot, Target
from chaos_modules.model.traffic import Flow, Protocol, TrafficFilter

RUN_ID = "0badcafe"
ARMED, ENDED = 1000.0, 1030.0
LOSS = Impairment(loss=Chance(percentage=Percentage.parse(20)))


def request(**changes: Any) -> ImpairmentRequest:
    """A loss of 20 % for 30 s, changed as told."""
    parts: dict[str, Any] = {
        "id": "pod-network-loss", "type": "pod_network_fault_scenarios", "style": "harness", "file": "loss.yaml", "where": "loss.yaml:1:3",
        "selector": PodSelector(namespace="shop", kind="deployment", names=("web",)), "impairment": LOSS, "traffic": TrafficFilter(),
        "directions": (Direction.EGRESS,), "device": "eth0", "hold": Duration.of_seconds(30), "requested": (("loss", "20%"),),
    }
    return ImpairmentRequest(**{**parts, **changes})


def target(name: str = "web-0", node: str = "worker-1") -> Target:
    """A pod of the namespace `shop`."""
    return Target(kind="pod", namespace="shop", name=name, node=node, container="web", container_id=f"fake://{name}")


def injection(wish: ImpairmentRequest, aim: Target, index: int = 0, direction: Direction = Direction.EGRESS) -> Injection:
    """The request, compiled for one target."""
    made = Wish(impairment=wish.impairment, traffic=wish.traffic, direction=direction, table=f"squall_{RUN_ID}_{direction}", ifb=f"sq{RUN_ID}")
    return Injection(index=index, target=aim, direction=str(direction), device=wish.device, programs=compile_programs(made))


def scenario(wish: ImpairmentRequest, *targets: Target) -> ScenarioPlan:
    """The request against these targets."""
    injections = tuple(injection(wish, one, index, way) for index, one in enumerate(targets) for way in wish.directions)
    return ScenarioPlan(request=wish, candidates=len(targets), skipped=(), injections=injections)


def plan(*scenarios: ScenarioPlan) -> Plan:
    """A plan whose lease is so short that every look of the loop is a beat."""
    return Plan(run_id=RUN_ID, seed=42, cluster="fake", lease_seconds=0, scenarios=scenarios)


def counters(matched: int, dropped: int = 0, duplicated: int = 0, **queue: int) -> dict[str, Any]:
    """What the injector reads from the kernel."""
    facts: dict[str, Any] = {name: [value, value * 100] for name, value in (("matched", matched), ("dropped", dropped), ("duplicated", duplicated))}
    return {**facts, "queue": {"bytes": 0, "packets": 0, "backlog": 0, **queue}} if queue else facts


def peer_count(sender: str = "shop/web-0", receiver: str = "load/client-0", **changes: Any) -> PeerCount:
    """A flow of 1000 datagrams from the target, all of which arrived once."""
    flow = Flow(
        protocol=Protocol.UDP, source=ip_address("10.0.0.1"), destination=ip_address("10.0.0.9"), source_port=40000, destination_port=9000
    )
    parts: dict[str, Any] = {
        "name": f"{sender} to {receiver}", "flow": flow, "sender": sender, "receiver": receiver, "reply": False,
        "sent": 1000, "received": 1000, "distinct": 1000, "seconds": 30.0, "goodput": 0.0,
    }
    return PeerCount(**{**parts, **changes})


class FakePeers:
    """Counts that are the same for every window; the windows asked for are kept."""

    def __init__(self, *counts: PeerCount) -> None:
        self.counts, self.windows = counts, list[tuple[float, float]]()

    def count(self, start: float, end: float) -> Sequence[PeerCount]:
        self.windows.append((start, end))
        return self.counts


class FakeCluster:
    """Finds every target; `residue` is what its audit finds, or the problem of looking; `looked_at` are the doubtful nodes of each audit."""

    def __init__(self, peers: FakePeers | None = None, residue: Sequence[str] | ClusterProblem = (), lost: Sequence[str] = ()) -> None:
        self.name, self.peers, self.residue, self.lost = "fake", peers, residue, lost
        self.calls: list[str] = []
        self.looked_at: list[tuple[str, ...]] = []

    def start(self) -> None:
        self.calls.append("start")

    def close(self) -> None:
        self.calls.append("close")

    def snapshot(self, scope: Scope) -> Snapshot:
        return Snapshot(cluster=self.name, nodes=(), pods=())

    def locate(self, aim: Target) -> Mapping[str, Any]:
        if aim.name in self.lost:
            raise ClusterProblem(f"{aim.path} is gone", self.name, "plan again")
        return {"netns": f"/proc/{aim.name}/ns/net", "host_netns": "/proc/1/ns/net"}

    def audit(self, run_id: str, doubtful: Sequence[str]) -> Sequence[str]:
        self.calls.append(f"audit {run_id}")
        self.looked_at.append(tuple(doubtful))
        if isinstance(self.residue, ClusterProblem):
            raise self.residue
        return self.residue

    def leftovers(self) -> Sequence[str]:
        return ()


class FakeCarrier:
    """An injector that is ready at once, holds from ARMED to ENDED at the word `start`, and loses a fifth of 5000 packets."""

    matched, dropped, left, fresh = 5000, 1000, list[str](), True

    def __init__(self, node: str, job: Mapping[str, Any], hear: Callable[[Said], None], journal: list[tuple[str, str]]) -> None:
        self.node, self.job, self.hear, self.journal = node, job, hear, journal
        self.ended = False

    def tell(self, event: str, key: str, **facts: Any) -> None:
        self.hear(Said(node=self.node, event={"time": ARMED, "event": event, "target": key, **facts}, fresh=self.fresh))

    def leave(self, how: str = "exit status 0") -> None:
        if not self.ended:
            self.ended = True
            self.hear(Said(node=self.node, event=None, ended=how))

    @property
    def keys(self) -> list[str]:
        return [item["key"] for item in self.job["injections"]]

    def launched(self) -> None:
        for key in self.keys:
            self.ready(key)

    def ready(self, key: str) -> None:
        self.tell("rehearsed", key, rehearsed="proven", engine="blackhole")
        self.tell("applied", key, engine="blackhole", device="eth0", fidelity="", rejected=[], addresses={})

    def arm(self, key: str) -> None:
        self.tell("armed", key, counters=counters(0))

    def finish(self, key: str, status: str = "passed", reason: str = "") -> None:
        self.tell("measured", key, at=ENDED, counters=counters(self.matched, self.dropped))
        self.tell("reverted", key, left=self.left, seconds=0.1)
        self.tell("finished", key, status=status, reason=reason)

    def say(self, word: str) -> None:
        self.journal.append((self.node, word))
        if not self.ended:
            getattr(self, f"on_{word}")()

    def on_start(self) -> None:
        for key in self.keys:
            self.arm(key)
            self.finish(key)
        self.leave()

    def on_beat(self) -> None:
        """Nothing to answer."""

    def on_stop(self) -> None:
        for key in self.keys:
            self.finish(key, "interrupted", "stopped by the runner")
        self.leave()

    def end(self) -> None:
        self.journal.append((self.node, "SIGTERM"))
        self.leave("killed by SIGTERM")


class FakeLauncher:
    """Launches a kind of FakeCarrier, by node; an exception instead of a kind is raised. `kept` is the problem of taking the carriers away."""

    pace, stream = Pace(start_seconds=20.0), True

    def __init__(self, kind: Any = FakeCarrier, **by_node: Any) -> None:
        self.kind, self.by_node = kind, {name.replace("_", "-"): one for name, one in by_node.items()}
        self.jobs: list[Mapping[str, Any]] = []
        self.journal: list[tuple[str, str]] = []
        self.closed = 0
        self.kept: ClusterProblem | None = None

    def launch(self, node: str, job: Mapping[str, Any], hear: Callable[[Said], None]) -> FakeCarrier:
        kind = self.by_node.get(node, self.kind)
        if isinstance(kind, Exception):
            raise kind
        self.jobs.append(job)
        self.journal.append((node, "launched"))
        carrier: FakeCarrier = kind(node, job, hear, self.journal)
        carrier.launched()
        return carrier

    def close(self) -> None:
        self.closed += 1
        if self.kept:
            raise self.kept


class FakeInterruption(Interruption):
    """Waits for no time at all; what it was asked to wait is kept. `asked_during` asks for the end in the n-th real wait."""

    def __init__(self, asked_during: int = 0) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.asked_during = asked_during

    def wait(self, seconds: float, unless: Callable[[], object] | None = None) -> bool:
        if seconds:
            self.waits.append(seconds)
            if len(self.waits) == self.asked_during:
                self.ask(130)
        return self.code is not None


class Stage:
    """A session with everything around it; `said` are the engine's own events, `relayed` the injectors'."""

    def __init__(self, made: Plan, cluster: FakeCluster | None = None, launcher: FakeLauncher | None = None, **changes: Any) -> None:
        self.cluster, self.launcher = cluster or FakeCluster(), launcher or FakeLauncher()
        self.said: list[dict[str, Any]] = []
        self.relayed: list[Mapping[str, Any]] = []
        self.interruption = changes.pop("interruption", None) or FakeInterruption()
        self.session = Session(
            plan=made, cluster=self.cluster, launcher=self.launcher, interruption=self.interruption, emit=self._emit,
            relay=self.relayed.append,
            **{"on_runner_loss": "stop", "require_traffic": "any", "cleanup": "clean up", "clock": lambda: ARMED, **changes},
        )

    def _emit(self, event: str, about: str, **facts: object) -> None:
        self.said.append({"event": event, "target": about, **facts})
