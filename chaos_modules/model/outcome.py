"""What became of each target, each scenario and the run. Shapes of `result.json` (schema 1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TargetStatus(StrEnum):
    """The end of one target, from best to worst."""

    PASSED = "passed"
    NO_TRAFFIC = "no-traffic"
    INTERRUPTED = "interrupted"
    NO_TARGET = "no-target"
    REFUSED = "refused"
    NOT_APPLIED = "not-applied"
    NOT_IN_EFFECT = "not-in-effect"
    LAPSED = "lapsed"
    OUT_OF_TOLERANCE = "out-of-tolerance"


class RunStatus(StrEnum):
    """The end of a scenario and of the run."""

    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Judged(StrEnum):
    """Whether a measurement had enough samples to be held against the request."""

    YES = "yes"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A quantity next to its request, with a 95 % interval. Shares are fractions, rates are bit/s; `source` is `kernel` or `peer`."""

    requested: float | None
    value: float
    low: float
    high: float
    samples: int
    unit: str
    source: str
    judged: Judged
    within_tolerance: bool = True
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """Requested, applied, in effect, measured and reverted are separate facts. Times are seconds since the epoch."""

    target: str
    node: str
    device: str
    direction: str
    engine: str
    requested: tuple[tuple[str, str], ...]
    status: TargetStatus
    in_effect: bool
    traffic: int
    measured: tuple[tuple[str, Measurement], ...]
    at_peer: tuple[tuple[str, Measurement], ...]
    reverted: bool | None
    started: float | None
    ended: float | None
    reason: str = ""
    fidelity: str = ""
    rehearsed: str = ""
    rejected: tuple[str, ...] = ()
    residue: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bystanders:
    """What happened meanwhile to the flows that no fault of the scenario matches; counted by their own ends."""

    flows: int
    sent: int
    lost: int
    copied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioOutcome:
    """One scenario entry; `reason` says why it did not pass, `halted` why it was ended early. Times are seconds since the epoch."""

    type: str
    file: str
    id: str
    style: str
    status: RunStatus
    reason: str
    targets: tuple[TargetOutcome, ...]
    skew_seconds: float | None = None
    together_seconds: float | None = None
    bystanders: Bystanders | None = None
    started: float | None = None
    ended: float | None = None
    halted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The run's end: the exit code and every reason for it."""

    status: RunStatus
    exit_code: int
    reasons: tuple[str, ...]
