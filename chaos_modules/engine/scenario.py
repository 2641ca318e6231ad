"""One scenario entry: launch the carriers, start them together, keep them alive, listen, stop early if asked, conclude."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..carriers.job import JobSettings, Window, build_job
from ..carriers.protocol import Carrier, Launcher, Said
from ..clusters.protocol import Cluster
from ..model.errors import ClusterProblem, SquallError
from ..model.outcome import Bystanders, RunStatus, ScenarioOutcome, TargetOutcome
from ..model.peer import PeerCount
from ..model.plan import Injection, Plan, ScenarioPlan
from ..model.request import Sequence as Order
from ..verdict.facts import TargetFacts
from ..verdict.peers import bystanders, resolved, touches
from ..verdict.run import scenario_status, timing
from ..verdict.target import conclude
from .interruption import Interruption
from .watch import NobodyWatches, Watch

# From one serial target to the next.
TURN_SECONDS = 10.0
# After its deadline an injector that still has not ended is told so by signal.
PATIENCE_SECONDS = 10.0
# Both clocks of a count are the same; the margin keeps packets that were on their way when the fault came or went out of the peers' count.
PEER_MARGIN_SECONDS = 0.2
# Where every event seems older than this, none was so long on its way: the clocks differ.
LONGEST_DELIVERY_SECONDS = 10.0
BASELINE_SECONDS = 3.0
Emit = Callable[..., None]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What all scenarios of a run share. `emit(event, target, **facts)` reaches the record and the terminal."""

    plan: Plan
    cluster: Cluster
    launcher: Launcher
    interruption: Interruption
    emit: Emit
    relay: Callable[[Mapping[str, Any]], None]
    on_runner_loss: str
    require_traffic: str
    cleanup: str
    clock: Callable[[], float] = time.time
    watch: Watch = field(default_factory=NobodyWatches)


