"""The Jobs and pods that Squall asks a cluster for, as plain dicts: what others wrote lands in them as data, never as text to be parsed."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...model.errors import ClusterProblem
from ...model.workload import COMPONENT_LABEL, OUR_LABELS, RUN_LABEL, SCENARIO_LABEL, InjectionWorkload, Toleration
from .api import Object

CONTAINER = "injector"
NODE_ANNOTATION, TARGETS_ANNOTATION, ENDS_ANNOTATION = "squall.chaos/node", "squall.chaos/targets", "squall.chaos/ends"
CAPABILITIES = ("NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE")
# The injector reverts within a second of SIGTERM; the rest is for what a node under pressure makes of it.
GRACE_SECONDS = 30
# The Job's own deadline is a net below that of the injector, and its remains go without the runner.
MARGIN_SECONDS, KEPT_SECONDS, SWEEP_SECONDS = 30, 300, 120
# The kernel takes no environment variable of more than 128 KiB, its name and an end included.
LARGEST_PLAIN, LARGEST = 100 * 1024, 127 * 1024
MOST_TARGETS_NAMED = 20


def labels(run: str, component: str, scenario: str = "") -> dict[str, str]:
    """What everything of ours carries. A scenario's id becomes a valid value."""
    value = re.sub(r"[^A-Za-z0-9_.-]", "-", scenario).strip("-_.")[:63].rstrip("-_.")
    return {**OUR_LABELS, COMPONENT_LABEL: component, RUN_LABEL: run, **({SCENARIO_LABEL: value} if value else {})}


