"""The tunables that every Harness or Litmus network fault shares (seed 000 A3..A16, seed 001), and what they select."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ..faults.field_schemas import HARNESS, LITMUS, OWN
from ..faults.fields import (
    DeviceField,
    HoldField,
    HostsField,
    LabelsField,
    NameField,
    NamesField,
    NetworksField,
    PercentageRangeField,
    PortsField,
    ProtocolsField,
    SecondsField,
    Word,
    without_covered,
)
from ..model.impairment import Direction
from ..model.quantities import Duration, PercentageRange
from ..model.request import PodSelector
from ..model.traffic import WITH_PORTS, Protocol, TrafficFilter, TrafficRule
from .harness_fields import SOCKETS, KindField, Peer, PeersField, PortChoice, PortChoiceField, TargetsField, Workload


class Tunables(BaseModel):
    """Filters of one entry must all match (Litmus joins them with OR, and so hits packets that no filter meant)."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=str.upper, validate_by_name=True, validate_by_alias=True)

    workload: Workload | None = Field(
        None, alias="workload", description="Target pods: kind, namespace, and names or labels.", json_schema_extra=HARNESS
    )
    targets: TargetsField | None = Field(None, description="The same in Litmus' words: kind:namespace:[labels or names].", json_schema_extra=LITMUS)
    app_namespace: NameField = Field("", description="Namespace of APP_LABEL or TARGET_PODS.", json_schema_extra=LITMUS)
    app_kind: KindField | None = Field(None, description="Kind of the workload that has APP_LABEL.", json_schema_extra=LITMUS)
    app_label: LabelsField = Field("", description="Label selector of the workload.", json_schema_extra=LITMUS)
    target_pods: NamesField = Field((), description="Pods by name; wins over NODE_LABEL and POD_AFFECTED_PERCENTAGE.", json_schema_extra=HARNESS)
    target_container: str = Field(
        "", description="Container whose network namespace is entered; empty means the first.", examples=["app"], json_schema_extra=HARNESS
    )
    node_label: LabelsField = Field("", description="Keep only pods on nodes with these labels.", json_schema_extra=HARNESS)
    pod_affected_percentage: PercentageRangeField = Field(
        PercentageRange(0, 0), description="Share of the pods that is hit, rounded down, at least one; 0 means one.", json_schema_extra=HARNESS
    )
    sequence: Annotated[Literal["parallel", "serial"], Word] = Field(
        "parallel", description="All pods at once, or one by one.", json_schema_extra=HARNESS
    )
    total_chaos_duration: HoldField = Field(
        Duration.of_seconds(60), description="How long the fault is held; seconds without a unit.", json_schema_extra=HARNESS
    )
    ramp_time: SecondsField = Field(
        Duration(0), description="Wait before and after the fault, not counted in its duration.", json_schema_extra=HARNESS
    )
    direction: Annotated[Literal["egress", "ingress", "both"], Word] = Field("egress", description="As the pod sees it.", json_schema_extra=OWN)
    destination_ips: PeersField = Field((), description="Peers: addresses, networks, or address|port.", json_schema_extra=HARNESS)
    destination_hosts: HostsField = Field(
        (), description="Peers by name, resolved in the pod and added to DESTINATION_IPS.", json_schema_extra=HARNESS
    )
    source_ports: PortChoiceField = Field(PortChoice(), description="Ports of the pod; ! in front excludes.", json_schema_extra=HARNESS)
    destination_ports: PortChoiceField = Field(PortChoice(), description="Ports of the peers; ! in front excludes.", json_schema_extra=HARNESS)
    protocols: ProtocolsField = Field((), description="Transport protocols; empty means all.", json_schema_extra=OWN)
    exclude_ips: NetworksField = Field((), description="Peers that are never touched.", json_schema_extra=OWN)
    exclude_ports: PortsField = Field((), description="Ports that are never touched, at either end.", json_schema_extra=OWN)
    network_interface: DeviceField = Field("eth0", description="Interface inside the pod.", json_schema_extra=HARNESS)
    container_runtime: Annotated[Literal["containerd", "docker", "crio"], Word] = Field(
        "containerd", description="Checked against SOCKET_PATH, otherwise unused: no runtime socket is needed.", json_schema_extra=HARNESS
    )
    socket_path: str = Field(
        "", description="Checked against CONTAINER_RUNTIME, otherwise unused.", examples=[SOCKETS["containerd"]], json_schema_extra=HARNESS
    )

    @field_validator("destination_ports")
    @classmethod
    def _has_peers_to_apply_to(cls, value: PortChoice, earlier: ValidationInfo) -> PortChoice:
        peers: tuple[Peer, ...] = earlier.data.get("destination_ips", ())
        if value.included and peers and all(peer.ports for peer in peers) and not earlier.data.get("destination_hosts"):
            raise ValueError("every entry of DESTINATION_IPS has ports of its own; write the ports in one of the two places")
        return value

    @field_validator("protocols")
    @classmethod
    def _can_have_the_ports(cls, value: tuple[Protocol, ...], earlier: ValidationInfo) -> tuple[Protocol, ...]:
        choices = (earlier.data.get("source_ports"), earlier.data.get("destination_ports"))
        own = any(peer.ports for peer in earlier.data.get("destination_ips", ()))
        ported = own or any(choice and choice.included for choice in choices)
        without = [protocol.value for protocol in value if protocol not in WITH_PORTS]
        if ported and without:
            raise ValueError(f"{', '.join(without)} has no ports; remove it, or the ports")
        return value

    @field_validator("socket_path")
    @classmethod
    def _belongs_to_the_runtime(cls, value: str, earlier: ValidationInfo) -> str:
        owner = next((runtime for runtime, path in SOCKETS.items() if value.rpartition("/")[2] == path.rpartition("/")[2]), None)
        runtime = earlier.data.get("container_runtime")
        if runtime and owner not in (None, runtime):
            raise ValueError(f"{value} is the socket of {owner}; write CONTAINER_RUNTIME: {owner}, or SOCKET_PATH: {SOCKETS[runtime]}")
        return value

    @model_validator(mode="after")
    def _names_its_targets(self) -> Tunables:
        given = [name for name in ("workload", "targets", "app_label") if getattr(self, name)]
        spelled = [name if name == "workload" else name.upper() for name in given]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(spelled)} both name the workload; keep one of them")
        if self.app_kind and not self.app_label:
            raise ValueError("APP_KIND without APP_LABEL; add APP_LABEL, e.g. app=web")
        chosen = self._workload
        if not self.target_pods and not (chosen and (chosen.names or chosen.labels)):
            raise ValueError("names no pods; add workload: {kind: deployment, namespace: shop, labels: app=web}, or TARGET_PODS")
        if chosen is None or not chosen.namespace:
            raise ValueError("names no namespace; add APP_NAMESPACE, or workload: {namespace: …}")
        return self

    @property
    def _workload(self) -> Workload | None:
        if self.workload or self.targets:
            return self.workload or self.targets
        return Workload(kind=self.app_kind, namespace=self.app_namespace, labels=self.app_label) if self.app_namespace else None

    def selector(self) -> PodSelector:
        """The pods that the entry names."""
        chosen = self._workload
        assert chosen is not None  # _names_its_targets
        return PodSelector(
            namespace=chosen.namespace, kind=chosen.kind or "", names=chosen.names, labels=chosen.labels, target_pods=self.target_pods,
            node_label=self.node_label, container=self.target_container, affected=self.pod_affected_percentage,
        )

    def traffic(self) -> TrafficFilter:
        """The packets that the entry names: one rule of everything given, and one for each `address|port`."""
        local, remote = self.source_ports.included, self.destination_ports.included
        plain = without_covered(tuple(peer.network for peer in self.destination_ips if not peer.ports))
        include = [
            TrafficRule(peers=(peer.network,), local_ports=local, remote_ports=peer.ports, protocols=self.protocols)
            for peer in self.destination_ips if peer.ports
        ]
        if plain or self.destination_hosts or (not include and (local or remote or self.protocols)):
            include.insert(0, TrafficRule(
                peers=plain, hosts=self.destination_hosts, local_ports=local, remote_ports=remote, protocols=self.protocols
            ))
        barred = (
            TrafficRule(peers=self.exclude_ips), TrafficRule(local_ports=self.source_ports.barred),
            TrafficRule(remote_ports=self.destination_ports.barred), TrafficRule(local_ports=self.exclude_ports),
            TrafficRule(remote_ports=self.exclude_ports),
        )
        return TrafficFilter(include=tuple(include), exclude=tuple(rule for rule in barred if rule != TrafficRule()))

    def directions(self) -> tuple[Direction, ...]:
        """Egress, ingress, or both."""
        return tuple(Direction) if self.direction == "both" else (Direction(self.direction),)
