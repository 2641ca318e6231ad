"""Harness and Litmus network faults: `{id: pod-network-…, workload: …, TUNABLE: value}` (seeds 000 and 001)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from inspect import cleandoc
from typing import Any, cast

from pydantic import BaseModel, create_model

from ..faults.registry import Fault, described, faults
from ..model.errors import BadInput, BadInputs
from ..model.quantities import Rate
from ..model.request import ImpairmentRequest, Sequence
from ..model.wording import choices, shown
from .harness_tunables import Tunables
from .registry import Location, Source, style
from .schemas import Schema, model_schema, published

MOST_PROBLEMS = 50
_STRUCTURE = ("id", "workload")
_NAMES_PODS = ("workload", "TARGETS", "TARGET_PODS", "APP_LABEL", "APPLABEL")
_OLD_NAMES = {"APPNS": "APP_NAMESPACE", "APPKIND": "APP_KIND", "APPLABEL": "APP_LABEL"}
_WITHOUT_EFFECT = frozenset({
    "CHAOS_INTERVAL", "INSTANCE_ID", "LIB_IMAGE", "LIB_IMAGE_PULL_POLICY", "SET_HELPER_DATA", "TERMINATION_GRACE_PERIOD_SECONDS",
    "STATUS_CHECK_DELAY", "STATUS_CHECK_TIMEOUT", "DEFAULT_HEALTH_CHECK", "JOB_CLEANUP_POLICY", "CHAOS_NAMESPACE", "CHAOS_SERVICE_ACCOUNT",
})


@cache
def _model(kind: type[Fault]) -> type[Tunables]:
    """The tunables of one fault and the common ones, as one model, so that one look finds everything wrong with an entry."""
    return cast(type[Tunables], create_model(kind.__name__, __base__=(Tunables, kind), __doc__=kind.__doc__))


@style
class Harness:
    """A file is a list of entries, or a single entry: `id`, the fault; `workload`, the target; and tunables."""

    type_name = "pod_network_fault_scenarios"
    name = "harness"
    summary = "Harness and Litmus pod network faults, with their tunables"

    def accepts(self, source: Source) -> bool:
        """By the form of the first id; krkn's ids have underscores."""
        first = source.data[0] if isinstance(source.data, list) and source.data else source.data
        return isinstance(first, dict) and re.match(r"(pod|node)-network-", str(first.get("id", ""))) is not None

    def models(self) -> Mapping[str, type[BaseModel]]:
        """One model per fault."""
        return {name: _model(kind) for name, kind in faults().items()}

    def schema(self) -> Schema:
        """A list of entries, or one; its `id` says which fault an entry is."""
        common = published(model_schema(Tunables))
        idle = {key: {"description": "Accepted, but without effect."} for key in sorted(_WITHOUT_EFFECT)}
        shared = _in_either_case("tunables", {**common["properties"], **idle})
        definitions: Schema = {**common["$defs"], "tunables": {"properties": shared}}
        references = {key: {"$ref": f"#/$defs/tunables/properties/{key}"} for key in shared}
        for name, model in self.models().items():
            own = {key: value for key, value in published(model_schema(model))["properties"].items() if key not in shared}
            properties = {"id": {"const": name}, **_in_either_case(name, own), **references}
            definitions[name] = {"description": cleandoc(model.__doc__ or ""), "properties": properties, "additionalProperties": False}
        chosen = [{"if": {"properties": {"id": {"const": name}}}, "then": {"$ref": f"#/$defs/{name}"}} for name in self.models()]
        known = {"enum": list(self.models()), "description": "The fault."}
        named = [{"required": [key]} for name in _NAMES_PODS for key in dict.fromkeys((name, name.lower()))]
        definitions["entry"] = {"type": "object", "required": ["id"], "properties": {"id": known}, "allOf": chosen, "anyOf": named}
        entry = {"$ref": "#/$defs/entry"}
        return {"if": {"type": "array"}, "then": {"minItems": 1, "items": entry}, "else": entry, "$defs": definitions}

    def translate(self, source: Source) -> list[ImpairmentRequest]:
        """One request per entry. Raises BadInputs with the problems of all entries."""
        entries = source.data if isinstance(source.data, list) else [source.data]
        requests: list[ImpairmentRequest] = []
        problems: list[BadInput] = []
        for index, entry in enumerate(entries):
            if len(problems) >= MOST_PROBLEMS:
                problems.append(BadInput("there may be more wrong entries", source.position((index,)), "correct these first"))
                break
            try:
                requests.append(_request(self, source, (index,) if isinstance(source.data, list) else (), entry))
            except BadInputs as error:
                problems += error.problems
            except BadInput as error:
                problems.append(error)
        if not entries:
            problems.append(BadInput("the list is empty", source.position(), "write at least one entry: - id: pod-network-loss"))
        if problems:
            raise BadInputs(problems)
        return requests


