"""Rate limit: matched packets share a link of a given rate, with an explicit bucket and queue (seed 001)."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from ..model.impairment import Impairment, TokenBucket
from ..model.quantities import Rate, Size
from .fields import RateField, SizeField
from .registry import Fault, fault

FULL_FRAME = Size(1514)
TICKS_PER_SECOND = 250
LONG_DELAY_SECONDS = 1.0


@fault("pod-network-rate-limit", "matched packets share a link of a given rate")
class RateLimit(Fault):
    """Sizes below a full Ethernet frame are refused, since the kernel would drop every full packet."""


    source = "Harness pod-network-rate-limit"
    network_bandwidth: RateField = Field(Rate.parse("1mbit"), description="Sustained rate; `mbps` means megabytes per second.")
    burst: SizeField = Field(Size.parse("32kb"), description="Bytes saved up while idle and sent at once.")
    limit: SizeField = Field(Size.parse("2mb"), description="Bytes queued before packets are dropped.")
    min_burst: SizeField | None = Field(None, description="Bucket of PEAK_RATE, at least one full frame.")
    peak_rate: RateField | None = Field(None, description="Rate at which a burst leaves, above NETWORK_BANDWIDTH; needs MIN_BURST.")

    @field_validator("burst", "limit", "min_burst")
    @classmethod
    def _holds_a_frame(cls, value: Size | None) -> Size | None:
        if value and value < FULL_FRAME:
            raise ValueError(f"{value} cannot hold a full Ethernet frame, which would never pass; write {FULL_FRAME.octets}b or more")
        return value

    @field_validator("peak_rate")
    @classmethod
    def _peak_is_possible(cls, value: Rate | None, earlier: ValidationInfo) -> Rate | None:
        rate = earlier.data.get("network_bandwidth")
        if value and "min_burst" in earlier.data and earlier.data["min_burst"] is None:
            raise ValueError("PEAK_RATE needs MIN_BURST, the size of its bucket; add MIN_BURST: 1540b, or remove PEAK_RATE")
        if value and rate and value <= rate:
            raise ValueError(f"{value} is not above NETWORK_BANDWIDTH ({rate}); write a higher rate, or remove PEAK_RATE")
        return value

    def impairment(self) -> Impairment:
        bucket = TokenBucket(
            rate=self.network_bandwidth, burst=self.burst, limit=self.limit, minimum_burst=self.min_burst, peak_rate=self.peak_rate
        )
        return Impairment(rate=bucket)

    def notices(self) -> tuple[str, ...]:
        """Queueing delay, a bucket too small for coarse timers (250 ticks a second is the usual server kernel), an idle MIN_BURST."""
        bits = self.network_bandwidth.bits_per_second
        delay, tick = self.limit.octets * 8 / bits, -(-bits // (8 * TICKS_PER_SECOND))
        found = (
            (delay > LONG_DELAY_SECONDS, f"{self.network_bandwidth} with a {self.limit} queue (LIMIT) holds {delay:.1f} s of traffic"),
            (self.burst.octets < tick, f"BURST {self.burst} may keep {self.network_bandwidth} from being reached; {tick}b or more is safe"),
            (self.min_burst and not self.peak_rate, "MIN_BURST has no effect without PEAK_RATE"),
        )
        return tuple(text for applies, text in found if applies)
