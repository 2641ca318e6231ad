"""What one injector said about one target, folded from its events (design: injector contract)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class TargetFacts:
    """The events of one target. `samples` are (time, counters); `ended` is when it was measured for the last time.

    `begun`: its injector was at work; `told`: its status by the last word, where the log could not be read.
    """

    engine: str = ""
    device: str = ""
    fidelity: str = ""
    rejected: tuple[str, ...] = ()
    addresses: Mapping[str, list[str]] = field(default_factory=dict)
    rehearsed: str = ""
    armed: float | None = None
    ended: float | None = None
    samples: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list)
    left: tuple[str, ...] | None = None
    status: str = ""
    reason: str = ""
    lost: str = ""
    told: str = ""
    begun: bool = False
    clock_offset: float = 0.0

    def add(self, event: Mapping[str, Any]) -> None:
        """Fold one event in; events of unknown names are ignored, so that an older runner understands a newer injector."""
        handler = getattr(self, f"_{event['event']}".replace("-", "_"), None)
        if handler:
            handler(event)

    def _rehearsed(self, event: Mapping[str, Any]) -> None:
        self.rehearsed = str(event.get("rehearsed", ""))

    def _applied(self, event: Mapping[str, Any]) -> None:
        self.engine, self.device, self.fidelity = str(event["engine"]), str(event["device"]), str(event.get("fidelity", ""))
        self.rejected, self.addresses = tuple(event.get("rejected", ())), event.get("addresses", {})

    def _armed(self, event: Mapping[str, Any]) -> None:
        self.armed = float(event["time"])
        self.samples.append((float(event.get("at", self.armed)), event["counters"]))

    def _holding(self, event: Mapping[str, Any]) -> None:
        self.samples.append((float(event["at"]), event["counters"]))

    def _measured(self, event: Mapping[str, Any]) -> None:
        self._holding(event)
        self.ended = float(event["at"])

    def _reverted(self, event: Mapping[str, Any]) -> None:
        self.left = tuple(event["left"])

    def _finished(self, event: Mapping[str, Any]) -> None:
        self.status, self.reason = str(event["status"]), str(event["reason"])

    def _last_word(self, event: Mapping[str, Any]) -> None:
        """All that is known where the log could not be read: the termination message of the injector's container."""
        self.told, self.reason = str(event["status"]), str(event["reason"])
        _, residue, left = self.reason.partition("residue: ")
        self.left = (left,) if residue else ()

    def packets(self, counter: str) -> int:
        """Packets that a counter saw between arming and the last measurement."""
        return self._difference(lambda counters: int(counters.get(counter, (0, 0))[0]))

    def _difference(self, read: Any) -> int:
        return read(self.samples[-1][1]) - read(self.samples[0][1]) if self.samples else 0

    def netem(self) -> tuple[int, int]:
        """(lost, duplicated) packets of a netem: what it dropped, and what left or waits beyond what was put in."""
        dropped, left, waiting = (
            self._difference(lambda counters, key=key: int(counters.get("queue", {}).get(key, 0))) for key in ("drops", "packets", "qlen")
        )
        return dropped, max(0, left + waiting - (self.packets("matched") - dropped))

    def saturated(self) -> tuple[int, float, int]:
        """The longest stretch in which the queue was never seen empty: (bytes that left it, seconds, packets)."""
        best, start = (0, 0.0, 0), None
        for at, counters in self.samples:
            queue = counters.get("queue", {})
            if not queue.get("backlog"):
                start = None
                continue
            start = start or (at, queue)
            stretch = (queue["bytes"] - start[1]["bytes"], at - start[0], queue["packets"] - start[1]["packets"])
            best = max(best, stretch, key=lambda item: item[1])
        return best

    def through_queue(self) -> tuple[int, float, int]:
        """All that left the queue in the whole hold: (bytes, seconds, packets)."""
        seconds = self.samples[-1][0] - self.samples[0][0] if self.samples else 0.0
        octets, packets = (self._difference(lambda counters, key=key: int(counters.get("queue", {}).get(key, 0))) for key in ("bytes", "packets"))
        return octets, seconds, packets
