"""From arguments to a plan: configuration, scenario files, cluster. Everything that can be wrong in them is told before anything is done."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..clusters.sandbox.cluster import Sandbox
from ..clusters.sandbox.description import SandboxDescription, describe
from ..engine.planning import build_plan, check_programs
from ..loading.configuration import Configuration
from ..loading.documents import Document, load_yaml
from ..loading.overrides import load_configuration
from ..loading.scenarios import load_scenarios, unknown_type
from ..loading.validation import problems
from ..model.errors import BadInput, BadInputs
from ..model.plan import Plan
from ..model.request import ImpairmentRequest
from ..model.wording import shown
from ..styles.registry import detect_type, styles
from .arguments import DEFAULT_CONFIG, DEFAULT_SANDBOX


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a run needs, all of it checked."""

    configuration: Configuration
    requests: tuple[ImpairmentRequest, ...]
    cluster: Sandbox
    plan: Plan


def read_configuration(arguments: argparse.Namespace, environment: Mapping[str, str], *, optional: bool) -> Configuration:
    """The configuration with `--set` and the environment applied; without the default file where it is `optional`. Raises BadInput."""
    path = arguments.config or DEFAULT_CONFIG
    absent = optional and not arguments.config and not Path(path).exists()
    overrides = dict(_assignment(text) for text in arguments.assignments)
    if getattr(arguments, "seed", None) is not None:
        overrides["squall.seed"] = arguments.seed
    return load_configuration(None if absent else path, overrides, environment, tuple(styles()))


def _assignment(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"{shown(text)} sets nothing", "--set", "write --set squall.lease_seconds=5")
    return path.strip(), value


def translate(pairs: Sequence[tuple[str, Document]]) -> tuple[ImpairmentRequest, ...]:
    """Every entry of every file as a request, in order. Raises BadInputs with the problems of all files."""
    requests: list[ImpairmentRequest] = []
    wrong: list[BadInput] = []
    for kind, document in pairs:
        try:
            translated = styles()[kind].translate(document)
            requests += translated
            for request in translated:
                check_programs(request)
        except BadInputs as error:
            wrong += error.problems
        except BadInput as error:
            wrong.append(error)
    if wrong:
        raise BadInputs(wrong)
    return tuple(requests)


def scenario_type(name: str | None, document: Document) -> str:
    """The type given by `--type`, or the one type that accepts the file. Raises BadInput."""
    if name is None:
        return detect_type(document)
    if name not in styles():
        raise unknown_type(name, tuple(styles()), "--type", [document.file])
    return name


def read_scenarios(arguments: argparse.Namespace, configuration: Configuration) -> tuple[ImpairmentRequest, ...]:
    """The scenarios named on the command line, else the configuration's. Raises BadInput; no scenario at all is one."""
    if arguments.scenarios:
        documents = [load_yaml(path) for path in arguments.scenarios]
        requests = translate([(scenario_type(arguments.type, document), document) for document in documents])
    else:
        requests = translate([(file.type, document) for file, document in load_scenarios(configuration)])
    if not requests:
        where = arguments.config or DEFAULT_CONFIG
        raise BadInput("there is no scenario to run", where, "name a SCENARIO file, or list some under kraken.chaos_scenarios")
    return requests


def open_cluster(arguments: argparse.Namespace, configuration: Configuration) -> Sandbox:
    """The cluster of this run, not yet started. Raises BadInput."""
    path = arguments.sandbox_file or configuration.squall.sandbox_file or (DEFAULT_SANDBOX if arguments.sandbox else None)
    if path is None:
        raise BadInput("no cluster was chosen, and this version runs in the sandbox only", "run_chaos.py", "add --sandbox, or --sandbox-file FILE")
    sandbox = Sandbox(_described(load_yaml(path)), path)
    wanted = arguments.require_context
    if wanted is not None and wanted != sandbox.name:
        raise BadInput(f"the cluster is {sandbox.name}, not {wanted}", "--require-context", "choose the context that you mean")
    return sandbox


def _described(document: Document) -> SandboxDescription:
    try:
        return describe(document.data)
    except ValidationError as error:
        raise BadInputs(problems(error, SandboxDescription, document.position, at=(), spelled={})) from None


def prepare(arguments: argparse.Namespace, environment: Mapping[str, str], run_id: str | None = None) -> Prepared:
    """Everything up to the plan. Raises SquallError; nothing is touched."""
    configuration = read_configuration(arguments, environment, optional=bool(arguments.scenarios))
    requests = read_scenarios(arguments, configuration)
    cluster = open_cluster(arguments, configuration)
    seed = configuration.squall.seed
    plan = build_plan(
        requests, cluster.snapshot(), run_id=run_id or secrets.token_hex(4), seed=secrets.randbelow(2**31) if seed is None else seed,
        lease_seconds=configuration.squall.lease_seconds, enforce_limits=arguments.enforce_limits or configuration.squall.enforce_limits,
    )  # fmt: skip
    return Prepared(configuration=configuration, requests=requests, cluster=cluster, plan=plan)
