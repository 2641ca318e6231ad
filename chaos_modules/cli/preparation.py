"""From what was read to a plan, with the cluster that it is for."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from ..clusters.sandbox.cluster import Sandbox
from ..clusters.sandbox.description import SandboxDescription, describe
from ..engine.planning import build_plan
from ..loading.configuration import Configuration
from ..loading.documents import Document, load_yaml
from ..loading.validation import problems
from ..model.errors import BadInput, BadInputs
from ..model.plan import Plan
from ..model.request import ImpairmentRequest
from .arguments import DEFAULT_SANDBOX
from .reading import read_configuration, read_scenarios


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a run needs, all of it checked."""

    configuration: Configuration
    requests: tuple[ImpairmentRequest, ...]
    cluster: Sandbox
    plan: Plan


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
