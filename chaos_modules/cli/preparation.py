"""From what was read to a plan, with the cluster that it is for."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..clusters.protocol import Cluster
from ..engine.interruption import Interruption
from ..engine.planning import build_plan
from ..loading.configuration import Configuration
from ..model.observation_plan import ObservationPlan
from ..model.plan import Plan
from ..model.request import ImpairmentRequest
from ..model.target import Snapshot
from ..targets.scope import scope_of
from .choosing import open_cluster
from .observing import observation_for
from .reading import read_configuration, read_scenarios, scenario_documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a run needs, all of it checked. `contents` are the scenario files as data, by path."""

    configuration: Configuration
    contents: Mapping[str, Any]
    requests: tuple[ImpairmentRequest, ...]
    cluster: Cluster
    interruption: Interruption
    plan: Plan
    observation: ObservationPlan


def prepare(arguments: argparse.Namespace, environment: Mapping[str, str], run_id: str | None = None) -> Prepared:
    """Everything up to the plan. Raises SquallError; nothing is touched."""
    configuration = read_configuration(arguments, environment, optional=bool(arguments.scenarios))
    documents = scenario_documents(arguments, configuration)
    requests = read_scenarios(arguments, documents)
    interruption = Interruption()
    cluster = open_cluster(arguments, configuration, interruption.wait)
    observation = observation_for(arguments, configuration, cluster)
    plan = planned(arguments, configuration, requests, cluster.snapshot(scope_of(requests)), run_id)
    return Prepared(
        configuration=configuration, contents={document.file: document.data for _, document in documents}, requests=requests, cluster=cluster,
        interruption=interruption, plan=replace(plan, observation=tuple(observation.described())), observation=observation,
    )  # fmt: skip


def planned(
    arguments: argparse.Namespace, configuration: Configuration, requests: Sequence[ImpairmentRequest], snapshot: Snapshot, run_id: str | None = None
) -> Plan:  # fmt: skip
    """The plan for these scenarios in this cluster, under a run id and with a seed of its own unless they are given. Raises SquallError."""
    squall = configuration.squall
    return build_plan(
        requests, snapshot, run_id=run_id or secrets.token_hex(4), seed=secrets.randbelow(2**31) if squall.seed is None else squall.seed,
        lease_seconds=squall.lease_seconds, enforce_limits=arguments.enforce_limits or squall.enforce_limits,
    )  # fmt: skip
