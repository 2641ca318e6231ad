"""The injection workload: one Job per node and scenario, one watch for the pods of a whole run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..clusters.kubernetes.api import Api, ApiProblem, Object
from ..clusters.kubernetes.manifest import job_manifest
from ..model.errors import ClusterProblem
from ..model.workload import COMPONENT_LABEL, RUN_LABEL, InjectionWorkload
from .pod_carrier import PodCarrier
from .progress import Poster
from .protocol import Pace, Said
from .site import Site

# An image may have to be pulled until the latest start. A common start costs every run its wait: it is what pods take whose image is there.
START_SECONDS, TOGETHER_SECONDS = 60.0, 5.0
CLOSING_SECONDS = 2.0
_log = logging.getLogger(__name__)


class PodLauncher:
    """Has the injector carried to nodes by Jobs. With `on_runner_loss` stop the injectors have the stream, else they need no word of the runner."""

    def __init__(
        self, api: Api, workload: InjectionWorkload, on_runner_loss: str, target_events: bool = False, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self._workload, self._stream = workload, on_runner_loss == "stop"
        self._site = Site(
            api=api, namespace=workload.namespace, poster=Poster(api), target_events=target_events, closed=threading.Event(), clock=clock
        )
        self._carriers: dict[str, PodCarrier] = {}
        self._run, self._cleanup = "", ""
        self._watch: threading.Thread | None = None

    @property
    def pace(self) -> Pace:
        """How long starting takes."""
        return Pace(start_seconds=START_SECONDS, together_seconds=None if self._stream else TOGETHER_SECONDS)

    @property
    def stream(self) -> bool:
        """Whether injectors listen to `start`, `beat` and `stop`."""
        return self._stream

    def launch(self, node: str, job: Mapping[str, Any], hear: Callable[[Said], None]) -> PodCarrier:
        """Ask for one Job. Raises ClusterProblem with the API server's own words when it is refused."""
        name = f"squall-{job['run']}-{len(self._carriers) + 1}"
        manifest = job_manifest(self._workload, node, name, job, self._site.clock())
        carrier = self._carriers[name] = PodCarrier(self._site, name, node, job, hear)
        self._run, self._cleanup = job["run"], f"{job['cleanup']} --run {job['run']}"
        self._see_to_the_watch()
        carrier.begin(self._create(name, manifest))
        return carrier

    def _create(self, name: str, manifest: Object) -> Object:
        try:
            return self._site.api.call("POST", self._site.jobs, body=manifest)
        except ApiProblem as problem:
            if problem.status == 409:
                return self._ours(name, manifest)
            if problem.status == 0 or problem.status >= 500:
                # No answer is no refusal: nothing may begin that nobody listens to.
                threading.Thread(target=self._site.withdraw, args=(name,), daemon=True).start()
            raise

    def _ours(self, name: str, manifest: Object) -> Object:
        """The Job of that name, if it is this very one, whose creation was asked for twice because the first answer got lost."""
        try:
            found = self._site.api.list(self._site.jobs, [("fieldSelector", f"metadata.name={name}")]).items
        except ApiProblem as problem:
            _log.info("job %s cannot be compared: %s", name, problem.what)
            found = ()
        for job in found:
            if _job_of(job) == _job_of(manifest):
                return job
        raise ClusterProblem(f"job {name} is already there: run {self._run} was started before", f"namespace {self._site.namespace}", self._cleanup)

    def _see_to_the_watch(self) -> None:
        if self._watch is None:
            self._watch = threading.Thread(target=self._look, name="pods of the run", daemon=True)
            self._watch.start()

    def _look(self) -> None:
        """Show every carrier its pod, until the run is over."""
        query = [("labelSelector", f"{RUN_LABEL}={self._run},{COMPONENT_LABEL}=injector")]
        why = "the watch ended"
        try:
            for change in self._site.api.watch(self._site.pods, query, self._site.closed.is_set):
                labels = change.object["metadata"].get("labels", {})
                carrier = self._carriers.get(labels.get("batch.kubernetes.io/job-name") or labels.get("job-name", ""))
                if carrier:
                    carrier.look(change)
        except ApiProblem as problem:
            why = problem.what
        self._watch = None  # before the carriers are told: one that comes later finds none, and gets a new one
        for carrier in list(self._carriers.values()):
            carrier.blind(why)

    def close(self) -> None:
        """Delete all Jobs of the run. Raises ClusterProblem naming what is left."""
        if not self._carriers:
            return
        query = [("labelSelector", f"{RUN_LABEL}={self._run}"), ("propagationPolicy", "Background")]
        try:
            self._site.api.call("DELETE", self._site.jobs, query=query)
        except ApiProblem as problem:
            what = f"the Jobs of run {self._run} could not be deleted: {problem.what}"
            raise ClusterProblem(what, f"namespace {self._site.namespace}", self._cleanup) from problem
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """End the threads; one that waits for the network is left to itself."""
        patience, watch = time.monotonic() + CLOSING_SECONDS, self._watch
        self._site.closed.set()
        for carrier in self._carriers.values():
            carrier.close(max(0.0, patience - time.monotonic()))
        self._site.poster.close(max(0.1, patience - time.monotonic()))
        if watch:
            watch.join(0.2)  # it looks up about once a second, which is nothing to wait for
        self._carriers.clear()


def _job_of(manifest: Object) -> str:
    return str(manifest["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])
