"""config.yaml as typed data: krkn's sections, which are lenient, and `squall:`, which is strict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import PrivateAttr, StringConstraints

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
    about,
)
from .observation_sections import ElasticAccess, HaltOnSection, Probes, PrometheusAccess

Taint = Annotated[str, StringConstraints(pattern=r"^[^:=\s]+(=[^:=\s]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$")]
DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Toleration(StrictSection):
    """A toleration of the carrier pods, as in Kubernetes."""

    key: str = about("", "Key of the taint; empty means all.", "dedicated")
    operator: Literal["Exists", "Equal"] = about("Equal", "Whether the value matters.")
    value: str = about("", "Value of the taint.", "chaos")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = about(None, "Effect of the taint; empty means all.")
    tolerationSeconds: int | None = about(None, "How long a NoExecute taint is tolerated.", "300", ge=0, unit="seconds")


class Resources(StrictSection):
    """What the carrier pods ask for and may use, as in Kubernetes."""

    requests: dict[str, str] = about({}, "What a carrier pod is promised.", "{cpu: 10m, memory: 32Mi}")
    limits: dict[str, str] = about({}, "What a carrier pod may use.", "{memory: 128Mi}")


class Injector(StrictSection):
    """The carrier pods: `capabilities` is the least privilege that works nearly everywhere."""

    image: str = about("", "Image of the carrier pods; empty means Squall's own.", "registry.example/squall-injector:1")
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = about("IfNotPresent", "When the image is pulled.")
    pull_secrets: list[str] = about([], "Secrets for pulling the image.", "[registry]")
    service_account: str = about("", "Service account of the carrier pods.", "squall-injector")
    security: Literal["capabilities", "privileged"] = about("capabilities", "Rights of the carrier pods; privileged only where a cluster needs it.")
    resources: Resources = about(Resources(), "What the carrier pods ask for and may use.")
    node_selector: dict[str, str] = about({}, "Labels of nodes on which carrier pods may run.", "{kubernetes.io/os: linux}")
    tolerations: list[Toleration] = about([], "Taints that carrier pods tolerate.")
    taints: list[Taint] = about([], "The same as krkn writes it: key=value:Effect, or key:Effect for any value.", "[dedicated=chaos:NoSchedule]")
    priority_class: str = about("", "Priority class of the carrier pods.", "system-node-critical")


class Squall(StrictSection):
    """Squall's own settings."""

    record_directory: str = about("runs", "Every run writes a folder of its own here.")
    lease_seconds: int = about(10, "The kernel ends a fault by itself when it was not renewed for so long.", ge=3, le=60, unit="seconds")
    seed: int | None = about(None, "Repeats an earlier choice of targets; empty draws one.", "42", ge=0, le=2**63 - 1)
    sandbox_file: str | None = about(None, "Pods and traffic of `--sandbox`; empty means config/sandbox.yaml.", "config/sandbox.yaml")
    on_runner_loss: Literal["finish", "stop"] | None = about(
        None, "What becomes of a fault without its runner. `finish`: it ends at its deadline; `stop`: within one lease. "
        "Empty: stop in the sandbox, else finish.",
    )
    require_traffic: Literal["any", "all"] = about("any", "How many of the targets must have met matching traffic.")
    enforce_limits: bool = about(False, "Make the limits on how much is hit at once errors instead of warnings.")
    namespace: DnsLabel = about("squall", "Where the carrier pods run.")
    target_events: bool = about(False, "Write a Kubernetes event on each target too, not only on the carriers' Jobs.")
    injector: Injector = about(Injector(), "The carrier pods.")
    probes: Probes = about([], "What is looked at before, during and after each fault, and what it must show.")
    halt_on: list[HaltOnSection] = about([], "Queries that end the fault early.")
    on_unknown: Literal["fail", "pass"] = about("fail", "What becomes of a run when something that gates it could not be told.")
    abort_if_unhealthy: bool = about(True, "Do not attack while a probe fails already.")
    baseline_seconds: float = about(5, "How long probes are watched before each fault.", ge=0, le=86_400, unit="seconds")
    recovery_seconds: float = about(10, "How long probes are watched after each fault.", ge=0, le=86_400, unit="seconds")
    prometheus: PrometheusAccess = about(PrometheusAccess(), "How Prometheus is reached.")
    elastic: ElasticAccess = about(ElasticAccess(), "How Elasticsearch or OpenSearch is reached.")


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

    def origin(self, path: tuple[str | int, ...]) -> str:
        """Where a field was given: a position, a flag or a variable; else `default`."""
        return self._written.get(path, "default")

    def completed(
        self, scenarios: tuple[ScenarioFile, ...], notices: tuple[str, ...], written: Mapping[tuple[str | int, ...], str]
    ) -> Configuration:
        """The same configuration with what only its document tells: the files, remarks on it, and where each value stands."""
        copy = self.model_copy()
        copy._scenarios, copy._notices, copy._written = scenarios, notices, written
        return copy
