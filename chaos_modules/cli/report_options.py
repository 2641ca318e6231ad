"""What is asked of reports on the command line, checked before anything is touched; nothing that makes reports is loaded for it."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path

from ..model.errors import BadInput
from ..model.wording import shown

STANDARD_OUTPUT = "-"
REPORT_OPTIONS = ("junit", "html", "markdown", "summary")


def check_report_options(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be done, before anything is touched: two results for standard output; krkn's rules for --junit-testcase. Raises BadInput."""
    taking = [f"--{name}" for name in REPORT_OPTIONS if getattr(arguments, name, None) == STANDARD_OUTPUT]
    taking += [f"--format {arguments.format}"] if arguments.format != "table" else []
    if len(taking) > 1:
        raise BadInput(f"{' and '.join(taking)} both want standard output", taking[0], "name a file for all of them but one")
    for name in REPORT_OPTIONS:
        if getattr(arguments, name, None) == "":
            raise BadInput("no file is named", f"--{name}", f"write --{name} FILE, or - for standard output")
    _check_test_case(getattr(arguments, "junit_testcase", None), getattr(arguments, "junit_testcase_path", None))


def _check_test_case(description: str | None, folder: str | None) -> None:
    if not description and not folder:
        return
    if not folder:
        raise BadInput("there is no folder for the test case", "--junit-testcase", "add --junit-testcase-path DIR")
    where = "--junit-testcase-path"
    if not description:
        raise BadInput("the test case has no description", where, "add --junit-testcase TEXT")
    try:
        mode = Path(folder).stat().st_mode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{shown(folder)} cannot be used: {why}", where, "make the folder, or name another") from None
    if not stat.S_ISDIR(mode):
        raise BadInput(f"{shown(folder)} is not a folder", where, "name a folder")
    if not os.access(folder, os.W_OK):
        raise BadInput(f"{shown(folder)} cannot be written to", where, "name a folder that can be")


def standard_output_is_taken(arguments: argparse.Namespace) -> bool:
    """Whether a report was asked for on standard output, so that nothing else may be printed there."""
    return any(getattr(arguments, name, None) == STANDARD_OUTPUT for name in REPORT_OPTIONS)
