"""From the configuration to what is watched. Profiles are read here, before any chaos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..model.condition import condition_of
from ..model.credentials import basic_auth
from ..model.limit import limit_of
from ..model.observation_plan import Indices, ObservationPlan
from ..model.probe import (
    AlertRule,
    CommandProbe,
    Connection,
    HaltOn,
    HealthTarget,
    HttpProbe,
    Kind,
    ObjectProbe,
    Probe,
    PrometheusProbe,
    Threshold,
)
from ..model.quantities import Duration
from .configuration import Configuration
from .krkn_sections import HealthCheck
from .observation_sections import HttpProbeSection, ObjectProbeSection, ProbeSection, ProbeWindow

DEFAULT_OBJECTIVES = "config/alerts.yaml"
HEALTH_TIMEOUT_SECONDS = 3.0
CERBERUS_TIMEOUT_SECONDS = 60.0


def observation_plan(configuration: Configuration) -> ObservationPlan:
    """What the configuration asks to be watched. Raises BadInput for a profile that is wrong."""
    from .profiles import load_alert_profile, load_metrics_profile  # noqa: PLC0415 - most runs have none

    squall, monitoring, cerberus = configuration.squall, configuration.performance_monitoring, configuration.cerberus
    probes = tuple(map(_probe, squall.probes))
    objectives, mode = _objectives(configuration)
    return replace(
        storage_plan(configuration), prometheus=prometheus_connection(configuration),
        alerts=load_alert_profile(monitoring.alert_profile) if monitoring.enable_alerts else (), alert_file=monitoring.alert_profile,
        critical_alerts=monitoring.check_critical_alerts,
        metrics=load_metrics_profile(monitoring.metrics_profile) if monitoring.enable_metrics else (), metric_file=monitoring.metrics_profile,
        objectives=objectives, score_mode=mode, probes=probes,
        halt_on=tuple(HaltOn(query=one.query, description=one.description, for_seconds=one.for_seconds, interval_seconds=one.interval_seconds)
                      for one in squall.halt_on),
        health=tuple(_health(check) for check in configuration.health_checks.config if check.url),
        health_interval=configuration.health_checks.interval,
        cerberus=Connection(url=cerberus.cerberus_url, timeout_seconds=CERBERUS_TIMEOUT_SECONDS) if cerberus.cerberus_enabled else None,
        cerberus_routes=cerberus.check_application_routes, on_unknown=squall.on_unknown,
        abort_if_unhealthy=squall.abort_if_unhealthy, baseline_seconds=squall.baseline_seconds if probes else 0.0,
        recovery_seconds=squall.recovery_seconds if probes else 0.0,
    )  # fmt: skip


def storage_plan(configuration: Configuration) -> ObservationPlan:
    """The part of it that says where results are stored; no file is read."""
    elastic = configuration.elastic
    indices = Indices(telemetry=elastic.telemetry_index, metrics=elastic.metrics_index, alerts=elastic.alerts_index)
    return ObservationPlan(elastic=_elastic(configuration), indices=indices, tag=elastic.run_tag or configuration.telemetry.run_tag)


def prometheus_connection(configuration: Configuration) -> Connection | None:
    """How Prometheus is reached; None where no URL is given."""
    monitoring, access = configuration.performance_monitoring, configuration.squall.prometheus
    if not monitoring.prometheus_url:
        return None
    return Connection(
        url=monitoring.prometheus_url.rstrip("/"), bearer_token=monitoring.prometheus_bearer_token, username=access.username,
        password=access.password, headers=_pairs(access.headers), ca_file=access.ca_file, client_certificate=access.client_certificate,
        client_key=access.client_key, verify=access.verify, timeout_seconds=access.timeout_seconds,
    )  # fmt: skip


def _objectives(configuration: Configuration) -> tuple[tuple[AlertRule, ...], str]:
    """krkn scores every run that has a Prometheus, over the first of three files that is named or there."""
    from .profiles import load_alert_profile, load_objectives  # noqa: PLC0415 - as above

    resiliency, monitoring = configuration.resiliency, configuration.performance_monitoring
    if not monitoring.prometheus_url or resiliency.resiliency_run_mode == "disabled":
        return (), "disabled"
    mode = resiliency.resiliency_run_mode or "record"
    if resiliency.resiliency_file:
        return load_objectives(resiliency.resiliency_file), mode
    if not monitoring.alert_profile and (mode == "record" or not Path(DEFAULT_OBJECTIVES).exists()):
        return (), "disabled"
    return load_alert_profile(monitoring.alert_profile or DEFAULT_OBJECTIVES), mode


def _health(check: HealthCheck) -> HealthTarget:
    username, password = basic_auth(check.auth) if check.auth else ("", "")
    connection = Connection(
        url=check.url, bearer_token=check.bearer_token, username=username, password=password, verify=check.verify_url,
        timeout_seconds=HEALTH_TIMEOUT_SECONDS,
    )  # fmt: skip
    return HealthTarget(connection=connection, exit_on_failure=check.exit_on_failure)


def _elastic(configuration: Configuration) -> Connection | None:
    """The URL and the port of krkn, and what is ours."""
    elastic, access = configuration.elastic, configuration.squall.elastic
    if not elastic.enable_elastic:
        return None
    return Connection(
        url=server_url(elastic.elastic_url, elastic.elastic_port), username=elastic.username, password=elastic.password,
        headers=_pairs(access.headers), ca_file=access.ca_file, client_certificate=access.client_certificate, client_key=access.client_key,
        verify=elastic.verify_certs, timeout_seconds=access.timeout_seconds,
    )  # fmt: skip


def server_url(url: str, port: int) -> str:
    """krkn's two keys as one URL: a port in the URL wins, a path stays behind the port, no scheme means http."""
    scheme, slashes, rest = url.rstrip("/").rpartition("://")
    host, slash, path = rest.partition("/")
    if host.rpartition("@")[2].rpartition("]")[2].count(":") == 0:
        host = f"{host}:{port}"
    return f"{scheme or 'http'}{slashes or '://'}{host}{slash}{path}"


