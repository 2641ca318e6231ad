"""What becomes of a record that is complete: stored, scored, and told in every report. None of it changes the verdict."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path

from ..engine.interruption import Interruption
from ..model.errors import SquallError
from ..model.observation_plan import ObservationPlan
from ..reports.files import write_reports, write_whole
from ..reports.record import SCORE, Record
from ..reports.recorded import read_record
from .report import extra_reports

# krkn's word for whoever reads its output.
SCORE_LINE = "KRKN_RESILIENCY_REPORT_JSON:"


def deliver(
    observation: ObservationPlan, interruption: Interruption, record: Record, arguments: argparse.Namespace, environment: Mapping[str, str]
) -> list[str]:  # fmt: skip
    """Send the documents, write the reports; what went wrong, for people. What could not be sent is kept in the record."""
    if record.problem:
        return []
    try:
        problems = _stored(observation, interruption, record)
        recorded = read_record(record.path)
    except SquallError as problem:  # whatever it is, the run is over, and has its code
        return [str(problem)]
    return [*problems, *write_reports(record.path, recorded), *_scored(observation.score_mode, record.path),
            *extra_reports(arguments, recorded, environment)]  # fmt: skip


def _stored(observation: ObservationPlan, interruption: Interruption, record: Record) -> list[str]:
    """Before the reports are written: they tell of what could not be sent."""
    if not observation.elastic:
        return []
    from .sending import send_run  # noqa: PLC0415 - most runs send nothing

    problems = send_run(
        read_record(record.path), observation.elastic, observation.indices, observation.tag, lambda: interruption.count > 1
    )  # fmt: skip
    for problem in problems:
        record.event({"time": round(time.time(), 6), "event": "unsent", "target": record.path.name, "problem": problem})
    return problems


def _scored(mode: str, directory: Path) -> list[str]:
    """krkn's report of the score, which is in the record, where krkn puts it if that was asked for."""
    written = directory / SCORE
    if not written.exists():
        return []
    text = json.dumps(json.loads(written.read_text(encoding="utf-8")))
    if mode == "detailed":
        print(f"{SCORE_LINE}{text}", flush=True)
    problem = write_whole(Path(SCORE), text + "\n") if mode == "standalone" else ""
    return [problem] if problem else []
