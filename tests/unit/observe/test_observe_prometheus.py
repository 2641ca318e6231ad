"""Ranges in parts, answers as series, and problems that say what and never the secret."""

from __future__ import annotations

import pytest
from answering import Answering, vector
from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest, Request

from chaos_modules.model.errors import BadInput
from chaos_modules.model.probe import Connection
from chaos_modules.observe.evaluation import observe_instants, observe_ranges
from chaos_modules.observe.prometheus import MOST_POINTS, Prometheus, QueryProblem, parts
from chaos_modules.observe.transport import as_form


@given(st.floats(0, 2e9), st.floats(0, 40_000), st.floats(0.0004, 60))
def test_the_parts_of_a_range_hold_every_point_once(start: float, length: float, step: float) -> None:
    found = list(parts(start, start + length, step))
    begin, finish, width = round(start * 1000), round((start + length) * 1000), round(found[0][2] * 1000)
    assert width >= step * 1000 > width - 1 or width == 1
    following = begin
    for first, last, _ in found:
        assert round(first * 1000) == following
        assert (round(last * 1000) - round(first * 1000)) // width < MOST_POINTS
        following = round(last * 1000) + width
    assert following - width <= finish < following


def test_an_empty_range_is_one_point() -> None:
    assert list(parts(5, 5, 10)) == [(5, 5, 10)]
    assert list(parts(5, 4, 10)) == [(5, 5, 10)]


def prepared(query: str) -> PreparedRequest:
    return Request("GET", "http://prometheus:9090/api/v1/query", params={"query": query, "tenant": "a"}).prepare()


def test_long_queries_become_forms_and_short_ones_do_not() -> None:
    assert as_form(prepared("up")) is None
    form = as_form(prepared("é" * 3000))
    assert form
    assert (form.method, form.url) == ("POST", "http://prometheus:9090/api/v1/query?tenant=a")
    assert form.body == "query=" + "%C3%A9" * 3000
    assert (form.headers["Content-Type"], form.headers["Content-Length"]) == ("application/x-www-form-urlencoded", str(len(form.body)))


def test_times_are_told_to_the_millisecond_and_parts_are_not_answered_by_halves() -> None:
    with Answering(lambda _: vector(1)) as server, Prometheus(Connection(url=server.url)) as prometheus:
        prometheus.instant("up", 12.3456)
        prometheus.instant("up")
        prometheus.range("up", 1.0004, 4.0009, 0.5)
    assert server.asked == [
        {"query": "up", "time": "12.346", "partial_response": "false"},
        {"query": "up", "partial_response": "false"},
        {"query": "up", "start": "1.000", "end": "4.000", "step": "0.500", "partial_response": "false"},
    ]


def test_answers_come_in_the_order_of_the_questions_and_equal_ones_are_asked_once() -> None:
    def answer(asked: dict[str, str]) -> object:
        return 400 if asked["query"] == "bad" else vector(len(asked["query"]))

    queries = ["a", "bad", "ccc", "a", "bb"]
    with Answering(answer) as server, Prometheus(Connection(url=server.url)) as prometheus:
        answers = observe_instants(prometheus, queries, 5.0)
        assert observe_ranges(prometheus, [], start=0, end=1, step=1) == ()
    assert [one.query for one in answers] == queries
    assert [[series.points for series in one.series] for one in answers] == [[((100, size),)] for size in (1,)] + [[]] + [
        [((100, size),)] for size in (3, 1, 2)
    ]
    assert [one.problem for one in answers] == ["", f"Prometheus at {server.url}: it answers 400: bad_data: no", "", "", ""]
    assert sorted(one["query"] for one in server.asked) == ["a", "bad", "bb", "ccc"]


def test_nan_is_left_out_and_infinity_is_not() -> None:
    with Answering(lambda _: vector("NaN", "+Inf", "-Inf", "1e3")) as server, Prometheus(Connection(url=server.url)) as prometheus:
        found = prometheus.instant("x")
    assert [(dict(one.labels)["n"], one.points[0][1]) for one in found] == [("1", float("inf")), ("2", float("-inf")), ("3", 1000.0)]


def test_a_problem_names_the_query_in_one_short_line() -> None:
    with Answering(lambda _: 400) as server, Prometheus(Connection(url=server.url)) as prometheus, pytest.raises(QueryProblem) as caught:
        prometheus.instant("up\n" + "x" * 500)
    assert caught.value.where == "up\\n" + "x" * 197 + "…"
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("url", ["", "prometheus:9090", "file:///etc/passwd", "http://", "http://me:s3cret@", "http://[s3cret", "http://h:s3cret", "http://h/s3\n"])
def test_a_url_that_is_none_is_bad_input_that_does_not_quote_it(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        Prometheus(Connection(url=url))
    assert "s3" not in str(caught.value)
