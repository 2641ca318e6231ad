"""Documents reach a server that is busy, restarts, refuses, or goes away; each is stored, refused or kept, and counted once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from search_server import SearchServer

from chaos_modules.model.probe import Connection
from chaos_modules.observe.session import session_for
from chaos_modules.storage.document import Document
from chaos_modules.storage.elastic_client import installed_client
from chaos_modules.storage.sending import Patience, Sent, ahead, chunks, send

QUICK = Patience(attempts=3, first_wait=0.0)


def documents(count: int, index: str = "metrics") -> list[Document]:
    return [Document(index=index, id=str(number), body={"value": number}) for number in range(count)]


def telemetry(parameters: Any) -> Document:
    scenario = {"scenario": "one.yaml", "parameters": parameters, "parameters_base64": "e30="}
    return Document(index="telemetry", id="t", body={"run_uuid": "u", "scenarios": [scenario]})


def sent_to(server: SearchServer, what: Iterable[Document], kept: list[Document], **wishes: Any) -> Sent:
    connection = Connection(url=wishes.pop("url", server.url), timeout_seconds=5, **wishes.pop("who", {}))
    return send(connection, what, kept.append, **{"open_session": session_for, "patience": QUICK, **wishes})


def test_all_documents_of_a_sound_server_are_stored_in_few_requests() -> None:
    kept: list[Document] = []
    with SearchServer() as server:
        assert sent_to(server, documents(12_500), kept) == Sent(stored=12_500)
        assert server.bulks == [5_000, 5_000, 2_500]
        assert server.stored["metrics"]["12499"] == {"value": 12499}
    assert kept == []


def test_sending_again_changes_nothing() -> None:
    with SearchServer() as server:
        sent_to(server, documents(10), [])
        before = {index: dict(found) for index, found in server.stored.items()}
        assert sent_to(server, documents(10), []).stored == 10
        assert server.stored == before


@pytest.mark.parametrize("version", ["9.1.0", "8.19.21", "7.17.29", "7.10.2"])
def test_every_elasticsearch_is_reached_whatever_client_is_installed(version: str) -> None:
    with SearchServer("elasticsearch", version) as server:
        assert sent_to(server, documents(3), []) == Sent(stored=3)


def test_the_client_is_used_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    if installed_client() < 8:
        pytest.skip("the installed client is older than 8 and is never used")
    accepted: list[str] = []
    monkeypatch.setattr(SearchServer, "understands", lambda _, media: accepted.append(media) or True)
    with SearchServer("elasticsearch", f"{installed_client()}.1.0", user="chaos:right") as server:
        assert sent_to(server, documents(3), [], who={"username": "chaos", "password": "right"}) == Sent(stored=3)
        assert sent_to(server, documents(1), [], who={"username": "chaos", "password": "wrong"}).unsent == 1
    assert any("vnd.elasticsearch" in media for media in accepted)


def test_what_the_client_is_refused_is_refused_by_document_and_reason() -> None:
    kept: list[Document] = []
    with SearchServer("elasticsearch", f"{max(8, installed_client())}.1.0") as server:
        server.judge = lambda _, body: (400, "failed to parse [value]") if body["value"] == 1 else (201, "")
        server.script = [503]
        done = sent_to(server, documents(3), kept)
    assert done == Sent(stored=2, refused=1, refusals=("1 for metrics, the first because 400: mapper_parsing_exception: failed to parse [value]",))
    assert [one.id for one in kept] == ["1"]


@pytest.mark.parametrize("trouble", [429, 502, 503, 504, None])
def test_a_passing_trouble_of_the_whole_request_is_waited_for(trouble: int | None) -> None:
    kept: list[Document] = []
    with SearchServer() as server:
        server.script = [trouble, trouble]
        assert sent_to(server, documents(5), kept) == Sent(stored=5)
    assert kept == []


def test_a_trouble_that_does_not_pass_keeps_everything_and_says_how_often_it_was_tried() -> None:
    kept: list[Document] = []
    with SearchServer() as server:
        server.script = [503] * 99
        done = sent_to(server, documents(2_500), kept)
        assert len(server.script) == 99 - QUICK.attempts  # nothing is asked for the later chunks
    assert (done.stored, done.unsent, len(kept)) == (0, 2_500, 2_500)
    assert done.problem == 'it answers 503: {"error": {"reason": "scripted"}, "status": 503} (tried 3 times)'


def test_only_the_documents_that_the_server_had_no_room_for_are_sent_again() -> None:
    busy = {3: 2, 4: 1}

    def judge(_: str, body: dict[str, Any]) -> tuple[int, str]:
        left = busy.get(body["value"], 0)
        busy[body["value"]] = left - 1
        return (429, "queue is full") if left > 0 else (201, "")

    with SearchServer() as server:
        server.judge = judge
        assert sent_to(server, documents(10), []) == Sent(stored=10)
        assert server.bulks == [10, 2, 1]


def test_a_refused_document_is_kept_counted_and_told_while_the_others_are_stored() -> None:
    kept: list[Document] = []
    with SearchServer() as server:
        server.judge = lambda _, body: (400, f"failed to parse {body['value']}") if body["value"] % 2 else (201, "")
        done = sent_to(server, documents(10), kept)
    assert (done.stored, done.refused, done.unsent) == (5, 5, 0)
    assert done.refusals == ("5 for metrics, the first because 400: mapper_parsing_exception: failed to parse 1",)
    assert [one.body["value"] for one in kept] == [1, 3, 5, 7, 9]


def test_telemetry_whose_parameters_do_not_fit_is_stored_without_them() -> None:
    with SearchServer() as server:
        server.judge = lambda _, body: (400, "object mapping for [scenarios.parameters]") if "parameters" in body["scenarios"][0] else (201, "")
        assert sent_to(server, [telemetry({"a": 1})], []) == Sent(stored=1)
        assert server.stored["telemetry"]["t"]["scenarios"] == [{"scenario": "one.yaml", "parameters_base64": "e30="}]


def test_telemetry_that_does_not_fit_for_another_reason_is_kept_as_it_was() -> None:
    kept: list[Document] = []
    with SearchServer() as server:
        server.judge = lambda _, body: (400, "limit of total fields [1000] has been exceeded")
        done = sent_to(server, [telemetry({"a": 1})], kept)
    assert done.refused == 1
    assert kept == [telemetry({"a": 1})]


def test_a_request_that_is_too_large_is_halved_until_it_fits() -> None:
    kept: list[Document] = []
    with SearchServer() as server:
        server.most_bytes = 200
        huge = Document(index="metrics", id="huge", body={"text": "x" * 500})
        done = sent_to(server, [*documents(9), huge], kept)
        assert len(server.stored["metrics"]) == 9
    assert (done.stored, done.refused) == (9, 1)
    assert kept == [huge]


def test_an_interruption_ends_the_waiting_and_keeps_the_rest() -> None:
    kept: list[Document] = []
    asked: list[int] = []
    with SearchServer() as server:
        server.script = [503] * 99
        stop = lambda: bool(asked.append(1)) or len(asked) > 4  # noqa: E731 - after the probe and the first attempt
        done = sent_to(server, documents(5), kept, stop=stop, patience=Patience(attempts=50, first_wait=600.0, longest_wait=600.0))
    assert (done.unsent, done.problem) == (5, "it was interrupted")


def test_no_message_holds_a_password() -> None:
    with SearchServer(user="chaos:right") as server:
        hidden = server.url.replace("//", "//chaos:hunter2@")
        done = sent_to(server, documents(1), [], url=hidden)
        accepted = sent_to(server, documents(1), [], url=server.url.replace("//", "//chaos:right@"))
    gone = sent_to(server, documents(1), [], url=hidden)
    assert "hunter2" not in repr(done) + repr(gone)
    assert ("401" in done.problem, "Connection refused" in gone.problem) == (True, True)
    assert accepted.stored == 1


def test_a_server_without_that_path_is_not_asked_again() -> None:
    with SearchServer() as server:
        server.script = [404]
        done = sent_to(server, documents(1), [])
        assert done.problem.endswith("correct elastic.elastic_url")


def test_chunks_are_bounded_in_documents_and_in_bytes() -> None:
    size = len(documents(1)[0].lines)
    assert [len(chunk) for chunk in chunks(documents(7), most=3)] == [3, 3, 1]
    assert [len(chunk) for chunk in chunks(documents(7), most_bytes=2 * size)] == [2, 2, 2, 1]
    assert [len(chunk) for chunk in chunks(documents(2), most_bytes=1)] == [1, 1]
    assert list(chunks([])) == []


def test_chunks_made_ahead_are_the_same_and_a_failure_in_making_them_is_not_lost() -> None:
    assert list(ahead(chunks(documents(7), most=3))) == list(chunks(documents(7), most=3))
    assert list(ahead(chunks([]))) == []

    def breaking() -> Iterable[Document]:
        yield from documents(4)
        raise RuntimeError("the disk")

    taken: list[int] = []
    with pytest.raises(RuntimeError, match="the disk"):
        taken += (len(chunk) for chunk in ahead(chunks(breaking(), most=2)))
    assert taken == [2]
