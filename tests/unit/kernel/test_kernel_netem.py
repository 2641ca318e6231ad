"""netem as tc words: one line per option, the length of the delay line, and when nothing else will do."""

from __future__ import annotations

from typing import Any

import pytest
from compiled import BUCKET, chance, delay

from chaos_modules.kernel import netem
from chaos_modules.model.impairment import Distribution, GilbertElliott, Impairment, Reorder, StateLoss
from chaos_modules.model.quantities import Percentage


def percent(value: float) -> Percentage:
    return Percentage.parse(value)


@pytest.mark.parametrize(("parts", "words"), [
    ({"delay": delay("100ms")}, "limit 11000 delay 100000us"),
    ({"delay": delay("100ms", "10ms")}, "limit 15000 delay 100000us 10000us"),
    ({"delay": delay("100ms", "10ms", 25)}, "limit 15000 delay 100000us 10000us 25%"),
    ({"delay": delay("1ms", "1us", 25, distribution=Distribution.NORMAL)}, "limit 1100 delay 1000us 1us 25% distribution normal"),
    ({"delay": delay("1ms", "1us", distribution=Distribution.PARETO)}, "limit 1100 delay 1000us 1us distribution pareto"),
    ({"delay": delay("1ms", "1us", distribution=Distribution.PARETONORMAL)}, "limit 1100 delay 1000us 1us distribution paretonormal"),
    # tc refuses a distribution without a jitter, and a correlation would be read as the jitter.
    ({"delay": delay("1ms", "0", 25, distribution=Distribution.NORMAL)}, "limit 1100 delay 1000us"),
    ({"loss": chance(0.5)}, "limit 1000 loss random 0.5%"),
    ({"loss": chance(10, 25)}, "limit 1000 loss random 10% 25%"),
    ({"loss": GilbertElliott(p=percent(1), r=percent(9))}, "limit 1000 loss gemodel 1% 9% 100% 0%"),
    ({"loss": GilbertElliott(p=percent(1), r=percent(9), one_minus_h=percent(70), one_minus_k=percent(0.1))},
     "limit 1000 loss gemodel 1% 9% 70% 0.1%"),
    ({"loss": StateLoss(p13=percent(1), p31=percent(9))}, "limit 1000 loss state 1% 9% 0% 100% 0%"),
    ({"loss": StateLoss(p13=percent(1), p31=percent(2), p32=percent(3), p23=percent(4), p14=percent(5))},
     "limit 1000 loss state 1% 2% 3% 4% 5%"),
    ({"duplicate": chance(50)}, "limit 1000 duplicate 50%"),
    ({"duplicate": chance(50, 5)}, "limit 1000 duplicate 50% 5%"),
    ({"corrupt": chance(0.1)}, "limit 1000 corrupt 0.1%"),
    ({"corrupt": chance(2, 25)}, "limit 1000 corrupt 2% 25%"),
    ({"delay": delay("10ms"), "reorder": Reorder(chance=chance(25))}, "limit 2000 delay 10000us reorder 25%"),
    ({"delay": delay("10ms"), "reorder": Reorder(chance=chance(25, 50), gap=5)}, "limit 2000 delay 10000us reorder 25% 50% gap 5"),
    ({"delay": delay("10ms", "1ms"), "loss": chance(1, 2), "duplicate": chance(3, 4), "corrupt": chance(5), "reorder": Reorder(chance=chance(6))},
     "limit 2400 delay 10000us 1000us loss random 1% 2% duplicate 3% 4% corrupt 5% reorder 6%"),
    ({"delay": delay("10ms"), "rate": BUCKET}, "limit 2000 delay 10000us"),  # a rate is a qdisc of its own
])
def test_words(parts: dict[str, Any], words: str) -> None:
    assert " ".join(netem.words(Impairment(**parts))) == words


@pytest.mark.parametrize(("latency", "jitter", "packets"), [
    ("0", "0", 1000),
    ("1us", "0", 1000),
    ("10us", "0", 1001),
    ("2s", "0", 201_000),
    ("2s", "500ms", 401_000),
    ("9990ms", "0", 1_000_000),
    ("10s", "0", 1_000_000),     # a minute of delay must not hold six million packets of the node's memory
    ("1h", "1h", 1_000_000),
])
def test_the_delay_line_is_as_long_as_its_longest_delay(latency: str, jitter: str, packets: int) -> None:
    impairment = Impairment(delay=delay(latency, jitter))
    assert netem.limit(impairment) == packets
    step, expected = netem.leaf("eth0", impairment)
    assert step.argv[:12] == ("tc", "qdisc", "add", "dev", "eth0", "parent", "ca05:10", "handle", "ca06:", "netem", "limit", str(packets))
    assert (expected.device, expected.kind, expected.handle, expected.parent) == ("eth0", "netem", "ca06:", "ca05:10")
    assert expected.options == (("limit", packets),)


def test_without_a_delay_the_line_is_the_shortest() -> None:
    assert netem.limit(Impairment(loss=chance(1))) == netem.SMALLEST_LIMIT


@pytest.mark.parametrize(("parts", "needed"), [
    ({}, False),
    ({"loss": chance(10)}, False),
    ({"duplicate": chance(10)}, False),
    ({"rate": BUCKET}, False),
    ({"loss": chance(10, 1)}, True),
    ({"duplicate": chance(10, 1)}, True),
    ({"loss": GilbertElliott(p=percent(1), r=percent(9))}, True),
    ({"delay": delay("1us")}, True),
    ({"corrupt": chance(1)}, True),
    ({"reorder": Reorder(chance=chance(1))}, True),
])
def test_when_only_netem_will_do(parts: dict[str, Any], needed: bool) -> None:
    assert netem.needed(Impairment(**parts)) is needed
