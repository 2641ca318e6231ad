"""Watches that go on through silence, resets, forgotten versions and interruptions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from scripted_server import Answer, Exchange, Interrupted, ScriptedServer

from chaos_modules.clusters.kubernetes.api import ApiProblem, Change
from chaos_modules.clusters.kubernetes.transport_api import KubernetesApi
from chaos_modules.clusters.kubernetes.watching import compared

PODS = "/api/v1/namespaces/shop/pods"


def pod(name: str, version: int, uid: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "uid": uid or name, "resourceVersion": str(version)}}


def lists(version: int, *pods: dict[str, Any]) -> Answer:
    return lambda exchange: exchange.json({"metadata": {"resourceVersion": str(version)}, "items": list(pods)})


def streams(*events: tuple[str, dict[str, Any]], then: Answer = Exchange.end) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        for kind, item in events:
            exchange.chunk({"type": kind, "object": item})
        then(exchange)

    return answer


def told(api: KubernetesApi, count: int) -> list[str]:
    """The first so many changes; then, or after a while, the watch is left."""
    changes: list[str] = []
    until = time.monotonic() + 8
    for change in api.watch(PODS, (("labelSelector", "a=b"),), lambda: len(changes) >= count or time.monotonic() > until):
        changes.append(f"{change.type} {change.object['metadata']['name']} {change.object['metadata']['resourceVersion']}")
    return changes


@pytest.fixture(autouse=True)
def impatient(api: KubernetesApi) -> Iterator[None]:
    api.WATCH_PART_SECONDS, api.SILENT_SECONDS = 1.0, 0.3
    yield
    deadline = time.monotonic() + 5
    while any(watching := [one for one in threading.enumerate() if one.name.startswith("watch")]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert watching == []


GONE = {"kind": "Status", "code": 410, "message": "too old resource version", "reason": "Expired"}


def versions(server: ScriptedServer) -> list[str]:
    """From which version each part of the watch was asked for, `start` for none; `list` for a list."""
    queries = [dict(parse_qsl(urlsplit(one).query)) for one in server.asked]
    return [query.get("resourceVersion", "start") if "watch" in query else "list" for query in queries]


def begins(version: int, *pods: dict[str, Any], then: Answer = Exchange.end) -> Answer:
    """The first part of a watch: what is there, then the place from which the next goes on."""
    return streams(*(("ADDED", one) for one in pods), ("BOOKMARK", pod("", version)), then=then)


def test_what_is_there_then_what_happens(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(streams(("ADDED", pod("a", 3)), ("MODIFIED", pod("a", 6)), ("DELETED", pod("a", 7)), then=Exchange.fall_silent))
    assert told(api, 3) == ["ADDED a 3", "MODIFIED a 6", "DELETED a 7"]
    assert server.asked == [f"GET {PODS}?labelSelector=a%3Db&watch=true&allowWatchBookmarks=true&timeoutSeconds=1"]


def test_a_part_that_ends_as_it_should_is_followed_by_the_next(server: ScriptedServer, api: KubernetesApi) -> None:
    last = streams(("ADDED", pod("c", 10)), then=Exchange.fall_silent)
    server.will(streams(("ADDED", pod("a", 5)), ("MODIFIED", pod("a", 6)), ("ADDED", pod("b", 7))), streams(("BOOKMARK", pod("", 9))), last)
    assert told(api, 4) == ["ADDED a 5", "MODIFIED a 6", "ADDED b 7", "ADDED c 10"]
    assert versions(server) == ["start", "7", "9"]


@pytest.mark.parametrize("ends", [Exchange.end, Exchange.cut, Exchange.reset])
def test_where_nothing_was_seen_it_starts_again_without_a_list(server: ScriptedServer, api: KubernetesApi, ends: Answer) -> None:
    server.will(streams(then=ends), streams(("ADDED", pod("a", 6)), then=Exchange.fall_silent))
    assert told(api, 1) == ["ADDED a 6"]
    assert versions(server) == ["start", "start"]


@pytest.mark.parametrize("ends", [Exchange.end, Exchange.cut, Exchange.reset])
def test_the_versions_of_what_is_there_are_no_place_to_go_on_from(server: ScriptedServer, api: KubernetesApi, ends: Answer) -> None:
    """They come in no order: from b's, a's own past would be told again, and what happened before a's would be missed from a's."""
    server.will(
        streams(("ADDED", pod("a", 6)), ("ADDED", pod("b", 4)), then=ends), lists(8, pod("a", 6), pod("b", 7)),
        streams(("DELETED", pod("a", 9)), then=Exchange.fall_silent),
    )
    assert told(api, 4) == ["ADDED a 6", "ADDED b 4", "MODIFIED b 7", "DELETED a 9"]
    assert versions(server) == ["start", "list", "8"]


@pytest.mark.parametrize("breaks", [Exchange.cut, Exchange.reset])
def test_a_broken_watch_goes_on_from_the_last_version(server: ScriptedServer, api: KubernetesApi, breaks: Answer) -> None:
    server.will(begins(5), streams(("ADDED", pod("a", 6)), then=breaks), Exchange.reset, streams(("ADDED", pod("b", 7)), then=Exchange.fall_silent))
    assert told(api, 2) == ["ADDED a 6", "ADDED b 7"]
    assert versions(server) == ["start", "5", "6", "6"]


def test_a_watch_that_goes_silent_is_noticed(server: ScriptedServer, api: KubernetesApi) -> None:
    silent = streams(("ADDED", pod("a", 6)), then=Exchange.fall_silent)
    server.will(begins(5), silent, lists(7, pod("a", 6)), streams(("ADDED", pod("b", 8)), then=Exchange.fall_silent))
    assert told(api, 2) == ["ADDED a 6", "ADDED b 8"]
    assert versions(server) == ["start", "5", "list", "7"]


def test_where_watches_are_always_silent_lists_tell(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(Exchange.fall_silent, lists(6, pod("a", 6)), streams(then=Exchange.fall_silent), lists(7, pod("a", 7)), lists(8))
    assert told(api, 2) == ["ADDED a 6", "MODIFIED a 7"]
    assert versions(server)[:4] == ["start", "list", "6", "list"]


def test_a_list_that_fails_is_asked_for_again(server: ScriptedServer, api: KubernetesApi) -> None:
    """What was missed is not forgotten with the first attempt to make it good."""
    server.will(begins(5, pod("a", 4)), streams(("ERROR", GONE)), Exchange.reset, lists(9), streams(then=Exchange.fall_silent))
    assert told(api, 2) == ["ADDED a 4", "DELETED a 4"]
    assert versions(server)[:4] == ["start", "5", "list", "list"]


def test_half_an_event_counts_for_nothing(server: ScriptedServer, api: KubernetesApi) -> None:
    whole = json.dumps({"type": "ADDED", "object": pod("a", 6)}).encode() + b"\n"

    def half(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(whole[:20])
        exchange.cut()

    def in_parts(exchange: Exchange) -> None:
        exchange.begin()
        for part in (whole[:20], whole[20:40], whole[40:]):
            exchange.chunk(part)
        exchange.fall_silent()

    server.will(begins(5), half, in_parts)
    assert told(api, 1) == ["ADDED a 6"]
    assert versions(server) == ["start", "5", "5"]


@pytest.mark.parametrize("forgets", [streams(("ERROR", GONE)), lambda exchange: exchange.status(410, "too old", "Expired")])
def test_a_forgotten_version_is_made_good_by_comparing(server: ScriptedServer, api: KubernetesApi, forgets: Answer) -> None:
    before = (pod("same", 1), pod("changed", 2), pod("gone", 3), pod("again", 4, "first-uid"))
    after = (pod("same", 1), pod("changed", 8), pod("again", 9, "second-uid"), pod("new", 7))
    server.will(begins(5, *before), forgets, lists(20, *after), streams(("ADDED", pod("last", 21)), then=Exchange.fall_silent))
    assert told(api, 9)[4:] == ["DELETED gone 3", "DELETED again 4", "MODIFIED changed 8", "ADDED again 9", "ADDED new 7"]
    assert versions(server)[:3] == ["start", "5", "list"]


def test_an_error_event_that_passes_is_tried_again(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(begins(5), streams(("ERROR", {"code": 500, "message": "etcd"})), streams(("ADDED", pod("a", 6)), then=Exchange.fall_silent))
    assert told(api, 1) == ["ADDED a 6"]
    assert versions(server) == ["start", "5", "5"]


def test_what_is_no_event_is_tried_again(server: ScriptedServer, api: KubernetesApi) -> None:
    def gibberish(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(b"<html>\n")
        exchange.end()

    server.will(gibberish, streams(("ADDED", pod("a", 6)), then=Exchange.fall_silent))
    assert told(api, 1) == ["ADDED a 6"]


@pytest.mark.parametrize("code", [401, 403, 404])
def test_what_cannot_be_helped_is_raised(server: ScriptedServer, api: KubernetesApi, code: int) -> None:
    server.will(begins(5, pod("a", 1)), lambda exchange: exchange.status(code, f"no: {code}"))
    with pytest.raises(ApiProblem, match=f"no: {code}") as caught:
        told(api, 2)
    assert caught.value.status == code


def test_the_missing_permission_is_the_one_to_watch(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(lambda exchange: exchange.status(403, 'pods is forbidden: User "ann" cannot watch resource "pods" in API group ""'))
    with pytest.raises(ApiProblem, match="ann may not watch pods in namespace shop"):
        told(api, 1)


def test_an_interruption_does_not_end_a_watch(server: ScriptedServer, api: KubernetesApi, interrupted: Interrupted) -> None:
    interrupted.event.set()
    last = streams(("ADDED", pod("a", 6)), then=Exchange.fall_silent)
    server.will(lambda exchange: exchange.status(503, "starting"), begins(5), Exchange.reset, last)
    assert told(api, 1) == ["ADDED a 6"]


@pytest.mark.parametrize("silent_from", [(), (begins(5),), (begins(5, then=Exchange.fall_silent),)])
def test_it_ends_soon_though_the_server_is_silent(
    server: ScriptedServer, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch, silent_from: tuple[Answer, ...]
) -> None:
    monkeypatch.setattr("chaos_modules.clusters.kubernetes.transport_feed.TICK_SECONDS", 0.05)
    api.SILENT_SECONDS = 1.5
    server.will(*silent_from, Exchange.fall_silent)
    began = time.monotonic()
    assert list(api.watch(PODS, (), lambda: time.monotonic() > began + 0.1)) == []
    assert time.monotonic() - began < 1.4
    server.over.set()


def test_leaving_a_watch_closes_its_connection(server: ScriptedServer, api: KubernetesApi) -> None:
    closed = threading.Event()

    def answer(exchange: Exchange) -> None:
        streams(("ADDED", pod("a", 6)), then=lambda _: None)(exchange)
        exchange.connection.settimeout(4)
        closed.set() if exchange.rfile.read(1) == b"" else None
        exchange.close_connection = True

    api.SILENT_SECONDS = 30.0
    server.will(answer)
    watch = api.watch(PODS, (), lambda: False)
    assert next(iter(watch)).type == "ADDED"
    watch.close()  # type: ignore[attr-defined]
    assert closed.wait(4)


def test_comparing_tells_what_changed_and_nothing_else() -> None:
    assert compared({"a": pod("a", 1)}, (pod("a", 1),)) == []
    assert compared({}, (pod("a", 1),)) == [Change(type="ADDED", object=pod("a", 1))]
