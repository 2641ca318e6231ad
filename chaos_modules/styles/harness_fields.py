"""Values that only Harness and Litmus write: `!port` lists, `address|port` entries, `kind:namespace:[…]` targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    model_validator,
)

from ..faults.field_schemas import HARNESS, list_schema, text_schema
from ..faults.fields import LabelsField, NameField, NamesField, Word, items, network, port_range, ports
from ..model.traffic import Network, PortRange
from ..model.wording import shown

_PORTS_HINT = "write ports such as 80,8000-8100, or !80,443 for all but these"
_PEERS_HINT = "write addresses or networks such as 10.0.0.7,10.1.0.0/16, or 10.0.0.7|443 for one with ports of its own"
_TARGETS_HINT = "write kind:namespace:[label=value] or kind:namespace:[name,name] (e.g. deployment:shop:[app=web])"
SOCKETS = {
    "containerd": "/run/containerd/containerd.sock",
    "docker": "/var/run/docker.sock",
    "crio": "/var/run/crio/crio.sock",
}


@dataclass(frozen=True, slots=True)
class PortChoice:
    """These ports, or with `excluded` all but these."""

    listed: tuple[PortRange, ...] = ()
    excluded: bool = False

    @property
    def included(self) -> tuple[PortRange, ...]:
        """The ports that a packet must have; empty means any."""
        return () if self.excluded else self.listed

    @property
    def barred(self) -> tuple[PortRange, ...]:
        """The ports that a packet must not have."""
        return self.listed if self.excluded else ()

    def __str__(self) -> str:
        return ("!" if self.excluded else "") + ",".join(map(str, self.listed))


@dataclass(frozen=True, slots=True)
class Peer:
    """A destination, with `ports` when it has its own (`address|port|port` of Litmus)."""

    network: Network
    ports: tuple[PortRange, ...] = ()

    def __str__(self) -> str:
        return "|".join(map(str, (self.network, *self.ports)))


def _port_choice(value: object) -> PortChoice:
    """One leading `!` excludes the whole list, as in Litmus; elsewhere it would be ambiguous."""
    texts = items(value, _PORTS_HINT)
    excluded = texts[0].startswith("!")
    listed = [text.removeprefix("!").strip() if excluded else text for text in texts]
    if any("!" in text for text in listed):
        raise ValueError(f"{shown(value)} has a ! within the list; write it once, in front, and it excludes all of them (e.g. !80,443)")
    return PortChoice(ports(listed), excluded)


def _peers(value: object) -> tuple[Peer, ...]:
    peers = []
    for text in items(value, _PEERS_HINT):
        address, *own = (part.strip() for part in text.split("|"))
        peers.append(Peer(network(address), tuple(port_range(port) for port in own)))
    return tuple(peers)


def _targets(value: object) -> object:
    """`kind:namespace:[labels or names]` as the mapping that `workload` would have."""
    if not isinstance(value, str):
        return value
    if ";" in value:
        raise ValueError(f"{shown(value)} names several workloads; write one scenario entry for each")
    parts = value.split(":", 2)
    listed = parts[-1].strip().removeprefix("[").removesuffix("]").strip()
    if len(parts) != 3 or not listed or ":" in listed:
        raise ValueError(f"{shown(value)} is not a target; {_TARGETS_HINT}")
    is_selector = any(sign in listed for sign in "=!(")
    return {"kind": parts[0].strip(), "namespace": parts[1].strip(), "labels" if is_selector else "names": listed}


_TEXT = PlainSerializer(str)
PortChoiceField = Annotated[
    PortChoice, PlainValidator(_port_choice), _TEXT, list_schema("80,8000-8100", _PORTS_HINT, "list of ports"),
]
PeersField = Annotated[
    tuple[Peer, ...], PlainValidator(_peers), PlainSerializer(lambda peers: ",".join(map(str, peers))),
    list_schema("10.0.0.7,10.1.0.0/16", _PEERS_HINT, "list of addresses"),
]
KindField = Annotated[Literal["deployment", "statefulset", "daemonset", "replicaset", "job", "pod"], Word]


class Workload(BaseModel):
    """Which pods: a workload by kind and names or labels, or without a kind the pods that have the labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    namespace: NameField = Field(description="Where the workload and its pods are.", json_schema_extra=HARNESS)
    kind: KindField | None = Field(None, description="Kind of the workload; without one, `labels` are those of the pods.", json_schema_extra=HARNESS)
    names: NamesField = Field((), description="Names of workloads of this kind; not together with `labels`.", json_schema_extra=HARNESS)
    labels: LabelsField = Field("", description="Labels of the workload; not together with `names`.", json_schema_extra=HARNESS)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value not in (None, "")} if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _says_which(self) -> Workload:
        if self.names and self.labels:
            raise ValueError("has both names and labels; keep one of the two")
        if self.names and not self.kind:
            raise ValueError("has names but no kind; add e.g. kind: deployment")
        return self


TargetsField = Annotated[
    Workload, BeforeValidator(_targets), text_schema("deployment:shop:[app=web]", _TARGETS_HINT, pattern="^[^:;]+:[^:;]+:[^:;]+$"),
]
