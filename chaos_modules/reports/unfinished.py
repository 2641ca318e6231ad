"""What can be told of a run whose runner was killed: a result from its plan and its events, in the shape of `result.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model.errors import CLEANUP_COMMAND, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_RESIDUE, EXIT_TERMINATED

Json = dict[str, Any]
KILLED = "the run ended without a result: the runner was killed"
_UNSEEN = "the runner was killed before its end was known; its injector ends the fault by itself, at its deadline at the latest"
_UNTOLD = f"nobody looked for what is left: {CLEANUP_COMMAND} --audit lists it (with --sandbox for a sandbox)"


def unfinished_result(plan: Json, events: Sequence[Json]) -> Json:
    """A failed run: nothing is called in effect, reverted or passed that no event tells."""
    started = float(events[0]["time"]) if events else 0.0
    last = next((event for event in reversed(events) if event["event"] == "run-finished"), {})
    scenarios = [_scenario(scenario, part) for scenario, part in _parts(plan, events)]
    residue = [f"{target['target']}: {item}" for scenario in scenarios for target in scenario["targets"] for item in target["residue"]]
    told = EXIT_RESIDUE if residue else last.get("exit_code")
    # A run that broke is a failure, which only these outrank.
    code = told if told in (EXIT_RESIDUE, EXIT_INTERRUPTED, EXIT_TERMINATED) else EXIT_FAILED
    return {
        "schema": 1, "run_id": plan["run_id"], "seed": plan["seed"], "cluster": plan["cluster"],
        "started": started, "ended": max((float(event["time"]) for event in events), default=started),
        "verdict": {"status": "failed", "exit_code": code, "reasons": [KILLED, *last.get("reasons", ())]},
        "scenarios": scenarios, "residue": residue,
        "windows": [{key: event[key] for key in ("scenario", "phase", "start", "end")} for event in events if event["event"] == "window"],
        "checks": [], "alerts": [], "health": [], "findings": [], "problems": [] if last else [_UNTOLD], "resiliency": None,
    }  # fmt: skip


def _parts(plan: Json, events: Sequence[Json]) -> Iterator[tuple[Json, list[Json]]]:
    """Each scenario that was begun, with the events up to the next one."""
    begun = [number for number, event in enumerate(events) if event["event"] == "scenario-started"]
    for turn, (start, end) in enumerate(zip(begun, [*begun[1:], len(events)], strict=False)):
        if plan["scenarios"]:
            yield plan["scenarios"][turn % len(plan["scenarios"])], list(events[start:end])


def _scenario(planned: Json, events: Sequence[Json]) -> Json:
    request = planned["request"]
    end = next((event for event in events if event["event"] == "scenario-finished"), None)
    halt = next((event for event in events if event["event"] == "halt"), None)
    return {
        "type": request["type"], "file": request["file"], "id": request["id"], "style": request["style"],
        "status": end["status"] if end else "failed", "reason": end["reason"] if end else KILLED,
        "targets": [_target(injection, request, events) for injection in planned["injections"]],
        "skew_seconds": None, "together_seconds": None, "bystanders": None, "halted": halt["reason"] if halt else "",
        "started": events[0]["time"], "ended": end["time"] if end else None,
    }  # fmt: skip


def _target(injection: Json, request: Json, events: Sequence[Json]) -> Json:
    aim = injection["target"]
    path = "/".join(filter(None, (aim["kind"], aim["namespace"], aim["name"])))
    said: dict[str, Mapping[str, Any]] = {event["event"]: event for event in events if event["target"] == f"{path}/{injection['direction']}"}
    applied, finished, reverted = said.get("applied", {}), said.get("finished"), said.get("reverted")
    status, reason = (finished["status"], finished["reason"]) if finished else ("interrupted" if "armed" in said else "not-applied", _UNSEEN)
    left = list(reverted["left"]) if reverted else []
    return {
        "target": path, "node": aim["node"], "device": injection["device"], "direction": injection["direction"],
        "engine": applied.get("engine", ""), "requested": dict(request["requested"]), "status": status, "in_effect": "armed" in said, "traffic": 0,
        "measured": {}, "at_peer": {}, "reverted": not left if reverted else False if applied else None,
        "started": said["armed"]["time"] if "armed" in said else None, "ended": said["measured"]["at"] if "measured" in said else None,
        "reason": reason, "fidelity": applied.get("fidelity", ""), "rehearsed": said.get("rehearsed", {}).get("rehearsed", ""),
        "rejected": list(applied.get("rejected", ())), "residue": left,
    }  # fmt: skip
