"""Calls: patience with what passes, none with what does not, and what a lost answer had done."""

from __future__ import annotations

import gzip
import json
import socket
from typing import Any

import pytest
from scripted_server import Answer, Exchange, Interrupted, ScriptedServer

from chaos_modules import __version__
from chaos_modules.clusters.kubernetes import transport_http
from chaos_modules.clusters.kubernetes.api import ApiProblem
from chaos_modules.clusters.kubernetes.transport_api import KubernetesApi

PODS = "/api/v1/namespaces/shop/pods"
JOBS = "/apis/batch/v1/namespaces/shop/jobs"
JOB = {"metadata": {"name": "squall-1"}}


def says(found: Any) -> Answer:
    return lambda exchange: exchange.json(found)


def refuses(code: int, message: str = "no", reason: str = "", **headers: str) -> Answer:
    return lambda exchange: exchange.status(code, message, reason, **headers)


def resets(exchange: Exchange) -> None:
    exchange.reset()


def test_a_request_carries_credentials_query_and_body(server: ScriptedServer, api: KubernetesApi) -> None:
    seen: list[Any] = []

    def answer(exchange: Exchange) -> None:
        seen.extend([exchange.headers[name] for name in ("Authorization", "User-Agent", "Content-Type")])
        seen.extend([exchange.query, exchange.body])
        exchange.json({"ok": True}, 201)

    server.will(answer)
    assert api.call("POST", JOBS, query=(("dryRun", "All"), ("fieldManager", "a b")), body=JOB) == {"ok": True}
    assert seen == ["Bearer sesame", f"squall/{__version__}", "application/json", {"dryRun": "All", "fieldManager": "a b"}, JOB]
    assert (api.name, api.user, api.server) == ("kind-dev", "user ann", server.url)


def test_a_patch_is_a_merge_patch_and_compressed_answers_are_read(server: ScriptedServer, api: KubernetesApi) -> None:
    def answer(exchange: Exchange) -> None:
        data = gzip.compress(json.dumps({"kind": exchange.headers["Content-Type"]}).encode())
        exchange.send_response(200)
        for name, value in (("Content-Encoding", "gzip"), ("Content-Length", str(len(data)))):
            exchange.send_header(name, value)
        exchange.end_headers()
        exchange.wfile.write(data)

    server.will(answer)
    assert api.call("PATCH", f"{PODS}/a", body={}) == {"kind": "application/merge-patch+json"}


def test_too_many_requests_wait_as_long_as_they_are_told(server: ScriptedServer, api: KubernetesApi, interrupted: Interrupted) -> None:
    server.will(refuses(429, Retry_After="3"), refuses(429, Retry_After="3600"), says({"ok": True}))
    api.SHORT_PATIENCE_SECONDS = 30
    assert api.call("GET", PODS) == {"ok": True}
    assert interrupted.slept == [3.0, 10.0]


def test_a_server_that_fails_or_resets_for_a_while(server: ScriptedServer, api: KubernetesApi, interrupted: Interrupted) -> None:
    server.will(refuses(500), resets, refuses(503), refuses(502), refuses(504), says({"ok": True}))
    assert api.call("GET", PODS) == {"ok": True}
    assert len(server.asked) == 6
    assert len(interrupted.slept) == 5
    assert all(0.1 <= one <= 5 for one in interrupted.slept)
    assert interrupted.slept[-1] > interrupted.slept[0]


def test_patience_ends(server: ScriptedServer, api: KubernetesApi) -> None:
    api.SHORT_PATIENCE_SECONDS = api.PATIENCE_SECONDS = 0.5
    server.will(*[refuses(503, "etcd is away")] * 50)
    with pytest.raises(ApiProblem) as caught:
        api.call("GET", PODS)
    assert "the API server answers 503: etcd is away (tried " in caught.value.what
    assert caught.value.status == 503


@pytest.mark.parametrize(
    ("code", "reason"), [(400, ""), (401, ""), (403, ""), (404, "NotFound"), (409, "AlreadyExists"), (410, "Gone"), (422, "Invalid")]
)  # fmt: skip
def test_what_does_not_pass_is_raised_at_once(server: ScriptedServer, api: KubernetesApi, code: int, reason: str) -> None:
    server.will(refuses(code, "no, never", reason))
    with pytest.raises(ApiProblem, match="no, never") as caught:
        api.call("POST", JOBS, body=JOB)
    assert caught.value.status == code
    assert len(server.asked) == 1


@pytest.mark.parametrize("lost", [resets, refuses(504)])
def test_a_post_whose_answer_was_lost_gives_the_object(server: ScriptedServer, api: KubernetesApi, lost: Answer) -> None:
    server.will(lost, refuses(409, "exists", "AlreadyExists"), says({"metadata": {"uid": "7"}}))
    assert api.call("POST", JOBS, body=JOB) == {"metadata": {"uid": "7"}}
    assert server.asked == [f"POST {JOBS}", f"POST {JOBS}", f"GET {JOBS}/squall-1"]