def _probe(section: ProbeSection) -> Probe:
    return Probe(
        name=section.name, what=_asked(section), interval_seconds=section.interval_seconds, timeout_seconds=section.timeout_seconds,
        baseline=_threshold(section.baseline), fault=_threshold(section.fault), recovery=_threshold(section.recovery),
        recover_within=section.recover_within_seconds,
    )  # fmt: skip


def _asked(section: ProbeSection) -> Kind:
    if section.http:
        return _http(section.http, section.timeout_seconds)
    if section.command:
        one = section.command
        return CommandProbe(
            argv=tuple(one.argv), expected_exit=one.expected_exit, output_contains=one.output_contains, source=one.source or ""
        )  # fmt: skip
    if section.prometheus:
        return PrometheusProbe(query=section.prometheus.query, limit=limit_of(section.prometheus.limit))
    if not section.object:
        raise ValueError(section.name)
    return _object(section.object)


def _http(one: HttpProbeSection, timeout: float) -> HttpProbe:
    connection = Connection(
        url=one.url, bearer_token=one.bearer_token, username=one.username, password=one.password, headers=_pairs(one.headers),
        ca_file=one.ca_file, client_certificate=one.client_certificate, client_key=one.client_key, verify=one.verify, timeout_seconds=timeout,
    )  # fmt: skip
    return HttpProbe(
        connection=connection, method=one.method, expected_status=tuple(one.expected_status) or (200,), body_contains=one.body_contains,
        source=one.source or "",
    )  # fmt: skip


def _object(one: ObjectProbeSection) -> ObjectProbe:
    path, comparison, value = condition_of(one.condition)
    return ObjectProbe(
        api_version=one.api_version, kind=one.kind, namespace=one.namespace, name=one.name, path=path, comparison=comparison, value=value
    )  # fmt: skip


def _threshold(window: ProbeWindow) -> Threshold:
    return Threshold(
        pass_rate=None if window.pass_rate is None else window.pass_rate / 100,
        latency=tuple((int(name[1:]) / 100, Duration.parse(text, bare="s").seconds) for name, text in window.latency.items()),
    )  # fmt: skip


def _pairs(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(headers.items())
