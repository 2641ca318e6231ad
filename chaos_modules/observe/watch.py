"""Everything that looks at the system during a run, under one roof: started with it, asked between its scenarios, judged at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..model.observation import Finding, FindingKind, Observation, ProbeCheck, Window
from ..model.observation_plan import ObservationPlan
from ..model.outcome import ScenarioOutcome
from ..model.probe import HaltOn, PrometheusProbe
from ..verdict.probes import steady
from .cerberus import cerberus_no_go
from .critical import CriticalAlerts
from .halting import Halting
from .health import HealthChecks
from .judging import Seen, judged, prometheus_checks, sampled_checks
from .network_namespace import Sources
from .probes.asking import asker
from .probes.asking_object import Read
from .prometheus import Prometheus
from .sampling import Sampler

Emit = Callable[..., None]


class SystemWatch:
    """Watches what the plan says. Samplers, health checks and halting queries have threads of their own; the rest is asked by the engine's.

    `nudge` wakes the engine when the faults must end; `hurry` tells that nobody wants to wait for answers any more; `keep_metrics` writes samples
    to the record; `sources` gives the network of a sandbox's pod, `read` an object of the cluster, each where there is one.
    """

    def __init__(
        self, plan: ObservationPlan, emit: Emit, *, nudge: Callable[[], None], hurry: Callable[[], bool],
        keep_metrics: Callable[[Iterable[Mapping[str, Any]]], None], sources: Sources | None = None, read: Read | None = None,
    ) -> None:  # fmt: skip
        self.plan, self._emit, self._nudge, self._keep_metrics = plan, emit, nudge, keep_metrics
        self._prometheus = Prometheus(plan.prometheus, hurry) if plan.prometheus else None
        self._critical = CriticalAlerts(self._prometheus) if self._prometheus and plan.critical_alerts else None
        self._halting = Halting(self._prometheus, plan.halt_on, self._halt, threading.Event()) if self._prometheus else None
        self._samplers = [Sampler(probe, asker(probe, sources, read), emit) for probe in plan.probes if not isinstance(probe.what, PrometheusProbe)]
        self._health = HealthChecks(plan.health, plan.health_interval, emit)
        self._findings: list[Finding] = []
        self._halted_at: float | None = None

    @property
    def baseline_seconds(self) -> float:
        """As planned."""
        return self.plan.baseline_seconds

    @property
    def recovery_seconds(self) -> float:
        """As planned."""
        return self.plan.recovery_seconds

    @property
    def halted(self) -> str:
        """Why every fault must end; empty while none must."""
        reason = self._halting.reason if self._halting else ""
        return f"halt_on: {reason}" if reason else ""

    def begin(self) -> None:
        """Note what is wrong already, and start every thread."""
        if self._critical:
            self._critical.note_before()
        self._health.start()
        for sampler in self._samplers:
            sampler.start()
        if self._halting:
            self._halting.start()

    def _halt(self, rule: HaltOn, reason: str) -> None:
        self._halted_at = time.time()
        self._emit("halt", rule.description or rule.query, query=rule.query, reason=reason)
        self._nudge()

    def unsteady(self, window: Window) -> str:
        """Why the system must not be attacked, going by the baseline of this scenario."""
        if not self.plan.abort_if_unhealthy:
            return ""
        checks = [*sampled_checks(self._samplers, [window]), *self._queried_checks(window)]
        reason = steady(checks, self.plan.on_unknown)
        if not reason:
            return ""
        told = f"the system was not healthy before the fault: {reason}"
        self._findings.append(Finding(kind=FindingKind.STEADY_STATE, reason=told, time=window.start, scenario=window.scenario))
        return told

    def _queried_checks(self, window: Window) -> Sequence[ProbeCheck]:
        return prometheus_checks(self._prometheus, self.plan.probes, [window])[0] if self._prometheus else ()

    def stop_after(self, scenario: int, started: float) -> str:
        """New critical alerts, or Cerberus' no-go."""
        if self._critical and (alerts := self._critical.after(scenario)):
            return f"critical alert {alerts[0].name} fires"
        if self.plan.cerberus:
            no_go = cerberus_no_go(self.plan.cerberus, self.plan.cerberus_routes, (time.time() - started) / 60)
            if no_go:
                self._findings.append(Finding(kind=FindingKind.CERBERUS, reason=no_go, time=time.time(), scenario=scenario))
            return no_go
        return ""

    def finish(self, outcomes: Sequence[ScenarioOutcome], windows: Sequence[Window], started: float) -> Observation:
        """Stop looking, ask Prometheus for the run's history, and judge."""
        self._stop_looking()
        if self.halted:
            scenario = max((window.scenario for window in windows), default=None)
            self._findings.append(Finding(kind=FindingKind.HALT, reason=self.halted, time=self._halted_at, scenario=scenario))
        return judged(Seen(
            plan=self.plan, prometheus=self._prometheus, critical=self._critical, halting=self._halting, samplers=self._samplers,
            health=self._health, findings=self._findings, outcomes=outcomes, windows=windows, started=started, keep_metrics=self._keep_metrics,
        ))  # fmt: skip

    def close(self) -> None:
        """End every thread and connection; nothing happens the second time."""
        self._stop_looking()
        if self._prometheus:
            self._prometheus.close()

    def _stop_looking(self) -> None:
        for sampler in self._samplers:
            sampler.end()
        for sampler in self._samplers:
            sampler.stop()
        self._health.stop()
        if self._halting:
            self._halting.close()