def test_a_post_that_was_only_put_off_may_not_find_its_object(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(refuses(429, Retry_After="1"), refuses(409, "exists", "AlreadyExists"))
    with pytest.raises(ApiProblem, match="exists"):
        api.call("POST", JOBS, body=JOB)


def test_a_delete_whose_answer_was_lost_is_done(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(resets, refuses(404, "gone", "NotFound"), refuses(404, "never was", "NotFound"))
    assert api.call("DELETE", f"{JOBS}/squall-1") == {}
    with pytest.raises(ApiProblem, match="never was"):
        api.call("DELETE", f"{JOBS}/squall-1")


def test_an_answer_that_takes_too_long_is_asked_for_again(server: ScriptedServer, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos_modules.clusters.kubernetes.transport_api.READ_SECONDS", 0.2)
    server.will(Exchange.fall_silent, says({"ok": True}))
    assert api.call("GET", PODS) == {"ok": True}


def test_an_answer_that_is_slow_but_comes_in_time_is_asked_for_once(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(lambda exchange: (server.over.wait(0.3), exchange.json({"ok": True}))[0])
    assert api.call("GET", PODS) == {"ok": True}
    assert len(server.asked) == 1


def test_an_interruption_cuts_the_back_off(server: ScriptedServer, api: KubernetesApi, interrupted: Interrupted) -> None:
    def answer(exchange: Exchange) -> None:
        interrupted.event.set()
        exchange.status(503, "starting")

    server.will(answer)
    with pytest.raises(ApiProblem, match="interrupted while it was tried again: the API server answers 503: starting") as caught:
        api.call("GET", PODS)
    assert caught.value.reason == "Interrupted"
    assert len(server.asked) == 1


def test_the_clean_up_after_an_interruption_has_patience_of_its_own(server: ScriptedServer, api: KubernetesApi, interrupted: Interrupted) -> None:
    interrupted.event.set()
    server.will(refuses(503), says({"ok": True}))
    assert api.call("DELETE", PODS) == {"ok": True}
    assert interrupted.slept == []


def test_a_server_that_is_not_there_says_so(api: KubernetesApi, server: ScriptedServer) -> None:
    api.SHORT_PATIENCE_SECONDS = 0.3
    server.stop()
    with pytest.raises(ApiProblem) as caught:
        api.call("GET", "/version")
    assert f"no answer from {server.url}: Connection refused" in caught.value.what
    assert "kubectl --context kind-dev get --raw /readyz" in caught.value.remedy
    assert caught.value.where == "kind-dev: GET /version"


def test_what_is_no_json_is_not_asked_for_again(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(says(["a list"]))
    with pytest.raises(ApiProblem, match="the answer is not a JSON object"):
        api.call("GET", PODS)


def test_connections_are_kept_and_kept_alive(server: ScriptedServer, api: KubernetesApi) -> None:
    ports: list[int] = []
    server.will(*[lambda exchange: (ports.append(exchange.client_address[1]), exchange.json({}))[0]] * 3)
    for _ in range(3):
        api.call("GET", PODS)
    assert len(set(ports)) == 1
    pool = api._login.pool.connection_from_url(server.url)
    connection = pool.pool.get()  # type: ignore[union-attr]
    assert connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
    connection.close()


def test_a_list_is_read_page_by_page(server: ScriptedServer, api: KubernetesApi) -> None:
    first = says({"metadata": {"continue": "next", "resourceVersion": "5"}, "items": [{"a": 1}]})
    server.will(first, says({"metadata": {"resourceVersion": "5"}, "items": [{"a": 2}]}))
    listed = api.list(PODS, (("labelSelector", "app=web"),))
    assert (listed.items, listed.version) == (({"a": 1}, {"a": 2}), "5")
    assert server.asked == [f"GET {PODS}?labelSelector=app%3Dweb&limit=500", f"GET {PODS}?labelSelector=app%3Dweb&limit=500&continue=next"]


def test_a_list_whose_next_page_is_gone_begins_anew(server: ScriptedServer, api: KubernetesApi) -> None:
    first = says({"metadata": {"continue": "next", "resourceVersion": "5"}, "items": [{"a": 1}]})
    server.will(first, refuses(410, "too old", "Expired"), says({"metadata": {"resourceVersion": "9"}, "items": [{"a": 3}]}))
    listed = api.list(PODS)
    assert (listed.items, listed.version) == (({"a": 3},), "9")


def test_a_list_does_not_begin_anew_for_ever(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(*[refuses(410, "too old", "Expired")] * 6)
    with pytest.raises(ApiProblem, match="too old"):
        api.list(PODS)
    assert len(server.asked) == 5


def test_time_outs_are_explicit() -> None:
    assert (transport_http.CONNECT_SECONDS, transport_http.READ_SECONDS) == (3.0, 30.0)
