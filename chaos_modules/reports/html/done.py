"""What was done: each scenario's request, where injectors ran, and the exact lines that the kernel was given and then taken off."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..recorded import Json
from .axis import Axis
from .figures import plural
from .history import Executed

_STEPS = (
    ("setup", "put there, disarmed"), ("arm", "armed"), ("renew", "renewed again and again"), ("disarm", "disarmed"),
    ("flush", "flushed"), ("teardown", "taken away"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The lines of one alternative, and whom they were for."""

    title: str
    targets: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One scenario."""

    title: str
    facts: tuple[tuple[str, str], ...]
    carriers: tuple[tuple[str, str, str], ...]
    programs: tuple[Program, ...]
    warnings: tuple[str, ...]


def done(axis: Axis, plan: Json, result: Json, executed: Sequence[Executed]) -> tuple[Done, ...]:
    """A part per scenario of the plan; with several iterations, the carriers of all of them."""
    engines = {(one["id"], target["target"], target["direction"]): target["engine"] for one in result["scenarios"] for target in one["targets"]}
    planned = plan["scenarios"]
    return tuple(_done(axis, one, engines, executed[number :: len(planned)]) for number, one in enumerate(planned))


def _done(axis: Axis, planned: Json, engines: Mapping[tuple[str, str, str], str], runs: Sequence[Executed]) -> Done:
    request = planned["request"]
    facts = [("file", request["where"]), ("type", f"{request['type']} ({request['style']})")]
    facts += [("requested", ", ".join(f"{name} {value}" for name, value in request["requested"]))]
    facts += [(name, _text(request.get(name))) for name in ("hold", "ramp", "sequence", "directions", "device", "selector", "traffic")]
    carriers = [(str(event["target"]), str(event["state"]), axis.moment(event["time"])) for run in runs for event in run.carriers]
    return Done(
        title=request["id"], facts=tuple((name, value) for name, value in facts if value), carriers=tuple(carriers),
        programs=tuple(_programs(request["id"], planned["injections"], engines)), warnings=tuple(map(str, _list(planned.get("warnings")))),
    )  # fmt: skip


def _programs(scenario: str, injections: Sequence[Json], engines: Mapping[tuple[str, str, str], str]) -> list[Program]:
    """Targets that got the same lines share one entry."""
    same: dict[str, tuple[str, Json, list[str]]] = {}
    for injection in injections:
        aim, programs = injection["target"], [one for one in _list(injection.get("programs")) if isinstance(one, dict)]
        path = "/".join(filter(None, (aim["kind"], aim["namespace"], aim["name"])))
        used = engines.get((scenario, path, injection["direction"]), "")
        program = next((one for one in programs if one.get("engine") == used), None) or next(iter(programs), None)
        if program is None:
            continue
        title = f"{used} on {injection['device']}, {injection['direction']}" if used else f"never applied; first choice: {program.get('engine')}"
        key = title + json.dumps([program.get(step) for step, _ in _STEPS])
        same.setdefault(key, (title, program, []))[2].append(path)
    return [Program(title=title, targets=_targets(paths), steps=_steps(program)) for title, program, paths in same.values()]


def _targets(paths: Sequence[str]) -> str:
    return f"{plural(len(paths), 'target')}: {', '.join(paths[:6])}" + (f" and {len(paths) - 6} more" if len(paths) > 6 else "")


def _steps(program: Json) -> tuple[tuple[str, str], ...]:
    return tuple((word, lines) for step, word in _STEPS if (lines := _lines(program.get(step))))


def _lines(step: Any) -> str:
    """A script for nft, a command as its words, or several of them."""
    if isinstance(step, dict):
        return str(step.get("nft", "")).rstrip("\n")
    parts = _list(step)
    if parts and all(isinstance(one, str) for one in parts):
        return " ".join(parts)
    return "\n".join(filter(None, map(_lines, parts)))


def _text(value: Any) -> str:
    """A part of the request in short: what is empty or nothing is left out."""
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {told}" for name, one in value.items() if (told := _text(one)))
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    return "" if value in (None, False, "", "0%", "0s") else str(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
