"""Which cluster the run is for, and what takes the injector there."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..model.errors import CLEANUP_COMMAND, BadInput, BadInputs
from ..model.workload import INJECTOR_IMAGE, InjectionWorkload, Toleration, toleration_of
from .arguments import DEFAULT_SANDBOX

if TYPE_CHECKING:
    from ..carriers.protocol import Launcher
    from ..clusters.kubernetes.cluster import Kubernetes
    from ..clusters.protocol import Cluster
    from ..clusters.sandbox.description import SandboxDescription
    from ..loading.configuration import Configuration, Squall
    from ..loading.documents import Document

# Where kubectl looks unless KUBECONFIG is set: naming it names nothing in particular.
STANDARD_KUBECONFIG = "~/.kube/config"
Wait = Callable[[float], bool]


def open_cluster(arguments: argparse.Namespace, configuration: Configuration, wait: Wait) -> Cluster:
    """The cluster of this run, not yet started; `wait` sleeps until interrupted. Raises BadInput, ClusterProblem."""
    path = sandbox_file(arguments, configuration)
    cluster: Cluster = _sandbox(path) if path else open_kubernetes(arguments, configuration, wait)
    wanted = arguments.require_context
    if wanted is not None and wanted != cluster.name:
        cluster.close()
        raise BadInput(f"the cluster is {cluster.name}, not {wanted}", "--require-context", "choose the context that you mean")
    return cluster


def sandbox_file(arguments: argparse.Namespace, configuration: Configuration) -> str | None:
    """What describes the sandbox; None where the run is not for one."""
    return arguments.sandbox_file or configuration.squall.sandbox_file or (DEFAULT_SANDBOX if arguments.sandbox else None)


def _sandbox(path: str) -> Cluster:
    from ..clusters.sandbox.cluster import Sandbox  # noqa: PLC0415 - each run needs one kind of cluster
    from ..loading.documents import load_yaml  # noqa: PLC0415

    return Sandbox(_described(load_yaml(path)), path)


def _described(document: Document) -> SandboxDescription:
    from pydantic import ValidationError  # noqa: PLC0415

    from ..clusters.sandbox import description  # noqa: PLC0415
    from ..loading.validation import problems  # noqa: PLC0415

    try:
        return description.describe(document.data)
    except ValidationError as error:
        raise BadInputs(problems(error, description.SandboxDescription, document.position, at=(), spelled={})) from None


def open_kubernetes(arguments: argparse.Namespace, configuration: Configuration, wait: Wait) -> Kubernetes:
    """The cluster of the kubeconfig, or the one that this pod runs in. Raises BadInput, ClusterProblem."""
    from ..clusters.kubernetes import cluster as kubernetes  # noqa: PLC0415
    from ..clusters.kubernetes_api import connect  # noqa: PLC0415

    named = configuration.kraken.kubeconfig_path
    kubeconfig = arguments.kubeconfig or (named if named != STANDARD_KUBECONFIG else "") or None
    squall = configuration.squall
    return kubernetes.Kubernetes(
        connect(kubeconfig, arguments.context, wait), injection_workload(squall),
        stop=squall.on_runner_loss == "stop", target_events=squall.target_events,
    )  # fmt: skip


def injection_workload(squall: Squall) -> InjectionWorkload:
    """The carrier pods as configured. Raises BadInput."""
    injector = squall.injector
    listed = tuple(
        Toleration(key=one.key, operator=one.operator, value=one.value, effect=one.effect or "", seconds=one.tolerationSeconds)
        for one in injector.tolerations
    )
    return InjectionWorkload(
        namespace=squall.namespace, image=injector.image or INJECTOR_IMAGE, pull_policy=injector.pull_policy,
        pull_secrets=tuple(injector.pull_secrets), service_account=injector.service_account, security=injector.security,
        resources={"requests": injector.resources.requests, "limits": injector.resources.limits}, node_selector=injector.node_selector,
        tolerations=(*listed, *(toleration_of(taint) for taint in injector.taints)), priority_class=injector.priority_class,
    )  # fmt: skip


def launcher_for(cluster: Cluster, squall: Squall) -> tuple[Launcher, str, str]:
    """What starts injectors there, what becomes of a fault without its runner, and the command that removes what a killed run left."""
    from ..clusters.kubernetes import cluster as kubernetes  # noqa: PLC0415

    if isinstance(cluster, kubernetes.Kubernetes):
        from ..carriers.workload_pod import PodLauncher  # noqa: PLC0415

        loss = squall.on_runner_loss or "finish"
        return PodLauncher(cluster.api, cluster.workload, loss, target_events=squall.target_events), loss, CLEANUP_COMMAND
    from ..carriers.local import LocalLauncher  # noqa: PLC0415
    from ..clusters.sandbox.state import CLEANUP_COMMAND as SANDBOX_CLEANUP  # noqa: PLC0415

    return LocalLauncher(), squall.on_runner_loss or "stop", SANDBOX_CLEANUP
