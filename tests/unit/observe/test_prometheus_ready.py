"""Prometheus: answering, not answering, scraping nothing, misspelled; what it is told and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from answering import Answering, vector

from chaos_modules.model.probe import Connection
from chaos_modules.observe.prometheus_ready import prometheus_check

TOKEN = "s3cret"


def up(asked: dict[str, str]) -> Any:
    return vector({"count(up)": 3, "sum(up)": 2}.get(asked["query"], 1))


@pytest.mark.parametrize("end", ["", "/"])
def test_it_answers(end: str) -> None:
    with Answering(up) as server:
        check = prometheus_check(Connection(url=server.url + end), gating=True)
    assert (str(check.state), check.seen) == ("passed", f"Prometheus at {server.url}{end} answers; 2 of 3 scrape targets are up")


def test_one_that_scrapes_nothing_is_a_warning() -> None:
    with Answering(lambda asked: vector(1) if asked["query"] == "vector(1)" else []) as server:
        check = prometheus_check(Connection(url=server.url), gating=True)
    assert str(check.state) == "warning"
    assert "no scrape target" in check.seen


@pytest.mark.parametrize(("gating", "state"), [(True, "failed"), (False, "warning")])
def test_the_token_is_sent_and_never_told(gating: bool, state: str) -> None:
    with Answering(lambda _: 403) as server:
        check = prometheus_check(Connection(url=server.url, bearer_token=TOKEN), gating)
    assert set(server.authorised) == {f"Bearer {TOKEN}"}
    assert (str(check.state), check.seen) == (state, f"Prometheus at {server.url}: it answers 403: bad_data: no")
    assert TOKEN not in str(check)


@pytest.mark.parametrize(("url", "token"), [
    ("http://127.0.0.1:1", TOKEN), ("http://me:s3cret@127.0.0.1:1", ""), ("file:///etc/passwd", ""), ("prometheus:9090", ""), ("http://", ""),
    ("http://[s3cret", ""), ("http://127.0.0.1:s3cret", ""), ("http://127.0.0.1:1/\ns3 cret", ""), ("http://127.0.0.1:1", f"{TOKEN}\n"),
])
def test_what_cannot_be_asked_is_told_without_secrets(url: str, token: str) -> None:
    for gating, state in ((True, "failed"), (False, "warning")):
        check = prometheus_check(Connection(url=url, bearer_token=token, timeout_seconds=0.5), gating)
        assert str(check.state) == state
        assert "performance_monitoring.prometheus_url" in check.remedy
        assert "s3" not in check.seen + check.remedy


def test_no_url_is_nothing_to_look_at() -> None:
    assert str(prometheus_check(Connection(), gating=True).state) == "skipped"
