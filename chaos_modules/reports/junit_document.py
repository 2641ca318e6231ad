"""JUnit's XML: suites of cases with their outcome, in the shape that Jenkins publishes (jenkins-junit.xsd) and every reader of such files knows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree

from ..model.wording import printable


class Outcome(StrEnum):
    """What became of a case; `error`: nothing can be said of the system, `skipped`: nothing was asked or nothing could be told."""

    PASSED = "passed"
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; `message` is a line, `text` everything, `output` what may be read beside it. `seconds` is how long it took."""

    name: str
    outcome: Outcome = Outcome.PASSED
    kind: str = ""
    message: str = ""
    text: str = ""
    output: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The cases of a scenario, or of the run; `started` in seconds since the epoch."""

    name: str
    classname: str
    started: float
    seconds: float
    cases: Sequence[Case]
    properties: Sequence[tuple[str, str]] = ()


def junit_document(name: str, suites: Sequence[Suite], seconds: float) -> str:
    """The whole file. The same suites give the same bytes."""
    counts = _counts([case for suite in suites for case in suite.cases])
    root = ElementTree.Element("testsuites", {"name": legal(name), **counts, "time": _seconds(seconds)})
    for number, suite in enumerate(suites):
        _suite(root, suite, number)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def legal(text: str) -> str:
    """Text that XML 1.0 can hold: control and undecodable characters are spelled out (XML knows no way to write them)."""
    return printable(text)


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    numbers = {"tests": len(cases)}
    numbers |= {name: sum(case.outcome is outcome for case in cases) for name, outcome in (("failures", Outcome.FAILURE), ("errors", Outcome.ERROR))}
    return {name: str(number) for name, number in numbers.items()}


def _suite(root: ElementTree.Element, suite: Suite, number: int) -> None:
    skipped = sum(case.outcome is Outcome.SKIPPED for case in suite.cases)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(suite.started))
    made = ElementTree.SubElement(root, "testsuite", {
        "name": legal(suite.name), **_counts(suite.cases), "skipped": str(skipped), "time": _seconds(suite.seconds),
        "timestamp": stamp, "id": str(number),
    })  # fmt: skip
    if suite.properties:
        properties = ElementTree.SubElement(made, "properties")
        for name, value in suite.properties:
            ElementTree.SubElement(properties, "property", {"name": legal(name), "value": legal(value)})
    for case in suite.cases:
        _case(made, case, legal(suite.classname))


def _case(suite: ElementTree.Element, case: Case, classname: str) -> None:
    made = ElementTree.SubElement(suite, "testcase", {"name": legal(case.name), "classname": classname, "time": _seconds(case.seconds)})
    if case.outcome is Outcome.SKIPPED:
        ElementTree.SubElement(made, "skipped", {"message": legal(case.message)})
    elif case.outcome is not Outcome.PASSED:
        told = ElementTree.SubElement(made, str(case.outcome), {"message": legal(case.message), "type": legal(case.kind)})
        told.text = legal(case.text or case.message)
    if case.output:
        ElementTree.SubElement(made, "system-out").text = legal(case.output)


def _seconds(value: float) -> str:
    return f"{max(0.0, value):.3f}"
