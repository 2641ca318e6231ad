"""What happens to packets: the one vocabulary that every scenario style is translated into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .quantities import NO_CHANCE, Duration, Percentage, Rate, Size


class Direction(StrEnum):
    """As the workload sees it: `egress` leaves the pod or the virtual machine."""

    EGRESS = "egress"
    INGRESS = "ingress"

    @property
    def opposite(self) -> Direction:
        """The other one: what leaves one end of a wire comes in at its other end."""
        return Direction.INGRESS if self is Direction.EGRESS else Direction.EGRESS


class Distribution(StrEnum):
    """How jitter is spread (tc-netem(8), DISTRIBUTION)."""

    UNIFORM = "uniform"
    NORMAL = "normal"
    PARETO = "pareto"
    PARETONORMAL = "paretonormal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """Something that happens to a share of the packets; `correlation` makes it come in clumps."""

    percentage: Percentage
    correlation: Percentage = NO_CHANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Added one-way delay, with jitter around it."""

    latency: Duration
    jitter: Duration = Duration(0)
    correlation: Percentage = NO_CHANCE
    distribution: Distribution = Distribution.UNIFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder:
    """Packets that overtake the delayed ones; needs a delay to overtake."""

    chance: Chance
    gap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GilbertElliott:
    """Burst loss with a good and a bad state (tc-netem(8), `loss gemodel`)."""

    p: Percentage
    r: Percentage
    one_minus_h: Percentage = Percentage(10**6)
    one_minus_k: Percentage = NO_CHANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLoss:
    """Burst loss of the four-state Markov model (tc-netem(8), `loss state`)."""

    p13: Percentage
    p31: Percentage
    p32: Percentage = NO_CHANCE
    p23: Percentage = Percentage(10**6)
    p14: Percentage = NO_CHANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBucket:
    """A rate with an explicit bucket and queue (tc-tbf(8)); seed 001, B1..B5."""

    rate: Rate
    burst: Size
    limit: Size
    minimum_burst: Size | None = None
    peak_rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRate:
    """A bare rate (tc-htb(8)), as krkn's `bandwidth` asks for it."""

    rate: Rate


Loss = Chance | GilbertElliott | StateLoss


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """Everything that one fault does to the packets that it matches; None means untouched.

    A partition is a loss of 100 %. `approximate` allows a program without the requested correlation.
    """

    delay: Delay | None = None
    loss: Loss | None = None
    duplicate: Chance | None = None
    corrupt: Chance | None = None
    reorder: Reorder | None = None
    rate: TokenBucket | ClassRate | None = None
    approximate: bool = False
