"""Sampling: the schedule, the end, and that a thread which dies is not silent."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.model.observation import Sample
from chaos_modules.model.probe import CommandProbe, Probe
from chaos_modules.observe.repeating import Repeating, next_slot
from chaos_modules.observe.sampling import Sampler


def probe(**other: Any) -> Probe:
    return Probe(name="storefront", what=CommandProbe(argv=("true",)), **{"interval_seconds": 0.01, "timeout_seconds": 1.0, **other})


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


class Told:
    """What was emitted."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, event: str, target: str, **facts: Any) -> None:
        self.events.append((event, target, facts))


def test_it_asks_again_and_again_and_tells_every_sample() -> None:
    told, numbers = Told(), itertools.count()
    sampler = Sampler(probe(), lambda: Sample(time=float(next(numbers)), good=None, detail="why"), told)
    sampler.start()
    until(lambda: len(sampler.samples) >= 3)
    sampler.stop()
    assert [sample.time for sample in sampler.samples] == [float(number) for number in range(len(sampler.samples))]
    assert told.events == [("sample", "storefront", {"time": one.time, "good": None, "seconds": None, "detail": "why"}) for one in sampler.samples]
    assert sampler.problems == ()


@pytest.mark.parametrize(("good", "counted"), [(False, 4), (True, 1), (None, 1)])
def test_an_outage_counts_for_as_long_as_it_was(monkeypatch: pytest.MonkeyPatch, good: bool | None, counted: int) -> None:
    """One look that waits 3 s in vain keeps two or three others from being made; one that is answered late keeps none from being good."""
    clock, told = iter((10.0, 13.2)), Told()
    monkeypatch.setattr("chaos_modules.observe.sampling.time.monotonic", lambda: next(clock))
    sampler = Sampler(probe(interval_seconds=1.0), lambda: Sample(time=100.0, good=good), told)
    sampler._look()
    assert [sample.time for sample in sampler.samples] == [100.0, 101.0, 102.0, 103.0][:counted]
    assert {sample.good for sample in sampler.samples} == {good}
    assert [facts["time"] for _, _, facts in told.events] == [sample.time for sample in sampler.samples]


def test_after_the_end_nothing_is_asked() -> None:
    sampler = Sampler(probe(), lambda: Sample(time=time.time(), good=True), Told())
    sampler.start()
    until(lambda: sampler.samples)
    sampler.stop()
    before = len(sampler.samples)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("squall probe storefront")])
    assert len(sampler.samples) == before


def test_the_answer_that_is_pending_at_the_end_counts() -> None:
    asked, answered = threading.Event(), threading.Event()

    def ask() -> Sample:
        asked.set()
        answered.wait(10)
        return Sample(time=1.0, good=False)

    sampler = Sampler(probe(timeout_seconds=10.0), ask, Told())
    sampler.start()
    assert asked.wait(10)
    sampler.end()
    answered.set()
    sampler.stop()
    assert [sample.good for sample in sampler.samples] == [False]


def test_the_end_comes_between_two_looks_however_long_the_interval() -> None:
    sampler = Sampler(probe(interval_seconds=3600.0), lambda: Sample(time=0.0, good=True), Told())
    sampler.start()
    until(lambda: sampler.samples)
    sampler.stop()
    assert sampler.problems == ()


def test_an_answer_beyond_every_limit_is_given_up_and_told() -> None:
    over = threading.Event()
    thread = Repeating("probe slow", 0.01, -0.9, lambda: over.wait(20) and None)
    thread.start()
    thread.stop()
    assert thread.problem == "probe slow: a look did not end 0.1 s after it should have"
    over.set()


def test_an_error_that_nobody_expected_is_told_and_no_traceback_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def ask() -> Sample:
        raise KeyError("url")

    sampler = Sampler(probe(), ask, Told())
    sampler.start()
    until(lambda: sampler.problems)
    sampler.stop()
    assert sampler.problems == ("probe storefront: nothing more was looked at after an error in Squall itself: KeyError: 'url'",)
    assert sampler.samples == ()
    assert "Traceback" not in capfd.readouterr().err


@given(st.floats(0, 1e6), st.floats(0.05, 100), st.floats(0, 1e4))
def test_the_next_slot_is_on_the_schedule_and_the_nearest_one_ahead(begun: float, interval: float, passed: float) -> None:
    now = begun + passed
    slot = next_slot(begun, interval, now)
    assert now - 1e-6 <= slot <= now + interval + 1e-6
    steps = (slot - begun) / interval
    assert steps == pytest.approx(round(steps), abs=1e-4)


def test_what_was_missed_is_skipped_and_the_schedule_does_not_shift() -> None:
    assert [next_slot(10.0, 1.0, now) for now in (10.0, 10.2, 13.7, 14.0)] == [11.0, 11.0, 14.0, 15.0]
