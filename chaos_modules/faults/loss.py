"""Loss: a share of the packets never arrives."""

from __future__ import annotations

from pydantic import Field

from ..model.impairment import Chance, Impairment
from ..model.quantities import NO_CHANCE, Percentage
from .fields import PercentageField, ShareField
from .registry import Fault, fault


@fault("pod-network-loss", "a share of the packets never arrives")
class Loss(Fault):
    """Lost as on the wire: the sender is not told."""


    source = "Harness pod-network-loss"
    network_packet_loss_percentage: ShareField = Field(
        Percentage.parse(100), description="Share of the matched packets that is lost; 100 cuts the matched traffic off."
    )
    correlation: PercentageField = Field(NO_CHANCE, description="How much losses come in clumps; 0 makes every packet independent.")

    def impairment(self) -> Impairment:
        return Impairment(loss=Chance(percentage=self.network_packet_loss_percentage, correlation=self.correlation))

    def notices(self) -> tuple[str, ...]:
        idle = self.correlation.millionths and self.network_packet_loss_percentage == Percentage.parse(100)
        return ("CORRELATION changes nothing when every packet is lost",) if idle else ()
