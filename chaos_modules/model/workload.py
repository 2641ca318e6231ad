"""The injection workload, as the user configures it: the pods that carry the injector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import __version__
from .errors import BadInput

# On everything that Squall creates in a cluster: it is found again by these alone.
RUN_LABEL, SCENARIO_LABEL = "squall.chaos/run", "squall.chaos/scenario"
COMPONENT_LABEL = "app.kubernetes.io/component"
OUR_LABELS = {"app.kubernetes.io/name": "squall", "app.kubernetes.io/managed-by": "squall"}
INJECTOR_IMAGE = f"squall-injector:{__version__}"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """A toleration as Kubernetes has it; `key` empty means every taint, `effect` empty means every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionWorkload:
    """How carrier pods are made (`squall.namespace` and `squall.injector` of the configuration).

    `security` is `capabilities` or `privileged`. `resources` has `requests` and `limits`.
    """

    namespace: str
    image: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    service_account: str = ""
    security: str = "capabilities"
    resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    priority_class: str = ""


def toleration_of(taint: str) -> Toleration:
    """krkn's `taints`: `key=value:Effect` tolerates that value, `key:Effect` any value (krkn.md §3). Raises BadInput."""
    pair, separator, effect = taint.rpartition(":")
    key, equals, value = pair.partition("=")
    if not separator or not key or effect not in EFFECTS:
        raise BadInput(f"{taint!a} is not a taint", remedy=f"write key=value:Effect or key:Effect; effects: {', '.join(EFFECTS)}")
    return Toleration(key=key, operator="Equal" if equals else "Exists", value=value, effect=effect)
