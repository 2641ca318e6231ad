"""How an impairment is shared out between nftables and the queue, and the numbers by which the whole is proven."""

from __future__ import annotations

from typing import Any

import pytest
from compiled import BUCKET, CLASS, EGRESS, chance, compiled, delay

from chaos_modules.kernel.effect import expected_effect
from chaos_modules.kernel.wish import Shares, all_queued, shared_out
from chaos_modules.model.impairment import GilbertElliott, Impairment, Reorder
from chaos_modules.model.program import Effect
from chaos_modules.model.quantities import Percentage

BURSTS = GilbertElliott(p=Percentage.parse(1), r=Percentage.parse(9))


@pytest.mark.parametrize(("parts", "drawn", "queued"), [
    ({"loss": chance(10)}, {"loss": chance(10)}, {}),
    ({"duplicate": chance(10)}, {"duplicate": chance(10)}, {}),
    ({"loss": chance(10), "duplicate": chance(5)}, {"loss": chance(10), "duplicate": chance(5)}, {}),
    ({"loss": chance(10, 1), "duplicate": chance(5)}, {"duplicate": chance(5)}, {"loss": chance(10, 1)}),
    ({"loss": chance(10), "duplicate": chance(5, 1)}, {"loss": chance(10)}, {"duplicate": chance(5, 1)}),
    ({"loss": BURSTS}, {}, {"loss": BURSTS}),
    ({"corrupt": chance(1), "delay": delay("1ms"), "rate": CLASS}, {}, {"corrupt": chance(1), "delay": delay("1ms"), "rate": CLASS}),
    ({"loss": chance(10), "rate": BUCKET, "approximate": True}, {"loss": chance(10)}, {"rate": BUCKET, "approximate": True}),
])
def test_nftables_draws_what_is_independent(parts: dict[str, Any], drawn: dict[str, Any], queued: dict[str, Any]) -> None:
    expected = Shares(**{"loss": None, "duplicate": None, **drawn}, queued=Impairment(**queued))
    assert shared_out(Impairment(**parts)) == expected


def test_uncorrelated_nftables_draws_every_chance_but_no_burst_model() -> None:
    both = Impairment(loss=chance(10, 25), duplicate=chance(5, 25))
    assert shared_out(both, uncorrelated=True) == Shares(loss=both.loss, duplicate=both.duplicate, queued=Impairment())  # type: ignore[arg-type]
    assert shared_out(Impairment(loss=BURSTS), uncorrelated=True).queued == Impairment(loss=BURSTS)


def test_all_is_the_queue_s() -> None:
    everything = Impairment(loss=chance(10), duplicate=chance(5), rate=BUCKET)
    assert all_queued(everything) == Shares(loss=None, duplicate=None, queued=everything)


@pytest.mark.parametrize(("parts", "effect"), [
    ({"loss": chance(10)}, Effect(loss=100_000)),
    ({"loss": chance(10, 25)}, Effect(loss=100_000, independent=False, loss_in_queue=True)),
    ({"loss": BURSTS}, Effect(independent=False, loss_in_queue=True)),
    ({"duplicate": chance(10, 25)}, Effect(duplicate=100_000, independent=False, copies_in_queue=True)),
    ({"corrupt": chance(0.5)}, Effect(corrupt=5000)),
    ({"corrupt": chance(0.5, 1)}, Effect(corrupt=5000, independent=False)),
    ({"delay": delay("100ms")}, Effect(delay=100_000)),
    ({"delay": delay("100ms", "10ms")}, Effect(delay=100_000, jitter=10_000, spread=10_000)),
    # A kernel that correlates jitter also narrows it: its mean of old and new is spread less than either.
    ({"delay": delay("100ms", "10ms", 80)}, Effect(delay=100_000, jitter=10_000, spread=3333)),
    ({"delay": delay("100ms", "10ms", 100)}, Effect(delay=100_000, jitter=10_000)),
    ({"delay": delay("1ms"), "reorder": Reorder(chance=chance(25))}, Effect(delay=1000, reorder=250_000)),
    ({"delay": delay("1ms"), "reorder": Reorder(chance=chance(25, 9))}, Effect(delay=1000, reorder=250_000, independent=False)),
    ({"delay": delay("1ms"), "reorder": Reorder(chance=chance(60), gap=1)}, Effect(delay=1000, reorder=600_000)),
    ({"delay": delay("1ms"), "reorder": Reorder(chance=chance(100), gap=5)}, Effect(delay=1000, reorder=200_000)),
    ({"delay": delay("1ms"), "reorder": Reorder(chance=chance(50), gap=2)}, Effect(delay=1000, reorder=333_333)),
    ({"delay": delay("1ms"), "reorder": Reorder(chance=chance(0), gap=2)}, Effect(delay=1000, reorder=0)),
    ({"rate": BUCKET}, Effect(rate=10**6, burst=32768)),
    ({"rate": CLASS}, Effect(rate=8 * 10**7, burst=100_000)),
])
def test_the_effect(parts: dict[str, Any], effect: Effect) -> None:
    impairment = Impairment(**parts)
    assert expected_effect(impairment, shared_out(impairment)) == effect


def test_correlated_jitter_leaves_a_loss_independent() -> None:
    [program] = compiled(EGRESS, loss=chance(10), delay=delay("100ms", "10ms", 50))
    assert program.effect.independent is True


def test_an_uncorrelated_approximation_is_independent() -> None:
    first, other = compiled(EGRESS, loss=chance(10, 25), approximate=True)
    assert (first.effect.independent, first.effect.loss_in_queue) == (False, True)
    assert (other.effect.independent, other.effect.loss_in_queue) == (True, False)
