"""GitHub Actions: annotations at the scenario's line, and the step summary.

Workflow commands and their escapes: docs.github.com, "Workflow commands for GitHub Actions", and actions/toolkit, packages/core/src/command.ts.
GitHub shows ten annotations of a kind per step, and takes no summary of more than 1 MiB.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model.errors import EXIT_FAILED, EXIT_HEALTH, EXIT_RESIDUE, BadInput, BadInputs
from ..model.wording import printable
from .markdown import MOST_BYTES, markdown
from .recorded import Recorded

MOST_PER_KIND = 10
_WORST_FIRST = (EXIT_RESIDUE, EXIT_FAILED, EXIT_HEALTH)
_PLACE = re.compile(r"(?P<file>.*?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark at a place (`file:line:column`, as far as it is known); `kind` is `error`, `warning` or `notice`."""

    kind: str
    title: str
    message: str
    place: str = ""


def on_github(environment: Mapping[str, str]) -> bool:
    """Whether this is a step of a GitHub workflow."""
    return environment.get("GITHUB_ACTIONS") == "true"


def run_annotations(recorded: Recorded, environment: Mapping[str, str]) -> list[str]:
    """The lines to print for what failed in a run, worst first."""
    result = recorded.result
    found = [(EXIT_RESIDUE, _error("Residue", item)) for item in result["residue"]]
    failed = [(number, one) for number, one in enumerate(result["scenarios"]) if one["status"] == "failed"]
    found += [(EXIT_FAILED, _error(f"{one['id']} failed", one["reason"], _place(recorded, number))) for number, one in failed]
    for finding in result.get("findings", ()):
        place = _place(recorded, finding.get("scenario"))
        found.append((finding.get("exit_code", EXIT_FAILED), _error(finding["kind"], finding["reason"], place)))
    verdict = result["verdict"]
    if not found and verdict["exit_code"]:
        found.append((EXIT_FAILED, _error(f"Squall: {verdict['status']}", "\n".join(verdict["reasons"]), _place(recorded, None))))
    worst_first = [one for _, one in sorted(found, key=lambda pair: _rank(pair[0]))]
    problems = [Annotation(kind="warning", title="The run itself", message=problem) for problem in result.get("problems", ())]
    return lines([*worst_first, *problems], environment)


def _error(title: str, message: str, place: str = "") -> Annotation:
    return Annotation(kind="error", title=title, message=message, place=place)


def _rank(code: int) -> int:
    return _WORST_FIRST.index(code) if code in _WORST_FIRST else len(_WORST_FIRST)


def input_annotations(error: BadInput, environment: Mapping[str, str]) -> list[str]:
    """The lines to print for wrong input, in the order of the files."""
    problems = error.problems if isinstance(error, BadInputs) else [error]
    made = [_error("Squall: wrong input", _message(problem), problem.where) for problem in problems]
    return lines(made, environment, rest="in the log")


def _message(problem: BadInput) -> str:
    return f"{problem.what}\n→ {problem.remedy}" if problem.remedy else problem.what


def _place(recorded: Recorded, number: int | None) -> str:
    """Where a scenario of the result is written: with iterations, every so many are the same entries; of the whole run, its first."""
    planned: Sequence[Any] = recorded.plan["scenarios"]
    return str(planned[(number or 0) % len(planned)]["request"]["where"]) if planned else ""


def lines(annotations: Sequence[Annotation], environment: Mapping[str, str], rest: str = "in the summary") -> list[str]:
    """Workflow commands, at most ten of a kind, and a notice that tells how many are left out."""
    shown, left = list[str](), list[str]()
    for kind in dict.fromkeys(one.kind for one in annotations):
        some = [one for one in annotations if one.kind == kind]
        shown += [_command(one, environment) for one in some[:MOST_PER_KIND]]
        if len(some) > MOST_PER_KIND:
            left.append(f"and {len(some) - MOST_PER_KIND} more {kind}s {rest}")
    return shown + ([_command(Annotation(kind="notice", title="Squall", message="\n".join(left)), environment)] if left else [])


def _command(one: Annotation, environment: Mapping[str, str]) -> str:
    found = _PLACE.fullmatch(one.place)
    path = _in_repository(found["file"], environment) if found and found["file"] else ""
    line, column = (found["line"], found["column"]) if found and path else ("", "")
    parts = [("file", path), ("line", line), ("col", column), ("title", one.title)]
    properties = ",".join(f"{name}={_property(value)}" for name, value in parts if value)
    return f"::{one.kind} {properties}::{_data(one.message)}"


def _in_repository(name: str, environment: Mapping[str, str]) -> str:
    """The path as GitHub wants it, from the repository's root; empty for what is no file of it."""
    try:
        if not Path(name).is_file():
            return ""
    except OSError:  # such as a name that is too long for one
        return ""
    path, root = os.path.realpath(name), environment.get("GITHUB_WORKSPACE", "")
    inside = os.path.relpath(path, os.path.realpath(root)) if root else name
    return "" if inside.startswith("..") else inside


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def append_summary(recorded: Recorded, environment: Mapping[str, str]) -> str:
    """Append the report to the step's summary, in what is left of its size; a problem as text, or empty."""
    path = environment.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return ""
    try:
        used = Path(path).stat().st_size if Path(path).exists() else 0
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown(recorded, MOST_BYTES - used))
    except (OSError, ValueError) as error:
        return f"the step summary could not be written: {error}"
    return ""
