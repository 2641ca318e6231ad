"""config.yaml as typed data: krkn's sections, which are lenient, and `squall:`, which is strict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, StringConstraints

from .krkn_sections import (
    Cerberus,
    Elastic,
    HealthChecks,
    Kraken,
    KubevirtChecks,
    PerformanceMonitoring,
    Resiliency,
    Section,
    StrictSection,
    Telemetry,
    Triggers,
    Tunings,
)

DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Toleration(StrictSection):
    """A toleration of the carrier pods, as in Kubernetes."""

    key: str = ""
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    tolerationSeconds: int | None = None


class Resources(StrictSection):
    """What the carrier pods ask for and may use, as in Kubernetes."""

    requests: dict[str, str] = Field(default_factory=dict)
    limits: dict[str, str] = Field(default_factory=dict)


class Injector(StrictSection):
    """The carrier pods. An empty image means Squall's own; `capabilities` is the least privilege that works nearly everywhere."""

    image: str = ""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    pull_secrets: list[str] = Field(default_factory=list)
    service_account: str = ""
    security: Literal["capabilities", "privileged"] = "capabilities"
    resources: Resources = Resources()
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)


class Squall(StrictSection):
    """Our own settings. `on_runner_loss` unset means finish on a cluster and stop in the sandbox."""

    record_directory: str = "runs"
    lease_seconds: int = Field(10, ge=3, le=60)
    seed: int | None = Field(None, ge=0)
    sandbox_file: str | None = None
    on_runner_loss: Literal["finish", "stop"] | None = None
    require_traffic: Literal["any", "all"] = "any"
    enforce_limits: bool = False
    namespace: DnsLabel = "squall"
    injector: Injector = Injector()


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """One file of `chaos_scenarios`, in the order of execution; `where` is the position of its entry."""

    type: str
    path: str
    where: str


class Configuration(Section):
    """A whole config.yaml, after flags and environment."""

    kraken: Kraken = Kraken()
    cerberus: Cerberus = Cerberus()
    performance_monitoring: PerformanceMonitoring = PerformanceMonitoring()
    elastic: Elastic = Elastic()
    tunings: Tunings = Tunings()
    telemetry: Telemetry = Telemetry()
    health_checks: HealthChecks = HealthChecks()
    kubevirt_checks: KubevirtChecks = KubevirtChecks()
    resiliency: Resiliency = Resiliency()
    triggers: Triggers = Triggers()
    squall: Squall = Squall()
    _scenarios: tuple[ScenarioFile, ...] = PrivateAttr(())
    _notices: tuple[str, ...] = PrivateAttr(())
    _written: Mapping[tuple[str | int, ...], str] = PrivateAttr(default_factory=dict)

    @property
    def scenarios(self) -> tuple[ScenarioFile, ...]:
        """The files of `kraken.chaos_scenarios`."""
        return self._scenarios

    @property
    def notices(self) -> tuple[str, ...]:
        """What was tolerated but has no effect, each with its position."""
        return self._notices

    def origin(self, path: tuple[str, ...]) -> str:
        """Where a field was given: a position, a flag or a variable; else `default`."""
        return self._written.get(path, "default")

    def completed(
        self, scenarios: tuple[ScenarioFile, ...], notices: tuple[str, ...], written: Mapping[tuple[str | int, ...], str]
    ) -> Configuration:
        """The same configuration with what only its document tells: the files, remarks on it, and where each value stands."""
        copy = self.model_copy()
        copy._scenarios, copy._notices, copy._written = scenarios, notices, written
        return copy
