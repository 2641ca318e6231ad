"""The qdiscs of the fault class on one device: a rate, a netem, or a netem with a rate behind it."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.impairment import ClassRate, Impairment, TokenBucket
from ..model.program import ExpectedQdisc, Step
from . import netem, tc


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Lines, what must be found, how to let it drain, the qdisc whose counters are the fault's, and its name."""

    setup: tuple[Step, ...] = ()
    expected: tuple[ExpectedQdisc, ...] = ()
    flush: tuple[Step, ...] = ()
    leaf: str = ""
    engine: tuple[str, ...] = ()


def build_queue(impairment: Impairment, device: str) -> Queue:
    """What `impairment` asks of a queue; an empty one where it asks for nothing."""
    if netem.needed(impairment) or impairment.loss or impairment.duplicate:
        return _delay_line(impairment, device)
    rate = impairment.rate
    if isinstance(rate, TokenBucket):
        leaf, expected = tc.token_bucket(device, rate, tc.FAULT_CLASS, tc.FAULT_LEAF)
        flush = (tc.flush_token_bucket(device, rate, tc.FAULT_CLASS, tc.FAULT_LEAF),)
        setup = (tc.open_class(device, tc.FAULT_CLASS), leaf)
        return Queue(setup=setup, expected=(expected,), flush=flush, leaf=tc.FAULT_LEAF, engine=("tbf",))
    if isinstance(rate, ClassRate):
        leaf, expected = tc.class_queue(device)
        setup = (tc.capped_class(device, rate.rate), leaf)
        return Queue(setup=setup, expected=(expected,), flush=(tc.uncap_class(device),), leaf=tc.FAULT_LEAF, engine=("htb",))
    return Queue()


def _delay_line(impairment: Impairment, device: str) -> Queue:
    """A netem; a token bucket comes behind it, as its child, and keeps its own burst, limit and flush. A class rate is the class's own."""
    rate = impairment.rate
    leaf, expected = netem.leaf(device, impairment)
    capped = isinstance(rate, ClassRate)
    setup = (tc.capped_class(device, rate.rate) if isinstance(rate, ClassRate) else tc.open_class(device, tc.FAULT_CLASS), leaf)
    if not isinstance(rate, TokenBucket):
        flush = (tc.uncap_class(device),) if capped else ()
        return Queue(setup=setup, expected=(expected,), flush=flush, leaf=tc.FAULT_LEAF, engine=("netem", *(("htb",) if capped else ())))
    child, child_expected = tc.token_bucket(device, rate, tc.NETEM_CHILD, tc.CHILD_LEAF)
    flush = (tc.flush_token_bucket(device, rate, tc.NETEM_CHILD, tc.CHILD_LEAF),)
    return Queue(setup=(*setup, child), expected=(expected, child_expected), flush=flush, leaf=tc.CHILD_LEAF, engine=("netem", "tbf"))
