"""What `squall:` says of watching the system under test: probes, what ends a fault early, and how servers are reached."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from ..model.condition import condition_of
from ..model.errors import QuantityError
from ..model.limit import limit_of
from ..model.quantities import Duration
from .krkn_sections import StrictSection, about

_HTTP = re.compile(r"https?://[^\s/]+\S*")
KINDS = ("http", "command", "prometheus", "object")


def _limit(text: str) -> str:
    limit_of(text)
    return text


def _condition(text: str) -> str:
    condition_of(text)
    return text


def _http(text: str) -> str:
    if not _HTTP.fullmatch(text):
        raise ValueError("it is no URL; write it with http:// or https://")
    return text


def _latency(text: str) -> str:
    try:
        Duration.parse(text, bare="s")
    except QuantityError as error:
        raise ValueError(str(error)) from None
    return text


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


LimitText = Annotated[str, AfterValidator(_limit)]
ConditionText = Annotated[str, AfterValidator(_condition)]
LatencyText = Annotated[str, BeforeValidator(lambda value: f"{value:g}s" if isinstance(value, (int, float)) else value), AfterValidator(_latency)]
Status = Annotated[int, Field(ge=100, le=599)]
HttpUrl = Annotated[str, AfterValidator(_http)]
PodPath = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+/[a-z0-9.-]+$")]
Headers = dict[str, str]


class TransportLayerSecurity(StrictSection):
    """How a server is known, and how it knows us."""

    ca_file: str = about("", "Certificates that the server's is checked against; empty means the system's.", "/etc/ssl/prometheus-ca.pem")
    client_certificate: str = about("", "Our own certificate, where the server asks for one.", "client.pem")
    client_key: str = about("", "Key of our own certificate.", "client.key")


class Access(TransportLayerSecurity):
    """The same with user and password."""

    verify: bool = about(True, "Check the certificate of the server.")
    username: str = about("", "User at the server.", "chaos")
    password: str = about("", "Password of the user; better given by the variable than in the file.", "PASSWORD")
    headers: Headers = about({}, "Further headers of every request; their values are treated as secrets.", "{X-Scope-OrgID: shop}")
    timeout_seconds: float = about(10, "How long an answer is waited for.", gt=0, le=600, unit="seconds")


class PrometheusAccess(Access):
    """How Prometheus is reached, beside `performance_monitoring.prometheus_url` and its bearer token."""


class ElasticAccess(TransportLayerSecurity):
    """How Elasticsearch or OpenSearch is reached, beside krkn's `elastic` section."""

    headers: Headers = about({}, "Further headers of every request; their values are treated as secrets.", "{X-Tenant: shop}")
    timeout_seconds: float = about(30, "How long an answer is waited for.", gt=0, le=600, unit="seconds")


class HttpProbeSection(TransportLayerSecurity):
    """A request that must be answered. Every look opens a connection of its own."""

    url: HttpUrl = Field(description="What is asked for.", examples=["http://shop.example/health"])
    verify: bool = about(True, "Check the certificate of the server.")
    method: Literal["GET", "HEAD", "POST", "PUT", "OPTIONS"] = about("GET", "Method of the request.")
    expected_status: Annotated[list[Status], BeforeValidator(_listed)] = about([], "Status codes of a good answer; empty means 200.", "[200, 204]")
    body_contains: str = about("", "Text that a good answer has in it.", "ok")
    headers: Headers = about({}, "Headers of the request; their values are treated as secrets.", "{Accept: application/json}")
    bearer_token: str = about("", "Token for the address.", "TOKEN")
    username: str = about("", "User at the address.", "chaos")
    password: str = about("", "Password of the user.", "PASSWORD")
    source: PodPath | None = about(None, "The sandbox's pod that asks; empty means this process.", "load/client-0", alias="from")


class CommandProbeSection(StrictSection):
    """A program that must end well. It is started without a shell."""

    argv: list[str] = Field(description="The program and its arguments.", examples=["[check-duplicates, --fast]"], min_length=1)
    expected_exit: int = about(0, "Status with which it must end.", ge=0, le=255)
    output_contains: str = about("", "Text that it must print.", "ok")
    source: PodPath | None = about(None, "The sandbox's pod in whose network it runs; empty means this one.", "load/client-0", alias="from")


class PrometheusProbeSection(StrictSection):
    """A query whose every series must keep a limit."""

    query: str = Field(description="The query, in PromQL.", examples=["rate(checkout_errors_total[10s])"], min_length=1)
    limit: LimitText = Field(description="What holds for a good value.", examples=["<= 0.01"])


class ObjectProbeSection(StrictSection):
    """A Kubernetes object of which something must hold."""

    api_version: str = Field(description="Version of the object's API.", examples=["apps/v1"], min_length=1)
    kind: str = Field(description="Kind of the object.", examples=["Deployment"], min_length=1)
    namespace: str = about("", "Its namespace; empty for objects without one.", "shop")
    name: str = Field(description="Its name.", examples=["web"], min_length=1)
    condition: ConditionText = Field(description="What must hold: a path, a comparison and a value.", examples=["status.readyReplicas >= 2"])


class ProbeWindow(StrictSection):
    """What one window must show; nothing given means nothing is asked."""

    pass_rate: float | None = about(None, "Share of good answers, at least.", "95", ge=0, le=100, unit="percent")
    latency: dict[Literal["p50", "p95", "p99"], LatencyText] = about({}, "Latency of good answers by quantile, at most.", "{p95: 250ms}")


class ProbeSection(StrictSection):
    """Something that is looked at again and again, before, during and after the fault."""

    name: str = Field(description="What it is called in reports.", examples=["storefront"], min_length=1, max_length=100)
    http: HttpProbeSection | None = about(None, "A request that must be answered.")
    command: CommandProbeSection | None = about(None, "A program that must end well.")
    prometheus: PrometheusProbeSection | None = about(None, "A query whose every series must keep a limit.")
    object: ObjectProbeSection | None = about(None, "A Kubernetes object of which something must hold.")
    interval_seconds: float = about(1, "Time between two looks.", gt=0, le=3600, unit="seconds")
    timeout_seconds: float = about(3, "How long an answer is waited for.", gt=0, le=600, unit="seconds")
    baseline: ProbeWindow = about(ProbeWindow(pass_rate=100), "Before the fault; else the system is not attacked.")
    fault: ProbeWindow = about(ProbeWindow(pass_rate=100), "While the fault is in effect.")
    recovery: ProbeWindow = about(ProbeWindow(), "After it. In any case the window must end well.")
    recover_within_seconds: float | None = about(
        None, "It must be good again so soon after the fault, and stay so.", "5", ge=0, le=86_400, unit="seconds"
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_kind(self) -> ProbeSection:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"a probe is exactly one of {', '.join(KINDS)}; keep one of them")
        return self


class HaltOnSection(StrictSection):
    """A query that ends the fault early as soon as it gives a value that is not 0."""

    query: str = Field(description="The query, in PromQL.", examples=["job:errors:ratio > 0.2"], min_length=1)
    description: str = about("", "What it means, for the report.", "too many errors")
    for_seconds: float = about(0, "For how long on end.", ge=0, le=3600, unit="seconds")
    interval_seconds: float = about(0.5, "Time between two looks.", ge=0.1, le=60, unit="seconds")


def unique_names(probes: list[ProbeSection]) -> list[ProbeSection]:
    """Reports tell probes apart by name."""
    names = [probe.name for probe in probes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two probes are called {', '.join(twice)}; give each a name of its own")
    return probes


Probes = Annotated[list[ProbeSection], AfterValidator(unique_names)]
