"""Corruption: a share of the packets has a wrong bit."""

from __future__ import annotations

from pydantic import Field

from ..model.impairment import Chance, Impairment
from ..model.quantities import NO_CHANCE, Percentage
from .fields import PercentageField, ShareField
from .registry import Fault, fault


@fault("pod-network-corruption", "a share of the packets has a wrong bit")
class Corruption(Fault):
    """One random bit is flipped; checksums find it, so that applications mostly see loss."""


    source = "Harness pod-network-corruption"
    network_packet_corruption_percentage: ShareField = Field(
        Percentage.parse(100), description="Share of the matched packets that is damaged."
    )
    correlation: PercentageField = Field(NO_CHANCE, description="How much damage comes in clumps; 0 makes every packet independent.")

    def impairment(self) -> Impairment:
        return Impairment(corrupt=Chance(percentage=self.network_packet_corruption_percentage, correlation=self.correlation))
