"""What a pod object says about one of our pods: how far it is, why it never will be, how it ended."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from .api import Object

# A first ErrImagePull may pass; one of these words does not.
_DEFINITE = re.compile(
    r"not found|does not exist|unknown|denied|unauthorized|authentication required|no such host|invalid reference|no match for platform",
    re.IGNORECASE,
)
_NEVER = (
    "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
)  # fmt: skip
_NEVER_STARTED = ("StartError", "ContainerCannotRun")
_NAMES = {137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM"}


def stage(pod: Object) -> str:
    """`created`, `scheduled`, `running` or `ended`."""
    if ended(pod):
        return "ended"
    if "running" in _state(pod):
        return "running"
    return "scheduled" if pod.get("spec", {}).get("nodeName") else "created"


def ended(pod: Object) -> bool:
    """Whether its container has ended, or never will run."""
    return "terminated" in _state(pod) or pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def ran(pod: Object) -> bool:
    """Whether its container has ended by itself or by a signal, so that there is a log to read."""
    return "terminated" in _state(pod)


def started(pod: Object) -> bool:
    """Whether it ran at all: one that could not be started leaves its error where the last word of one that ran would be."""
    return _state(pod).get("terminated", {}).get("reason") not in _NEVER_STARTED


def failure(pod: Object, earlier: str = "") -> str:
    """Why it never will run, in the cluster's own words; empty while it may. `earlier` is what `pulling` said before."""
    status = pod.get("status", {})
    if status.get("phase") == "Failed" and not ran(pod):
        return _told(status.get("reason") or "Failed", status.get("message"))
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False" and condition.get("reason") == "Unschedulable":
            return _told("Unschedulable", condition.get("message"))
    waiting = _state(pod).get("waiting", {})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _NEVER or (reason == "ErrImagePull" and _DEFINITE.search(message)):
        return _told(reason, f"{message} ({earlier})" if earlier and earlier not in message else message)
    return ""


def pulling(pod: Object) -> str:
    """What went wrong with a first pull: the back-off that follows it does not repeat that on every kubelet."""
    waiting = _state(pod).get("waiting", {})
    return str(waiting.get("message", "")) if waiting.get("reason") == "ErrImagePull" else ""


def ending(pod: Object) -> str:
    """How it ended: exit status and signal, and why, where the cluster says."""
    status, last = pod.get("status", {}), _state(pod).get("terminated", {})
    parts = []
    if last:
        code, reason = int(last.get("exitCode", 0)), last.get("reason", "")
        why = ", ".join(one for one in (_NAMES.get(code, ""), "" if reason in ("Completed", "Error") else reason) if one)
        never = "" if started(pod) else f": {last.get('message', '')}"
        parts.append(f"exit status {code}{f' ({why})' if why else ''}{never}")
    if status.get("reason"):
        parts.append(_told(status["reason"], status.get("message")))
    parts += [
        _told(one.get("reason", ""), one.get("message"))
        for one in status.get("conditions", ()) if one["type"] == "DisruptionTarget" and one["status"] == "True"
    ]  # fmt: skip
    return "; ".join(dict.fromkeys(parts))


def last_words(pod: Object) -> tuple[str, float | None]:
    """The termination message of its container, and when that ended (seconds since the epoch)."""
    last = _state(pod).get("terminated", {})
    return str(last.get("message", "")), _seconds(last.get("finishedAt"))


def _state(pod: Object) -> dict[str, Any]:
    """The state of its one container; empty while the kubelet has not said any."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("state") or {}


def _told(reason: str, message: str | None) -> str:
    return f"{reason}: {message}" if message else reason


def _seconds(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
