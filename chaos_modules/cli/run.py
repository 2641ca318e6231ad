"""`run`: plan, ask where asking is due, execute, record, judge."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..engine.result import result_document, series_document
from ..engine.run import RunResult
from ..engine.run import execute as execute_plan
from ..engine.scenario import Session
from ..engine.watch import Watch
from ..model.errors import EXIT_FAILED, EXIT_PASSED, BadInput
from ..model.plan import Plan, document
from ..model.wording import printable
from ..reports.console import Console, LiveConsole, PlainConsole
from ..reports.record import PAGE, SCORE, Record
from ..reports.style import style_for
from ..reports.table import final_screen
from .choosing import launcher_for
from .observing import refuse_unless_seen, watch_for
from .output import tell
from .preparation import Prepared, prepare
from .report_options import check_report_options, standard_output_is_taken
from .saved_plan import prepare_saved

MANY_TARGETS = 10
_log = logging.getLogger(__name__)


def execute(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the scenarios; the verdict's exit code."""
    check_report_options(arguments)
    prepared = prepare_saved(arguments, environment) if arguments.saved_plan else prepare(arguments, environment)
    _log_to_terminal(arguments)
    warnings: Sequence[str] = ()
    if not any(scenario.unplannable for scenario in prepared.plan.scenarios):
        seen = refuse_unless_seen(prepared.observation, prepared.plan.cluster)
        warnings = [*prepared.cluster.preflight(prepared.plan), *seen]
    _announce(prepared, warnings)
    if not _confirmed(prepared.plan, arguments):
        raise BadInput("not confirmed; nothing was touched", "run_chaos.py", "answer y, or give --yes")
    record = Record(prepared.configuration.squall.record_directory, prepared.plan.run_id)
    try:
        record.document("plan.json", document(prepared.plan))
        record.document("scenarios.json", prepared.contents)
        result = _run(prepared, record, arguments, environment)
        if record.problem and result["verdict"]["exit_code"] == EXIT_PASSED:
            result["verdict"] = {"status": "failed", "exit_code": EXIT_FAILED, "reasons": [record.problem]}
        record.document("result.json", result)
        from .delivery import deliver  # noqa: PLC0415 - what makes reports is not needed before the faults are gone

        for problem in deliver(prepared.observation, prepared.interruption, record, arguments, environment):
            tell(f"warning: {problem}")
        _report(result, record, arguments, environment)
    finally:
        record.close()
    return int(result["verdict"]["exit_code"])


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def _log_to_terminal(arguments: argparse.Namespace) -> None:
    verbosity = 2 if arguments.debug else arguments.verbose
    if verbosity:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Printable())
        handler.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
        logging.getLogger("chaos_modules").addHandler(handler)


def _announce(prepared: Prepared, warnings: Sequence[str]) -> None:
    """The cluster first, so that nobody hits the wrong one unknowingly; then what is worth knowing before it begins."""
    plan = prepared.plan
    tell(f"{plan.cluster}: run {plan.run_id}, seed {plan.seed}, scenarios: {len(plan.scenarios)}, targets: {len(_targets(plan))}")
    for notice in prepared.configuration.notices:
        tell(f"notice: {notice}")
    for warning in warnings:
        tell(f"warning: {warning}")
    for scenario in plan.scenarios:
        for warning in scenario.warnings:
            tell(f"warning: {scenario.request.where}: {warning}")


def _targets(plan: Plan) -> set[str]:
    return {injection.target.path for scenario in plan.scenarios for injection in scenario.injections}


def _confirmed(plan: Plan, arguments: argparse.Namespace) -> bool:
    """Ask a person before many targets are hit; never ask a pipeline."""
    targets = _targets(plan)
    if arguments.yes or len(targets) <= MANY_TARGETS or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    tell(f"This impairs {len(targets)} targets in {plan.cluster}: {', '.join(sorted(targets))}")
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _console(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Console:
    live = sys.stderr.isatty() and environment.get("TERM") != "dumb" and not arguments.verbose
    return LiveConsole(sys.stderr) if live else PlainConsole(sys.stderr, style_for(sys.stderr, arguments.color, environment))


class _Voice:
    """Every event of a run to the record and the terminal, and with `--format jsonl` to standard output. For several threads: probes speak, too."""

    def __init__(self, record: Record, console: Console, *, lines: bool) -> None:
        self._record, self._console, self._lines = record, console, lines
        self._speaking = threading.Lock()

    def relay(self, event: Mapping[str, Any]) -> None:
        with self._speaking:
            _log.debug("%s", event)
            self._record.event(event)
            self._console.event(event)
            if self._lines:
                print(json.dumps(event), flush=True)

    def emit(self, event: str, target: str, **facts: object) -> None:
        self.relay({"time": round(time.time(), 6), "event": event, "target": target, **facts})


def _run(prepared: Prepared, record: Record, arguments: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, Any]:
    prepared.interruption.install()
    console = _console(arguments, environment)
    voice = _Voice(record, console, lines=arguments.format == "jsonl")
    watch = watch_for(prepared.observation, prepared.cluster, prepared.interruption, record, voice.emit)
    residue = False
    try:
        result = _executed(prepared, record, voice, watch)
        residue = bool(result.residue)
        record.document("series.json", series_document(result.observation))
        if result.observation.resiliency:
            from ..verdict.resiliency import report as score_report  # noqa: PLC0415 - few runs have a score

            record.document(SCORE, score_report(result.observation.resiliency, "standalone"))
        return result_document(prepared.plan, result, prepared.configuration.performance_monitoring.uuid or str(uuid.uuid4()))
    finally:
        console.close()
        watch.close()
        if not residue:  # else it stays, so that it can be looked at
            prepared.cluster.close()


def _executed(prepared: Prepared, record: Record, voice: _Voice, watch: Watch) -> RunResult:
    squall, tunings = prepared.configuration.squall, prepared.configuration.tunings
    launcher, on_runner_loss, cleanup = launcher_for(prepared.cluster, squall)
    session = Session(
        plan=prepared.plan, cluster=prepared.cluster, launcher=launcher, interruption=prepared.interruption, emit=voice.emit, relay=voice.relay,
        on_runner_loss=on_runner_loss, require_traffic=squall.require_traffic, cleanup=cleanup, watch=watch,
    )  # fmt: skip
    if not any(scenario.unplannable for scenario in prepared.plan.scenarios):
        prepared.cluster.start()
    return execute_plan(
        session, iterations=None if tunings.daemon_mode else tunings.iterations,
        wait_seconds=tunings.wait_duration if prepared.configuration.scenarios else 0.0, broken=lambda: record.problem,
    )  # fmt: skip


def _report(result: dict[str, Any], record: Record, arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    width = max(80, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 80
    page = record.path / PAGE
    report = str(page) if page.exists() else ""
    screen = final_screen(result, str(record.path), style_for(sys.stdout, arguments.color, environment), width, report=report)
    if arguments.format == "table" and not standard_output_is_taken(arguments):
        sys.stdout.write("\n" + screen if sys.stderr.isatty() else screen)
    elif arguments.format == "json":
        print(json.dumps(result, indent=2))
    if arguments.output:
        plain = style_for(sys.stdout, "never", environment)
        try:
            Path(arguments.output).write_text(final_screen(result, str(record.path), plain, 120, report=report), encoding="utf-8")
        except (OSError, ValueError) as error:
            tell(f"warning: {arguments.output} could not be written: {error}; the report is in {record.path}")