class ScenarioRun:
    """Executes one scenario of the plan."""

    def __init__(self, scenario: ScenarioPlan, session: Session) -> None:
        self.scenario, self.session, self.request = scenario, session, scenario.request
        self.facts = {injection.key: TargetFacts() for injection in scenario.injections}
        self.heard: queue.Queue[Said] = queue.Queue()
        self.carriers: dict[str, Carrier] = {}
        self.asked = 0
        self.offsets: dict[str, float] = {}
        self.trouble = ""

    def run(self) -> ScenarioOutcome:
        """Ramp, fault, ramp; the outcome is complete whatever happened meanwhile."""
        serial = self.request.sequence is Order.SERIAL
        try:
            if not self._wait(self.request.ramp.seconds, "ramp before the fault"):
                groups = self._by_node()
                for turn in groups if serial else [[injection for group in groups for injection in group]]:
                    if not self._over:
                        self._execute(turn, serial=serial)
                self._wait(self.request.ramp.seconds, "ramp after the fault")
        finally:
            self._say("stop")  # only where something of ours broke is anybody still there
        return self._conclude()

    def _wait(self, seconds: float, why: str) -> bool:
        if seconds:
            self.session.emit("waiting", self.request.id, seconds=seconds, why=why)
        self.session.interruption.wait(seconds, lambda: self.session.watch.halted)
        return self._over

    @property
    def _over(self) -> bool:
        return self.session.interruption.code is not None or bool(self.session.watch.halted)

    def _by_node(self) -> list[list[Injection]]:
        nodes = dict.fromkeys(injection.target.node for injection in self.scenario.injections)
        return [[injection for injection in self.scenario.injections if injection.target.node == node] for node in nodes]

    def _execute(self, injections: Sequence[Injection], *, serial: bool) -> None:
        hold, now, pace = self.request.hold.seconds, time.time(), self.session.launcher.pace
        nodes = list(dict.fromkeys(injection.target.node for injection in injections))
        # One carrier begins at once; several agree on a time, where no stream tells them.
        together = None if pace.together_seconds is None else now + (pace.together_seconds if len(nodes) > 1 else 0.0)
        turns = {injection.key: number if serial else 0 for number, injection in enumerate(injections)}
        latest = {key: now + pace.start_seconds + number * (hold + TURN_SECONDS) for key, number in turns.items()}
        last = max(latest.values()) + hold + self.session.plan.lease_seconds
        for node in nodes:
            mine = [injection for injection in injections if injection.target.node == node]
            windows = [
                Window(
                    hold_seconds=hold, deadline=latest[one.key] + hold + self.session.plan.lease_seconds,
                    latest_start=latest[one.key], not_before=together,
                )
                for one in mine
            ]  # fmt: skip
            self._launch(node, list(zip(mine, windows, strict=True)), serial=serial)
        self._listen([injection.key for injection in injections], last, serial=serial)

    def _launch(self, node: str, mine: Sequence[tuple[Injection, Window]], *, serial: bool) -> None:
        settings = JobSettings(
            run_id=self.session.plan.run_id, scenario=self.request.id, lease_seconds=self.session.plan.lease_seconds, serial=serial,
            stream=self.session.launcher.stream, on_runner_loss=self.session.on_runner_loss, cleanup=self.session.cleanup,
        )  # fmt: skip
        try:
            job = build_job(settings, mine, self.session.cluster.locate)
            self.carriers[node] = self.session.launcher.launch(node, job, self.heard.put)
        except (SquallError, OSError) as error:
            for injection, _ in mine:
                self.facts[injection.key].lost = f"no injector could be started: {error}"

    def _listen(self, keys: Sequence[str], last: float, *, serial: bool) -> None:
        """The one loop: events in; start, beats and stop out; until every carrier has ended."""
        started, beat_every = serial, self.session.plan.lease_seconds / 4
        if serial:
            self._say("start")
        next_beat = time.monotonic()
        while self.carriers:
            if time.monotonic() >= next_beat:
                self._say("beat")
                next_beat = time.monotonic() + beat_every
            try:
                self._hear(self.heard.get(timeout=0.05))
            except queue.Empty:
                pass
            # At every turn: with many targets there may never be a silence.
            self._stop_if_asked(overdue=time.time() > last + PATIENCE_SECONDS)
            if not started and all(self._ready(key) for key in keys):
                started = True
                self._say("start")

    def _ready(self, key: str) -> bool:
        facts = self.facts[key]
        return bool(facts.engine or facts.status or facts.lost)

    def _say(self, word: str) -> None:
        for carrier in self.carriers.values():
            carrier.say(word)

    def _stop_if_asked(self, *, overdue: bool) -> None:
        asked = max(self.session.interruption.count, 2 if overdue else 0, 1 if self.session.watch.halted else 0)
        if asked > self.asked:
            for carrier in self.carriers.values():
                carrier.say("stop") if asked == 1 else carrier.end()
            self.asked = asked

    def _hear(self, said: Said) -> None:
        if said.event is None:
            self.carriers.pop(said.node, None)
            for injection in self.scenario.injections:
                facts = self.facts[injection.key]
                if injection.target.node == said.node and not facts.status:
                    facts.lost = facts.lost or _loss(facts, said.ended)
            return
        self.session.relay(said.event)
        if said.fresh:
            self._check_clock(said)
        heard_of = self.facts.get(str(said.event.get("target")))
        if heard_of:
            heard_of.begun = True
            heard_of.add(said.event)
        elif (said.event["event"], said.event.get("state")) == ("carrier", "running"):
            for injection in self.scenario.injections:
                if injection.target.node == said.node:
                    self.facts[injection.key].begun = True  # what it did is not known until it says so

    def _check_clock(self, said: Said) -> None:
        """Deadlines and the peers' counts are in absolute time: a node whose clock is wrong is stopped.

        A late event may have been long on its way; only a clock that is behind makes every event late.
        """
        now = float(said.event["time"]) - self.session.clock() if said.event else 0.0
        offset = self.offsets[said.node] = max(now, self.offsets.get(said.node, now))
        if not -LONGEST_DELIVERY_SECONDS < offset < 1:
            for injection in self.scenario.injections:
                if injection.target.node == said.node:
                    self.facts[injection.key].clock_offset = offset
            if said.node in self.carriers:
                self.carriers[said.node].say("stop")

    def _conclude(self) -> ScenarioOutcome:
        counts = self._asked(self._peer_counts) or {}
        targets = tuple(
            conclude(self.request, injection, self.facts[injection.key], *counts.get(injection.key, ((), ())))
            for injection in self.scenario.injections
        )
        beside = self._asked(lambda: self._bystanders(targets))
        # A damaged packet may turn up as another flow's.
        blurred = self.request.impairment.corrupt is not None
        status, reason = scenario_status(targets, self.session.require_traffic, None if blurred else beside)
        if self.trouble and status is RunStatus.PASSED:
            status, reason = RunStatus.FAILED, f"the peers' counts were lost: {self.trouble}"
        skew, together = timing(targets)
        return ScenarioOutcome(
            type=self.request.type, file=self.request.file, id=self.request.id, style=self.request.style, status=status, reason=reason,
            targets=targets, skew_seconds=skew, together_seconds=together, bystanders=beside,
        )  # fmt: skip

    def _asked(self, ask: Callable[[], Answer]) -> Answer | None:
        """What the peers answer; their silence fails the scenario, whose targets are judged by the kernel's counters all the same."""
        try:
            return ask()
        except ClusterProblem as problem:
            self.trouble = str(problem)
            return None

    def _peer_counts(self) -> dict[str, tuple[Sequence[PeerCount], Sequence[PeerCount]]]:
        """Per injection: the flows' counts during its fault, and in the seconds before it."""
        peers = self.session.cluster.peers
        found: dict[str, tuple[Sequence[PeerCount], Sequence[PeerCount]]] = {}
        for key, facts in self.facts.items():
            if peers and facts.armed and facts.ended:
                effect = next(one for one in self.scenario.injections if one.key == key).programs[0].effect
                burnt = effect.burst * 8 / effect.rate + 1 if effect.rate else 0.0  # the bucket is full when the fault begins
                during = peers.count(facts.armed + PEER_MARGIN_SECONDS + burnt, facts.ended - PEER_MARGIN_SECONDS)
                found[key] = (during, peers.count(facts.armed - BASELINE_SECONDS, facts.armed - 0.02))
        return found

    def _bystanders(self, targets: Sequence[TargetOutcome]) -> Bystanders | None:
        """The flows that no injection matches, over the time from the first start to the last end."""
        starts = [one.started for one in targets if one.started]
        ends = [one.ended for one in targets if one.ended]
        peers = self.session.cluster.peers
        if not peers or not starts or not ends:
            return None
        filters = [(one, resolved(self.request.traffic, self.facts[one.key].addresses)) for one in self.scenario.injections]
        counts = peers.count(min(starts) - PEER_MARGIN_SECONDS, max(ends) + PEER_MARGIN_SECONDS)
        return bystanders([count for count in counts if not any(touches(one, traffic, count) for one, traffic in filters)])


def _loss(facts: TargetFacts, ended: str) -> str:
    if facts.armed:
        return f"its injector ended in mid-fault ({ended}); the kernel ends the fault within its lease"
    return f"its injector ended before the fault was in effect ({ended})"
