"""A cluster in memory for the tests of the carriers: it takes Jobs, shows their pods as a test tells it, and lets their logs break."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from fake_api import FakeApi

from chaos_modules.carriers.pod_carrier import PodCarrier
from chaos_modules.carriers.protocol import Said
from chaos_modules.carriers.workload_pod import PodLauncher
from chaos_modules.clusters.kubernetes.api import ApiProblem, Change, Channel, Object, Query
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.workload import InjectionWorkload

RUN, NODE, JOB = "0badcafe", "worker-1", "squall-0badcafe-1"
POD = f"{JOB}-x7x9z"
JOBS, PODS, EVENTS = "/apis/batch/v1/namespaces/squall/jobs", "/api/v1/namespaces/squall/pods", "/api/v1/namespaces/squall/events"
WORKLOAD = InjectionWorkload(namespace="squall", image="registry.example/squall-injector:1.0")
KEYS = ("pod/shop/web-0/egress", "pod/shop/web-1/egress")
UNAVAILABLE = ApiProblem("the kubelet does not answer", "fake", "", status=500, reason="InternalError")
FORBIDDEN = ApiProblem("pods/log is forbidden", "fake", "", status=403, reason="Forbidden")


def job(keys: tuple[str, ...] = KEYS, *, seconds: float = 60.0, **changes: Any) -> Object:
    """A job document as the engine makes it, as far as a carrier reads it."""
    items = [
        {"key": key, "kind": "pod", "find": {"container": "containerd://0", "pod": f"uid-{index}"}, "deadline": time.time() + seconds}
        for index, key in enumerate(keys)
    ]
    head = {"schema": 1, "run": RUN, "scenario": "pod-network-loss", "stream": False, "on_runner_loss": "finish", "cleanup": "squall cleanup"}
    return {**head, "injections": items, **changes}


def pod(state: Object | None = None, *, phase: str = "Running", node: str = NODE, **status: Any) -> Object:
    """The pod of the first Job with its container in this state."""
    containers = {"containerStatuses": [{"name": "injector", "state": state}]} if state else {}
    metadata = {"name": POD, "namespace": "squall", "uid": "pod-uid", "labels": {"job-name": JOB}}
    return {"metadata": metadata, "spec": {"nodeName": node} if node else {}, "status": {"phase": phase, **containers, **status}}


def waiting(reason: str, message: str = "") -> Object:
    """A pod whose container does not run yet."""
    return pod({"waiting": {"reason": reason, **({"message": message} if message else {})}}, phase="Pending")


def terminated(code: int, reason: str = "Error", message: str = "") -> Object:
    """A pod whose container ended so, at half past one of the first second of 2026."""
    state = {"exitCode": code, "reason": reason, "message": message, "finishedAt": "2026-01-01T00:00:01Z"}
    return pod({"terminated": state}, phase="Failed" if code else "Succeeded")


RUNNING = pod({"running": {"startedAt": "2026-01-01T00:00:00Z"}})


def line(event: str, key: str, **facts: Any) -> str:
    """One line of an injector."""
    return json.dumps({"time": time.time(), "event": event, "target": key, **facts})


def life(key: str, status: str = "passed") -> list[str]:
    """All that an injector says of a target."""
    return [
        line("applied", key), line("armed", key, counters={}), line("reverted", key, left=[]), line("finished", key, status=status, reason=""),
    ]  # fmt: skip


class Cluster(FakeApi):
    """`logs` has what each reading of the log gives: lines, a problem that breaks it, an event that it waits for."""

    def __init__(self) -> None:
        super().__init__()
        self.changes[PODS] = queue.Queue()
        self.logs: queue.Queue[list[str | ApiProblem | threading.Event]] = queue.Queue()
        self.answers[("POST", JOBS)] = self._created
        self.answers[("POST", EVENTS)] = self.answers[("DELETE", JOBS)] = self.answers[("DELETE", f"{PODS}/{POD}")] = {}
        self.attaching: list[ApiProblem] = []
        self.attached = threading.Event()

    @staticmethod
    def _created(query: Query, body: Object | None) -> Object:
        assert body
        return {**body, "metadata": {**body["metadata"], "uid": "job-uid"}}

    def show(self, *pods: Object) -> None:
        """The watch sees these, one after another."""
        for one in pods:
            self.changes[PODS].put(Change(type="MODIFIED", object=one))

    def remove(self, gone: Object = RUNNING) -> None:
        """The watch sees a pod go."""
        self.changes[PODS].put(Change(type="DELETED", object=gone))

    def log(self, *items: str | ApiProblem | threading.Event) -> None:
        """What the next reading of the log gives."""
        self.logs.put(list(items))

    def lines(self, path: str, query: Query, ended: Callable[[], bool]) -> Iterator[str | None]:
        self.calls.append(("LOG", path, tuple(query), None))
        try:
            items = self.logs.get(timeout=5)
        except queue.Empty:
            raise AssertionError("the log was read once more than the test foresaw") from None
        for item in items:
            if isinstance(item, ApiProblem):
                raise item
            if isinstance(item, str):
                yield item
                continue
            while not item.wait(0.01):
                if ended():
                    return
                yield None

    def attach(self, path: str, query: Query) -> Channel:
        channel = super().attach(path, query)
        if self.attaching:
            raise self.attaching.pop()
        self.attached.set()
        return channel

    def withdrawn(self) -> list[Query]:
        """The selectors by which Jobs were deleted."""
        return [query[0] for method, path, query, _ in self.calls if (method, path) == ("DELETE", JOBS)]

    def posted(self) -> list[tuple[str, str, str]]:
        """Kind of its object, reason and message of each event that was posted."""
        bodies = [body for method, path, _, body in self.calls if method == "POST" and path.endswith("/events") and body]
        return [(body["involvedObject"]["kind"], body["reason"], body["message"]) for body in bodies]


class Launched:
    """A launcher over such a cluster, the carrier of one job, and what is heard of it."""

    def __init__(self, document: Object | None = None, *, cluster: Cluster | None = None, loss: str = "finish", events: bool = False) -> None:
        self.cluster = cluster or Cluster()
        self.launcher = PodLauncher(self.cluster, WORKLOAD, loss, events)
        self.heard: queue.Queue[Said] = queue.Queue()
        try:
            self.carrier: PodCarrier = self.launcher.launch(NODE, document or job(), self.heard.put)
        except ClusterProblem:
            self.launcher.close()
            raise

    def next(self) -> Said:
        return self.heard.get(timeout=10)

    def until(self, event: str) -> Said:
        """Go on to the first event of that name, or state of the carrier."""
        while True:
            said = self.next()
            assert said.event, said.ended
            if event in (said.event["event"], said.event.get("state")):
                return said

    def rest(self) -> list[Said]:
        """Everything up to its end."""
        found = [self.next()]
        while found[-1].event is not None:
            found.append(self.next())
        return found

    def ended(self) -> str:
        return self.rest()[-1].ended


def told(heard: list[Said]) -> list[str]:
    """The events in short: a state of the carrier, or an injector's event and the pod it is about."""
    events = [said.event for said in heard if said.event]
    return [event["state"] if event["event"] == "carrier" else f"{event['event']} {event['target'].split('/')[2]}" for event in events]


def eventually(true: Callable[[], Any], seconds: float = 5.0) -> bool:
    """Whether it becomes true in time: for what another thread does without telling."""
    limit = time.monotonic() + seconds
    while not true() and time.monotonic() < limit:
        threading.Event().wait(0.005)
    return bool(true())
