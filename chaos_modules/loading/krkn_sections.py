"""krkn's sections of config.yaml, read as leniently as krkn reads them; the defaults are those of an absent key."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict

from ..model.credentials import basic_auth

# Read by `scenario_files`, which knows the types.
ScenarioList = Annotated[Any, WithJsonSchema({
    "words": "list of types with files", "hint": "write `- TYPE:` and below it `- path/to/file.yaml`", "type": "array", "items": {
        "type": "object", "minProperties": 1, "maxProperties": 1,
        "additionalProperties": {"type": ["array", "null"], "items": {"type": "string"}},
    },
    "examples": [[{"pod_network_fault_scenarios": ["scenarios/harness/pod-network-loss.yaml"]}]],
})]  # fmt: skip


def _credentials(value: Any) -> Any:
    if value:
        basic_auth(value)
    return value


Credentials = Annotated[Any, AfterValidator(_credentials)]


def about(default: Any, meaning: str, example: str = "", *, unit: str = "", **bounds: Any) -> Any:
    """A field with what people are told of it."""
    extra: JsonDict | None = {"unit": unit} if unit else None
    return Field(default, description=meaning, examples=[example] if example else None, json_schema_extra=extra, **bounds)


class Section(BaseModel):
    """A section of krkn's: null or an empty text means the default, unknown keys are tolerated (and noticed), `legacy` ones silently."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False)
    legacy: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _null_is_default(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None and value != ""} if isinstance(data, dict) else data


class StrictSection(Section):
    """A section of our own: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=False)


class Kraken(Section):
    """The run as a whole."""

    legacy = frozenset({"distribution", "litmus_version", "litmus_install", "litmus_uninstall", "litmus_uninstall_before_run"})
    kubeconfig_path: str = about("", "The kubeconfig file of the cluster; empty means KUBECONFIG, else the default one.", "~/.kube/config")
    exit_on_failure: bool = about(False, "Stop at the first scenario file that fails.")
    auto_rollback: bool = about(False, "krkn's own rollback; Squall always reverts.")
    rollback_versions_directory: str = about("~/.krkn/rollback", "Where krkn keeps what it would roll back.")
    publish_kraken_status: bool = about(False, "Serve the state of the run over HTTP.")
    signal_state: Literal["RUN", "PAUSE", "STOP"] = about("RUN", "The state in which the run begins.")
    signal_address: str = about("0.0.0.0", "Address on which the state is served.")
    port: int = about(8081, "Port on which the state is served.", ge=0, le=65535)
    generate_pdf_report: bool = about(True, "krkn's PDF report; Squall writes reports of its own.")
    chaos_scenarios: ScenarioList = about(None, "Scenario files to run, in this order, under their type.")


class Cerberus(Section):
    """A health gate after every scenario file."""

    legacy = frozenset({"check_applicaton_routes"})
    cerberus_enabled: bool = about(False, "Ask Cerberus after every scenario file whether the cluster is healthy.")
    cerberus_url: str = about("", "Where Cerberus answers.", "http://cerberus:8080")
    check_application_routes: bool = about(False, "Let Cerberus watch the routes of applications, too.")


class PerformanceMonitoring(Section):
    """Prometheus: alerts that gate, metrics that are collected."""

    legacy = frozenset({"deploy_dashboards", "repo", "kube_burner_binary_url", "capture_metrics", "config_path", "metrics_profile_path"})
    prometheus_url: str = about("", "Where Prometheus answers.", "http://prometheus:9090")
    prometheus_bearer_token: str = about("", "Token for Prometheus; better given by the variable than in the file.", "TOKEN")
    uuid: str = about("", "Name of the run in stored metrics; empty draws one.", "3f2b0a5e")
    enable_alerts: bool = about(False, "Fail the run on the alerts of `alert_profile`.")
    enable_metrics: bool = about(False, "Collect the metrics of `metrics_profile`.")
    alert_profile: str = about("", "File of the alerts to evaluate.", "config/alerts.yaml")
    metrics_profile: str = about("", "File of the metrics to collect.", "config/metrics.yaml")
    check_critical_alerts: bool = about(False, "Fail the run on critical alerts that fire after a scenario file.")


class Elastic(Section):
    """Where metrics, alerts and telemetry are stored."""

    enable_elastic: bool = about(False, "Store metrics, alerts and telemetry in Elasticsearch or OpenSearch.")
    verify_certs: bool = about(True, "Check the certificate of the server; krkn does not where this is unset, Squall does.")
    elastic_url: str = about("", "Where the server answers.", "https://elastic")
    elastic_port: int = about(32766, "Port of the server.", ge=0, le=65535)
    username: str = about("", "User at the server.", "chaos")
    password: str = about("", "Password of the user; better given by the variable than in the file.", "PASSWORD")
    metrics_index: str = about("krkn-metrics", "Index of metrics.")
    alerts_index: str = about("krkn-alerts", "Index of alerts.")
    telemetry_index: str = about("krkn-telemetry", "Index of telemetry.")
    run_tag: str = about("", "A word that marks the documents of this run.", "nightly")


class Tunings(Section):
    """Pace of the run: seconds waited after every scenario file, and how often the list is repeated."""

    wait_duration: float = about(60, "Wait after every scenario file.", ge=0, le=604_800, unit="seconds")
    iterations: int = about(1, "How often the whole list runs.", ge=1, le=1_000_000)
    daemon_mode: bool = about(False, "Repeat the list until the run is stopped.")


class Telemetry(Section):
    """Upload of the run's data; happens only with an `api_url`."""

    enabled: bool = about(True, "Collect and upload telemetry.")
    api_url: str = about("", "Where telemetry is sent; empty sends none.", "https://telemetry/api")
    username: str = about("", "User at the telemetry service.", "chaos")
    password: str = about("", "Password of the user; better given by the variable than in the file.", "PASSWORD")
    prometheus_backup: bool = about(False, "Upload the data of Prometheus.")
    prometheus_namespace: str = about("", "Namespace of the Prometheus pod.", "monitoring")
    prometheus_container_name: str = about("", "Container of the Prometheus pod.", "prometheus")
    prometheus_pod_name: str = about("", "Name of the Prometheus pod.", "prometheus-0")
    full_prometheus_backup: bool = about(False, "Upload all of its data, not only that of the run.")
    backup_threads: int = about(5, "How many uploads run at once.")
    archive_path: str = about("", "Folder for archives before they are sent.", "/tmp")
    max_retries: int = about(0, "How often a failed upload is tried again; 0 means for ever.")
    run_tag: str = about("", "A word that marks the data of this run.", "nightly")
    archive_size: int = about(500_000, "Largest archive.", unit="kilobytes")
    telemetry_group: str = about("default", "Group under which the data is kept.")
    logs_backup: bool = about(False, "Upload logs of the cluster.")
    logs_filter_patterns: list[str] = about([], "Regular expressions of the log lines to upload.", '["(W[0-9]{4}.*)"]')
    oc_cli_path: str = about("/usr/bin/oc", "The oc program, which fetches the logs.")
    events_backup: bool = about(True, "Upload events of the cluster.")


