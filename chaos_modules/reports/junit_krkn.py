"""The JUnit file of krkn's `--junit-testcase`: one case for the whole run, for Sippy and the like (shape: krkn-lib 7.0.3, get_junit_test_case)."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree

from .junit_document import legal
from .recorded import Recorded
from .style import Style
from .table import final_screen

SUITE = "chaos-krkn"
_SUMMARY_WIDTH = 80


def junit_krkn(recorded: Recorded, description: str, version: str = "") -> str:
    """The file's text. `description` names the case, `version` becomes the property TestVersion; the case fails with any exit code but 0."""
    result = recorded.result
    failed = result["verdict"]["exit_code"] != 0
    took = str(int(result["ended"] - result["started"]))
    counts = {"tests": "1", "skipped": "0", "errors": "0", "failures": str(int(failed)), "time": took}
    root = ElementTree.Element("testsuites", counts)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(result["ended"]))
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **counts, "timestamp": stamp})
    if version:
        properties = ElementTree.SubElement(suite, "properties")
        ElementTree.SubElement(properties, "property", {"name": "TestVersion", "value": legal(version)})
    case = ElementTree.SubElement(suite, "testcase", {"name": legal(description), "classname": "", "time": took})
    if failed:
        told = final_screen(result, recorded.directory, Style(False, "utf-8"), _SUMMARY_WIDTH)
        ElementTree.SubElement(case, "failure", {"message": ""}).text = legal(told)
    return ElementTree.tostring(root, encoding="unicode")


def junit_krkn_path(recorded: Recorded, folder: str) -> Path:
    """`FOLDER/junit_krkn_EPOCH.xml`, with the second in which the run ended."""
    return Path(folder) / f"junit_krkn_{int(recorded.result['ended'])}.xml"
