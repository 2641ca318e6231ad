"""Questions to Prometheus, answered as series, or with a problem that says what Prometheus said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ..model.errors import BadInput, SquallError
from ..model.observation import Series
from ..model.probe import Connection
from ..model.wording import one_line
from .session import session_for

if TYPE_CHECKING:
    from requests import RequestException

    from .transport import Refusal

ATTEMPTS = 3
FIRST_DELAY = 0.2
LONGEST_CONNECT = 5.0
# Prometheus refuses a range of more points (web/api/v1: "exceeded maximum resolution of 11,000 points per timeseries").
MOST_POINTS = 11_000
_PASSING = (429, 502, 503, 504)
_LONGEST_QUERY = 200
Asked = Callable[[dict[str, str], tuple[float, float]], Any]


@dataclass
class QueryProblem(SquallError):
    """A question without an answer; never a sign that anything is wrong with the system.

    `silent`: no answer came at all, so that the next question may meet the same. `status` is that of the answer, 0 where there was none.
    """

    silent: bool = False
    status: int = 0


class Prometheus:
    """One Prometheus, or what speaks its API. Threads may share it; close it.

    `stop` ends what is tried again, and what takes several requests. Raises BadInput for a connection that cannot be one.
    """

    def __init__(self, connection: Connection, stop: Callable[[], bool] = lambda: False) -> None:
        self.address = connection.address
        self._stop = stop
        self._timeout = connection.timeout_seconds
        self._secrets = _secrets(connection)
        base, further = _base(connection)
        self._session = session_for(connection)
        self._session.params = further
        from prometheus_api_client import PrometheusConnect  # noqa: PLC0415 - 90 ms

        from .transport import Transport  # noqa: PLC0415

        self._client = PrometheusConnect(url=base, session=self._session)
        self._session.mount(base, Transport())  # the library has mounted one that tries again, even on 500

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; a request that is under way ends by itself."""
        self._session.close()

    def ready(self) -> None:
        """Return if questions are answered: a Prometheus that still reads its log, or a proxy before it, answers none. Raises QueryProblem."""
        self.instant("vector(1)")

    def instant(self, query: str, at: float | None = None, *, within: float | None = None) -> tuple[Series, ...]:
        """The series of a query at a time (None: now by Prometheus' clock). A scalar is one series without labels; NaN is left out.

        `within`: a single attempt of at most so many seconds. Raises QueryProblem.
        """
        def asked(extra: dict[str, str], timeout: tuple[float, float]) -> Any:
            return self._client.custom_query(query, params=extra | ({} if at is None else {"time": f"{at:.3f}"}), timeout=timeout)

        return self._read(query, self._answer(query, asked, within))

    def range(self, query: str, start: float, end: float, step: float) -> tuple[Series, ...]:
        """The series of a query from `start` to `end`, a point every `step` seconds (to the millisecond, upwards). NaN is left out.

        However long the range is, the step is kept: it is asked for in parts of at most 11,000 points. Raises QueryProblem.
        """
        found: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
        for first, last, width in parts(start, end, step):
            if found and self._stop():
                raise self._problem(query, "interrupted")
            for series in self._read(query, self._answer(query, self._asked_range(query, first, last, width))):
                found.setdefault(series.labels, []).extend(series.points)
        return tuple(Series(labels=labels, points=tuple(points)) for labels, points in found.items())

    def _asked_range(self, query: str, first: float, last: float, width: float) -> Asked:
        def asked(extra: dict[str, str], timeout: tuple[float, float]) -> Any:
            # The library rounds times to seconds; those of `params` win over its own.
            times = {"start": f"{first:.3f}", "end": f"{last:.3f}"}
            begin, finish = (datetime.fromtimestamp(time, UTC) for time in (first, last))
            return self._client.custom_query_range(query, begin, finish, f"{width:.3f}", params=extra | times, timeout=timeout)

        return asked

    def _answer(self, query: str, asked: Asked, within: float | None = None) -> Any:
        """The answer, asked for again after what may pass by itself."""
        from requests import RequestException  # noqa: PLC0415

        from .transport import Refusal  # noqa: PLC0415

        seconds = min(within or self._timeout, self._timeout)
        # Thanos answers from a part of its stores unless told not to; Prometheus ignores the word.
        extra, timeout = {"partial_response": "false"}, (min(seconds, LONGEST_CONNECT), seconds)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return asked(dict(extra), timeout)
            except Refusal as refusal:
                passing, problem = refusal.status in _PASSING, self._refused(query, refusal)
            except RequestException as error:
                passing, problem = self._unanswered(query, error, seconds)
            except (KeyError, TypeError, ValueError):
                raise self._problem(query, "it answers with something else than Prometheus does") from None
            if not passing or within or attempt == ATTEMPTS or self._interrupted(FIRST_DELAY * 2 ** (attempt - 1)):
                raise problem from None
        raise AssertionError

    def _interrupted(self, seconds: float) -> bool:
        """Wait, and look meanwhile whether to go on."""
        pause = threading.Event()
        for _ in range(max(1, round(seconds / 0.05))):
            if self._stop():
                return True
            pause.wait(0.05)
        return self._stop()

    def _read(self, query: str, result: Any) -> tuple[Series, ...]:
        try:
            return tuple(_series(result))
        except (KeyError, TypeError, ValueError, IndexError):
            raise self._problem(query, "its result is text or a native histogram, not numbers") from None

    def _refused(self, query: str, refusal: Refusal) -> QueryProblem:
        remedy = {401: "correct the credentials", 403: "give the credentials the right to query"}.get(refusal.status, "")
        if refusal.status in (400, 422):
            remedy = "correct the query"
        return self._problem(query, f"it answers {refusal.status}: {refusal.said}", remedy, status=refusal.status)

    def _unanswered(self, query: str, error: RequestException, seconds: float) -> tuple[bool, QueryProblem]:
        """Whether it may pass by itself, and the problem."""
        from requests import exceptions  # noqa: PLC0415

        if isinstance(error, exceptions.JSONDecodeError):
            return False, self._problem(query, "it answers with something else than Prometheus does", "see whether the URL is that of Prometheus")
        if isinstance(error, exceptions.ReadTimeout):
            return False, self._problem(query, f"no answer within {seconds:g} s", silent=True)
        if isinstance(error, exceptions.SSLError):
            return False, self._problem(query, f"TLS: {_reason(error)}", "see ca_file, client_certificate and verify", silent=True)
        passing = isinstance(error, (exceptions.ConnectionError, exceptions.ChunkedEncodingError))
        return passing, self._problem(query, f"it cannot be reached: {_reason(error)}", silent=True)

    def _problem(self, query: str, what: str, remedy: str = "", *, silent: bool = False, status: int = 0) -> QueryProblem:
        for secret in self._secrets:
            what = what.replace(secret, "(hidden)")
        told = one_line(query if len(query) <= _LONGEST_QUERY else f"{query[:_LONGEST_QUERY]}…")
        return QueryProblem(f"Prometheus at {self.address}: {one_line(what)}", told, remedy, silent, status)


