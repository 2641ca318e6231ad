"""The injector's outer shell: reading its job, its last word, its exit code; what needs neither root nor a kernel's help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

DIRECTORY = Path(__file__).parents[3] / "containers" / "injector"
sys.path.insert(0, str(DIRECTORY))

import injection  # noqa: E402
import injector  # noqa: E402

HEAD = {
    "schema": 1, "run": "0badcafe", "lease_seconds": 3, "serial": False, "stream": False, "on_runner_loss": "finish", "cleanup": "clean up",
    "programs": [],
}
STATUSES = ["passed", "interrupted", "refused", "lapsed", "not-in-effect", "not-applied"]


def item(key: str, netns: str, **changes: Any) -> dict[str, Any]:
    parts = {
        "key": key, "kind": "pod", "find": {"netns": netns, "host_netns": "/proc/self/ns/net"}, "device": "eth0", "direction": "egress",
        "programs": [], "hold_seconds": 1, "deadline": time.time() + 30, "not_before": None, "latest_start": None,
    }
    return {**parts, **changes}


ABSENT, HOST = "/proc/self/ns/no-such", "/proc/self/ns/net"


def ran(job: Any, tmp_path: Path, **environment: str) -> tuple[int, list[dict[str, Any]], str, str]:
    """(exit status, events, stderr, last word) of the real program."""
    word = tmp_path / "last-word"
    environment = {"SQUALL_JOB": job if isinstance(job, str) else json.dumps(job), "SQUALL_TERMINATION_LOG": str(word), **environment}
    done = subprocess.run(
        [sys.executable, str(DIRECTORY / "injector.py")], env={"PATH": os.environ["PATH"], **environment}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=30,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, events, done.stderr, word.read_text(encoding="utf-8") if word.exists() else ""


@pytest.mark.parametrize(("items", "code"), [
    ([item("a", ABSENT)], 13),
    ([item("a", HOST)], 14),
    ([item("a", ABSENT), item("b", HOST)], 14),
    ([item("a", HOST), item("b", ABSENT)], 14),
])
def test_a_target_that_cannot_be_entered(items: list[dict[str, Any]], code: int, tmp_path: Path) -> None:
    status, events, error, word = ran({**HEAD, "injections": items}, tmp_path)
    assert (status, error) == (code, "")
    assert sorted(event["target"] for event in events) == sorted(one["key"] for one in items)
    assert {event["event"] for event in events} == {"finished"}
    assert all(abs(event["time"] - time.time()) < 30 for event in events)
    letters = {ABSENT: "n", HOST: "r"}
    assert word.splitlines()[0] == "".join(letters[one["find"]["netns"]] for one in items)


def test_the_reasons_are_told(tmp_path: Path) -> None:
    _, events, _, word = ran({**HEAD, "serial": True, "injections": [item("a", ABSENT), item("b", HOST)]}, tmp_path)
    assert [(event["target"], event["status"]) for event in events] == [("a", "not-applied"), ("b", "refused")]
    assert events[0]["reason"].startswith("no network namespace: ")
    assert "hostNetwork" in events[1]["reason"]
    assert word.splitlines()[1:] == [f"{event['target']}: {event['status']}: {event['reason']}" for event in events]


@pytest.mark.parametrize(("job", "error"), [
    ("no json", "SQUALL_JOB: JSONDecodeError: "),
    ("[]", "SQUALL_JOB: WrongJob: schema None is not 1, the only one this injector speaks"),
    ('{"schema": 2}', "SQUALL_JOB: WrongJob: schema 2 is not 1"),
    ('{"schema": 1}', "SQUALL_JOB: WrongJob: job: {'schema': 1} is not a mapping with cleanup, injections, "),
    ("@/no/such/file", "SQUALL_JOB: FileNotFoundError: "),
    ({**HEAD, "injections": [{}]}, "SQUALL_JOB: WrongJob: job.injections[0]: {} is not a mapping with deadline, "),
    ({**HEAD, "injections": 5}, "SQUALL_JOB: WrongJob: job.injections: 5 is not a list"),
    ({**HEAD, "lease_seconds": "soon", "injections": []}, "SQUALL_JOB: WrongJob: job.lease_seconds: 'soon' is not a number"),
])
def test_a_job_that_cannot_be_read(job: Any, error: str, tmp_path: Path) -> None:
    status, events, said, word = ran(job, tmp_path)
    assert (status, events, word) == (70, [], "")
    assert said.startswith(error)
    assert "Traceback" not in said


def test_a_job_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({**HEAD, "injections": [item("a", ABSENT)]}), encoding="utf-8")
    assert ran(f"@{tmp_path / 'job.json'}", tmp_path)[0] == 13


def test_nowhere_to_leave_a_last_word_is_no_reason_to_fail(tmp_path: Path) -> None:
    job = {**HEAD, "injections": [item("a", ABSENT)]}
    assert ran(job, tmp_path, SQUALL_TERMINATION_LOG=str(tmp_path / "no" / "such"))[0] == 13


def ended(status: str, code: int, reason: str = "", left: tuple[str, ...] = (), *, met: bool = True) -> Any:
    return SimpleNamespace(key=f"pod/shop/{status}/egress", status=status, code=code, reason=reason, left=list(left), met=met)


def told(targets: list[Any], folder: Path) -> str:
    injector.last_word(targets, str(folder / "word"))
    return (folder / "word").read_text(encoding="utf-8")


def test_the_last_word_has_a_letter_for_each_and_reasons_for_the_failed(tmp_path: Path) -> None:
    targets = [ended("passed", 0, "never told"), ended("lapsed", 11, "too late"), ended("passed", 12, "", ("ip link del dev sq1", "more"))]
    assert told(targets, tmp_path) == (
        "plp\npod/shop/lapsed/egress: lapsed: too late\npod/shop/passed/egress: passed: residue: ip link del dev sq1; more"
    )


def test_the_last_word_tells_whether_the_fault_met_traffic(tmp_path: Path) -> None:
    targets = [ended("passed", 0), ended("passed", 0, met=False), ended("interrupted", 0, met=False), ended("not-in-effect", 11, met=False)]
    assert told(targets, tmp_path).splitlines()[0] == "ptie"


def test_a_reason_of_many_lines_is_one_line_of_the_last_word(tmp_path: Path) -> None:
    targets = [ended("not-applied", 70, "Traceback:\n  File x\n    y\n"), ended("refused", 14, "no")]
    assert told(targets, tmp_path).splitlines()[1:] == [
        "pod/shop/not-applied/egress: not-applied: Traceback: File x y", "pod/shop/refused/egress: refused: no",
    ]


def test_a_cut_last_word_still_names_every_failed_target_and_says_that_something_is_left(tmp_path: Path) -> None:
    targets = [ended("not-in-effect", 11, "→" * 1000) for _ in range(29)] + [ended("passed", 12, "", ("nft delete table " * 100,))]
    text = told(targets, tmp_path)
    assert len(text.encode()) <= 4096
    assert text.endswith("\n(cut)\n")
    lines = text.splitlines()[1:-1]
    assert [line.split(": ")[0] for line in lines] == [one.key for one in targets]
    assert lines[-1].startswith("pod/shop/passed/egress: passed: residue: nft delete table ")


@pytest.mark.parametrize("count", [1, 30, 39, 40, 50, 4000, 5000])
def test_the_last_word_is_never_longer_than_it_may_be_and_says_when_it_is_cut(count: int, tmp_path: Path) -> None:
    targets = [ended("not-applied", 10, "→" * 20) for _ in range(count)]
    injector.last_word(targets, str(tmp_path / "word"))
    text = (tmp_path / "word").read_bytes()
    assert len(text) <= 4096
    assert text.startswith(b"n" * min(count, 4088))
    assert text.endswith(b"\n(cut)\n") is (count > 39)


def test_every_status_has_a_letter_of_its_own_and_an_exit_code() -> None:
    assert sorted(injector.LETTERS) == sorted(STATUSES) == sorted(injection.EXIT)
    assert len(set(injector.LETTERS.values())) == len(STATUSES)


def test_the_exit_code_is_the_worst() -> None:
    assert (injector.WORST_LAST[0], injector.WORST_LAST[-1]) == (0, 12)
    assert sorted(injector.WORST_LAST) == [0, 10, 11, 12, 13, 14, 70]
    for better, worse in pairwise(injector.WORST_LAST):
        assert max((worse, better), key=injector.WORST_LAST.index) == worse


def test_the_stream() -> None:
    outside = injection.Outside({"lease_seconds": 10, "stream": True, "on_runner_loss": "stop"})
    assert (outside.started.is_set(), outside.pause(0)) == (False, False)
    outside.stop("because")
    outside.stop("another reason")
    assert (outside.started.is_set(), outside.why, outside.pause(60)) == (True, "because", True)


@pytest.mark.parametrize(("stream", "loss", "stopped"), [(True, "stop", True), (True, "finish", False), (False, "stop", False)])
def test_a_silent_runner_is_lost_after_one_lease_where_that_matters(stream: bool, loss: str, stopped: bool) -> None:
    outside = injection.Outside({"lease_seconds": 10, "stream": stream, "on_runner_loss": loss})
    outside.last_beat = time.monotonic() - 9
    assert outside.pause(0) is False
    outside.last_beat = time.monotonic() - 11
    assert outside.pause(0) is stopped


def test_words_of_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = injection.Outside({"lease_seconds": 10, "stream": True, "on_runner_loss": "stop"})
    outside.last_beat = 0.0
    monkeypatch.setattr(sys, "stdin", iter(["beat\n", "start\n"]))
    outside.listen()
    assert (outside.started.is_set(), outside.stopped.is_set(), outside.last_beat > 0) == (True, False, True)
    monkeypatch.setattr(sys, "stdin", iter(["stop\n"]))
    outside.listen()
    assert (outside.stopped.is_set(), outside.why) == (True, "stopped by the runner")


def test_all_targets_of_a_node_are_waited_for_but_not_for_ever() -> None:
    countdown = injection.Countdown(2)
    countdown.arrive()
    countdown.wait(0)
    assert countdown.left == 1
    countdown.arrive()
    countdown.wait(600)
    assert countdown.left == 0


def waiting(**job: Any) -> injection.Outside:
    return injection.Outside({"lease_seconds": 10, "stream": False, "on_runner_loss": "finish", **job})


def test_without_a_stream_and_a_time_the_start_is_now() -> None:
    assert waiting().wait_for_start(None, time.time() + 60) is True


def test_nothing_starts_after_its_latest_start() -> None:
    """Whatever was said meanwhile."""
    past = time.time() - 1
    outside = waiting(stream=True)
    outside.started.set()
    assert outside.wait_for_start(None, past) is False
    assert waiting().wait_for_start(None, past) is False
    assert waiting().wait_for_start(past - 1, past) is False


def test_a_stream_that_never_says_start_starts_nothing() -> None:
    assert waiting(stream=True).wait_for_start(None, time.time() + 0.02) is False


def test_a_start_at_an_agreed_time_is_not_before_it() -> None:
    moment = time.time() + 0.05
    assert waiting(stream=True).wait_for_start(moment, moment + 60) is True
    assert time.time() >= moment
    assert waiting(stream=True).wait_for_start(moment, moment + 60) is True, "late, and still before the latest start"


@pytest.mark.parametrize("word", ["start", "stop"])
@pytest.mark.parametrize("not_before", [None, 4e9])
def test_a_word_of_the_stream_ends_the_wait(word: str, not_before: float | None) -> None:
    outside = waiting(stream=True)
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(outside.wait_for_start(not_before, time.time() + (5 if word == "stop" else 0.3))))
    thread.start()
    outside.stop("because") if word == "stop" else outside.started.set()
    thread.join(10)
    assert told == [word == "start" and not_before is None]


def test_a_runner_that_is_lost_before_the_start_ends_the_wait() -> None:
    outside = waiting(stream=True, on_runner_loss="stop", lease_seconds=0.01)
    assert outside.wait_for_start(None, time.time() + 60) is False
    assert "the runner is lost" in outside.why
