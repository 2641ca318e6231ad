"""What can go wrong, as the user is told: what, where, and what to do next.

SquallError            exit code
├─ BadInput            255  scenario, configuration or flag; nothing was touched
├─ NoTarget              1  the selector matches nothing; names the nearest match
├─ Refused               1  a target that must not be impaired
├─ ClusterProblem        1  the cluster (or the sandbox) cannot do what the plan needs
└─ Residue               4  something of ours is still there
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_SHOWN = 60
EXIT_PASSED = 0
EXIT_FAILED = 1
EXIT_ALERTS = 2
EXIT_HEALTH = 3
EXIT_RESIDUE = 4
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_BAD_INPUT = 255
# What removes what a killed run left in a cluster; with --sandbox, on this machine.
CLEANUP_COMMAND = "python run_chaos.py cleanup"


class QuantityError(ValueError):
    """A text that is not the quantity it should be; the message shows how to write it."""


@dataclass
class SquallError(Exception):
    """An expected failure: three facts for the user and the exit code of the process."""

    what: str
    where: str = ""
    remedy: str = ""
    exit_code = EXIT_FAILED

    def __str__(self) -> str:
        """One block of text: `where: what`, then the remedy on a line of its own."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  → {self.remedy}" if self.remedy else head


class BadInput(SquallError):
    """A scenario, a configuration or a flag is wrong; nothing was touched."""

    exit_code = EXIT_BAD_INPUT


class BadInputs(BadInput):
    """Several wrong inputs at once, so that one run shows all of them."""

    def __init__(self, problems: list[BadInput]) -> None:
        further = len(problems) - MOST_SHOWN
        told = [str(problem) for problem in problems[:MOST_SHOWN]]
        super().__init__("\n".join([*told, *([f"and {further} further problems; correct these first"] if further > 0 else [])]))
        self.problems = problems


class NoTarget(SquallError):
    """The selector matches nothing."""


class Refused(SquallError):
    """A target that must not be impaired, such as a pod in the node's network namespace."""


class ClusterProblem(SquallError):
    """The cluster, or the sandbox, cannot do what the plan needs."""


class Residue(SquallError):
    """Something of ours is still there; the remedy is the command that removes it."""

    exit_code = EXIT_RESIDUE
