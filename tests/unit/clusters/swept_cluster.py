"""A cluster in memory that keeps labels: it lists and deletes by them, and answers the Job of a sweeper with its pod and the log of that."""

from __future__ import annotations

import json
from typing import Any

from fake_api import FakeApi

from chaos_modules.clusters.kubernetes.api import ApiProblem, Object, Query
from chaos_modules.model.workload import OUR_LABELS, InjectionWorkload

JOBS, PODS, NODES = "/apis/batch/v1/namespaces/squall/jobs", "/api/v1/namespaces/squall/pods", "/api/v1/nodes"
WORKLOAD = InjectionWorkload(namespace="squall", image="registry.example/squall-injector:1.0")
RUN, OTHER_RUN = "0badcafe", "feedbeef"
REMEDY = "nft delete table netdev squall_0badcafe_egress"
DONE = {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"exitCode": 0}}}]}
LEFT = {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 12}}}]}
RUNNING = {"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}
SWEPT = json.dumps({"time": 1.0, "event": "swept", "namespaces": 3, "found": 0, "left": 0})


def found(where: str = "node", **changes: Any) -> str:
    """The line of a sweeper that found something."""
    return json.dumps({"time": 1.0, "event": "found", "where": where, "run": RUN, "remedy": REMEDY, "removed": False, "reason": "", **changes})


def node(name: str, ready: str | None = "True", system: str = "linux") -> Object:
    """A node, of which the kubelet says whether it is ready, or (None) nothing."""
    conditions = [{"type": "MemoryPressure", "status": "False"}, *([{"type": "Ready", "status": ready}] if ready else [])]
    return {"metadata": {"name": name}, "status": {"conditions": conditions, "nodeInfo": {"operatingSystem": system}}}


def ours(name: str, component: str = "injector", run: str = RUN, **parts: Any) -> Object:
    """A Job or pod of ours."""
    labels = {**OUR_LABELS, "app.kubernetes.io/component": component, "squall.chaos/run": run}
    return {"metadata": {"namespace": "squall", "name": name, "labels": labels}, "spec": {}, "status": {}, **parts}


class SweptCluster(FakeApi):
    """`logs` and `states` are those of the sweepers' pods by node: the last line alone, and a container that ended well, unless told otherwise."""

    def __init__(self, *nodes: Object) -> None:
        super().__init__()
        self.jobs, self.pods = list[Object](), list[Object]()
        self.collections = {JOBS: self.jobs, PODS: self.pods, NODES: list(nodes)}
        self.logs: dict[str, list[Any]] = {}
        self.states: dict[str, Object] = {}
        self.answers["POST", JOBS], self.answers["DELETE", JOBS] = self._created, self._deleted

    def found(self, path: str, query: Query) -> list[Object]:
        return [item for item in super().found(path, query) if selected(item, query)]

    def names(self, path: str) -> set[str]:
        """What is there now."""
        items = self.collections[path]
        assert not isinstance(items, ApiProblem)
        return {item["metadata"]["name"] for item in items}

    def wishes(self) -> dict[str, Object]:
        """What the sweepers were told, by node."""
        bodies = [body for method, path, _, body in self.calls if (method, path) == ("POST", JOBS) and body]
        return {
            body["metadata"]["annotations"]["squall.chaos/node"]: json.loads(body["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])
            for body in bodies
        }

    def deleted(self) -> list[str]:
        """The selectors by which Jobs were deleted, each in the background."""
        queries = [dict(query) for method, path, query, _ in self.calls if (method, path) == ("DELETE", JOBS)]
        assert all(query["propagationPolicy"] == "Background" for query in queries)
        return [query["labelSelector"] for query in queries]

    def _created(self, _: Query, body: Object | None) -> Object:
        assert body
        template = body["spec"]["template"]
        aim, name = template["metadata"]["annotations"]["squall.chaos/node"], f"{body['metadata']['name']}-x7x9z"
        self.jobs.append(body)
        metadata = {**template["metadata"], "name": name, "namespace": "squall"}
        self.pods.append({"metadata": metadata, "spec": {"nodeName": aim}, "status": self.states.get(aim, DONE)})
        self.texts[f"{PODS}/{name}/log"] = self.logs.get(aim, [SWEPT])
        return body

    def _deleted(self, query: Query, _: Object | None) -> Object:
        """The pods go a little later, as with a real one."""
        self.jobs[:] = [job for job in self.jobs if not selected(job, query)]
        return {}


def selected(item: Object, query: Query) -> bool:
    """By `labelSelector`: labels that are there, or have a value."""
    labels, selector = item["metadata"].get("labels", {}), dict(query).get("labelSelector", "")
    wanted = [term.partition("=") for term in selector.split(",") if term]
    return all(key in labels and (not equals or labels[key] == value) for key, equals, value in wanted)
