"""Which container and pod a process belongs to, from its control groups: versions 1 and 2, systemd or cgroupfs, containerd, CRI-O, docker."""

# ruff: noqa: PTH208
# To import pathlib takes longer than all that is done with paths here.
from __future__ import annotations

import os
import re

# A container's control group: <id>, cri-containerd-<id>.scope, crio-<id>.scope, docker-<id>.scope, <slice of the pod>:cri-containerd:<id>.
CONTAINER = re.compile(r"(?:.*[:-])?([0-9a-f]{64})(?:\.scope)?")
# A pod's: pod<uid>, kubepods-burstable-pod<uid with underscores>.slice; a static pod's uid is a hash without dashes.
POD = re.compile(r"(?:.*-)?pod([0-9a-f][0-9a-f_-]{30,34}[0-9a-f])(?:\.slice)?(?::.*)?")
EITHER = re.compile(r"[0-9a-f]{64}|pod[0-9a-f]")
# CRI-O's crio-conmon-<id>.scope stands beside its container, in the node's own namespaces.
MONITOR = "conmon"


class Membership:
    """Whose a process is: the innermost container and how deep below its control group, and the pod, if the container is the pod's own."""

    def __init__(self, container: str = "", depth: int = 0, pod: str = "") -> None:
        self.container, self.depth, self.pod = container, depth, pod

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Membership) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


NOBODY = Membership()


def membership(groups: str) -> Membership:
    """What the text of /proc/<pid>/cgroup tells: one line (version 2) or one per controller (version 1), with paths from any root."""
    paths = {line.split(":", 2)[2] for line in groups.splitlines() if line.count(":") > 1}
    found = [_of_path(path) for path in sorted(paths) if EITHER.search(path) and MONITOR not in path]
    return max(found, key=lambda one: (bool(one.pod), bool(one.container), -one.depth), default=NOBODY)


def _of_path(path: str) -> Membership:
    parts = path.split("/")
    pods = [(index, match.group(1).replace("_", "-")) for index, part in enumerate(parts) if (match := POD.fullmatch(part))]
    start, pod = pods[-1] if pods else (0, "")
    containers = [(index, match.group(1)) for index, part in enumerate(parts[start:], start) if (match := CONTAINER.fullmatch(part))]
    if not containers:
        return Membership(pod=pod)
    at, container = containers[-1]
    # A container inside of a pod's container has a network of its own.
    return Membership(container, len(parts) - 1 - at, pod if len(containers) == 1 else "")


def members(root: str) -> dict[int, Membership]:
    """Every process that belongs to a container or a pod, by its number."""
    found = {pid: of_process(f"{root}/{pid}") for pid in pids(root)}
    return {pid: one for pid, one in found.items() if one != NOBODY}


def of_process(folder: str) -> Membership:
    """The membership of the process behind a folder of /proc."""
    return membership(read(f"{folder}/cgroup"))


def pids(root: str) -> list[int]:
    """The numbers of all processes, ascending."""
    return sorted(int(entry) for entry in os.listdir(root) if entry.isdigit())


def read(path: str) -> str:
    """A file of /proc; empty where its process has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(descriptor, 1 << 16).decode("utf-8", "replace")
        finally:
            os.close(descriptor)
    except OSError:
        return ""
