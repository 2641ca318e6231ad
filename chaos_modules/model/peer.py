"""What two ends of a flow counted."""

from __future__ import annotations

from dataclasses import dataclass

from .traffic import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCount:
    """What the two ends of a flow counted over a window of time (packets sent within it), beside the kernel's own counters.

    `reply` is true for the leg that answers (an HTTP download, an echo). `goodput` is in bit/s of application bytes, over
    `seconds`; `times` are (minimum, median, 95th percentile) in seconds: one way for datagrams, there and back for pings.
    None: this kind of traffic does not tell.
    `errors` are packets that the sender's own kernel refused (ENOBUFS, EPERM); they are not part of `sent`. Of a download,
    `received` is the number of completed ones.
    """

    name: str
    flow: Flow
    sender: str
    receiver: str
    reply: bool
    sent: int | None
    received: int
    distinct: int | None
    seconds: float
    goodput: float
    errors: int = 0
    times: tuple[float, float, float] | None = None
