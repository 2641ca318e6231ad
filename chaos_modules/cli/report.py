"""`report`: a record shown again and its reports written anew; and the further reports that `run` was asked for."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..model.errors import EXIT_FAILED, EXIT_PASSED, BadInput
from ..reports.files import HTML, html, write_reports, write_whole
from ..reports.github import append_summary, on_github, run_annotations
from ..reports.junit import junit
from ..reports.junit_krkn import junit_krkn, junit_krkn_path
from ..reports.markdown import markdown
from ..reports.recorded import Recorded, read_record
from ..reports.style import style_for
from ..reports.table import final_screen
from .output import tell
from .report_options import STANDARD_OUTPUT, check_report_options, standard_output_is_taken

_MAKERS: dict[str, Callable[[Recorded], str]] = {"junit": junit, "html": html, "markdown": markdown, "summary": markdown}


def execute(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Show the record and write the reports; 0 if that worked, whatever became of the run, unless --exit-code asks for it."""
    check_report_options(arguments)
    recorded = read_record(Path(arguments.record))
    problems = [*write_reports(Path(arguments.record), recorded), *_asked_for(arguments, recorded)]
    if not standard_output_is_taken(arguments):
        _show(arguments, recorded, environment)
    if arguments.send:
        problems += _send(arguments, recorded, environment)
    for problem in problems:
        tell(f"error: {problem}")
    code = int(recorded.result["verdict"]["exit_code"]) if arguments.exit_code else EXIT_PASSED
    return code or (EXIT_FAILED if problems else EXIT_PASSED)


def _show(arguments: argparse.Namespace, recorded: Recorded, environment: Mapping[str, str]) -> None:
    if arguments.format == "json":
        print(json.dumps(recorded.result, indent=2))
    elif arguments.format == "jsonl":
        for event in recorded.events:
            print(json.dumps(event))
    else:
        width = max(80, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 80
        page = Path(arguments.record) / HTML
        report = str(page) if page.is_file() else ""
        style = style_for(sys.stdout, arguments.color, environment)
        sys.stdout.write(final_screen(recorded.result, recorded.directory, style, width, report=report))


def _send(arguments: argparse.Namespace, recorded: Recorded, environment: Mapping[str, str]) -> list[str]:
    """Store the run where the configuration says. Raises BadInput where it says nothing."""
    from ..engine.interruption import Interruption  # noqa: PLC0415 - only --send needs these
    from ..loading.observation import storage_plan  # noqa: PLC0415
    from .reading import read_configuration  # noqa: PLC0415
    from .sending import send_run  # noqa: PLC0415

    observation = storage_plan(read_configuration(arguments, environment, optional=True))
    if observation.elastic is None:
        raise BadInput("there is nowhere to send it to", "--send", "set elastic.enable_elastic and elastic.elastic_url in the configuration")
    interruption = Interruption()
    interruption.install()
    problems = send_run(recorded, observation.elastic, observation.indices, observation.tag, lambda: interruption.code is not None)
    if not problems:
        tell(f"sent to {observation.elastic.address}")
    return problems


def _asked_for(arguments: argparse.Namespace, recorded: Recorded) -> list[str]:
    wanted = [(make, path) for name, make in _MAKERS.items() if (path := getattr(arguments, name, None))]
    return [problem for make, path in wanted if (problem := _put(path, make(recorded)))]


def _put(path: str, text: str) -> str:
    if path != STANDARD_OUTPUT:
        return write_whole(Path(path), text)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))  # a file's bytes, whatever the terminal's encoding
    sys.stdout.flush()
    return ""


def extra_reports(arguments: argparse.Namespace, recorded: Recorded, environment: Mapping[str, str]) -> list[str]:
    """At the end of `run`: the reports that were asked for, krkn's test case, and GitHub's annotations and summary; what failed, as texts."""
    problems = _asked_for(arguments, recorded)
    if arguments.junit_testcase and arguments.junit_testcase_path:
        path = junit_krkn_path(recorded, arguments.junit_testcase_path)
        problems.append(write_whole(path, junit_krkn(recorded, arguments.junit_testcase, arguments.junit_testcase_version or "")))
    if on_github(environment):
        _annotate(run_annotations(recorded, environment))
        problems.append(append_summary(recorded, environment))
    return [problem for problem in problems if problem]


def _annotate(commands: Sequence[str]) -> None:
    """On standard error, which GitHub reads, too: standard output is for results. They must not be altered, so that `tell` is not used."""
    for command in commands:
        print(command, file=sys.stderr)
