"""Duplication: a share of the packets arrives twice (seed 000)."""

from __future__ import annotations

from pydantic import Field

from ..model.impairment import Chance, Impairment
from ..model.quantities import NO_CHANCE, Percentage
from .fields import PercentageField, ShareField
from .registry import Fault, fault


@fault("pod-network-duplication", "a share of the packets arrives twice")
class Duplication(Fault):
    """A duplicate carries the sequence number of its original."""


    source = "Harness pod-network-duplication"
    network_packet_duplication_percentage: ShareField = Field(
        Percentage.parse(100), description="Share of the matched packets that is sent twice; 100 doubles every packet."
    )
    correlation: PercentageField = Field(NO_CHANCE, description="How much copies come in clumps; 0 makes every packet independent.")

    def impairment(self) -> Impairment:
        return Impairment(duplicate=Chance(percentage=self.network_packet_duplication_percentage, correlation=self.correlation))

    def notices(self) -> tuple[str, ...]:
        idle = self.correlation.millionths and self.network_packet_duplication_percentage == Percentage.parse(100)
        return ("CORRELATION changes nothing when every packet is duplicated",) if idle else ()