def job_manifest(workload: InjectionWorkload, node: str, name: str, job: Mapping[str, Any], now: float) -> Object:
    """The Job whose one pod carries the injector to a node. Raises ClusterProblem when the job is too large for one carrier."""
    end = max(item["deadline"] for item in job["injections"])
    keys = [item["key"] for item in job["injections"]]
    further = f" and {len(keys) - MOST_TARGETS_NAMED} more" if len(keys) > MOST_TARGETS_NAMED else ""
    annotations = {
        TARGETS_ANNOTATION: ", ".join(keys[:MOST_TARGETS_NAMED]) + further,
        ENDS_ANNOTATION: datetime.fromtimestamp(math.ceil(end), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    template = pod_template(workload, node, labels(job["run"], "injector", job["scenario"]), ("SQUALL_JOB", job_text(job, node)), annotations)
    if job["stream"]:
        template["spec"]["containers"][0]["stdin"] = True
    return _job(workload, name, template, max(1, math.ceil(end - now)) + MARGIN_SECONDS)


def sweeper_manifest(workload: InjectionWorkload, node: str, name: str, label: str, *, run: str, remove: bool) -> Object:
    """A look at a node for what a run left (empty: any run), which gets past every taint. `label` tells its pod from the carriers."""
    wish = json.dumps({"run": run, "remove": remove})
    template = pod_template(workload, node, labels(label, "sweeper"), ("SQUALL_SWEEP", wish))
    template["spec"]["containers"][0]["command"] = ["python3", "/opt/squall/sweep.py"]
    template["spec"]["tolerations"] = [{"operator": "Exists"}]
    return _job(workload, name, template, SWEEP_SECONDS)


def probe_manifest(workload: InjectionWorkload, node: str, name: str, run: str) -> Object:
    """A pod without any right, which only shows that the image is there or can be pulled."""
    template = pod_template(workload, node, labels(run, "probe"))
    spec, container = template["spec"], template["spec"]["containers"][0]
    del spec["hostPID"]
    spec["activeDeadlineSeconds"], container["command"] = SWEEP_SECONDS, ["python3", "--version"]
    container["securityContext"] = {
        "runAsNonRoot": True, "runAsUser": 65534, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    template["metadata"]["annotations"] = {NODE_ANNOTATION: node}
    return pod_manifest(workload, name, template)


def pod_manifest(workload: InjectionWorkload, name: str, template: Object) -> Object:
    """The pod that a Job would make of a template: for a dry run, which alone tells what admission thinks of it."""
    metadata = {**template["metadata"], "name": name, "namespace": workload.namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def pod_template(
    workload: InjectionWorkload, node: str, carried: Mapping[str, str],
    variable: tuple[str, str] | None = None, annotations: Mapping[str, str] | None = None,
) -> Object:  # fmt: skip
    """The pod of the injector and of the sweeper; `node` empty leaves the choice to the scheduler."""
    spec: Object = {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": GRACE_SECONDS, "hostPID": True, "automountServiceAccountToken": False,
        "enableServiceLinks": False, "containers": [_container(workload, variable)], "volumes": [{"name": "tmp", "emptyDir": {}}],
        **_wishes(workload),
    }  # fmt: skip
    if node:
        # By affinity, not by `nodeName`, which would go round the scheduler and so round taints and room.
        term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    # Kubernetes before 1.30 knows AppArmor by this annotation only.
    unconfined = {f"container.apparmor.security.beta.kubernetes.io/{CONTAINER}": "unconfined"}
    return {"metadata": {"labels": dict(carried), "annotations": {NODE_ANNOTATION: node, **unconfined, **(annotations or {})}}, "spec": spec}


def _job(workload: InjectionWorkload, name: str, template: Object, seconds: int) -> Object:
    metadata = {**template["metadata"], "name": name, "namespace": workload.namespace}
    spec = {
        "completions": 1, "parallelism": 1, "backoffLimit": 0, "activeDeadlineSeconds": seconds, "ttlSecondsAfterFinished": KEPT_SECONDS,
        "template": template,
    }  # fmt: skip
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _container(workload: InjectionWorkload, variable: tuple[str, str] | None) -> Object:
    container: Object = {
        "name": CONTAINER, "image": workload.image, "imagePullPolicy": workload.pull_policy,
        "terminationMessagePolicy": "FallbackToLogsOnError", "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        "securityContext": _rights(workload.security),
    }  # fmt: skip
    if workload.resources:
        container["resources"] = {name: dict(amounts) for name, amounts in workload.resources.items()}
    if variable:
        container["env"] = [{"name": variable[0], "value": variable[1].replace("$", "\\u0024")}]  # a `$(NAME)` would be expanded
    return container


def _rights(security: str) -> Object:
    """What entering another pod's namespaces takes; SELinux, AppArmor and seccomp forbid it to a usual container."""
    rights: Object = {
        "runAsUser": 0, "readOnlyRootFilesystem": True, "seLinuxOptions": {"type": "spc_t"},
        "seccompProfile": {"type": "Unconfined"}, "appArmorProfile": {"type": "Unconfined"},
    }  # fmt: skip
    if security == "privileged":
        return {**rights, "privileged": True}
    return {**rights, "capabilities": {"drop": ["ALL"], "add": list(CAPABILITIES)}}


def _wishes(workload: InjectionWorkload) -> Object:
    """What the user configured, and nothing where nothing was."""
    wishes: Object = {
        "serviceAccountName": workload.service_account, "priorityClassName": workload.priority_class, "nodeSelector": dict(workload.node_selector),
        "imagePullSecrets": [{"name": name} for name in workload.pull_secrets], "tolerations": [_toleration(one) for one in workload.tolerations],
    }  # fmt: skip
    return {name: wish for name, wish in wishes.items() if wish}


def _toleration(one: Toleration) -> Object:
    facts: Object = {"key": one.key, "operator": one.operator, "value": one.value, "effect": one.effect}
    seconds = {} if one.seconds is None else {"tolerationSeconds": one.seconds}
    return {**{name: fact for name, fact in facts.items() if fact}, **seconds}


def job_text(job: Mapping[str, Any], node: str) -> str:
    """The job as one environment variable, compressed when it is long. Raises ClusterProblem when even that is too long for the kernel."""
    text = json.dumps(job, separators=(",", ":"))
    if len(text) > LARGEST_PLAIN:
        text = "z:" + base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    if len(text) > LARGEST:
        count = len(job["injections"])
        what = f"the {count} targets on it make a job of {len(text) / 1024:.0f} KiB, more than the {LARGEST // 1024} KiB that a pod can be given"
        remedy = "hit fewer at once: a smaller percentage, or one scenario for each part of the targets (by labels, by node label)"
        raise ClusterProblem(what, f"node {node}", remedy)
    return text


def image_warnings(image: str, pull_policy: str) -> Sequence[str]:
    """What may surprise about the image: without a fixed tag or digest nobody knows which program runs."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if digest or tag not in ("", "latest"):
        return ()
    what = f"the image {image} has {'no tag, which means latest' if not tag else 'the tag latest'}"
    surprise = "it may be another one at the next run" if pull_policy == "Always" else "each node may have another one under that name"
    return (f"{what}: {surprise}; name a version or a digest",)
