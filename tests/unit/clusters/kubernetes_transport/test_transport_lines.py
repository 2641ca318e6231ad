"""A pod's log, line by line, as it comes; and a container's standard input."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
import time
from contextlib import closing
from typing import Any

import pytest
from scripted_server import Answer, Exchange, ScriptedServer

from chaos_modules.clusters.kubernetes.api import ApiProblem
from chaos_modules.clusters.kubernetes.transport_api import KubernetesApi

LOG = "/api/v1/namespaces/shop/pods/a/log"
ATTACH = "/api/v1/namespaces/shop/pods/a/attach"


def text(*chunks: bytes, then: Answer = Exchange.end) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        for chunk in chunks:
            exchange.chunk(chunk)
        then(exchange)

    return answer


def read(api: KubernetesApi) -> list[str]:
    return [line for line in api.lines(LOG, (("follow", "true"),), lambda: False) if line is not None]


def test_lines_are_whole_however_they_come(server: ScriptedServer, api: KubernetesApi) -> None:
    long = "x" * 300_000
    server.will(text(b"one\ntw", b"o\n", "schö".encode()[:-1], "ö".encode()[1:] + b"n\n\n", long.encode() + b"\n", b"bad \xff\n", b"the end"))
    assert read(api) == ["one", "two", "schön", "", long, "bad �", "the end"]
    assert server.asked == [f"GET {LOG}?follow=true"]


@pytest.mark.parametrize("breaks", [Exchange.cut, Exchange.reset, Exchange.fall_silent])
def test_a_log_that_breaks_off_is_a_problem(server: ScriptedServer, api: KubernetesApi, breaks: Answer) -> None:
    api.SILENT_SECONDS = 0.3
    server.will(text(b"one\n", b"two\n", then=breaks))
    got: list[Any] = []
    with pytest.raises(ApiProblem):
        for line in api.lines(LOG, (), lambda: False):
            got.append(line)
    assert [line for line in got if line] == ["one", "two"]


def test_a_chunk_that_breaks_off_is_a_problem(server: ScriptedServer, api: KubernetesApi) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        exchange.wfile.write(b"ff\r\nonly this\n")
        exchange.cut()

    server.will(answer)
    with pytest.raises(ApiProblem, match="it broke off"):
        read(api)


def test_a_log_that_is_not_there(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(lambda exchange: exchange.status(400, 'container "injector" in pod "a" is waiting to start: ContainerCreating', "BadRequest"))
    with pytest.raises(ApiProblem, match="is waiting to start: ContainerCreating") as caught:
        read(api)
    assert caught.value.status == 400


def test_before_it_begins_a_log_is_asked_for_again(server: ScriptedServer, api: KubernetesApi) -> None:
    api.SILENT_SECONDS = 0.2
    server.will(lambda exchange: exchange.status(503, "starting"), Exchange.reset, Exchange.fall_silent, text(b"one\n"))
    assert read(api) == ["one"]
    assert len(server.asked) == 4


def test_while_nothing_comes_the_reader_looks_up(server: ScriptedServer, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos_modules.clusters.kubernetes.transport_feed.TICK_SECONDS", 0.05)
    server.will(text(b"one\n", then=Exchange.fall_silent))
    got: list[str | None] = []
    for line in api.lines(LOG, (), lambda: got.count(None) == 3):
        got.append(line)
    assert [line for line in got if line] == ["one"]


class Frames:
    """The server's end of a websocket."""

    def __init__(self, exchange: Exchange) -> None:
        accept = base64.b64encode(hashlib.sha1(f"{exchange.headers['Sec-WebSocket-Key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
        self.offered = exchange.headers["Sec-WebSocket-Protocol"]
        self.exchange = exchange
        exchange.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept.decode()),
                            ("Sec-WebSocket-Protocol", "v5.channel.k8s.io")):  # fmt: skip
            exchange.send_header(name, value)
        exchange.end_headers()
        exchange.close_connection = True

    def send(self, data: bytes, kind: int = 2) -> None:
        self.exchange.wfile.write(bytes([0x80 | kind, len(data)]) + data)

    def receive(self) -> bytes:
        first = self.exchange.rfile.read(2)
        if len(first) < 2:
            return b""
        length = first[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.exchange.rfile.read(2))
        mask = self.exchange.rfile.read(4)
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.exchange.rfile.read(length)))


def test_words_reach_the_standard_input(server: ScriptedServer, api: KubernetesApi) -> None:
    heard: list[Any] = []
    done = threading.Event()

    def answer(exchange: Exchange) -> None:
        frames = Frames(exchange)
        heard.extend([frames.offered, exchange.headers["Authorization"]])
        frames.send(b"\x03")
        frames.send(b"ping", kind=9)
        while len({*heard[2:]}) < 3 and (frame := frames.receive()):
            heard.append(frame)
        done.set()

    server.will(answer)
    channel = api.attach(ATTACH, (("stdin", "true"),))
    channel.send("start\n")
    for _ in range(500):
        if done.wait(0.01):
            break
        channel.send("béat\n" * 50)
    channel.close()
    assert heard[:2] == ["v5.channel.k8s.io,v4.channel.k8s.io", "Bearer sesame"]
    assert {*heard[2:]} == {b"\x00start\n", b"\x00" + "béat\n".encode() * 50, b"ping"}
    assert server.asked == [f"GET {ATTACH}?stdin=true"]


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (lambda frames: frames.send(b"\x03" + json.dumps({"status": "Failure", "message": "the task is gone"}).encode()), "the task is gone"),
        (lambda frames: frames.send(b"\x03" + json.dumps({"status": "Success"}).encode()), "the container has ended"),
        (lambda frames: frames.send(struct.pack("!H", 1000), kind=8), "the server closed it|lost"),
        (lambda frames: None, "lost"),
        (lambda frames: frames.exchange.reset(), "lost"),
    ],
)
def test_a_lost_input_is_a_problem(server: ScriptedServer, api: KubernetesApi, ending: Any, said: str) -> None:
    server.will(lambda exchange: ending(Frames(exchange)))
    channel = api.attach(ATTACH, ())
    deadline = time.monotonic() + 5
    with closing(channel), pytest.raises(ApiProblem, match=said):
        while time.monotonic() < deadline:
            channel.send("beat\n")
            time.sleep(0.01)


def test_an_input_that_is_refused(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(lambda exchange: exchange.status(404, 'pods "a" not found', "NotFound"))
    with pytest.raises(ApiProblem, match='pods "a" not found') as caught:
        api.attach(ATTACH, ())
    assert (caught.value.status, caught.value.reason) == (404, "NotFound")


def test_an_input_is_asked_for_again_while_the_server_starts(server: ScriptedServer, api: KubernetesApi) -> None:
    server.will(lambda exchange: exchange.status(503, "starting"), Exchange.reset, lambda exchange: Frames(exchange).receive())
    channel = api.attach(ATTACH, ())
    channel.send("start\n")
    channel.close()
    assert len(server.asked) == 3
