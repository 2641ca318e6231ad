"""What a krkn configuration asks for and this version does not do: a gate is refused, a mere collection is noticed."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.errors import BadInput
from ..model.wording import nearest
from .configuration import Configuration
from .documents import Document
from .krkn_sections import Section
from .nodes import Location
from .validation import dotted


def refused_gates(configuration: Configuration, document: Document) -> list[BadInput]:
    """Gates that are switched on but could not be evaluated: ignoring one would let a run pass that should not."""
    signals = configuration.kraken.publish_kraken_status and configuration.kraken.signal_state != "RUN"
    gates: tuple[tuple[object, Location, str], ...] = (
        (configuration.kubevirt_checks.namespace, ("kubevirt_checks", "namespace"), "leave it empty"),
        (configuration.triggers.conditions, ("triggers", "conditions"), "remove the triggers section"),
        (signals, ("kraken", "signal_state"), "set it to RUN"),
    )
    unable = [
        BadInput(f"{dotted(location)}: this version does not evaluate it, and will not pretend to", document.position(location), remedy)
        for enabled, location, remedy in gates if enabled
    ]  # fmt: skip
    return unable + [
        BadInput(f"{dotted(location)}: it needs {dotted(needed)}, which is empty", document.position(location), f"set {dotted(needed)}")
        for enabled, location, value, needed in _needs(configuration) if enabled and not value
    ] + [
        BadInput(f"{dotted(location)}: it is no URL", document.position(location), "write it with http:// or https://")
        for url, location in (
            (configuration.performance_monitoring.prometheus_url, ("performance_monitoring", "prometheus_url")),
            (configuration.cerberus.cerberus_url if configuration.cerberus.cerberus_enabled else "", ("cerberus", "cerberus_url")),
        ) if url and not url.startswith(("http://", "https://"))
    ]  # fmt: skip


def _needs(configuration: Configuration) -> Iterator[tuple[object, Location, str, Location]]:
    """(switched on, where, the value without which it cannot be, where that one is)."""
    monitoring, cerberus, elastic = configuration.performance_monitoring, configuration.cerberus, configuration.elastic
    url: Location = ("performance_monitoring", "prometheus_url")
    for name in ("enable_alerts", "enable_metrics", "check_critical_alerts"):
        yield getattr(monitoring, name), ("performance_monitoring", name), monitoring.prometheus_url, url
    for number, probe in enumerate(configuration.squall.probes):
        yield probe.prometheus, ("squall", "probes", number, "prometheus"), monitoring.prometheus_url, url
    yield configuration.squall.halt_on, ("squall", "halt_on"), monitoring.prometheus_url, url
    for name, profile in (("enable_alerts", "alert_profile"), ("enable_metrics", "metrics_profile")):
        needed: Location = ("performance_monitoring", profile)
        yield getattr(monitoring, name), ("performance_monitoring", name), getattr(monitoring, profile), needed
    yield cerberus.cerberus_enabled, ("cerberus", "cerberus_enabled"), cerberus.cerberus_url, ("cerberus", "cerberus_url")
    yield elastic.enable_elastic, ("elastic", "enable_elastic"), elastic.elastic_url, ("elastic", "elastic_url")


def idle_collections(configuration: Configuration, document: Document) -> list[str]:
    """What would only be collected or served, and is not yet."""
    collections: tuple[tuple[object, Location], ...] = (
        (configuration.telemetry.enabled and configuration.telemetry.api_url, ("telemetry", "api_url")),
        (configuration.kraken.publish_kraken_status, ("kraken", "publish_kraken_status")),
    )
    return [
        f"{document.position(location)}: {dotted(location)}: this version does not do it; it has no effect on the verdict"
        for enabled, location in collections if enabled
    ]  # fmt: skip


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
