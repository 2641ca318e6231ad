"""netem as tc words (tc-netem(8)): what needs a delay line, a burst model, correlation, or damage to the packet itself.

All of an impairment goes into one netem: the kernel refuses a duplicating netem beside another one.
"""

from __future__ import annotations

from ..model.impairment import Chance, Distribution, GilbertElliott, Impairment, StateLoss
from ..model.program import ExpectedQdisc, Step
from ..model.quantities import Percentage
from . import tc

# What an unlimited link may carry, in packets a second, for the length of the delay line; netem's own default of 1000 packets in all would
# be a silent loss above 500 packets/s at two seconds of delay.
PACKETS_PER_SECOND = 100_000
SMALLEST_LIMIT, LARGEST_LIMIT = 1000, 1_000_000


def needed(impairment: Impairment) -> bool:
    """Whether only netem can bring the impairment about as it was asked for."""
    chances = (impairment.loss, impairment.duplicate)
    modelled = any(chance is not None and (not isinstance(chance, Chance) or chance.correlation.millionths) for chance in chances)
    return bool(impairment.delay or impairment.corrupt or impairment.reorder or modelled)


def limit(impairment: Impairment) -> int:
    """The length of the delay line, in packets: what may arrive during the longest delay, and some."""
    delay = impairment.delay
    seconds = (delay.latency.seconds + 4 * delay.jitter.seconds) if delay else 0.0
    return min(LARGEST_LIMIT, round(seconds * PACKETS_PER_SECOND) + SMALLEST_LIMIT)


def words(impairment: Impairment) -> tuple[str, ...]:
    """Everything after `netem`. A rate is a qdisc of its own, behind it."""
    return (
        "limit", str(limit(impairment)), *_delay(impairment), *_loss(impairment), *_chance("duplicate", impairment.duplicate),
        *_chance("corrupt", impairment.corrupt), *_reorder(impairment),
    )  # fmt: skip


def leaf(device: str, impairment: Impairment) -> tuple[Step, ExpectedQdisc]:
    """The netem of the fault class."""
    place = ("dev", device, "parent", tc.FAULT_CLASS, "handle", tc.FAULT_LEAF)
    step = Step(argv=("tc", "qdisc", "add", *place, "netem", *words(impairment)))
    options = (("limit", limit(impairment)),)
    return step, ExpectedQdisc(device=device, kind="netem", handle=tc.FAULT_LEAF, parent=tc.FAULT_CLASS, options=options)


def _correlated(percentage: Percentage, correlation: Percentage) -> tuple[str, ...]:
    return (str(percentage), str(correlation)) if correlation.millionths else (str(percentage),)


def _chance(word: str, chance: Chance | None) -> tuple[str, ...]:
    return (word, *_correlated(chance.percentage, chance.correlation)) if chance else ()


def _delay(impairment: Impairment) -> tuple[str, ...]:
    delay = impairment.delay
    if delay is None:
        return ()
    spread = (f"{delay.jitter.microseconds}us",) if delay.jitter.microseconds else ()
    correlation = (str(delay.correlation),) if spread and delay.correlation.millionths else ()
    shape = ("distribution", str(delay.distribution)) if spread and delay.distribution is not Distribution.UNIFORM else ()
    return ("delay", f"{delay.latency.microseconds}us", *spread, *correlation, *shape)


def _loss(impairment: Impairment) -> tuple[str, ...]:
    loss = impairment.loss
    if loss is None:
        return ()
    if isinstance(loss, GilbertElliott):
        return ("loss", "gemodel", str(loss.p), str(loss.r), str(loss.one_minus_h), str(loss.one_minus_k))
    if isinstance(loss, StateLoss):
        return ("loss", "state", str(loss.p13), str(loss.p31), str(loss.p32), str(loss.p23), str(loss.p14))
    return ("loss", "random", *_correlated(loss.percentage, loss.correlation))


def _reorder(impairment: Impairment) -> tuple[str, ...]:
    reorder = impairment.reorder
    if reorder is None:
        return ()
    gap = ("gap", str(reorder.gap)) if reorder.gap else ()
    return ("reorder", *_correlated(reorder.chance.percentage, reorder.chance.correlation), *gap)
