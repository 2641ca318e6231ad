"""A scenario's wish, free of its style: whom, what, which packets, how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from .impairment import Direction, Impairment
from .quantities import Duration, PercentageRange
from .traffic import TrafficFilter


class Sequence(StrEnum):
    """All targets at once, or one after the other (A13)."""

    PARALLEL = "parallel"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSelector:
    """Which pods: a workload (kind with names or labels), or pods by name, narrowed by node label and percentage.

    `target_pods` wins over `node_label` and `affected` (seed 000, A9). `labels` and `node_label` are Kubernetes equality
    selectors such as `app=web,tier!=cache`. `container` empty means the first one of the pod (A10).
    """

    namespace: str
    kind: str = ""
    names: tuple[str, ...] = ()
    labels: str = ""
    target_pods: tuple[str, ...] = ()
    node_label: str = ""
    container: str = ""
    affected: PercentageRange = PercentageRange(0, 0)

    @property
    def words(self) -> str:
        """The selector in a word or two, where no target can be named."""
        names = ",".join(self.target_pods or self.names) or self.labels or "all"
        return f"{'pod' if self.target_pods else self.kind or 'pod'} {names} in {self.namespace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSelector:
    """Which nodes: by name, else by a label selector; `count` of them by lot, 0 for all. They are in no namespace."""

    names: tuple[str, ...] = ()
    labels: str = ""
    count: int = 0
    namespace: ClassVar[str] = ""

    @property
    def words(self) -> str:
        """The selector in a word or two, where no target can be named."""
        return f"node {','.join(self.names) or self.labels or 'all'}"


Selector = PodSelector | NodeSelector


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpairmentRequest:
    """One entry of a scenario file. `where` is `file:line:column`; `requested` is what the user asked for, in the user's words."""

    id: str
    type: str
    style: str
    file: str
    where: str
    selector: Selector
    impairment: Impairment
    traffic: TrafficFilter
    directions: tuple[Direction, ...]
    device: str
    hold: Duration
    ramp: Duration = Duration(0)
    sequence: Sequence = Sequence.PARALLEL
    requested: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
