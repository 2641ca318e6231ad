"""Whether the nodes have the carriers' image, or can pull it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...model.check import CHECK_COMMAND, Check, failed, passed, warning
from ...model.target import Node
from ...model.workload import InjectionWorkload
from .api import Api, pods_path
from .manifest import probe_manifest
from .pod_state import failure, pulling, stage

PATIENCE_SECONDS = 60.0
_SETTING = "load the image into the nodes (make image-load), or set squall.injector.image to one that they can pull"


def canonical(image: str) -> str:
    """As a node lists it: `busybox` is `docker.io/library/busybox:latest`; with a digest the tag does not matter."""
    name, at, digest = image.partition("@")
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif first != "localhost" and not {".", ":"} & set(first):
        name = f"docker.io/{name}"
    repository, colon, tag = name.rpartition(":")
    tagged = bool(colon) and "/" not in tag
    if at:
        return f"{repository if tagged else name}@{digest}"
    return name if tagged else f"{name}:latest"


def without_image(nodes: Sequence[Node], image: str) -> list[Node]:
    """The nodes that do not list it. Kubelets list 50 images by default, so that it may be there yet, unless the list is complete."""
    wanted = canonical(image)
    return [node for node in nodes if wanted not in map(canonical, node.images)]


def image_check(nodes: Sequence[Node], workload: InjectionWorkload) -> Check:
    """What the nodes' own lists tell."""
    without, policy = without_image(nodes, workload.image), workload.pull_policy
    names = ", ".join(node.name for node in without[:10])
    if not without and policy != "Always":
        return passed("image", f"{workload.image} is on every node of the plan")
    if policy == "Never" and any(node.images_complete for node in without):
        absent = ", ".join(node.name for node in without if node.images_complete)
        return failed("image", f"{workload.image} is not on {absent}, and squall.injector.pull_policy is Never", _SETTING)
    seen = f"{workload.image} is not on {names} yet; it is pulled when needed" if without else f"{workload.image} is pulled for every run (Always)"
    return warning("image", seen, f"{CHECK_COMMAND} pulls it there")


def probe_image(api: Api, workload: InjectionWorkload, node: str, run_id: str) -> Check:
    """Start a pod of the image on one node and take it away again. Raises ApiProblem."""
    path, name = pods_path(workload.namespace), f"squall-{run_id}-probe"
    api.call("POST", path, body=probe_manifest(workload, node, name, run_id))
    try:
        return _probed(api, path, name, f"{workload.image} on node {node}")
    finally:
        api.call("DELETE", f"{path}/{name}", query=[("gracePeriodSeconds", "0")])


def _probed(api: Api, path: str, name: str, what: str) -> Check:
    patience, earlier, state = time.monotonic() + PATIENCE_SECONDS, "", "created"
    for change in api.watch(path, [("fieldSelector", f"metadata.name={name}")], lambda: time.monotonic() > patience):
        pod = change.object
        problem, state = failure(pod, earlier), stage(pod)
        earlier = pulling(pod) or earlier
        if problem:
            return failed("image", f"{what}: {problem}", _SETTING)
        if state in ("running", "ended"):
            return passed("image", f"{what} can be started")
    return failed("image", f"{what}: not started within {PATIENCE_SECONDS:.0f} s ({earlier or state})", _SETTING)
