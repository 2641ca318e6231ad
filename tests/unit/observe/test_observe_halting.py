"""When `halt_on` ends the faults, and when it does not."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest
from answering import Answering, vector

from chaos_modules.model.observation import Series
from chaos_modules.model.probe import Connection, HaltOn
from chaos_modules.observe.halting import Halting, told
from chaos_modules.observe.prometheus import Prometheus

ENOUGH = 12


class Watch:
    """Halting against a server with planned answers; `asked_enough` is set when the last of them was given."""

    def __init__(self, answers: Iterable[Any], **rule: Any) -> None:
        self._answers: Iterator[Any] = iter(answers)
        self.rule = HaltOn(query="errors > 0", interval_seconds=0.001, **rule)
        self.told: list[str] = []
        self.over = threading.Event()
        self.given = 0

    def answer(self, _: dict[str, str]) -> Any:
        self.given += 1
        if self.given > ENOUGH:
            self.over.set()
        return next(self._answers)

    def run(self) -> Halting:
        def tell(_: HaltOn, reason: str) -> None:
            self.told.append(reason)
            self.over.set()

        with Answering(self.answer) as server, Prometheus(Connection(url=server.url)) as prometheus:
            with Halting(prometheus, [self.rule], tell, threading.Event()) as halting:
                assert self.over.wait(20)
            return halting


@pytest.mark.parametrize("answers", [
    repeat([]), repeat(vector(0, 0)), repeat(vector("NaN")), repeat(400), repeat([100.0, "0"]),
], ids=["nothing", "zero", "nan", "problem", "scalar zero"])  # fmt: skip
def test_it_does_not_halt_on(answers: Iterable[Any]) -> None:
    watch = Watch(answers)
    halting = watch.run()
    assert (halting.reason, watch.told) == ("", [])


@pytest.mark.parametrize("answer", [vector(0, 3), vector(-1), vector("+Inf"), [100.0, "1"]])
def test_it_halts_on_a_value_that_is_not_zero_and_asks_no_more(answer: Any) -> None:
    watch = Watch(chain([[]], repeat(answer)))
    halting = watch.run()
    assert watch.told == [halting.reason]
    assert watch.given == 2
    assert halting.reason.endswith("at 1970-01-01T00:01:40Z")


def test_seconds_on_end_begin_anew_when_it_stops_holding() -> None:
    halting = Watch((answer for _ in range(1000) for answer in (vector(1), [])), for_seconds=1e-6).run()
    assert halting.reason == ""


def test_seconds_on_end_go_on_over_a_problem_and_end_in_a_halt() -> None:
    watch = Watch(chain([vector(1), 400, 422], repeat(vector(1))), for_seconds=0.005)
    halting = watch.run()
    assert halting.reason.startswith("errors > 0 is 1 for n=0, for 0.005 s at ")
    assert [one.partition(": it answers ")[2] for one in halting.problems] == ["400: bad_data: no", "422: bad_data: no"][: len(halting.problems)]


def test_a_problem_alone_never_completes_the_seconds() -> None:
    halting = Watch(chain([vector(1)], repeat(400)), for_seconds=0.0001).run()
    assert halting.reason == ""
    assert len(halting.problems) == 1
    assert halting.unanswered == ()


def test_a_rule_that_never_had_an_answer_is_named() -> None:
    watch = Watch(repeat(400))
    assert watch.run().unanswered == (watch.rule,)


def test_no_rules_are_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    with Prometheus(Connection(url="http://127.0.0.1:1")) as prometheus, Halting(prometheus, [], lambda *_: None, threading.Event()) as halting:
        assert not [one for one in threading.enumerate() if one.name == "halt-on"]
    assert (halting.reason, halting.problems, halting.unanswered) == ("", (), ())


def test_the_reason_tells_what_where_and_when() -> None:
    rule = HaltOn(query="rate(errors[10s]) > 0.2", description="too many errors")
    hits = [Series(labels=(("job", "shop"), ("pod", "a")), points=((1e9, 0.25),)), Series(labels=(), points=((1e9, 1.0),))]
    assert told(rule, hits) == "too many errors: rate(errors[10s]) > 0.2 is 0.25 for job=shop, pod=a and of 1 more series at 2001-09-09T01:46:40Z"
