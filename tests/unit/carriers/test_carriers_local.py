"""The injector as a process of this machine: a small program in its place says what a test wants it to."""

from __future__ import annotations

import json
import logging
import queue
import stat
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos_modules.carriers import local
from chaos_modules.carriers.local import LocalCarrier, LocalLauncher
from chaos_modules.carriers.protocol import Said
from chaos_modules.model.errors import ClusterProblem

SMALL = {"schema": 1, "run": "r", "injections": []}


class Launched:
    """A process of one test and what was heard of it."""

    def __init__(self, carrier: LocalCarrier, heard: queue.Queue[Said]) -> None:
        self.carrier, self.heard = carrier, heard

    def next(self) -> Said:
        return self.heard.get(timeout=10)

    def rest(self) -> list[Said]:
        """Everything up to its end."""
        found = [self.next()]
        while found[-1].event is not None:
            found.append(self.next())
        return found


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Launched]]:
    """Start a program as the injector of node `n1`; all of them are ended with the test."""
    started: list[LocalCarrier] = []

    def start(program: str, job: Any = None) -> Launched:
        script = tmp_path / "injector.py"
        script.write_text("import json, os, signal, sys\n" + textwrap.dedent(program), encoding="utf-8")
        monkeypatch.setattr(local, "INJECTOR", script)
        heard: queue.Queue[Said] = queue.Queue()
        started.append(LocalLauncher().launch("n1", job or SMALL, heard.put))
        return Launched(started[-1], heard)

    yield start
    for carrier in started:
        carrier.end()


def test_events_arrive_in_order_and_the_end_is_the_last_of_them(launch: Callable[..., Launched]) -> None:
    launched = launch('print(json.dumps({"event": "a", "n": 1})); print(json.dumps({"event": "b", "n": os.getpid()}))')
    assert launched.carrier.node == "n1"
    assert launched.rest() == [
        Said(node="n1", event={"event": "a", "n": 1}), Said(node="n1", event={"event": "b", "n": launched.carrier.pid}),
        Said(node="n1", event=None, ended="exit status 0"),
    ]


def test_the_job_arrives_whole_and_the_termination_message_goes_nowhere(launch: Callable[..., Launched]) -> None:
    launched = launch('print(json.dumps({"event": "e", "job": os.environ["SQUALL_JOB"], "log": os.environ["SQUALL_TERMINATION_LOG"]}))')
    event = launched.next().event
    assert event is not None
    assert (json.loads(event["job"]), event["log"]) == (SMALL, "/dev/null")


@pytest.mark.parametrize("line", ["Segmentation fault", "5", "null", "[]", '"text"', "{}", '{"event": 5}', r"\xff\xfe"])
def test_garbage_among_the_events_is_logged_and_ends_nothing(
    launch: Callable[..., Launched], caplog: pytest.LogCaptureFixture, line: str
) -> None:
    caplog.set_level(logging.WARNING, logger="chaos_modules")
    launched = launch(f"""
        sys.stdout.buffer.write(b'{line}' + b"\\n"); sys.stdout.flush()
        print(json.dumps({{"event": "after"}}))
    """)
    assert [said.event for said in launched.rest()] == [{"event": "after"}, None]
    assert "injector of n1 said: " in caplog.text


def test_its_complaint_comes_with_the_end(launch: Callable[..., Launched], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="chaos_modules")
    launched = launch('print("no tc here", file=sys.stderr); sys.exit(70)')
    assert launched.next() == Said(node="n1", event=None, ended="exit status 70: no tc here")
    assert "injector of n1 complained: no tc here" in caplog.text


def test_a_killed_one_is_named_by_its_signal(launch: Callable[..., Launched]) -> None:
    assert launch("os.kill(os.getpid(), signal.SIGKILL)").next().ended == "killed by SIGKILL"


def test_words_reach_it(launch: Callable[..., Launched]) -> None:
    launched = launch("""
        for line in sys.stdin:
            print(json.dumps({"event": line.strip()}), flush=True)
            if line == "stop\\n":
                break
    """)
    for word in ("start", "beat", "stop"):
        launched.carrier.say(word)
    assert [said.event and said.event["event"] for said in launched.rest()] == ["start", "beat", "stop", None]
    launched.carrier.say("beat")  # it has gone: nothing happens
    launched.carrier.end()


def test_the_end_comes_by_sigterm(launch: Callable[..., Launched]) -> None:
    launched = launch("""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        print(json.dumps({"event": "ready"}), flush=True)
        signal.pause()
    """)
    assert launched.next().event == {"event": "ready"}
    launched.carrier.end()
    assert launched.next().ended == "exit status 3"


def test_it_lives_in_a_session_of_its_own(launch: Callable[..., Launched]) -> None:
    event = launch('print(json.dumps({"event": "e", "leader": os.getsid(0) == os.getpid()}))').next().event
    assert event is not None
    assert event["leader"] is True


def test_a_large_job_travels_in_a_private_file_that_is_removed(launch: Callable[..., Launched]) -> None:
    job = {**SMALL, "padding": "x" * 200_000}
    launched = launch("""
        name = os.environ["SQUALL_JOB"]
        path = name[1:]
        facts = {"event": "e", "name": name, "mode": os.stat(path).st_mode, "length": len(json.load(open(path))["padding"])}
        print(json.dumps(facts))
    """, job)
    event = launched.next().event
    assert event is not None
    assert (event["name"][0], stat.S_IMODE(event["mode"]), event["length"]) == ("@", 0o600, 200_000)
    assert launched.next().ended == "exit status 0"
    assert not Path(event["name"][1:]).exists()


def test_no_injector_is_a_problem_of_the_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "INJECTOR", tmp_path / "absent.py")
    with pytest.raises(ClusterProblem, match="the injector is not there"):
        LocalLauncher().launch("n1", SMALL, lambda said: None)


def test_the_shipped_injector_is_where_it_is_looked_for() -> None:
    assert local.INJECTOR.is_file()
