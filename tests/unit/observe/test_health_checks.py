"""Health checks: stretches of the same answer, one worker per URL, and krkn's codes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from loopback_http import Server, answer, serving, silent, unused_port

from chaos_modules.model.observation import HealthRecord
from chaos_modules.model.probe import Connection, HealthTarget
from chaos_modules.observe.health import HealthChecks

INTERVAL = 0.02


class Told:
    """The health events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int, str]] = []

    def __call__(self, event: str, target: str, **facts: Any) -> None:
        assert event == "health" and facts["healthy"] == (facts["status_code"] == 200) and facts["time"] <= time.time()
        self.events.append((target, facts["status_code"], facts["detail"]))


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        one.answers["/"] = answer()
        yield one


def checks(told: Told, *urls: str, gating: bool = False, timeout: float = 3.0) -> HealthChecks:
    targets = [HealthTarget(connection=Connection(url=url), exit_on_failure=gating) for url in urls]
    return HealthChecks(targets, INTERVAL, told, timeout)


def test_every_change_begins_a_stretch_and_they_follow_each_other(server: Server) -> None:
    told = Told()
    watched = checks(told, f"{server.url}/?key=s3cret", gating=True)
    watched.start()
    for number, status in enumerate((200, 503, 201, 200), 1):
        server.answers["/"] = answer(status, b"")
        until(lambda number=number: len(told.events) >= number)
        seen = len(server.asked)
        until(lambda seen=seen: len(server.asked) >= seen + 3)
    before = time.time()
    watched.stop()
    url = f"{server.url}/"
    assert told.events == [(url, 200, ""), (url, 503, "status 503"), (url, 201, "status 201"), (url, 200, "")]
    records = watched.records
    assert [(one.url, one.status, one.status_code, one.gating) for one in records] == [
        (url, True, 200, True), (url, False, 503, True), (url, False, 201, True), (url, True, 200, True),
    ]  # fmt: skip
    assert all(one.end_timestamp == after.start_timestamp for one, after in pairwise(records))
    assert all(one.duration == one.end_timestamp - one.start_timestamp > 0 for one in records)
    assert before <= records[-1].end_timestamp <= time.time()
    assert watched.problems == ()


def test_no_answer_is_500_as_in_krkn_and_says_what_it_really_was() -> None:
    told = Told()
    url = f"http://127.0.0.1:{unused_port()}/"
    watched = checks(told, url)
    watched.start()
    until(lambda: told.events)
    watched.stop()
    [record] = watched.records
    assert (record.status, record.status_code, record.detail) == (False, 500, "connection refused")
    assert told.events == [(url, 500, "connection refused")]


def test_what_cannot_be_asked_does_not_end_the_worker(tmp_path: object) -> None:
    told = Told()
    watched = checks(told, "ftp://shop.example/")
    watched.start()
    until(lambda: told.events)
    watched.stop()
    assert [(one.status_code, one.status) for one in watched.records] == [(500, False)]
    assert watched.problems == ()


def test_a_slow_url_does_not_disturb_the_others(server: Server) -> None:
    server.answers["/slow"] = silent
    told = Told()
    watched = checks(told, f"{server.url}/slow", f"{server.url}/", timeout=15.0)
    watched.start()
    until(lambda: [path for _, path, _ in server.asked].count("/") >= 5)
    assert [path for _, path, _ in server.asked].count("/slow") <= 1
    server.over.set()
    watched.stop()
    assert {one.url for one in watched.records} == {f"{server.url}/slow", f"{server.url}/"}


def test_without_urls_there_is_nothing_to_watch() -> None:
    watched = checks(Told())
    watched.start()
    watched.stop()
    assert (watched.records, watched.problems) == ((), ())


def test_stretches_are_in_krkns_shape() -> None:
    assert set(HealthRecord.__slots__) >= {"url", "status", "status_code", "start_timestamp", "end_timestamp", "duration"}
