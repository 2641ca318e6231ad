"""What is asked of the system under test, again and again, and what it must answer in each window."""

from __future__ import annotations

from dataclasses import dataclass, field

from .limit import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a server is reached. Secrets are kept out of `repr`, and so out of logs; `url` may hold some, too: show `address`."""

    url: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    verify: bool = True
    timeout_seconds: float = 10.0

    @property
    def address(self) -> str:
        """The URL without user, password, query and fragment: what may be shown."""
        scheme, slashes, rest = self.url.partition("://")
        host, slash, path = rest.partition("/")
        shown = f"{host.rpartition('@')[2]}{slash}{path}".split("?")[0].split("#")[0]
        return f"{scheme}{slashes}{shown}" if slashes else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """A request that must be answered. `source` (`namespace/pod`) is the sandbox's pod that asks; empty: this process."""

    connection: Connection
    method: str = "GET"
    expected_status: tuple[int, ...] = (200,)
    body_contains: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe:
    """A program, without a shell, that must end with a status and may have to say something."""

    argv: tuple[str, ...]
    expected_exit: int = 0
    output_contains: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusProbe:
    """A query whose every series must keep a limit; read from Prometheus' own history after each window."""

    query: str
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectProbe:
    """A Kubernetes object of which something must hold: a dotted path (`status.readyReplicas`, list indices as numbers), a comparison, a value."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    path: str
    comparison: str
    value: str | float | bool | None


Kind = HttpProbe | CommandProbe | PrometheusProbe | ObjectProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What one window must show: the share of good samples at least, latencies at most (seconds, by quantile 0.5, 0.95, …)."""

    pass_rate: float | None = None
    latency: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that is watched. `recover_within`: it must be good again, and stay so, within so many seconds after the fault."""

    name: str
    what: Kind
    interval_seconds: float = 1.0
    timeout_seconds: float = 3.0
    baseline: Threshold = Threshold(pass_rate=1.0)
    fault: Threshold = Threshold(pass_rate=1.0)
    recovery: Threshold = Threshold()
    recover_within: float | None = None

    @property
    def kind(self) -> str:
        """`http`, `command`, `prometheus` or `object`."""
        return type(self.what).__name__.removesuffix("Probe").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthTarget:
    """One URL of krkn's `health_checks`: healthy means status 200."""

    connection: Connection
    exit_on_failure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltOn:
    """A query that ends every fault as soon as it has a result that is not 0, for so many seconds on end."""

    query: str
    description: str = ""
    for_seconds: float = 0.0
    interval_seconds: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One entry of krkn's alert profile, which is one of its objectives for the resiliency score, too."""

    expr: str
    description: str
    severity: str
    weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """One entry of krkn's metrics profile; `instant`: one look at the end instead of the run's whole range."""

    query: str
    name: str
    instant: bool = False
