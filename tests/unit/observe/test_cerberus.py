"""Cerberus: only `True` is a go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from loopback_http import Server, answer, serving, silent, unused_port

from chaos_modules.model.probe import Connection
from chaos_modules.observe.cerberus import cerberus_no_go

FAILURES = [{"component": "node", "name": "one"}, {"component": "route", "name": "shop.example"}, {"component": "route", "name": "api\n.example"}]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        one.answers["/"] = answer(200, b"True\n")
        yield one


def ask(server: Server, check_routes: bool = False, **other: Any) -> str:
    return cerberus_no_go(Connection(**{"url": f"{server.url}/", "timeout_seconds": 5.0, **other}), check_routes, 1.5)


def history(failures: object) -> bytes:
    return json.dumps({"history": {"failures": failures}}).encode()


def test_true_is_a_go_and_false_is_none(server: Server) -> None:
    assert ask(server) == ""
    server.answers["/"] = answer(200, b"False")
    assert ask(server) == f"Cerberus at {server.url}/ says no-go"


@pytest.mark.parametrize("body", [b"", b"true", b"Truely", b'"True"', b"<html>True</html>"])
def test_anything_else_is_no_go(server: Server, body: bytes) -> None:
    server.answers["/"] = answer(200, body)
    assert "answered neither True nor False; is cerberus.cerberus_url right?" in ask(server)


def test_a_status_that_is_not_200_is_no_go_whatever_the_body(server: Server) -> None:
    server.answers["/"] = answer(500, b"True")
    assert ask(server).endswith("did not say go: status 500")


def test_no_answer_is_no_go(server: Server) -> None:
    assert ask(server, url=f"http://me:s3cret@127.0.0.1:{(port := unused_port())}/") == (
        f"Cerberus at http://127.0.0.1:{port}/ did not say go: connection refused"
    )
    server.answers["/"] = silent
    assert ask(server, timeout_seconds=0.2).endswith("did not say go: no answer within 0.2 s")


def test_failures_of_routes_are_no_go_only_where_they_are_asked_for(server: Server) -> None:
    server.answers["/history"] = answer(200, history(FAILURES))
    assert ask(server) == ""
    told = f"Cerberus at {server.url}/ saw 2 failures of routes in the last 1.5 minutes: shop.example, api\\n.example"
    assert ask(server, check_routes=True) == told
    assert [path for _, path, _ in server.asked] == ["/", "/", "/history?loopback=1.5"]
    server.answers["/history"] = answer(200, history(FAILURES[:1]))
    assert ask(server, check_routes=True) == ""


@pytest.mark.parametrize("body", [b"", b"True", b"[]", b"{}", history("x"), history([{}]), history([None]), history(None), b"[" * 100_000])
def test_a_history_that_is_none_is_no_go(server: Server, body: bytes) -> None:
    server.answers["/history"] = answer(200, body)
    assert "answered what is no history of Cerberus" in ask(server, check_routes=True)


def test_false_is_enough_without_the_history(server: Server) -> None:
    server.answers["/"] = answer(200, b"False")
    assert "no-go" in ask(server, check_routes=True)
    assert len(server.asked) == 1


def test_a_base_with_a_path_keeps_it(server: Server) -> None:
    server.answers["/cerberus"], server.answers["/cerberus/history"] = answer(200, b"True"), answer(200, history([]))
    assert ask(server, check_routes=True, url=f"{server.url}/cerberus") == ""
    assert [path for _, path, _ in server.asked] == ["/cerberus", "/cerberus/history?loopback=1.5"]
