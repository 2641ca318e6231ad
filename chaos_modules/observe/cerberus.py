"""Cerberus, which watches a cluster and says go or no-go."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..model.probe import Connection
from ..model.wording import one_line
from .http_exchange import NoAnswer, exchange
from .not_asked import NotAsked

_OK = 200
_MOST_NAMED = 3
_LONGEST_NAME = 80


def cerberus_no_go(connection: Connection, check_routes: bool, minutes: float) -> str:
    """Why the run must not go on; empty when it may. Only the answer `True` is a go: `False`, anything else, and no answer are not.

    `check_routes` (krkn's `check_application_routes`): its history of the last `minutes` must have no failure of the component `route`, either.
    krkn stops on a healthy cluster, too, if `exit_on_failure` is set; we do not.
    """
    try:
        said = _get(connection).strip()
        if said != b"True":
            return f"Cerberus at {connection.address} says no-go" if said == b"False" else _strange(connection, "neither True nor False")
        return _failed_routes(connection, minutes) if check_routes else ""
    except (NoAnswer, NotAsked) as reason:
        return f"Cerberus at {connection.address} did not say go: {reason}"


def _get(connection: Connection) -> bytes:
    answer = exchange(connection, connection.timeout_seconds)
    if answer.status != _OK:
        raise NoAnswer(f"status {answer.status}")
    return answer.body


def _failed_routes(connection: Connection, minutes: float) -> str:
    scheme, place, path, _, _ = urlsplit(connection.url)
    history = replace(connection, url=urlunsplit((scheme, place, f"{path.rstrip('/')}/history", f"loopback={minutes:g}", "")))
    try:
        failures = json.loads(_get(history))["history"]["failures"]
        names = [_name(entry) for entry in failures if entry["component"] == "route"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return _strange(history, "what is no history of Cerberus")
    listed = ", ".join(dict.fromkeys(names[:_MOST_NAMED])) + (", …" if len(names) > _MOST_NAMED else "")
    return f"Cerberus at {connection.address} saw {len(names)} failures of routes in the last {minutes:g} minutes: {listed}" if names else ""


def _name(entry: Any) -> str:
    return one_line(str(entry.get("name") or "without a name"))[:_LONGEST_NAME]


def _strange(connection: Connection, what: str) -> str:
    return f"Cerberus at {connection.address} did not say go: it answered {what}; is cerberus.cerberus_url right?"
