"""`check`: what `run` looks at before it begins, and more, all of it at once. Touches nothing, but for a short-lived pod that tries the image."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence

from ..clusters.kubernetes.api import ApiProblem
from ..clusters.protocol import Cluster
from ..engine.interruption import Interruption
from ..loading.configuration import Configuration
from ..loading.observation import observation_plan
from ..model.check import Check, CheckState, demoted, failed, passed, skipped, warning
from ..model.errors import EXIT_FAILED, EXIT_PASSED, BadInput, ClusterProblem, SquallError
from ..model.plan import Plan, ScenarioPlan
from ..model.probe import Connection
from ..model.request import ImpairmentRequest
from ..model.target import Scope, Snapshot
from ..observe.prometheus_ready import prometheus_check
from ..reports.checks import checks_document, checks_screen
from ..reports.style import style_for
from ..targets.scope import scope_of
from .choosing import open_cluster
from .preparation import planned
from .reading import read_configuration, read_scenarios, scenario_documents

FORBIDDEN = 403
_NAME_ONE = "name a SCENARIO file, or list some under kraken.chaos_scenarios"


def execute(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the checks; exit 1 if any failed that is not ignored."""
    demoted((), arguments.ignore)
    configuration = read_configuration(arguments, environment, optional=True)
    given = not arguments.pre and (arguments.scenarios or configuration.scenarios)
    requests = read_scenarios(arguments, scenario_documents(arguments, configuration)) if given else ()
    observation = observation_plan(configuration)
    cluster, found = _looked(arguments, configuration, requests)
    gating = observation.gates_on_prometheus and observation.on_unknown == "fail"
    found.append(prometheus_check(observation.prometheus or Connection(), gating=gating))
    checks = demoted(found, arguments.ignore)
    if arguments.format == "json":
        print(json.dumps(checks_document(checks, cluster), indent=2))
    else:
        style = style_for(sys.stdout, arguments.color, environment)
        sys.stdout.write(checks_screen(checks, cluster, style, short=arguments.format == "short"))
    return EXIT_FAILED if any(check.state is CheckState.FAILED for check in checks) else EXIT_PASSED


def _looked(
    arguments: argparse.Namespace, configuration: Configuration, requests: Sequence[ImpairmentRequest]
) -> tuple[str, list[Check]]:  # fmt: skip
    """The name of the cluster, and what was found there. Raises BadInput."""
    try:
        cluster = open_cluster(arguments, configuration, Interruption().wait)
    except ClusterProblem as problem:
        return "no cluster", [_failed("api", problem)]
    try:
        snapshot, found = _snapshot(cluster, requests)
        if snapshot is None:
            return cluster.name, found
        if found:  # the targets are unknown, the rest is not
            requests = ()
        plan, wrong = _planned(arguments, configuration, requests, snapshot)
        return cluster.name, [*found, *wrong, *_cluster_checks(cluster, plan, snapshot), *target_checks(plan.scenarios)]
    finally:
        cluster.close()


def _failed(name: str, problem: SquallError) -> Check:
    return failed(name, f"{problem.where}: {problem.what}" if problem.where else problem.what, problem.remedy or "kubectl cluster-info")


def _snapshot(cluster: Cluster, requests: Sequence[ImpairmentRequest]) -> tuple[Snapshot | None, list[Check]]:
    """As much as may be seen; None when nobody answers. What may not be seen of the targets does not keep the rest from being looked at."""
    found: list[Check] = []
    for scope in dict.fromkeys((scope_of(requests), Scope())):
        try:
            return cluster.snapshot(scope), found
        except ApiProblem as problem:
            if problem.status != FORBIDDEN:
                return None, [_failed("api", problem)]
            found.append(_failed("permissions", problem))
    return Snapshot(cluster=cluster.name, nodes=(), pods=()), found


def _planned(
    arguments: argparse.Namespace, configuration: Configuration, requests: Sequence[ImpairmentRequest], snapshot: Snapshot
) -> tuple[Plan, list[Check]]:  # fmt: skip
    try:
        return planned(arguments, configuration, requests, snapshot), []
    except BadInput:
        raise
    except SquallError as problem:
        return planned(arguments, configuration, (), snapshot), [_failed("targets", problem)]


def _cluster_checks(cluster: Cluster, plan: Plan, snapshot: Snapshot) -> list[Check]:
    from ..clusters.kubernetes.cluster import Kubernetes  # noqa: PLC0415 - a sandbox needs none of it

    if isinstance(cluster, Kubernetes):
        from ..clusters.kubernetes.checks import hidden_service  # noqa: PLC0415

        return [*cluster.checks(plan, thorough=True).checks(), *(hidden_service(*service) for service in snapshot.hidden_services)]
    try:
        cluster.preflight(plan)
    except ClusterProblem as problem:
        return [_failed("sandbox", problem)]
    return [passed("sandbox", "it can be started on this machine")]


def target_checks(scenarios: Sequence[ScenarioPlan]) -> Iterator[Check]:
    """Whether each scenario has targets, and which pods were left out for they have no network of their own."""
    if not scenarios:
        yield from (skipped(name, "no scenario to look at", _NAME_ONE) for name in ("targets", "host-network"))
        return
    for scenario in scenarios:
        title, lost = f"{scenario.request.id} ({scenario.request.where})", scenario.unplannable
        if lost:
            yield failed("targets", f"{title}: {lost.what}", lost.remedy or "select other targets")
        else:
            count = len({injection.target for injection in scenario.injections})
            yield passed("targets", f"{title}: {count} of {scenario.candidates} are hit")
    told = [f"{path} {why}" for scenario in scenarios for path, why in scenario.skipped if "hostNetwork" in why]
    if told:
        yield warning("host-network", f"left out: {'; '.join(told[:10])}", "select pods with a network of their own")
    else:
        yield passed("host-network", "no target shares the network of its node")