def parts(start: float, end: float, step: float) -> Iterator[tuple[float, float, float]]:
    """(first point, last point, step) of each request: at most 11,000 points, none twice. Whole milliseconds, for Prometheus cuts the rest off."""
    width, first, last = max(1, -int(-step * 1000 // 1)), round(start * 1000), round(end * 1000)
    count = max(0, last - first) // width + 1
    bounds = [*range(0, count, MOST_POINTS), count]
    for begin, after in pairwise(bounds):
        yield (first + begin * width) / 1000, (first + (after - 1) * width) / 1000, width / 1000


def _series(result: Any) -> Iterator[Series]:
    """Of a vector, a matrix or a scalar."""
    if len(result) == 2 and not isinstance(result[0], dict):
        yield Series(labels=(), points=_points([result]))
        return
    for one in result:
        samples = one["values"] if "values" in one else [one["value"]]
        if points := _points(samples):
            yield Series(labels=tuple(sorted(one["metric"].items())), points=points)


def _points(samples: Any) -> tuple[tuple[float, float], ...]:
    """Without NaN, the only number that is not itself; half a million of them come at the end of a run."""
    return tuple([(float(time), value) for time, text in samples if (value := float(text)) == value])


def _base(connection: Connection) -> tuple[str, dict[str, str]]:
    """The URL without credentials, which requests would take over ours, and its query. Raises BadInput, without the URL."""
    try:
        there = urlsplit(connection.url)
        if there.scheme not in ("http", "https") or not there.hostname or there.port == 0 or not connection.url.isprintable():
            raise ValueError
    except ValueError:
        what = "the URL of Prometheus is none"
        raise BadInput(what, "performance_monitoring.prometheus_url", "write it as http://prometheus.example:9090") from None
    where = there.netloc.rpartition("@")[2]
    return urlunsplit((there.scheme, where, there.path.rstrip("/"), "", "")), dict(parse_qsl(there.query))


def _secrets(connection: Connection) -> tuple[str, ...]:
    held = (connection.bearer_token, connection.password, *(value for _, value in connection.headers))
    return tuple(secret for secret in held if len(secret) >= 4)


def _reason(error: BaseException) -> str:
    """The innermost cause that the system or TLS gave; texts of the client library hold the URL."""
    told, seen = type(error).__name__, {id(error)}
    inner: Any = error
    while inner is not None:
        if isinstance(inner, OSError):
            told = getattr(inner, "verify_message", None) or inner.strerror or (str(inner) if isinstance(inner, ConnectionError) else told)
        following = (getattr(inner, "reason", None), inner.__cause__, inner.__context__, *inner.args)
        inner = next((one for one in following if isinstance(one, BaseException) and id(one) not in seen), None)
        seen.add(id(inner))
    return told
