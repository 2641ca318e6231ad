"""A scenario's wish, free of its style: whom, what, which packets, how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpairmentRequest:
    """One entry of a scenario file. `where` is `file:line:column`; `requested` is what the user asked for, in the user's words."""

    id: str
    type: str
    style: str
    file: str
    where: str
    selector: PodSelector
    impairment: Impairment
    traffic: TrafficFilter
    directions: tuple[Direction, ...]
    device: str
    hold: Duration
    ramp: Duration = Duration(0)
    sequence: Sequence = Sequence.PARALLEL
    requested: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
