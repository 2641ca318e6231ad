"""What Squall asks of a Kubernetes API server: plain dicts over raw paths. The transport behind it is `clusters/kubernetes_api.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...model.errors import ClusterProblem

Object = dict[str, Any]
Query = Sequence[tuple[str, str]]


def jobs_path(namespace: str) -> str:
    """The collection of a namespace's Jobs."""
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


def pods_path(namespace: str) -> str:
    """The collection of a namespace's pods."""
    return f"/api/v1/namespaces/{namespace}/pods"


def events_path(namespace: str) -> str:
    """The collection of a namespace's events."""
    return f"/api/v1/namespaces/{namespace}/events"


@dataclass
class ApiProblem(ClusterProblem):
    """A request that did not succeed. `status` is HTTP's, 0 where no answer came; `reason` is Kubernetes' (`NotFound`, `Forbidden`, …)."""

    status: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """All items of a collection, and the resource version from which a watch goes on."""

    items: tuple[Object, ...]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event of a watch: `ADDED`, `MODIFIED` or `DELETED`, and the object."""

    type: str
    object: Object


class Channel(Protocol):
    """Standard input of a container (`pods/attach`)."""

    def send(self, text: str) -> None:
        """Write to it. Raises ApiProblem when the connection is lost."""
        ...

    def close(self) -> None:
        """Let go of it; the container goes on."""
        ...


class Api(Protocol):
    """One API server, as one user. Methods may be called from any thread."""

    @property
    def name(self) -> str:
        """For the user: the context of the kubeconfig, or `in-cluster`."""
        ...

    def call(self, method: str, path: str, *, query: Query = (), body: Object | None = None) -> Object:
        """One request, with patience for what passes (429, 5xx, resets). Raises ApiProblem."""
        ...

    def list(self, path: str, query: Query = ()) -> Listed:
        """A whole collection, page by page; begun anew when the server forgot where it was (410). Raises ApiProblem."""
        ...

    def watch(self, path: str, query: Query, ended: Callable[[], bool]) -> Iterator[Change]:
        """Watch, for as long as `ended()` is false, through whatever interrupts it.

        Everything that is there comes as `ADDED` first. After a gap the collection is listed: what changed comes as `MODIFIED`,
        what is gone as `DELETED`. Raises ApiProblem where trying again cannot help (401, 403, 404).
        """
        ...

    def lines(self, path: str, query: Query, ended: Callable[[], bool]) -> Iterator[str | None]:
        """A streamed text (a pod's log), line by line, once; None now and then while nothing comes. Raises ApiProblem when the stream breaks."""
        ...

    def attach(self, path: str, query: Query) -> Channel:
        """Open a container's standard input. Raises ApiProblem."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...
