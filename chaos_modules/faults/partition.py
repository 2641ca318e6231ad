"""Partition: nothing passes, but for what is allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from ..model.impairment import Chance, Direction, Impairment
from ..model.quantities import Percentage
from ..model.traffic import Protocol, TrafficRule
from .fields import LabelsField, PolicyPorts, PolicyPortsField, Word
from .registry import Fault, fault


@fault("pod-network-partition", "nothing passes, but for the peers and ports that are allowed")
class Partition(Fault):
    """POD_SELECTOR, NAMESPACE_SELECTOR and PORTS name what stays allowed, as in Litmus. Packets are cut, not only connections."""


    source = "Harness pod-network-partition"
    policy_types: Annotated[Literal["all", "ingress", "egress"], Word] = Field(
        "all", description="Directions that are cut; takes the place of DIRECTION."
    )
    pod_selector: LabelsField = Field(
        "", description="Labels of pods that stay reachable, of the pod's own namespace or of those that NAMESPACE_SELECTOR names."
    )
    namespace_selector: LabelsField = Field("", description="Labels of namespaces whose pods stay reachable.")
    ports: PolicyPortsField = Field(PolicyPorts(), description="Ports that stay usable, at either end, by protocol.")

    def impairment(self) -> Impairment:
        return Impairment(loss=Chance(percentage=Percentage.parse(100)))

    def own_directions(self) -> tuple[Direction, ...]:
        return tuple(Direction) if self.policy_types == "all" else (Direction(self.policy_types),)

    def allowed(self) -> tuple[TrafficRule, ...]:
        """One rule per protocol and end of PORTS, each for the peers that the selectors name; no rule without any of the three."""
        anyone = TrafficRule()
        peers = TrafficRule(pod_labels=self.pod_selector, namespace_labels=self.namespace_selector)
        ports = [replace(peers, protocols=(Protocol(name),), local_ports=ranges) for name, ranges in self.ports.by_protocol]
        ports += [replace(peers, protocols=(Protocol(name),), remote_ports=ranges) for name, ranges in self.ports.by_protocol]
        return tuple(ports) or ((peers,) if peers != anyone else ())
