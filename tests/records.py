"""Records of runs that nobody ran: the shapes of the real ones, every value made by rule, so that the same call writes the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fakes
import records_seen as seen

from chaos_modules.model.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_PASSED, EXIT_RESIDUE
from chaos_modules.model.observation import Phase
from chaos_modules.model.plan import document
from chaos_modules.model.quantities import Duration
from chaos_modules.reports.recorded import Recorded, read_record

STARTED = 1_795_268_348.175457  # 2026-11-21 13:39:08 UTC
FILE = "scenarios/harness/loss.yaml"
LOST = "its injector ended in mid-fault (exit status 255); the kernel ends the fault within its lease"


@dataclass(kw_only=True)
class Wishes:
    """What `write_record` was asked for; its parameters, described there."""

    targets: int = 2
    seconds: float = 60.0
    passed: bool = True
    interrupted: bool = False
    empty: bool = False
    alerts: int = 3
    probes: int = 4
    panels: int = 1
    scenarios: int = 1
    baseline: float = 5.0
    recovery: float = 10.0
    step: float = 1.0
    failed_targets: int = 0
    unknown: bool = False
    halted: bool = False
    unhealthy: bool = False
    residue: bool = False
    observed: bool = True
    resiliency: bool = True
    hostile: str = ""
    problems: Sequence[str] = ()
    metrics: int = 0


@dataclass
class Telling:
    """A run being told: the clock, the events so far, and the results."""

    wishes: Wishes
    now: float = STARTED
    events: list[dict[str, Any]] = field(default_factory=list)
    scenarios: list[dict[str, Any]] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)

    def say(self, event: str, about: str, time: float | None = None, **facts: Any) -> None:
        """One event, now or at another time."""
        self.events.append({"time": round(self.now if time is None else time, 6), "event": event, "target": about, **facts})

    def window(self, number: int, name: str, phase: Phase, start: float, end: float) -> None:
        """A window, as an event and in the result."""
        self.windows.append({"scenario": number, "phase": str(phase), "start": round(start, 6), "end": round(end, 6)})
        self.say("window", name, end, scenario=number, phase=str(phase), start=round(start, 6), end=round(end, 6))


def write_record(directory: Path, **wishes: Any) -> Recorded:
    """Write a record into `directory` (made; its name is not used) and read it back.

    `targets` pods per scenario lose 20 % of their packets for `seconds`, between a `baseline` and a `recovery` (0: no such window).
    What goes wrong, with the exit code: `passed=False`, an objective and an alert (2); `failed_targets` of each scenario lose their injector (1);
    `unknown`, Prometheus did not answer (1); `unhealthy`, a health check fails (3); `halted`, a halt query ends the fault half way (2);
    `interrupted`, a signal does (130); `residue` (4); `empty`, nothing matches the selector and nothing ran (1). `scenarios=0`: none at all.
    `probes`: how many (the third asks Prometheus), sampled every `step` seconds; `panels`: further Prometheus series; `alerts`: entries of the alert
    profile and critical alerts; `metrics`: lines of metrics.jsonl; `problems`: of the run itself. `observed=False`: a record of before observation,
    without any of its keys. `hostile`: appended to every name and text that comes from a cluster or a file.
    """
    told = Telling(Wishes(**wishes))
    made = _plan(told.wishes)
    told.say("run-started", made.run_id, cluster=made.cluster, seed=made.seed)
    for number in range(told.wishes.scenarios):
        _scenario(told, number)
    result = _result(told)
    _write(directory, told, document(made), result)
    return read_record(directory)


def _plan(wishes: Wishes) -> Any:
    def one(number: int) -> Any:
        where, hold = f"{FILE}:{1 + 6 * number}:3", Duration.of_seconds(int(wishes.seconds))
        wish = fakes.request(id=_scenario_id(wishes, number), file=FILE + wishes.hostile, where=where, hold=hold)
        return fakes.scenario(wish, *[fakes.target(_pod(wishes, index), _node(index)) for index in range(0 if wishes.empty else wishes.targets)])

    return fakes.plan(*[one(number) for number in range(wishes.scenarios)])


def _scenario_id(wishes: Wishes, number: int) -> str:
    return f"pod-network-loss{f'-{number + 1}' if number else ''}{wishes.hostile}"


def _pod(wishes: Wishes, index: int) -> str:
    return f"web-{index}{wishes.hostile}"


def _node(index: int) -> str:
    return f"worker-{1 + index % 3}"


def _scenario(told: Telling, number: int) -> None:
    wishes, name = told.wishes, _scenario_id(told.wishes, number)
    head = {"type": "pod_network_fault_scenarios", "file": FILE + wishes.hostile, "id": name, "style": "harness"}
    tail = {"skew_seconds": None, "together_seconds": None, "bystanders": None, "halted": ""}
    began = told.now
    if wishes.empty:
        nothing = _no_target(wishes)
        told.scenarios.append({**head, "status": "failed", "reason": nothing["reason"], "targets": [nothing], **tail, "started": None, "ended": None})
        return
    keys = [f"pod/shop/{_pod(wishes, one)}/egress" for one in range(wishes.targets)]
    told.say("scenario-started", name, file=head["file"], targets=keys, hold=wishes.seconds)
    if wishes.observed and wishes.baseline:
        told.window(number, name, Phase.BASELINE, told.now, told.now + wishes.baseline)
        told.now += wishes.baseline
    targets = _fault(told, number)
    bad = sum(not one["in_effect"] for one in targets)
    status = "interrupted" if wishes.interrupted else "failed" if bad else "passed"
    reason = "interrupted by SIGINT" if wishes.interrupted else f"{bad} of {len(targets)} targets failed" if bad else ""
    if wishes.observed and wishes.recovery and not wishes.interrupted:
        told.window(number, name, Phase.RECOVERY, told.now, told.now + wishes.recovery)
        told.now += wishes.recovery
    told.say("scenario-finished", name, status=status, reason=reason)
    tail |= {"skew_seconds": 0.02, "together_seconds": wishes.seconds, "bystanders": {"flows": 21, "sent": 82740, "lost": 0, "copied": 0}}
    tail |= {"halted": f"job:errors:ratio > 0.2{wishes.hostile}" if wishes.halted else ""}
    tail |= {"started": round(began, 6), "ended": round(told.now, 6)}
    told.scenarios.append({**head, "status": status, "reason": reason, "targets": targets, **tail})


def _no_target(wishes: Wishes) -> dict[str, Any]:
    reason = f"no pod in shop matches app=web{wishes.hostile} → did you mean app=webs?"
    nothing = _target(wishes, 0, 0.0, None, in_effect=False, status="no-target", reason=reason)
    nothing |= {"target": f"shop/app=web{wishes.hostile}", "node": "", "engine": "", "traffic": 0, "measured": {}, "at_peer": {}}
    return nothing | {"reverted": None, "started": None, "rehearsed": ""}


def _fault(told: Telling, number: int) -> list[dict[str, Any]]:
    wishes, half = told.wishes, told.wishes.interrupted or told.wishes.halted
    armed = told.now + 0.6
    ended = armed + (round(wishes.seconds / 2, 3) if half else wishes.seconds)
    broke = armed + round(wishes.seconds / 3, 3)
    targets = []
    for index in range(wishes.targets):
        fails = index < wishes.failed_targets
        start, end = armed + 0.002 * index, (None if fails else ended + 0.002 * index)
        key = f"pod/shop/{_pod(wishes, index)}/egress"
        _injector(told, key, start, broke if fails else end or ended, fails)
        status, reason = ("interrupted", "stopped by the runner") if wishes.interrupted else ("passed", "")
        status, reason = ("not-in-effect", LOST + wishes.hostile) if fails else (status, reason)
        targets.append(_target(wishes, index, start, end, in_effect=not fails, status=status, reason=reason))
    if wishes.observed and wishes.halted:
        query, reason = f"job:errors:ratio > 0.2{wishes.hostile}", f"too many errors{wishes.hostile}"
        told.say("halt", _scenario_id(wishes, number), ended - 0.1, query=query, reason=reason)
    last = ended + 0.002 * wishes.targets
    if wishes.observed:
        told.window(number, _scenario_id(wishes, number), Phase.FAULT, armed, last)
    told.now = last + 0.1
    return targets


def _injector(told: Telling, key: str, start: float, end: float, fails: bool) -> None:
    told.say("rehearsed", key, start - 0.3, engine="blackhole", rehearsed="proven", detail="", sent=400, received=329, distinct=329, milliseconds=3.2)
    told.say("applied", key, start - 0.1, engine="blackhole", device="eth0", fidelity="", rejected=[], addresses={})
    told.say("armed", key, start, lease_seconds=10.0, counters=fakes.counters(0))
    beats = int((end - start) // 2)
    for beat in range(1, beats + 1):
        told.say("holding", key, start + 2 * beat, at=round(start + 2 * beat, 6), counters=fakes.counters(100 * beat, 20 * beat))
    if fails:
        return
    told.say("measured", key, end, at=round(end, 6), counters=fakes.counters(1500, 300))
    told.say("reverted", key, end + 0.05, left=[], seconds=0.048)
    told.say("finished", key, end + 0.05, status="passed", reason="")


def _measurement(value: float, samples: int, source: str) -> dict[str, Any]:
    facts = {"requested": 0.2, "value": value, "low": value - 0.02, "high": value + 0.02, "samples": samples, "unit": "share", "source": source}
    return {"loss": {**facts, "judged": "yes" if samples > 200 else "insufficient", "within_tolerance": True, "detail": ""}}


def _target(wishes: Wishes, index: int, start: float, end: float | None, *, in_effect: bool, status: str, reason: str) -> dict[str, Any]:
    left = [f"nft delete table netdev squall_{fakes.RUN_ID}_egress{wishes.hostile}"] if wishes.residue and not index else []
    return {
        "target": f"pod/shop/{_pod(wishes, index)}", "node": _node(index), "device": "eth0", "direction": "egress", "engine": "blackhole",
        "requested": {"loss": "20%"}, "status": status, "in_effect": in_effect, "traffic": 1500 if in_effect else 101,
        "measured": _measurement(0.198667 + index / 10_000, 1500 if in_effect else 101, "kernel"),
        "at_peer": _measurement(0.2013 + index / 10_000, 1475, "peer") if in_effect and index % 2 == 0 else {},
        "reverted": in_effect and not left, "started": round(start, 6), "ended": end and round(end, 6), "reason": reason,
        "fidelity": "sender-visible" if index % 2 else "", "rehearsed": "proven", "rejected": [], "residue": left,
    }  # fmt: skip


def _result(told: Telling) -> dict[str, Any]:
    wishes = told.wishes
    residue = [f"{one['target']}: {line}" for scenario in told.scenarios for one in scenario["targets"] for line in one["residue"]]
    facts = seen.observation(told) if wishes.observed else {"checks": [], "alerts": [], "health": []}
    if not wishes.observed:
        for scenario in told.scenarios:
            scenario.pop("started"), scenario.pop("ended"), scenario.pop("halted")
    verdict = _verdict(told, residue, facts.get("findings", []))
    told.now += 0.3
    told.say("run-finished", fakes.RUN_ID, **verdict)
    return {
        "schema": 1, "run_id": fakes.RUN_ID, "seed": 42, "started": STARTED, "ended": round(told.now, 6), "cluster": f"fake{wishes.hostile}",
        "verdict": verdict, "scenarios": told.scenarios, "residue": residue, **facts,
    }  # fmt: skip


def _verdict(told: Telling, residue: list[str], findings: list[dict[str, Any]]) -> dict[str, Any]:
    failed = [f"{one['id']} ({one['file']}): {one['reason']}" for one in told.scenarios if one["status"] == "failed"]
    reasons = [*(f"residue: {one}" for one in residue), *(["interrupted by SIGINT"] if told.wishes.interrupted else []), *failed]
    codes = {one["exit_code"] for one in findings} | ({EXIT_FAILED} if failed else set())
    order = [EXIT_RESIDUE] * bool(residue) + [EXIT_INTERRUPTED] * told.wishes.interrupted + [code for code in (1, 3, 2) if code in codes]
    code = order[0] if order else EXIT_PASSED
    status = "interrupted" if code == EXIT_INTERRUPTED else "failed" if code else "passed"
    return {"status": status, "exit_code": code, "reasons": [*reasons, *(one["reason"] for one in findings)]}


def _write(directory: Path, told: Telling, made: Any, result: dict[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    told.events.sort(key=lambda event: float(event["time"]))
    documents: dict[str, Any] = {"plan.json": made, "result.json": result}
    if told.wishes.observed:
        documents["series.json"] = {"schema": 1, "series": seen.series(told)}
        documents["scenarios.json"] = {FILE: [{"id": "pod-network-loss", "NETWORK_PACKET_LOSS_PERCENTAGE": 20}]}
    for name, content in documents.items():
        (directory / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    lines = "".join(json.dumps(event) + "\n" for event in told.events)
    (directory / "events.jsonl").write_text(lines, encoding="utf-8")
    if told.wishes.metrics:
        (directory / "metrics.jsonl").write_text("".join(json.dumps(one) + "\n" for one in seen.metrics(told)), encoding="utf-8")
