"""What an injector says, folded into facts about one target."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import counters

from chaos_modules.verdict.facts import TargetFacts


def facts(*events: dict[str, Any]) -> TargetFacts:
    found = TargetFacts()
    for event in events:
        found.add(event)
    return found


def armed(at: float = 100.0, **numbers: Any) -> dict[str, Any]:
    return {"event": "armed", "time": at, "counters": counters(0, **numbers)}


def holding(at: float, event: str = "holding", **numbers: Any) -> dict[str, Any]:
    return {"event": event, "time": at + 0.5, "at": at, "counters": counters(numbers.pop("matched", 0), **numbers)}


def test_a_whole_life() -> None:
    found = facts(
        {"event": "rehearsed", "rehearsed": "proven"},
        {"event": "applied", "engine": "tbf", "device": "eth0", "fidelity": "x", "rejected": ["a: b"], "addresses": {"h": ["10.0.0.1"]}},
        {"event": "armed", "time": 100.0, "counters": counters(7, 1)},
        holding(102.0, matched=57, dropped=5),
        holding(104.0, "measured", matched=107, dropped=21),
        {"event": "reverted", "left": []},
        {"event": "finished", "status": "passed", "reason": ""},
    )
    assert (found.engine, found.device, found.fidelity, found.rejected) == ("tbf", "eth0", "x", ("a: b",))
    assert (found.armed, found.ended, found.left, found.status, found.rehearsed) == (100.0, 104.0, (), "passed", "proven")
    assert found.addresses == {"h": ["10.0.0.1"]}
    assert (found.packets("matched"), found.packets("dropped"), found.packets("absent")) == (100, 20, 0)


@pytest.mark.parametrize("event", ["planned", "left", "packets", "difference"])
def test_unknown_events_change_nothing(event: str) -> None:
    assert facts({"event": event, "time": 1.0}) == TargetFacts()


def test_no_samples_are_no_packets() -> None:
    found = facts()
    assert (found.packets("matched"), found.through_queue(), found.saturated()) == (0, (0, 0.0, 0), (0, 0.0, 0))


def test_an_older_injector_that_tells_less_is_understood() -> None:
    found = facts({"event": "rehearsed"}, {"event": "applied", "engine": "nft-drop", "device": "eth0"})
    assert (found.rehearsed, found.engine, found.fidelity, found.rejected, found.addresses) == ("", "nft-drop", "", (), {})


def test_the_longest_time_with_a_queue_is_the_one_that_counts() -> None:
    found = facts(
        armed(100.0, backlog=0),
        holding(102.0, bytes=1000, packets=10, backlog=5), holding(104.0, bytes=3000, packets=30, backlog=5),
        holding(106.0, bytes=9000, packets=90, backlog=0),
        holding(108.0, bytes=10000, packets=100, backlog=9), holding(110.0, bytes=12000, packets=120, backlog=9),
        holding(112.0, "measured", bytes=14500, packets=144, backlog=9),
    )
    assert found.saturated() == (4500, 4.0, 44)
    assert found.through_queue() == (14500, 12.0, 144)


def test_one_look_at_a_queue_is_no_time() -> None:
    found = facts(armed(100.0, backlog=0), holding(102.0, bytes=1000, packets=10, backlog=5), holding(104.0, bytes=1000, packets=10, backlog=0))
    assert found.saturated() == (0, 0.0, 0)


@pytest.mark.parametrize(("matched", "queue", "expected"), [
    (1000, {"packets": 800, "drops": 200, "qlen": 0}, (200, 0)),
    (1000, {"packets": 1500, "drops": 0, "qlen": 0}, (0, 500)),
    (1000, {"packets": 900, "drops": 0, "qlen": 100}, (0, 0)),       # waiting is neither lost nor copied
    (1000, {"packets": 1000, "drops": 200, "qlen": 50}, (200, 250)),
    (1000, {"packets": 990, "drops": 0, "qlen": 0}, (0, 0)),         # read while some were on their way
    (0, {"packets": 0, "drops": 0, "qlen": 0}, (0, 0)),
])
def test_what_a_netem_lost_and_copied(matched: int, queue: dict[str, int], expected: tuple[int, int]) -> None:
    found = facts(armed(100.0, packets=7, drops=3, qlen=0), holding(130.0, "measured", matched=matched, **{
        "packets": queue["packets"] + 7, "drops": queue["drops"] + 3, "qlen": queue["qlen"],
    }))
    assert found.netem() == expected


def test_without_a_queue_a_netem_did_nothing() -> None:
    assert facts().netem() == (0, 0)
    assert facts(armed(100.0), holding(130.0, matched=0)).netem() == (0, 0)


@pytest.mark.parametrize(("reason", "left"), [
    ("", ()), ("device eth9 is not there", ()), ("residue: nft delete table x; tc qdisc del y", ("nft delete table x; tc qdisc del y",)),
    ("it was told to end; residue: nft delete table x", ("nft delete table x",)), ("residue", ()),
])
def test_a_last_word_tells_the_status_and_what_is_left(reason: str, left: tuple[str, ...]) -> None:
    found = facts({"event": "last-word", "time": 1.0, "status": "lapsed", "reason": reason})
    assert (found.told, found.reason, found.left, found.status) == ("lapsed", reason, left, "")
