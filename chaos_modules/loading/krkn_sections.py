"""krkn's sections of config.yaml, read as leniently as krkn reads them; the defaults are those of an absent key."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A section of krkn's: null or an empty text means the default, unknown keys are tolerated (and noticed), `legacy` ones silently."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True, frozen=True, hide_input_in_errors=True)
    legacy: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _null_is_default(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None and value != ""} if isinstance(data, dict) else data


class StrictSection(Section):
    """A section of our own: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=False)


class Kraken(Section):
    """The run as a whole. `chaos_scenarios` is read by `scenario_files`, which knows the types."""

    legacy = frozenset({"distribution", "litmus_version", "litmus_install", "litmus_uninstall", "litmus_uninstall_before_run"})
    kubeconfig_path: str = ""
    exit_on_failure: bool = False
    auto_rollback: bool = False
    rollback_versions_directory: str = "~/.krkn/rollback"
    publish_kraken_status: bool = False
    signal_state: Literal["RUN", "PAUSE", "STOP"] = "RUN"
    signal_address: str = "0.0.0.0"
    port: int = Field(8081, ge=0, le=65535)
    generate_pdf_report: bool = True
    chaos_scenarios: Any = None


class Cerberus(Section):
    """A health gate after every scenario file."""

    legacy = frozenset({"check_applicaton_routes"})
    cerberus_enabled: bool = False
    cerberus_url: str = ""
    check_application_routes: bool = False


class PerformanceMonitoring(Section):
    """Prometheus: alerts that gate, metrics that are collected."""

    legacy = frozenset({"deploy_dashboards", "repo", "kube_burner_binary_url", "capture_metrics", "config_path", "metrics_profile_path"})
    prometheus_url: str = ""
    prometheus_bearer_token: str = ""
    uuid: str = ""
    enable_alerts: bool = False
    enable_metrics: bool = False
    alert_profile: str = ""
    metrics_profile: str = ""
    check_critical_alerts: bool = False


class Elastic(Section):
    """Where metrics, alerts and telemetry are stored."""

    enable_elastic: bool = False
    verify_certs: bool = False
    elastic_url: str = ""
    elastic_port: int = 32766
    username: str = ""
    password: str = ""
    metrics_index: str = "krkn-metrics"
    alerts_index: str = "krkn-alerts"
    telemetry_index: str = "krkn-telemetry"
    run_tag: str = ""


class Tunings(Section):
    """Pace of the run: seconds waited after every scenario file, and how often the list is repeated."""

    wait_duration: float = Field(60, ge=0)
    iterations: int = Field(1, ge=1)
    daemon_mode: bool = False


class Telemetry(Section):
    """Upload of the run's data; happens only with an `api_url`."""

    enabled: bool = True
    api_url: str = ""
    username: str = ""
    password: str = ""
    prometheus_backup: bool = False
    prometheus_namespace: str = ""
    prometheus_container_name: str = ""
    prometheus_pod_name: str = ""
    full_prometheus_backup: bool = False
    backup_threads: int = 5
    archive_path: str = ""
    max_retries: int = 0
    run_tag: str = ""
    archive_size: int = 500_000
    telemetry_group: str = "default"
    logs_backup: bool = False
    logs_filter_patterns: list[str] = Field(default_factory=list)
    oc_cli_path: str = "/usr/bin/oc"
    events_backup: bool = True


class HealthCheck(Section):
    """One URL that must answer 200. `auth` is `user,password`."""

    url: str = ""
    bearer_token: str = ""
    auth: Any = None
    exit_on_failure: bool = False
    verify_url: bool = True


class HealthChecks(Section):
    """URLs watched during the run, every `interval` seconds."""

    interval: float = Field(2, gt=0)
    config: list[HealthCheck] = Field(default_factory=list)


class KubevirtChecks(Section):
    """Virtual machines watched during the run; no namespace means off."""

    legacy = frozenset({"type"})
    interval: float = Field(2, gt=0)
    namespace: str = ""
    name: str = ""
    label_selector: str = ""
    only_failures: bool = False
    disconnected: bool = False
    ssh_node: str = ""
    node_names: str = ""
    exit_on_failure: bool = False


class Resiliency(Section):
    """Score over service-level objectives."""

    resiliency_run_mode: Literal["standalone", "detailed", "disabled"] | None = None
    resiliency_file: str = ""


class Triggers(Section):
    """Conditions waited for before any chaos; `conditions` empty means none."""

    mode: Literal["all_of", "any_of"] = "all_of"
    timeout: float = 300
    interval: float = 5
    on_timeout: Literal["skip", "fail", "run_anyway"] = "skip"
    conditions: list[Any] = Field(default_factory=list)
