"""What is asked of Prometheus, what is asked again, and what is made of each kind of answer."""

from __future__ import annotations

import json

import pytest
from prometheus_gateway import Gateway, problem_of, ready
from prometheus_server import Handler, needs

from chaos_modules.model.probe import Connection
from chaos_modules.observe.prometheus import Prometheus, QueryProblem

pytestmark = needs("prometheus")


@pytest.mark.parametrize("planned", [(429, b""), (502, b""), (503, b"starting"), (504, b""), None])
def test_what_may_pass_is_tried_again(gateway: Gateway, planned: tuple[int, bytes] | None) -> None:
    gateway.planned = [planned, planned]
    ready(Connection(url=gateway.url))
    assert len(gateway.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 422, 500])
def test_what_stays_wrong_is_asked_once(gateway: Gateway, status: int) -> None:
    gateway.planned = [(status, json.dumps({"status": "error", "errorType": "execution", "error": "no\nsuch luck"}).encode())] * 5
    problem = problem_of(Connection(url=gateway.url))
    assert len(gateway.asked) == 1
    assert problem.what == f"Prometheus at {gateway.url}: it answers {status}: execution: no\\nsuch luck"
    assert problem.status == status


def test_trying_again_ends_after_three_times_and_when_it_is_stopped(gateway: Gateway) -> None:
    gateway.planned = [(503, b"never")] * 9
    assert problem_of(Connection(url=gateway.url)).status == 503
    assert len(gateway.asked) == 3
    with Prometheus(Connection(url=gateway.url), stop=lambda: True) as prometheus, pytest.raises(QueryProblem):
        prometheus.ready()
    assert len(gateway.asked) == 4


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"{}", b"[]", b'{"data": {"result": ["x"]}}', b'{"data": {"result": [1, "text"]}}'])
def test_what_is_no_answer_of_prometheus_is_a_problem(gateway: Gateway, body: bytes) -> None:
    gateway.planned = [(200, body)]
    assert "Prometheus at" in problem_of(Connection(url=gateway.url)).what


def test_native_histograms_are_no_numbers(gateway: Gateway) -> None:
    gateway.planned = [(200, b'{"data": {"result": [{"metric": {}, "histogram": [1, {}]}]}}')]
    assert "histogram" in problem_of(Connection(url=gateway.url)).what


def test_a_redirection_is_told_and_not_followed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway() as front:
        monkeypatch.setattr("prometheus_gateway._Forward.answer", _redirecting(gateway.url))
        front.planned = [(302, b"")]
        assert f"it redirects to {gateway.url.rpartition(':')[0]}/login" in problem_of(Connection(url=front.url)).what
    assert gateway.asked == []


def _redirecting(url: str) -> object:
    answer = Handler.answer

    def redirecting(self: Handler, status: int, body: bytes, *_: str) -> None:
        answer(self, status, body, Location=f"{url}/login?token=x")

    return redirecting


def test_long_queries_go_by_post_where_that_is_allowed(gateway: Gateway) -> None:
    query = "vector(1)" + " + vector(0)" * 500
    with Prometheus(Connection(url=f"{gateway.url}/?tenant=a")) as prometheus:
        assert prometheus.instant(query)[0].points[0][1] == 1
        assert prometheus.range(query, 0, 10, 5)[0].points == ((0, 1), (5, 1), (10, 1))
        assert [(one.method, one.path) for one in gateway.asked] == [
            ("POST", f"/api/v1/{one}?tenant=a&partial_response=false") for one in ("query", "query_range")
        ]
        gateway.refused = ("POST",)
        assert prometheus.instant(query)[0].points[0][1] == 1
        prometheus.instant("vector(1)")
    assert [one.method for one in gateway.asked[2:]] == ["POST", "GET", "GET"]
