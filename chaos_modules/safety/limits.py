"""Named limits on a scenario's blast radius (U35): warnings for files in other tools' dialects, errors when enforced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model.errors import Refused
from ..model.quantities import Duration
from ..model.request import ImpairmentRequest, NodeSelector
from ..model.target import Selection

LARGEST_SHARE = 50
MOST_NODES = 1
LONGEST_HOLD = Duration.of_seconds(3600)
SYSTEM_NAMESPACE = "kube-system"
LIFT = "narrow the scenario, or leave out --enforce-limits and squall.enforce_limits"


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a scenario goes beyond, with the number and the limit in `text`."""

    rule: str
    text: str


def breaches(request: ImpairmentRequest, selection: Selection) -> list[Breach]:
    """Every limit that the scenario goes beyond."""
    found = []
    hit, candidates = len(selection.targets), selection.candidates
    if isinstance(request.selector, NodeSelector):
        if hit > MOST_NODES:
            found.append(Breach("nodes", f"{hit} nodes are hit; the limit is {MOST_NODES}"))
    elif 100 * hit > LARGEST_SHARE * candidates:
        share = f"{hit} of {candidates} pods ({100 * hit // max(candidates, 1)} %)"
        found.append(Breach("workload-share", f"{share} of the workload are hit; the limit is {LARGEST_SHARE} %"))
    if request.hold > LONGEST_HOLD:
        found.append(Breach("hold", f"the fault is held for {request.hold}; the limit is {LONGEST_HOLD}"))
    protected = sorted({target.path for target in selection.targets if target.namespace == SYSTEM_NAMESPACE})
    if protected:
        found.append(Breach("system-namespace", f"{', '.join(protected)}: {SYSTEM_NAMESPACE} keeps the cluster itself alive"))
    return found


def enforce(request: ImpairmentRequest, found: Sequence[Breach]) -> None:
    """Make breaches an error, for `squall.enforce_limits`. Raises Refused."""
    if found:
        raise Refused("; ".join(f"{breach.rule}: {breach.text}" for breach in found), request.where, LIFT)
