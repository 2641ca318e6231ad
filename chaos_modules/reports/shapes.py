"""Whether the documents of a record have the shapes that every report relies on: a record may come from anywhere, and be damaged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]
MOST_NESTED = 40
_LATEST = 253_402_300_799  # the last second of the year 9999, beyond which no calendar goes
_LARGEST = 2**63


class Misshapen(ValueError):
    """What is wrong with a document, and where in it."""


def _must(holds: bool, where: str, wanted: str) -> None:
    if not holds:
        raise Misshapen(f"{where or 'the document'} is not {wanted}")


def _text(value: Any, where: str) -> None:
    _must(isinstance(value, str), where, "a text")


def _flag(value: Any, where: str) -> None:
    _must(isinstance(value, bool), where, "true or false")


def _number(value: Any, where: str) -> None:
    _must(isinstance(value, (int, float)) and not isinstance(value, bool) and (math.isnan(value) or abs(value) <= _LARGEST), where, "a number")


def _value(value: Any, where: str) -> None:
    """A number that may be infinite, as Prometheus' may."""
    _must((isinstance(value, float) and math.isinf(value)) or _is(_number, value), where, "a number")


def _count(value: Any, where: str) -> None:
    _must(isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST, where, "a whole number")


def _whole(value: Any, where: str) -> None:
    """Of any size, as a seed may be."""
    _must(isinstance(value, int) and not isinstance(value, bool), where, "a whole number")


def _moment(value: Any, where: str) -> None:
    _must(_is(_number, value) and 0 <= value <= _LATEST, where, "a time in seconds since the epoch")


def _anything(_: Any, __: str) -> None:
    """Shown as it is, or not at all."""


def _is(check: Check, value: Any) -> bool:
    try:
        check(value, "")
    except Misshapen:
        return False
    return True


def _maybe(check: Check) -> Check:
    def look(value: Any, where: str) -> None:
        if value is not None:
            check(value, where)

    return look


def _list(check: Check) -> Check:
    def look(value: Any, where: str) -> None:
        _must(isinstance(value, list), where, "a list")
        for number, one in enumerate(value):
            check(one, f"{where}[{number}]")

    return look


def _each(check: Check) -> Check:
    def look(value: Any, where: str) -> None:
        _must(isinstance(value, dict), where, "a mapping")
        for key, one in value.items():
            check(one, f"{where}.{key}")

    return look