class HealthCheck(Section):
    """One URL that must answer 200. `auth` is `user,password`."""

    url: str = about("", "The address that must answer.", "http://shop.example/health")
    bearer_token: str = about("", "Token for the address.", "TOKEN")
    auth: Credentials = about(None, "User and password for the address.", "user,password")
    exit_on_failure: bool = about(False, "Fail the run when the address did not answer.")
    verify_url: bool = about(True, "Check the certificate of the address.")


class HealthChecks(Section):
    """URLs watched during the run, every `interval` seconds."""

    interval: float = about(2, "Time between two checks.", gt=0, le=604_800, unit="seconds")
    config: list[HealthCheck] = about([], "The addresses to watch.")


class KubevirtChecks(Section):
    """Virtual machines watched during the run; no namespace means off."""

    legacy = frozenset({"type"})
    interval: float = about(2, "Time between two checks.", gt=0, le=604_800, unit="seconds")
    namespace: str = about("", "Namespace of the virtual machines; empty means no checks.", "vms")
    name: str = about("", "Regular expression of their names.", "web-.*")
    label_selector: str = about("", "Labels of the virtual machines.", "app=web")
    only_failures: bool = about(False, "Report only machines that could not be reached.")
    disconnected: bool = about(False, "Reach the machines by way of their nodes.")
    ssh_node: str = about("", "Host from which the machines are reached.", "bastion")
    node_names: str = about("", "Only machines on these nodes.", "worker-1,worker-2")
    exit_on_failure: bool = about(False, "Fail the run when a machine could not be reached at its end.")


class Resiliency(Section):
    """Score over service-level objectives."""

    resiliency_run_mode: Literal["standalone", "detailed", "disabled"] | None = about(None, "How the score is told.")
    resiliency_file: str = about("", "File of the objectives.", "config/alerts.yaml")


class Triggers(Section):
    """Conditions waited for before any chaos; `conditions` empty means none."""

    mode: Literal["all_of", "any_of"] = about("all_of", "Whether all conditions must hold, or any.")
    timeout: float = about(300, "How long the conditions are waited for.", ge=0, le=604_800, unit="seconds")
    interval: float = about(5, "Time between two looks.", gt=0, le=604_800, unit="seconds")
    on_timeout: Literal["skip", "fail", "run_anyway"] = about("skip", "What happens when they did not come true in time.")
    conditions: list[Any] = about([], "The conditions to wait for.", '[{command: "true"}]')