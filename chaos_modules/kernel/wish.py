"""What to compile, and how an impairment is shared out between nftables and a queue."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..model.impairment import Chance, Direction, Impairment
from ..model.traffic import TrafficFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An impairment of some traffic, and the names under which our objects will be found: `table`, and `ifb` (at most 15 characters).

    `direction` is the workload's. `reversed` says that the device is the host's end of it, as a virtual machine's tap is.
    """

    impairment: Impairment
    traffic: TrafficFilter
    direction: Direction
    table: str
    ifb: str
    reversed: bool = False

    @property
    def hook(self) -> Direction:
        """The direction as the device sees it: what a reversed device sends, the workload receives."""
        return self.direction.opposite if self.reversed else self.direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """`loss` and `duplicate` are drawn by nftables, packet by packet; the queue does the rest.

    Apart, the two are independent of each other; within one netem a copy would make up for a loss.
    """

    loss: Chance | None
    duplicate: Chance | None
    queued: Impairment


def shared_out(impairment: Impairment, *, uncorrelated: bool = False) -> Shares:
    """nftables takes whatever chance is independent, or with `uncorrelated` every chance, its correlation left out."""
    loss, duplicate = (
        chance if isinstance(chance, Chance) and (uncorrelated or not chance.correlation.millionths) else None
        for chance in (impairment.loss, impairment.duplicate)
    )
    queued = replace(impairment, loss=None if loss else impairment.loss, duplicate=None if duplicate else impairment.duplicate)
    return Shares(loss=loss, duplicate=duplicate, queued=queued)


def all_queued(impairment: Impairment) -> Shares:
    """Everything is the queue's."""
    return Shares(loss=None, duplicate=None, queued=impairment)
