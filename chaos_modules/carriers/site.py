"""What all carriers of a run share: the cluster, their namespace, and what can be asked of it there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..clusters.kubernetes.api import Api, ApiProblem, events_path, jobs_path, pods_path
from .progress import Poster

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The carriers' namespace. `closed` is set when the run is over."""

    api: Api
    namespace: str
    poster: Poster
    target_events: bool
    closed: threading.Event
    clock: Callable[[], float]

    @property
    def jobs(self) -> str:
        """The path of the Jobs."""
        return jobs_path(self.namespace)

    @property
    def pods(self) -> str:
        """The path of the pods."""
        return pods_path(self.namespace)

    def withdraw(self, job: str) -> bool:
        """Take a Job away, and with it the pod that there is or may be; whether that was possible.

        By the collection, which is how all of a run's are deleted: it takes no right more.
        """
        query = [("fieldSelector", f"metadata.name={job}"), ("propagationPolicy", "Background")]
        try:
            self.api.call("DELETE", self.jobs, query=query)
        except ApiProblem as problem:
            _log.warning("job %s could not be deleted: %s", job, problem.what)
            return False
        return True

    def delete(self, pod: str) -> bool:
        """Have a pod told to end (SIGTERM); whether that was possible, or it is gone."""
        try:
            self.api.call("DELETE", f"{self.pods}/{pod}")
        except ApiProblem as problem:
            _log.warning("pod %s could not be deleted: %s", pod, problem.what)
            return problem.status == 404
        return True

    def not_created(self, job: str) -> str:
        """Why a Job may not make its pod: quota and admission show in an event on the Job alone. Empty when there is none."""
        query = [("fieldSelector", f"involvedObject.kind=Job,involvedObject.name={job},reason=FailedCreate")]
        try:
            events = self.api.list(events_path(self.namespace), query).items
        except ApiProblem as problem:
            _log.info("the events of job %s cannot be read: %s", job, problem.what)
            return ""
        return f"FailedCreate: {events[-1].get('message', '')}" if events else ""
