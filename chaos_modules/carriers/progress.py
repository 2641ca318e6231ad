"""What is known of each target of one carrier, and the Kubernetes events that tell it to whoever looks at the Job or at the target."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..clusters.kubernetes.api import Api, ApiProblem, Object, events_path
from ..clusters.kubernetes.manifest import labels

STARTING, IN_EFFECT, REVERTED, FAILED = "FaultStarting", "FaultInEffect", "FaultReverted", "FaultFailed"
# Kubernetes takes no longer message.
LONGEST_MESSAGE = 1024
_FINE = ("passed", "interrupted", "no-traffic")
_log = logging.getLogger(__name__)


class Poster:
    """Posts events from a thread of its own. They are a courtesy: what cannot be posted is logged, and a namespace that refuses is left alone."""

    def __init__(self, api: Api) -> None:
        self._api, self._waiting, self._refusing = api, queue.SimpleQueue[Object | None](), set[str]()
        self._thread: threading.Thread | None = None

    def post(self, event: Object) -> None:
        """Queue one; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="Kubernetes events", daemon=True)
            self._thread.start()
        self._waiting.put(event)

    def _work(self) -> None:
        while event := self._waiting.get():
            namespace = event["metadata"]["namespace"]
            try:
                if namespace not in self._refusing:
                    self._api.call("POST", events_path(namespace), body=event)
            except ApiProblem as problem:
                _log.warning("the event %s could not be posted: %s", event["metadata"]["name"], problem.what)
                if problem.status == 403:
                    self._refusing.add(namespace)

    def close(self, seconds: float) -> None:
        """Post what waits, for so long at most."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(seconds)


class Progress:
    """Folds the events of one carrier: `complete` as soon as every target has finished."""

    def __init__(self, poster: Poster, created: Object, job: Mapping[str, Any], *, target_events: bool, clock: Callable[[], float]) -> None:
        self._poster, self._created, self._job, self._clock = poster, created["metadata"], job, clock
        self._items = {item["key"]: (index, item) for index, item in enumerate(job["injections"])}
        self._target_events = target_events
        self._armed, self.finished, self._troubles = set[str](), set[str](), dict[str, str]()

    @property
    def complete(self) -> bool:
        """Whether each of the targets has finished."""
        return len(self.finished) == len(self._items)

    def started(self) -> None:
        """The injector runs."""
        self._tell(STARTING, f"{self._count(len(self._items))}: {', '.join(self._items)}")
        for key in self._items:
            self._tell_target(key, STARTING, f"run {self._job['run']} ({self._job['scenario']}) is about to impair its network traffic")

    def heard(self, event: Mapping[str, Any]) -> None:
        """One event of the injector."""
        key = str(event.get("target"))
        if key not in self._items:
            return
        if event["event"] == "armed":
            self._armed.add(key)
            self._tell_target(key, IN_EFFECT, f"run {self._job['run']} ({self._job['scenario']}) impairs its network traffic")
            if len(self._armed) == len(self._items):
                self._tell(IN_EFFECT, f"on {self._count(len(self._items))}")
        elif event["event"] == "reverted" and event.get("left"):
            self._troubles[key] = f"something is left: {'; '.join(event['left'])}"
        elif event["event"] in ("finished", "last-word"):
            self._finish(key, str(event.get("status")), str(event.get("reason", "")))

    def _finish(self, key: str, status: str, reason: str) -> None:
        self.finished.add(key)
        if status not in _FINE or reason.startswith("residue: "):
            self._troubles.setdefault(key, f"{status}: {reason}")
        self._settle(key)

    def _settle(self, key: str) -> None:
        trouble = self._troubles.get(key, "")
        self._tell_target(key, FAILED if trouble else REVERTED, trouble or f"run {self._job['run']} impairs its network traffic no longer")

    def ended(self, how: str) -> None:
        """The carrier is gone; who has not finished never will."""
        for key in self._items:
            if key not in self.finished:
                self._troubles[key] = how
                self._settle(key)
        if self._troubles:
            self._tell(FAILED, "; ".join(f"{key}: {trouble}" for key, trouble in self._troubles.items()))
        else:
            self._tell(REVERTED, f"on {self._count(len(self._items))}, nothing is left")

    @staticmethod
    def _count(number: int) -> str:
        return "1 target" if number == 1 else f"{number} targets"

    def _tell(self, reason: str, message: str) -> None:
        """On the Job."""
        about = {"apiVersion": "batch/v1", "kind": "Job", **{name: self._created.get(name, "") for name in ("namespace", "name", "uid")}}
        self._poster.post(self._event(about, reason, message, str(self._created["name"])))

    def _tell_target(self, key: str, reason: str, message: str) -> None:
        """On the pod that is the target, when asked to."""
        index, item = self._items[key]
        if self._target_events and item["kind"] == "pod" and item["find"].get("pod"):
            _, namespace, name, _ = key.split("/")
            about = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name, "uid": item["find"]["pod"]}
            self._poster.post(self._event(about, reason, message, f"{self._created['name']}.{index}"))

    def _event(self, about: Object, reason: str, message: str, prefix: str) -> Object:
        now = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = {
            "name": f"{prefix}.{reason.lower()}", "namespace": about["namespace"],
            "labels": labels(self._job["run"], "injector", self._job["scenario"]),
        }  # fmt: skip
        return {
            "apiVersion": "v1", "kind": "Event", "metadata": metadata, "involvedObject": about, "reason": reason,
            "message": message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 2]} …",
            "type": "Warning" if reason == FAILED else "Normal", "source": {"component": "squall"}, "reportingComponent": "squall",
            "firstTimestamp": now, "lastTimestamp": now, "count": 1,
        }  # fmt: skip
