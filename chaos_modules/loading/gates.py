"""What a krkn configuration asks for and this version does not do: a gate is refused, a mere collection is noticed."""

from __future__ import annotations

from ..model.errors import BadInput
from ..model.wording import nearest
from .configuration import Configuration
from .documents import Document
from .krkn_sections import Section
from .nodes import Location
from .validation import dotted


def refused_gates(configuration: Configuration, document: Document) -> list[BadInput]:
    """Gates that are switched on but would not be evaluated: ignoring one would let a run pass that should not."""
    monitoring = configuration.performance_monitoring
    signals = configuration.kraken.publish_kraken_status and configuration.kraken.signal_state != "RUN"
    gates: tuple[tuple[object, Location, str], ...] = (
        (monitoring.enable_alerts, ("performance_monitoring", "enable_alerts"), "set it to False"),
        (monitoring.check_critical_alerts, ("performance_monitoring", "check_critical_alerts"), "set it to False"),
        (configuration.cerberus.cerberus_enabled, ("cerberus", "cerberus_enabled"), "set it to False"),
        (any(check.url for check in configuration.health_checks.config), ("health_checks", "config"), "leave it empty"),
        (configuration.kubevirt_checks.namespace, ("kubevirt_checks", "namespace"), "leave it empty"),
        (configuration.triggers.conditions, ("triggers", "conditions"), "remove the triggers section"),
        (signals, ("kraken", "signal_state"), "set it to RUN"),
    )
    return [
        BadInput(f"{dotted(location)}: this version does not evaluate it, and will not pretend to", document.position(location), remedy)
        for enabled, location, remedy in gates if enabled
    ]


def idle_collections(configuration: Configuration, document: Document) -> list[str]:
    """What would only be collected or served, and is not yet."""
    telemetry, resiliency = configuration.telemetry, configuration.resiliency
    collections: tuple[tuple[object, Location], ...] = (
        (configuration.performance_monitoring.enable_metrics, ("performance_monitoring", "enable_metrics")),
        (configuration.elastic.enable_elastic, ("elastic", "enable_elastic")),
        (telemetry.enabled and telemetry.api_url, ("telemetry", "api_url")),
        (configuration.kraken.publish_kraken_status, ("kraken", "publish_kraken_status")),
        (resiliency.resiliency_run_mode not in (None, "disabled"), ("resiliency", "resiliency_run_mode")),
    )
    return [
        f"{document.position(location)}: {dotted(location)}: this version does not do it; it has no effect on the verdict"
        for enabled, location in collections if enabled
    ]


def unknown_keys(section: Section, document: Document, at: Location = ()) -> list[str]:
    """Keys that krkn would ignore without a word."""
    known = list(type(section).model_fields)
    notices = []
    for key in sorted(set(section.model_extra or {}) - section.legacy):
        meant = nearest(key, known)
        guess = f" (did you mean {meant}?)" if meant else ""
        notices.append(f"{document.position((*at, key), key=True)}: {dotted((*at, key))}: unknown key, ignored as krkn does{guess}")
    for name in known:
        value = getattr(section, name)
        for index, part in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(part, Section):
                notices += unknown_keys(part, document, (*at, name) if index is None else (*at, name, index))
    return notices
