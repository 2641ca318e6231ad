"""What was seen of the system under test. Shapes of the record (schema 1). All times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .errors import EXIT_ALERTS, EXIT_FAILED, EXIT_HEALTH


class Phase(StrEnum):
    """The three windows of a scenario."""

    BASELINE = "baseline"
    FAULT = "fault"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time of one executed scenario; `scenario` is its place in `result.json`, from 0."""

    scenario: int
    phase: Phase
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look. `good` is None where it could not be told; `seconds` is how long the answer took, None where that means nothing."""

    time: float
    good: bool | None
    seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer: (time, value) in order, gaps left out."""

    labels: tuple[tuple[str, str], ...]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A query over the whole run. `limit` is empty where nothing is held against it; `problem` says why there is no answer."""

    name: str
    query: str
    limit: str
    step: float
    series: tuple[Series, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheck:
    """A probe in one window, judged. `passed` is None where nothing is asked of the window, or nothing can be told (`reason` says which).

    `crossed` is the moment of the first bad sample; `recovered_after` the seconds from the fault's end until it was good for the rest of the window.
    """

    name: str
    kind: str
    scenario: int
    phase: Phase
    samples: int
    good: int
    unknown: int
    pass_rate: float | None
    latency: tuple[tuple[str, float], ...]
    limit: str
    passed: bool | None
    reason: str = ""
    crossed: float | None = None
    recovered_after: float | None = None


class AlertSource(StrEnum):
    """Who says that something is wrong."""

    PROFILE = "profile"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFact:
    """An entry of the alert profile (fired or not), or a critical alert that Prometheus itself fired.

    `intervals` are (from, to) in which it held; `before`: it held before the run already; `counted`: it decides the exit code.
    `problem` says why it could not be evaluated: such an entry has not fired.
    """

    source: AlertSource
    name: str
    expr: str
    severity: str
    labels: tuple[tuple[str, str], ...] = ()
    value: float | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    before: bool = False
    counted: bool = False
    problem: str = ""

    @property
    def fired(self) -> bool:
        """Whether it held at any time of the run."""
        return bool(self.intervals)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRecord:
    """A stretch of time in which a URL gave the same answer (krkn's shape). `gating`: a failure of it ends the run with 3."""

    url: str
    status: bool
    status_code: int
    start_timestamp: float
    end_timestamp: float
    duration: float
    gating: bool = False
    detail: str = ""


class FindingKind(StrEnum):
    """Why a run that proved its faults does not pass all the same."""

    UNKNOWN = "unknown"
    STEADY_STATE = "steady-state"
    CERBERUS = "cerberus"
    HEALTH = "health"
    ALERT = "alert"
    CRITICAL_ALERT = "critical-alert"
    OBJECTIVE = "objective"
    HALT = "halt"


_CODES = {FindingKind.UNKNOWN: EXIT_FAILED, FindingKind.STEADY_STATE: EXIT_FAILED, FindingKind.CERBERUS: EXIT_FAILED, FindingKind.HEALTH: EXIT_HEALTH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about the system, or about our sight of it, that decides the exit code."""

    kind: FindingKind
    reason: str
    time: float | None = None
    scenario: int | None = None

    @property
    def exit_code(self) -> int:
        """1, 3 or 2; which of several wins is the verdict's business."""
        return _CODES.get(self.kind, EXIT_ALERTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloResult:
    """One objective of the resiliency score; `passed` None: the query could not be answered, and it is left out of the score."""

    name: str
    severity: str
    weight: float
    passed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioScore:
    """The score of one executed scenario: 0 to 100."""

    name: str
    start: float
    end: float
    score: int
    weight: float
    total_points: float
    points_lost: float
    results: tuple[SloResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resiliency:
    """krkn's score: of each scenario, and of all of them weighted."""

    score: int
    passed: int
    total: int
    scenarios: tuple[ScenarioScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything seen in a run. `problems` are about our own sight, never about the system."""

    windows: tuple[Window, ...] = ()
    checks: tuple[ProbeCheck, ...] = ()
    alerts: tuple[AlertFact, ...] = ()
    health: tuple[HealthRecord, ...] = ()
    findings: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()
    resiliency: Resiliency | None = None
    series: tuple[Observed, ...] = ()
