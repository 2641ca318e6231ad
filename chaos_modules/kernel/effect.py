"""What a program is expected to do to matching packets, in the numbers by which it is proven."""

from __future__ import annotations

from math import sqrt

from ..model.impairment import Chance, Delay, Impairment, Reorder, TokenBucket
from ..model.program import Effect
from . import tc
from .wish import Shares


def expected_effect(impairment: Impairment, shares: Shares) -> Effect:
    """The numbers of an impairment, as it is shared out. A burst model has no plain share."""
    rate, delay, reorder = impairment.rate, impairment.delay, impairment.reorder
    loss = impairment.loss if isinstance(impairment.loss, Chance) else None
    return Effect(
        loss=_millionths(loss), duplicate=_millionths(impairment.duplicate), corrupt=_millionths(impairment.corrupt),
        reorder=_overtaking(reorder) if reorder else None,
        delay=delay.latency.microseconds if delay else None, jitter=delay.jitter.microseconds if delay else 0,
        spread=_spread(delay) if delay else 0,
        rate=rate.rate.bits_per_second if rate else None,
        burst=rate.burst.octets if isinstance(rate, TokenBucket) else tc.class_burst(rate.rate) if rate else 0,
        independent=_independent(shares.queued),
        loss_in_queue=shares.queued.loss is not None, copies_in_queue=shares.queued.duplicate is not None,
    )  # fmt: skip


def _millionths(chance: Chance | None) -> int | None:
    return chance.percentage.millionths if chance else None


def _overtaking(reorder: Reorder) -> int:
    """The share of all packets: after `gap` - 1 delayed ones each has the chance, until one overtakes."""
    chance = reorder.chance.percentage.fraction
    return round(10**6 / (max(reorder.gap, 1) - 1 + 1 / chance)) if chance else 0


def _spread(delay: Delay) -> int:
    """What is left of the jitter: netem mixes each draw with the one before, which also narrows it."""
    correlation = delay.correlation.fraction
    return int(delay.jitter.microseconds * sqrt((1 - correlation) / (1 + correlation)))


def _independent(queued: Impairment) -> bool:
    chances = (queued.loss, queued.duplicate, queued.corrupt, queued.reorder.chance if queued.reorder else None)
    return all(chance is None or (isinstance(chance, Chance) and not chance.correlation.millionths) for chance in chances)
