"""Many questions to Prometheus at once: answers in order, problems with their question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..model.observation import Observed, Series
from .prometheus import Prometheus, QueryProblem

WORKERS = 8


def observe_ranges(prometheus: Prometheus, queries: Sequence[str], *, start: float, end: float, step: float) -> tuple[Observed, ...]:
    """One answer per query, in order; equal queries are asked once. `name` is the query. Nothing is raised: `problem` says why there is no answer."""
    found = _asked(lambda query: prometheus.range(query, start, end, step), queries)
    return tuple(replace(answer, step=step) for answer in found)


def observe_instants(prometheus: Prometheus, queries: Sequence[str], at: float | None = None) -> tuple[Observed, ...]:
    """The same at one time (None: now); `step` is 0."""
    return _asked(lambda query: prometheus.instant(query, at), queries)


def _asked(ask: Callable[[str], tuple[Series, ...]], queries: Sequence[str]) -> tuple[Observed, ...]:
    different = list(dict.fromkeys(queries))
    silence = _Silence()
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(different) or 1), thread_name_prefix="prometheus") as pool:
        answers = dict(zip(different, pool.map(lambda query: silence.observed(ask, query), different), strict=True))
    return tuple(answers[query] for query in queries)


class _Silence:
    """Ends the asking where nobody answers: else a Prometheus that is gone would take its time-outs once per query."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: QueryProblem | None = None
        self._count = 0

    def observed(self, ask: Callable[[str], tuple[Series, ...]], query: str) -> Observed:
        """The answer, or the problem."""
        with self._lock:
            known = self._last if self._count >= WORKERS else None
        try:
            if known:
                raise QueryProblem(f"{known.what} (not asked: {self._count} others had no answer)", query)
            series = ask(query)
        except QueryProblem as problem:
            self._note(problem)
            return Observed(name=query, query=query, limit="", step=0.0, series=(), problem=problem.what)
        with self._lock:
            self._count = 0
        return Observed(name=query, query=query, limit="", step=0.0, series=series)

    def _note(self, problem: QueryProblem) -> None:
        with self._lock:
            if problem.silent:
                self._count, self._last = self._count + 1, problem
