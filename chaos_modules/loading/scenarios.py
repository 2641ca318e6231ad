"""krkn's `chaos_scenarios`: an ordered list of `{type: [files]}`, checked as a whole before any chaos (C-3, C-4)."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

from ..model.errors import BadInput, BadInputs
from ..model.wording import CLOSELY, choices, one_line, shown
from .configuration import Configuration, ScenarioFile
from .documents import Document, load_yaml
from .nodes import Location

KRKN_TYPES = frozenset({
    "application_outages_scenarios", "arcaflow_scenarios", "cluster_shut_down_scenarios", "container_scenarios", "hog_scenarios",
    "http_load_scenarios", "ingress_node_scenarios", "kubevirt_vm_outage", "managedcluster_scenarios", "network_chaos_ng_scenarios",
    "network_chaos_scenarios", "node_scenarios", "plugin_scenarios", "pod_disruption_scenarios", "pod_network_scenarios", "pvc_scenarios",
    "service_disruption_scenarios", "service_hijacking_scenarios", "storage_throttle_scenarios", "syn_flood_scenarios", "time_scenarios",
    "zone_outages_scenarios",
})  # fmt: skip
_MOST_LISTED = 10
_AT: Location = ("kraken", "chaos_scenarios")
_FORM = "write `- type:` and below it `- path/to/file.yaml`"


def scenario_files(document: Document, known_types: Collection[str]) -> tuple[list[ScenarioFile], list[BadInput]]:
    """The files in order of execution, and what is wrong with the list."""
    kraken = document.data.get("kraken") if isinstance(document.data, dict) else None
    listed = kraken.get("chaos_scenarios") if isinstance(kraken, dict) else None
    if listed in (None, ""):
        return [], []
    if not isinstance(listed, list):
        return [], [BadInput(f"kraken.chaos_scenarios: {shown(listed)} is not a list", document.position(_AT), _FORM)]
    files: list[ScenarioFile] = []
    problems: list[BadInput] = []
    for index, entry in enumerate(listed):
        at = (*_AT, index)
        if not isinstance(entry, dict):
            what = f"kraken.chaos_scenarios[{index}]: {shown(entry)} is not a scenario type with files"
            problems.append(BadInput(what, document.position(at), _FORM))
        elif len(entry) != 1:
            what = f"kraken.chaos_scenarios[{index}]: {len(entry)} scenario types in one entry ({', '.join(entry)})"
            problems.append(BadInput(what, document.position(at), "begin every type with a `- ` of its own; krkn would run only the first"))
        else:
            _read_entry(document, at, entry, known_types, (files, problems))
    return files, problems


def _read_entry(
    document: Document, at: Location, entry: dict[str, Any], known_types: Collection[str], found: tuple[list[ScenarioFile], list[BadInput]]
) -> None:
    files, problems = found
    (kind, paths), = entry.items()
    at = (*at, kind)
    if kind not in known_types:
        named = paths if isinstance(paths, list) else [paths]
        problems.append(unknown_type(kind, known_types, document.position(at, key=True), [str(path) for path in named if path]))
    elif paths and not isinstance(paths, list):
        problems.append(BadInput(f"{kind}: {shown(paths)} is not a list of files", document.position(at), _FORM))
    else:
        for index, path in enumerate(paths or []):
            where = document.position((*at, index))
            if isinstance(path, str) and path.strip():
                files.append(ScenarioFile(kind, os.path.expanduser(path), where))  # noqa: PTH111 (Path raises for an unknown user)
            else:
                what = f"{kind}[{index}]: {shown(path)} is not the path of a file"
                problems.append(BadInput(what, where, "write one path per line, without a list inside the list"))


def unknown_type(kind: str, known_types: Collection[str], where: str, files: Sequence[str] = ()) -> BadInput:
    """A scenario type that cannot be run: one of krkn's that this version does not have, or none at all."""
    listed = ", ".join(one_line(path) for path in files[:_MOST_LISTED]) + (", …" if files[_MOST_LISTED:] else "")
    if kind in KRKN_TYPES:
        remedy = f"leave it out; this version runs: {', '.join(sorted(known_types))}"
        return BadInput(f"{kind} is a scenario type of krkn that this version does not run (for {listed or 'no file'})", where, remedy)
    return BadInput(f"unknown scenario type {kind} (for {listed or 'no file'}); nothing was run", where, choices(kind, sorted(known_types), CLOSELY))


def load_scenarios(configuration: Configuration) -> list[tuple[ScenarioFile, Document]]:
    """Every scenario file of the configuration, in order. Raises BadInputs with the problems of all of them."""
    loaded: list[tuple[ScenarioFile, Document]] = []
    problems: list[BadInput] = []
    for file in configuration.scenarios:
        try:
            loaded.append((file, load_yaml(file.path)))
        except BadInputs as error:
            problems += error.problems
        except BadInput as error:
            problems.append(BadInput(f"{error.what} (listed at {file.where})", error.where, error.remedy))
    if problems:
        raise BadInputs(problems)
    return loaded
