"""Whether the Prometheus of the configuration answers questions."""

from __future__ import annotations

from dataclasses import replace

from ..model.check import Check, failed, passed, skipped, warning
from ..model.errors import BadInput
from ..model.probe import Connection
from .prometheus import Prometheus, QueryProblem

TIMEOUT_SECONDS = 5.0
_SETTING = "correct performance_monitoring.prometheus_url and the credentials, or leave the URL empty"


def prometheus_check(connection: Connection, gating: bool) -> Check:
    """Two questions: how many scrape targets there are, and how many of them are up. No secret is told.

    `gating`: the verdict depends on it, so that without an answer the check has failed; else that is a warning. One without any scrape target
    is a warning in either case: alerts on what nobody scrapes never fire.
    """
    if not connection.url:
        return skipped("prometheus", "no performance_monitoring.prometheus_url", "set it to have it looked at")
    wrong = failed if gating else warning
    try:
        with Prometheus(replace(connection, timeout_seconds=min(TIMEOUT_SECONDS, connection.timeout_seconds))) as prometheus:
            prometheus.ready()
            targets, up = (sum(points[0][1] for points in (one.points for one in prometheus.instant(query))) for query in ("count(up)", "sum(up)"))
    except (QueryProblem, BadInput) as problem:
        return wrong("prometheus", problem.what, f"{problem.remedy}; {_SETTING}" if problem.remedy else _SETTING)
    if not targets:
        return warning("prometheus", f"Prometheus at {connection.address} answers, but it has no scrape target (no series `up`)",
                       "see whether it is the right one, and whether it scrapes what the queries need")
    return passed("prometheus", f"Prometheus at {connection.address} answers; {up:.0f} of {targets:.0f} scrape targets are up")