def _keys(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def look(value: Any, where: str) -> None:
        _must(isinstance(value, dict), where, "a mapping")
        for key, check in required.items():
            _must(key in value, where, f"complete: it has no {key}")
            check(value[key], f"{where}.{key}".lstrip("."))
        for key, check in (optional or {}).items():
            if key in value:
                check(value[key], f"{where}.{key}".lstrip("."))

    return look


def _pair(value: Any, where: str) -> None:
    _must(isinstance(value, list) and len(value) == 2 and all(_is(_moment, one) for one in value), where, "a pair of times")


def _point(value: Any, where: str) -> None:
    _must(isinstance(value, list) and len(value) == 2 and _is(_moment, value[0]) and _is(_value, value[1]), where, "a time and a value")


def _requested(value: Any, where: str) -> None:
    _list(_list(_text))(value, where)
    _must(all(len(pair) == 2 for pair in value), where, "a list of pairs")


_MEASUREMENT = _keys(
    {"value": _value, "unit": _text, "judged": _text},
    {"requested": _maybe(_number), "low": _value, "high": _value, "samples": _number, "source": _text, "within_tolerance": _flag, "detail": _text},
)
_TARGET = _keys({
    "target": _text, "node": _text, "device": _text, "direction": _text, "engine": _text, "requested": _each(_text), "status": _text,
    "in_effect": _flag, "traffic": _count, "measured": _each(_MEASUREMENT), "at_peer": _each(_MEASUREMENT), "reverted": _maybe(_flag),
    "started": _maybe(_moment), "ended": _maybe(_moment), "reason": _text, "fidelity": _text,
}, {"residue": _list(_text), "rejected": _list(_text), "rehearsed": _text})  # fmt: skip
_BYSTANDERS = _keys({"flows": _count, "sent": _count, "lost": _count, "copied": _count})
_SCENARIO = _keys(
    {"type": _text, "file": _text, "id": _text, "style": _text, "status": _text, "reason": _text, "targets": _list(_TARGET)},
    {
        "skew_seconds": _maybe(_number), "together_seconds": _maybe(_number), "bystanders": _maybe(_BYSTANDERS),
        "started": _maybe(_moment), "ended": _maybe(_moment), "halted": _text,
    },
)  # fmt: skip
_WINDOW = _keys({"scenario": _count, "phase": _text, "start": _moment, "end": _moment})
_PROBE_CHECK = _keys({
    "name": _text, "kind": _text, "scenario": _count, "phase": _text, "samples": _count, "good": _count, "unknown": _count,
    "pass_rate": _maybe(_number), "latency": _each(_number), "limit": _text, "passed": _maybe(_flag),
}, {"reason": _text, "crossed": _maybe(_moment), "recovered_after": _maybe(_number)})  # fmt: skip
_ALERT = _keys({"source": _text, "name": _text, "expr": _text, "severity": _text}, {
    "labels": _each(_text), "value": _maybe(_value), "intervals": _list(_pair), "before": _flag, "counted": _flag, "fired": _flag, "problem": _text,
})  # fmt: skip
_HEALTH = _keys({
    "url": _text, "status": _flag, "status_code": _count, "start_timestamp": _moment, "end_timestamp": _moment, "duration": _number,
}, {"gating": _flag, "detail": _text})  # fmt: skip
_FINDING = _keys({"kind": _text, "reason": _text}, {"exit_code": _count, "time": _maybe(_moment), "scenario": _maybe(_count)})
_OBJECTIVE = _keys({"name": _text, "severity": _text, "weight": _number, "passed": _maybe(_flag)})
_SCORE = _keys({
    "name": _text, "start": _moment, "end": _moment, "score": _number, "weight": _number, "total_points": _number, "points_lost": _number,
    "results": _list(_OBJECTIVE),
})  # fmt: skip
_RESILIENCY = _keys({"score": _number, "passed": _count, "total": _count, "scenarios": _list(_SCORE)})
RESULT = _keys({
    "run_id": _text, "seed": _whole, "started": _moment, "ended": _moment, "cluster": _text,
    "verdict": _keys({"status": _text, "exit_code": _count, "reasons": _list(_text)}), "scenarios": _list(_SCENARIO), "residue": _list(_text),
}, {
    "run_uuid": _text, "windows": _list(_WINDOW), "checks": _list(_PROBE_CHECK), "alerts": _list(_ALERT), "health": _list(_HEALTH),
    "findings": _list(_FINDING), "problems": _list(_text), "resiliency": _maybe(_RESILIENCY),
})  # fmt: skip
_AIM = _keys({"kind": _text, "namespace": _text, "name": _text, "node": _text})
_REQUEST = _keys({"id": _text, "type": _text, "style": _text, "file": _text, "where": _text, "requested": _requested})
PLAN = _keys({
    "run_id": _text, "seed": _whole, "cluster": _text,
    "scenarios": _list(_keys({"request": _REQUEST, "injections": _list(_keys({"target": _AIM, "direction": _text, "device": _text}))})),
})  # fmt: skip
EVENT = _keys({"time": _moment, "event": _text, "target": _text})
_OBSERVED = _keys({"name": _text, "query": _text, "limit": _text, "step": _number, "series": _list(
    _keys({"labels": _each(_text), "points": _list(_point)})
)}, {"problem": _text})  # fmt: skip
SERIES = _keys({"series": _list(_OBSERVED)})
FILES = _each(_anything)
METRIC = _keys({"metricName": _text, "points": _list(_point)}, {"query": _text, "labels": _each(_text)})
_SAMPLE = _keys({"good": _maybe(_flag), "seconds": _maybe(_number), "detail": _text})
# What the reports read of these events; of others they read nothing, or with care.
EVENTS: Mapping[str, Check] = {
    "sample": _SAMPLE, "window": _keys({"scenario": _count, "phase": _text, "start": _moment, "end": _moment}),
    "health": _keys({"healthy": _flag, "status_code": _count, "detail": _text}), "halt": _keys({"query": _text, "reason": _text}),
    "scenario-started": _keys({"file": _text, "targets": _list(_text), "hold": _number}),
    "scenario-finished": _keys({"status": _text, "reason": _text}),
    "run-finished": _keys({"status": _text, "exit_code": _count, "reasons": _list(_text)}),
    "applied": _keys({"engine": _text}, {"device": _text, "fidelity": _text, "rejected": _list(_text)}), "reverted": _keys({"left": _list(_text)}),
    "rehearsed": _keys({"rehearsed": _text}), "finished": _keys({"status": _text, "reason": _text}), "measured": _keys({"at": _moment}),
    "carrier": _keys({"state": _text}), "waiting": _keys({"seconds": _number, "why": _text}),
}  # fmt: skip


def shaped(value: Any, check: Check) -> Any:
    """The value, if it has the shape, is not nested too deeply, and is of schema 1 where it names one. Raises Misshapen."""
    _shallow(value)
    check(value, "")
    if value.get("schema", 1) != 1:
        raise Misshapen(f"it is of schema {value['schema']!r}, and this version reads schema 1")
    return value


def _shallow(value: Any) -> None:
    """Every fold walks the data by recursion, so that its depth must be bounded."""
    level = [value]
    for _ in range(MOST_NESTED):
        level = [one for part in level if isinstance(part, (dict, list)) for one in (part.values() if isinstance(part, dict) else part)]
        if not level:
            return
    raise Misshapen(f"it is nested more than {MOST_NESTED} levels deep")