def _in_either_case(definition: str, known: Schema) -> Schema:
    """Properties under every spelling that `_canonical` reads."""
    spellings = {key.lower(): key for key in known if key not in _STRUCTURE}
    spellings |= {spelled: new for old, new in _OLD_NAMES.items() if new in known for spelled in (old, old.lower())}
    return {**known, **{spelled: {"$ref": f"#/$defs/{definition}/properties/{key}"} for spelled, key in sorted(spellings.items())}}


def _request(dialect: Harness, source: Source, at: Location, entry: object) -> ImpairmentRequest:
    if not isinstance(entry, dict):
        raise BadInput(f"{shown(entry)} is not a scenario entry", source.position(at), "write `id: pod-network-…` and its tunables")
    kind = _fault(source, at, entry)
    data, spelled = _canonical(source, at, entry)
    idle = sorted(_WITHOUT_EFFECT & data.keys())
    effective = {key: value for key, value in data.items() if key != "id" and key not in _WITHOUT_EFFECT}
    tunables = source.validated(_model(kind), at, data=effective, spelled=spelled)
    wish = cast(Fault, tunables)
    notices = [f"{', '.join(idle)}: accepted, but without effect here"] if idle else []
    if wish.own_directions() and "DIRECTION" in effective:
        notices.append("DIRECTION: without effect, since POLICY_TYPES names the directions")
    traffic = tunables.traffic()
    return ImpairmentRequest(
        id=kind.id, type=dialect.type_name, style=dialect.name, file=source.file, where=source.position(at),
        selector=tunables.selector(), impairment=wish.impairment(), traffic=replace(traffic, exclude=traffic.exclude + wish.allowed()),
        directions=wish.own_directions() or tunables.directions(),
        device=tunables.network_interface, hold=tunables.total_chaos_duration, ramp=tunables.ramp_time,
        sequence=Sequence(tunables.sequence), requested=described(wish.impairment()),
        notices=(*notices, *_unit_notices(tunables, effective), *_precedence_notices(tunables), *wish.notices()),
    )


def _fault(source: Source, at: Location, entry: Mapping[str, Any]) -> type[Fault]:
    name, known = entry.get("id"), faults()
    if name is None:
        raise BadInput("id: required, but missing", source.position(at), f"add one of {', '.join(known)}")
    if not isinstance(name, str) or name not in known:
        raise BadInput(f"id: {shown(name)} is not a fault", source.position((*at, "id")), choices(str(name), known))
    return known[name]


def _canonical(source: Source, at: Location, entry: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Keys in upper case, and from those the keys as written. Null and empty mean the default, as in an environment variable."""
    data: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    problems: list[BadInput] = []
    for key, value in entry.items():
        name = key.upper() if key not in _STRUCTURE and key in (key.upper(), key.lower()) else key
        name = _OLD_NAMES.get(name, name)
        if name in spelled:
            where = source.position((*at, key), key=True)
            problems.append(BadInput(f"{spelled[name]} and {key} are the same tunable", where, "keep one of the two"))
        spelled[name] = key
        if value is not None and value != "":
            data[name] = value
    if problems:
        raise BadInputs(problems)
    return data, spelled


def _unit_notices(tunables: Tunables, given: Mapping[str, Any]) -> list[str]:
    """`mbps` is megabytes per second to tc, which few expect (B19)."""
    rates = {name.upper(): value for name, value in tunables if isinstance(value, Rate)}
    return [
        f"{name} {given[name]} is {rate}: bps means bytes per second, as in tc"
        for name, rate in rates.items() if str(given.get(name, "")).strip().lower().endswith("bps")
    ]


def _precedence_notices(tunables: Tunables) -> list[str]:
    idle = {"NODE_LABEL": tunables.node_label, "POD_AFFECTED_PERCENTAGE": tunables.pod_affected_percentage.last}
    overruled = [name for name, value in idle.items() if value and tunables.target_pods]
    return [f"{', '.join(overruled)}: without effect, since TARGET_PODS names the pods"] if overruled else []
