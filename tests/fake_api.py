"""A Kubernetes API server in memory, behind the `Api` protocol, that answers as it is told and keeps what it was asked."""

from __future__ import annotations

import copy
import queue
from collections.abc import Callable, Iterator
from typing import Any

from chaos_modules.clusters.kubernetes.api import ApiProblem, Change, Channel, Listed, Object, Query

Answer = Object | ApiProblem | Callable[[Query, Object | None], Object]


class FakeChannel:
    """Standard input of a container that keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed = False

    def send(self, text: str) -> None:
        self.sent.append(text)

    def close(self) -> None:
        self.closed = True


class FakeApi:
    """`collections` maps a path to its items, `answers` (method, path) to an answer; anything else is NotFound.

    `changes` maps a path to a queue of `Change`s (None ends the watch); `texts` maps a path to the lines of its log (an ApiProblem breaks it).
    """

    name = "fake"

    def __init__(self) -> None:
        self.collections: dict[str, list[Object] | ApiProblem] = {}
        self.answers: dict[tuple[str, str], Answer] = {}
        self.changes: dict[str, queue.Queue[Change | None]] = {}
        self.texts: dict[str, list[str | ApiProblem]] = {}
        self.channel = FakeChannel()
        self.calls: list[tuple[str, str, Query, Object | None]] = []

    def asked(self, method: str) -> list[str]:
        """The paths of the requests with this method, in their order."""
        return [path for verb, path, _, _ in self.calls if verb == method]

    def call(self, method: str, path: str, *, query: Query = (), body: Object | None = None) -> Object:
        self.calls.append((method, path, tuple(query), copy.deepcopy(body)))
        answer: Any = self.answers.get((method, path))
        if answer is None:
            raise ApiProblem(f"{method} {path}: not found", self.name, "", status=404, reason="NotFound")
        if isinstance(answer, ApiProblem):
            raise answer
        return answer(query, body) if callable(answer) else copy.deepcopy(answer)

    def list(self, path: str, query: Query = ()) -> Listed:
        self.calls.append(("LIST", path, tuple(query), None))
        return Listed(items=tuple(self.found(path, query)), version="1")

    def found(self, path: str, query: Query) -> list[Object]:
        """What is in a collection now."""
        items = self.collections.get(path, [])
        if isinstance(items, ApiProblem):
            raise items
        return copy.deepcopy(items)

    def watch(self, path: str, query: Query, ended: Callable[[], bool]) -> Iterator[Change]:
        self.calls.append(("WATCH", path, (*query, ("watch", "true")), None))
        for item in self.found(path, query):
            yield Change(type="ADDED", object=item)
        changes = self.changes.get(path)
        while changes is not None and not ended():
            try:
                change = changes.get(timeout=0.05)
            except queue.Empty:
                continue
            if change is None:
                return
            yield change

    def lines(self, path: str, query: Query, ended: Callable[[], bool]) -> Iterator[str | None]:
        self.calls.append(("LOG", path, tuple(query), None))
        for line in self.texts.get(path, []):
            if isinstance(line, ApiProblem):
                raise line
            yield line

    def attach(self, path: str, query: Query) -> Channel:
        self.calls.append(("ATTACH", path, tuple(query), None))
        return self.channel

    def close(self) -> None:
        """Nothing to let go of."""
