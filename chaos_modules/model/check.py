"""One thing that is looked at before anything is done: `check` shows all of them, `run` stops at those that failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .errors import BadInput, ClusterProblem
from .wording import choices

# Every check under its heading, in the order in which they are shown.
CHECKS = {
    "sandbox": "Sandbox",
    "api": "Cluster",
    "permissions": "Cluster",
    "namespace": "Carrier pods",
    "pod-security": "Carrier pods",
    "leftovers": "Carrier pods",
    "nodes": "Nodes",
    "taints": "Nodes",
    "image": "Nodes",
    "targets": "Targets",
    "host-network": "Targets",
    "prometheus": "Observation",
}
CHECK_COMMAND = "python run_chaos.py check"


class CheckState(StrEnum):
    """How a check ended; only `failed` stops a run."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was looked at, what was seen, and, unless it passed, one command or YAML that mends it."""

    name: str
    state: CheckState
    seen: str
    remedy: str = ""

    @property
    def heading(self) -> str:
        """The group that it is shown in."""
        return CHECKS[self.name]

    @property
    def anchor(self) -> str:
        """Where the documentation says more."""
        return f"docs/troubleshooting.md#check-{self.name}"


def passed(name: str, seen: str) -> Check:
    """Nothing is in the way."""
    return Check(name=name, state=CheckState.PASSED, seen=seen)


def warning(name: str, seen: str, remedy: str) -> Check:
    """It may go wrong, or can not be known beforehand."""
    return Check(name=name, state=CheckState.WARNING, seen=seen, remedy=remedy)


def failed(name: str, seen: str, remedy: str) -> Check:
    """The run could not succeed."""
    return Check(name=name, state=CheckState.FAILED, seen=seen, remedy=remedy)


def skipped(name: str, why: str, remedy: str) -> Check:
    """It was not looked at, and why; the remedy says how it can be."""
    return Check(name=name, state=CheckState.SKIPPED, seen=why, remedy=remedy)


def demoted(checks: Iterable[Check], ignored: Collection[str]) -> list[Check]:
    """The checks in their order, the failures among the ignored ones as warnings. Raises BadInput for a name that is none."""
    for name in ignored:
        if name not in CHECKS:
            raise BadInput(f"{name!a} is not a check", "--ignore", choices(name, CHECKS))
    order = list(CHECKS)
    return [
        replace(check, state=CheckState.WARNING) if check.name in ignored and check.state is CheckState.FAILED else check
        for check in sorted(checks, key=lambda check: order.index(check.name))
    ]


def require(checks: Sequence[Check], where: str) -> None:
    """Raise ClusterProblem with everything that failed, each with what mends it."""
    wrong = [check for check in checks if check.state is CheckState.FAILED]
    if wrong:
        told = "".join(f"\n{check.name}: {check.seen}\n  → {check.remedy}" for check in wrong)
        raise ClusterProblem(f"it cannot run there; nothing was touched{told}", where, f"{CHECK_COMMAND} tells more")
