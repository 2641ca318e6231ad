"""Reordering: a share of the packets overtakes the others."""

from __future__ import annotations

from pydantic import Field

from ..model.impairment import Chance, Delay, Impairment, Reorder
from ..model.quantities import NO_CHANCE, Duration, Percentage
from .fields import PercentageField, PositiveMillisecondsField, ShareField
from .registry import Fault, fault


@fault("pod-network-reorder", "a share of the packets overtakes the others")
class Reordering(Fault):
    """All packets but a share are delayed; that share is sent at once and overtakes those before it."""

    network_packet_reorder_percentage: ShareField = Field(Percentage.parse(25), description="Share of the matched packets that overtakes.")
    network_latency: PositiveMillisecondsField = Field(
        Duration.parse("10ms"), description="Delay of the others; only packets that follow each other within it are reordered."
    )
    correlation: PercentageField = Field(NO_CHANCE, description="How much overtaking comes in clumps; 0 makes every packet independent.")
    gap: int = Field(0, ge=0, le=10_000, description="Only every so many-th packet may overtake; 0 means any.")

    def impairment(self) -> Impairment:
        chance = Chance(percentage=self.network_packet_reorder_percentage, correlation=self.correlation)
        return Impairment(delay=Delay(latency=self.network_latency), reorder=Reorder(chance=chance, gap=self.gap))
