"""What of the system is watched in a run, and what of it decides the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .probe import AlertRule, Connection, HaltOn, HealthTarget, HttpProbe, MetricQuery, ObjectProbe, Probe, PrometheusProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Indices:
    """Where documents of each kind are stored."""

    telemetry: str = "krkn-telemetry"
    metrics: str = "krkn-metrics"
    alerts: str = "krkn-alerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationPlan:
    """Everything that is watched; what is empty or None is not. `objectives` are those of the resiliency score."""

    prometheus: Connection | None = None
    alerts: tuple[AlertRule, ...] = ()
    alert_file: str = ""
    critical_alerts: bool = False
    metrics: tuple[MetricQuery, ...] = ()
    metric_file: str = ""
    objectives: tuple[AlertRule, ...] = ()
    score_mode: str = "disabled"
    probes: tuple[Probe, ...] = ()
    halt_on: tuple[HaltOn, ...] = ()
    health: tuple[HealthTarget, ...] = ()
    health_interval: float = 2.0
    cerberus: Connection | None = None
    cerberus_routes: bool = False
    on_unknown: Literal["fail", "pass"] = "fail"
    abort_if_unhealthy: bool = True
    baseline_seconds: float = 0.0
    recovery_seconds: float = 0.0
    elastic: Connection | None = None
    indices: Indices = Indices()
    tag: str = ""

    @property
    def gates_on_prometheus(self) -> bool:
        """Whether the exit code depends on an answer of Prometheus."""
        queried = any(isinstance(probe.what, PrometheusProbe) for probe in self.probes)
        return bool(self.alerts or self.critical_alerts or self.halt_on or queried)

    def described(self) -> Iterator[str]:
        """One line for each thing, for the plan: no secret is in it."""
        if self.alerts:
            yield f"alerts of {self.alert_file}: {len(self.alerts)} rules over the whole run"
        if self.critical_alerts:
            yield "critical alerts that fire after a scenario and did not before"
        for probe in self.probes:
            yield f"probe {probe.name}: {_asked(probe)}"
        for halt in self.halt_on:
            yield f"ends the fault early: {halt.query}" + (f" for {halt.for_seconds:g} s" if halt.for_seconds else "")
        for target in self.health:
            yield f"health of {target.connection.address} every {self.health_interval:g} s" + (", gates the run" if target.exit_on_failure else "")
        if self.cerberus:
            yield f"Cerberus at {self.cerberus.address} after every scenario"
        if self.metrics:
            yield f"metrics of {self.metric_file}: {len(self.metrics)} queries"
        if self.objectives:
            yield f"resiliency score over {len(self.objectives)} objectives"
        if self.elastic:
            yield f"results are stored at {self.elastic.address}"


def _asked(probe: Probe) -> str:
    what = probe.what
    if isinstance(what, HttpProbe):
        text = f"{what.method} {what.connection.address}{f' from {what.source}' if what.source else ''}"
    elif isinstance(what, PrometheusProbe):
        return f"{what.query} {what.limit}"
    elif isinstance(what, ObjectProbe):
        text = f"{what.kind} {f'{what.namespace}/' if what.namespace else ''}{what.name}: {what.path} {what.comparison} {what.value}"
    else:
        text = f"{what.argv[0]}{f' in {what.source}' if what.source else ''}"
    return f"{text}, every {probe.interval_seconds:g} s"
