"""Measured next to requested, and whether the difference can be chance."""

from __future__ import annotations

from math import sqrt

from ..model.outcome import Judged, Measurement

ENOUGH_SAMPLES = 1000
STANDARD_ERRORS = 5
RATE_TOLERANCE = 0.01
# A queue that was seen filled at two looks may have been empty between them: traffic pauses. Only much less than the cap is the shaper's doing.
IDLE_TOLERANCE = 0.5
ENOUGH_SECONDS = 5.0
ENOUGH_TIMES = 100
DELAY_TOLERANCE = 0.1
CLOCK_SECONDS = 0.005
BUSY_FACTOR, BUSY_SECONDS = 3, 0.1
_95_PERCENT = 1.96


def share(hits: int, of: int, requested: float, source: str, tolerance: float = 0.0, *, independent: bool = True) -> Measurement:
    """A share of packets, with its Wilson interval. It fails only beyond five standard errors plus the engine's own tolerance.

    Packets that share their fate (correlation, bursts) are fewer samples than they look, so their share is shown and never judged.
    """
    value = hits / of if of else 0.0
    low, high = _wilson(hits, of)
    error = STANDARD_ERRORS * sqrt(requested * (1 - requested) / of) if of else 1.0
    judged = Judged.YES if of >= ENOUGH_SAMPLES and independent else Judged.INSUFFICIENT
    within = abs(value - requested) <= error + tolerance
    return Measurement(
        requested=requested, value=value, low=low, high=high, samples=of, unit="share", source=source, judged=judged,
        within_tolerance=within or judged is Judged.INSUFFICIENT,
    )  # fmt: skip


def _wilson(hits: int, of: int) -> tuple[float, float]:
    if not of:
        return 0.0, 1.0
    square = _95_PERCENT**2
    centre = (hits + square / 2) / (of + square)
    spread = _95_PERCENT * sqrt(hits * (of - hits) / of + square / 4) / (of + square)
    return max(0.0, centre - spread), min(1.0, centre + spread)


def rate(octets: int, seconds: float, packets: int, requested: float, *, saturated: bool) -> Measurement:
    """Bits per second at layer 2 while the queue was never seen empty; an empty queue tells nothing about the cap."""
    value = octets * 8 / seconds if seconds else 0.0
    clock = value * min(1.0, 0.01 / seconds) if seconds else 0.0  # reading a counter and the clock beside it takes some milliseconds
    judged = Judged.YES if saturated and seconds >= ENOUGH_SECONDS else Judged.INSUFFICIENT
    most = requested * (1 + RATE_TOLERANCE) + 2 * clock
    within = judged is Judged.INSUFFICIENT or requested * (1 - IDLE_TOLERANCE) <= value <= most
    detail = "" if saturated else "the traffic did not fill the queue"
    return Measurement(
        requested=requested, value=value, low=value - clock, high=value + clock, samples=packets, unit="bit/s", source="kernel",
        judged=judged, within_tolerance=within, detail=detail,
    )  # fmt: skip


def delay(value: float, samples: int, requested: float, jitter: float) -> Measurement:
    """Added seconds: the difference of the medians with the fault and before it. Jitter is symmetric, so the median stays where it is.

    A busy machine adds to it, so that much more than asked for disproves nothing short of several times as much; less than asked for does.
    """
    judged = Judged.YES if samples >= ENOUGH_TIMES else Judged.INSUFFICIENT
    least = (1 - DELAY_TOLERANCE) * requested - CLOCK_SECONDS - jitter / 2
    within = judged is Judged.INSUFFICIENT or least <= value <= BUSY_FACTOR * requested + BUSY_SECONDS + jitter
    return Measurement(
        requested=requested, value=value, low=value - CLOCK_SECONDS, high=value + CLOCK_SECONDS, samples=samples, unit="s", source="peer",
        judged=judged, within_tolerance=within, detail="difference of medians",
    )  # fmt: skip


def goodput(value: float, seconds: float, requested: float) -> Measurement:
    """Application bytes per second at the peer; only more than the cap disproves it (headers and retransmissions take their part)."""
    judged = Judged.YES if seconds >= ENOUGH_SECONDS else Judged.INSUFFICIENT
    within = judged is Judged.INSUFFICIENT or value <= requested * (1 + RATE_TOLERANCE)
    return Measurement(
        requested=requested, value=value, low=value, high=value, samples=round(seconds), unit="bit/s", source="peer",
        judged=judged, within_tolerance=within, detail="application bytes",
    )  # fmt: skip
