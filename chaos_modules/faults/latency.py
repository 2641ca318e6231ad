"""Latency: every packet takes longer."""

from __future__ import annotations

from pydantic import Field

from ..model.impairment import Delay, Distribution, Impairment
from ..model.quantities import NO_CHANCE, Duration
from .fields import DistributionField, MillisecondsField, PercentageField, PositiveMillisecondsField
from .registry import Fault, fault


@fault("pod-network-latency", "every packet takes longer")
class Latency(Fault):
    """The delay is added once, in the direction of the fault: a round trip grows by it, or by twice of it with DIRECTION both."""


    source = "Harness pod-network-latency"
    network_latency: PositiveMillisecondsField = Field(Duration.parse("2s"), description="Added delay; milliseconds without a unit.")
    jitter: MillisecondsField = Field(Duration(0), description="How far the delay varies around NETWORK_LATENCY, up and down.")
    correlation: PercentageField = Field(NO_CHANCE, description="How much one packet's delay follows that of the packet before it.")
    distribution: DistributionField = Field(Distribution.UNIFORM, description="How the jitter is spread.")

    def impairment(self) -> Impairment:
        delay = Delay(latency=self.network_latency, jitter=self.jitter, correlation=self.correlation, distribution=self.distribution)
        return Impairment(delay=delay)

    def notices(self) -> tuple[str, ...]:
        idle = not self.jitter.microseconds and (self.correlation.millionths or self.distribution is not Distribution.UNIFORM)
        return ("CORRELATION and DISTRIBUTION have no effect without JITTER",) if idle else ()
