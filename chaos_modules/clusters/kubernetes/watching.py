"""Watch, through whatever interrupts it; what a gap hid is found by listing and comparing."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from .api import ApiProblem, Change, Listed, Object, Query
from .backoff import Passing, delay
from .refusal import GONE, Request, place, refusal
from .transport_feed import Feed, lines
from .transport_http import READ_SECONDS, Http

PAGE = 500
# How often a list is begun anew because the server forgot where it was.
_MOST_RESTARTS = 5
_log = logging.getLogger(__name__)


def collect(path: str, query: Query, get: Callable[[Query], Object]) -> Listed:
    """A whole collection, page by page, begun anew when its next page is gone. Raises ApiProblem."""
    for _ in range(_MOST_RESTARTS):
        try:
            return _pages(query, get)
        except ApiProblem as problem:
            if problem.status != GONE:
                raise
            gone = problem
            _log.info("%s: %s; listing anew", path, problem.what)
    raise gone


def _pages(query: Query, get: Callable[[Query], Object]) -> Listed:
    items: list[Object] = []
    following = ""
    while True:
        page = get((*query, ("limit", str(PAGE)), *([("continue", following)] if following else [])))
        items += page.get("items") or []
        metadata = page.get("metadata") or {}
        following = metadata.get("continue") or ""
        if not following:
            return Listed(items=tuple(items), version=metadata.get("resourceVersion") or "")


def compared(before: Mapping[str, Object], items: tuple[Object, ...]) -> list[Change]:
    """What happened between two looks at a collection."""
    now = {_identity(item): item for item in items}
    changes = [Change(type="DELETED", object=item) for identity, item in before.items() if identity not in now]
    for identity, item in now.items():
        if identity not in before:
            changes.append(Change(type="ADDED", object=item))
        elif _version(item) != _version(before[identity]):
            changes.append(Change(type="MODIFIED", object=item))
    return changes


def _identity(item: Object) -> str:
    metadata = item.get("metadata") or {}
    return str(metadata.get("uid") or f"{metadata.get('namespace', '')}/{metadata.get('name', '')}")


def _version(item: Object) -> str:
    return str((item.get("metadata") or {}).get("resourceVersion", ""))


class Watching:
    """One watch, in the thread of its feed. The server ends each part after `part_seconds`; silence for longer than that is a lost connection."""

    def __init__(self, http: Http, path: str, query: Query, part_seconds: float, silent_seconds: float) -> None:
        self._http, self._path, self._query = http, path, query
        self._part_seconds, self._silent_seconds = part_seconds, silent_seconds
        self._seen: dict[str, Object] = {}
        # Empty: from whatever is there, which the server tells first.
        self._continues_from = ""
        self._missed = False
        self._failures = 0

    def run(self, feed: Feed[Change]) -> None:
        """Until the feed is left. Raises ApiProblem where trying again cannot help."""
        after: float | None = None
        while not feed.pause(delay(self._failures, after) if self._failures else 0):
            after = None
            try:
                if self._missed or (self._seen and not self._continues_from):
                    self._list(feed)
                self._watch(feed)
            except ApiProblem as problem:
                if feed.pause(0):
                    return
                if problem.status == GONE or getattr(problem, "silent", False):
                    self._missed = True  # where watches are silent for good, lists alone tell
                elif not isinstance(problem, Passing):
                    raise
                after = getattr(problem, "after", None)
                self._failures += 1
                _log.info("%s: %s; watching again", problem.where, problem.what)

    def _list(self, feed: Feed[Change]) -> None:
        def get(query: Query) -> Object:
            return self._http.exchange(Request(method="GET", path=self._path, query=query), min(READ_SECONDS, self._silent_seconds))

        listed = collect(self._path, self._query, get)
        for change in compared(self._seen, listed.items):
            self._tell(change, feed)
        self._continues_from, self._missed = listed.version, False

    def _watch(self, feed: Feed[Change]) -> None:
        """One part of the watch; returns when the server ends it."""
        begin = [("resourceVersion", self._continues_from)] if self._continues_from else []
        seconds = str(max(1, round(self._part_seconds)))
        query = (*self._query, ("watch", "true"), ("allowWatchBookmarks", "true"), *begin, ("timeoutSeconds", seconds))
        request = Request(method="GET", path=self._path, query=query)
        began = time.monotonic()
        response = self._http.open(request, self._silent_seconds)
        with feed.reading(response):
            for line in lines(self._http.chunks(request, response)):
                self._take(request, line, feed)
        # A server that ends every part at once is not asked without pause.
        self._failures = 0 if time.monotonic() - began > 1.0 else self._failures + 1

    def _take(self, request: Request, line: bytes, feed: Feed[Change]) -> None:
        try:
            event: dict[str, Any] = json.loads(line)
            kind, item = event["type"], event["object"]
        except (ValueError, KeyError, TypeError):
            where = place(self._http.login.who, request)
            raise Passing("the watch sent what is no event", where, "is there a proxy before the API server?") from None
        if kind == "ERROR":
            raise refusal(self._http.login.who, request, int(item.get("code") or 500), json.dumps(item).encode(), {})
        # What is there at the beginning comes as ADDED in no order: the version of one is no place from which nothing of the others was missed.
        if kind != "ADDED" or self._continues_from:
            self._continues_from = _version(item) or self._continues_from
        self._failures = 0
        if kind != "BOOKMARK":
            self._tell(Change(type=kind, object=item), feed)

    def _tell(self, change: Change, feed: Feed[Change]) -> None:
        if change.type == "DELETED":
            self._seen.pop(_identity(change.object), None)
        else:
            self._seen[_identity(change.object)] = change.object
        feed.put(change)
