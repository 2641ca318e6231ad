"""The `Api` of a real cluster: exchanges with patience, watches, logs and standard inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

from .api import ApiProblem, Change, Listed, Object, Query
from .backoff import Passing, Patience
from .refusal import CONFLICT, NOT_FOUND, Request, created_by
from .transport_attach import InputChannel, attach
from .transport_feed import Feed, lines
from .transport_http import READ_SECONDS, Http, Login
from .watching import Watching, collect

T = TypeVar("T")


class KubernetesApi:
    """One API server, as one user, for all threads of a run. `wait` sleeps, and is true when the user interrupted."""

    PATIENCE_SECONDS = 30.0
    # For a server that has never answered, and for the clean-up after an interruption.
    SHORT_PATIENCE_SECONDS = 10.0
    WATCH_PART_SECONDS = 20.0
    # A stream that is silent for so long is taken for lost: the server ends each part of a watch before.
    SILENT_SECONDS = 25.0

    def __init__(self, login: Login, wait: Callable[[float], bool]) -> None:
        self._login, self._wait = login, wait
        self._http = Http(login)

    @property
    def name(self) -> str:
        """The context of the kubeconfig, or `in-cluster`."""
        return self._login.who.name

    @property
    def user(self) -> str:
        """The user of the kubeconfig."""
        return self._login.who.user

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._login.server

    def call(self, method: str, path: str, *, query: Query = (), body: Object | None = None) -> Object:
        """One request, with patience; a PATCH is a merge patch. What a lost answer had done already counts as done. Raises ApiProblem."""
        request = Request(method=method, path=path, query=query, body=body)
        lost = False

        def attempt(read_seconds: float) -> Object:
            nonlocal lost
            try:
                return self._http.exchange(request, read_seconds)
            except Passing as problem:
                lost = lost or problem.perhaps_done
                raise
            except ApiProblem as problem:
                if lost and method == "DELETE" and problem.status == NOT_FOUND:
                    return {}
                if lost and problem.status == CONFLICT and problem.reason == "AlreadyExists" and created_by(request):
                    return self._http.exchange(Request(method="GET", path=created_by(request)), read_seconds)
                raise

        return self._patiently(self._wait, attempt)

    def list(self, path: str, query: Query = ()) -> Listed:
        """A whole collection, page by page; begun anew when the server forgot where it was (410). Raises ApiProblem."""
        return collect(path, query, lambda page: self.call("GET", path, query=page))

    def watch(self, path: str, query: Query, ended: Callable[[], bool]) -> Iterator[Change]:
        """Watch until `ended()`; an interruption of the run does not end it. Raises ApiProblem where trying again cannot help."""
        watching = Watching(self._http, path, query, self.WATCH_PART_SECONDS, self.SILENT_SECONDS)
        with closing(Feed(watching.run, f"watch {path}").items(ended)) as changes:
            yield from (change for change in changes if change is not None)

    def lines(self, path: str, query: Query, ended: Callable[[], bool]) -> Iterator[str | None]:
        """A streamed text, line by line; None about once a second while nothing comes. Raises ApiProblem when it breaks, or falls silent for long."""
        request = Request(method="GET", path=path, query=query)

        def read(feed: Feed[str]) -> None:
            response = self._patiently(feed.pause, lambda _: self._http.open(request, self.SILENT_SECONDS))
            with feed.reading(response):
                for line in lines(self._http.chunks(request, response)):
                    feed.put(line.decode(errors="replace"))

        return Feed(read, f"lines of {path}").items(ended)

    def attach(self, path: str, query: Query) -> InputChannel:
        """Open a container's standard input. Raises ApiProblem."""
        request = Request(method="GET", path=path, query=query)
        return self._patiently(self._wait, lambda _: attach(self._login, request), seconds=self.SHORT_PATIENCE_SECONDS)

    def close(self) -> None:
        """Let go of the connections."""
        self._login.pool.connection_from_url(self.server).close()
        self._login.pool.clear()

    def _patiently(self, wait: Callable[[float], bool], attempt: Callable[[float], T], seconds: float | None = None) -> T:
        """Attempt until it succeeds, for as long as patience lasts."""
        seconds = (seconds or self.PATIENCE_SECONDS) if self._http.answered else self.SHORT_PATIENCE_SECONDS
        patience = Patience(wait, seconds, self.SHORT_PATIENCE_SECONDS)
        while True:
            try:
                return attempt(min(READ_SECONDS, patience.seconds))
            except Passing as problem:
                patience.spend(problem)
