"""Each impairment as an ordered list of programs; the injector takes the first that the rehearsal proves on its node (design: alternatives)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..model.errors import BadInput
from ..model.impairment import Chance, Direction, Impairment
from ..model.program import KernelProgram
from . import netem
from .assembly import assemble, assemble_at_postrouting, assemble_without_root
from .wish import Wish, all_queued, shared_out

SENDER_VISIBLE = "sender-visible"
UNCORRELATED = "uncorrelated"


def compile_programs(wish: Wish) -> tuple[KernelProgram, ...]:
    """The alternatives for one target and direction, best first. Raises BadInput for an impairment that makes no sense."""
    _refuse_nonsense(wish.impairment)
    return tuple(_alternatives(wish))


def _alternatives(wish: Wish) -> Iterator[KernelProgram]:
    """Steering and copying by nftables come first: exact, and copies need no root qdisc at all.

    netem is second where it alone can do the same, and loss that the sender is told of is the last resort.
    """
    impairment = wish.impairment
    shares = shared_out(impairment)
    notes = _notes(impairment)
    yield replace(assemble(wish, shares), notes=notes)
    one_chance = bool(shares.loss) != bool(shares.duplicate) and shares.queued == Impairment(approximate=impairment.approximate)
    if one_chance:
        yield assemble(wish, all_queued(impairment))
    if wish.hook is Direction.EGRESS:
        yield assemble_at_postrouting(wish, replace(shares, duplicate=None, queued=replace(shares.queued, duplicate=impairment.duplicate)))
    if shares.loss and wish.hook is Direction.EGRESS and not netem.needed(shares.queued) and not impairment.rate:
        yield replace(assemble_without_root(wish, shares), fidelity=SENDER_VISIBLE)
    if impairment.approximate and _only_correlated(impairment):
        yield replace(assemble(wish, shared_out(impairment, uncorrelated=True)), fidelity=UNCORRELATED)


def _only_correlated(impairment: Impairment) -> bool:
    """Whether leaving the correlation out leaves something that needs no netem."""
    others = impairment.delay or impairment.corrupt or impairment.reorder
    return not others and isinstance(impairment.loss, Chance | None) and netem.needed(impairment)


def _notes(impairment: Impairment) -> tuple[str, ...]:
    jitter = impairment.delay.jitter if impairment.delay else None
    return (f"jitter of {jitter} reorders packets that follow each other more closely",) if jitter and jitter.microseconds else ()


def _refuse_nonsense(impairment: Impairment) -> None:
    parts = (impairment.delay, impairment.loss, impairment.duplicate, impairment.corrupt, impairment.reorder, impairment.rate)
    if not any(parts):
        raise BadInput("the fault changes nothing", remedy="ask for a delay, loss, duplication, corruption, reordering or a rate")
    if impairment.reorder and not impairment.delay:
        raise BadInput("reordering needs a delay, which the reordered packets escape", remedy="add a latency, e.g. 10ms")
