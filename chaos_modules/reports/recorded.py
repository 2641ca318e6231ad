"""A run's record, read back: every report is a pure function of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model.errors import BadInput
from .shapes import EVENT, EVENTS, FILES, METRIC, PLAN, RESULT, SERIES, Check, Misshapen, shaped
from .unfinished import unfinished_result

Json = dict[str, Any]
_REMEDY = "name a folder that a run wrote, such as runs/0badcafe"
_DAMAGED = "the file is damaged or was not written by a run; take the record from where it was kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The documents of a record, as plain JSON data. `series` and `scenario_files` are empty where the run did not get so far."""

    directory: str
    plan: Json
    events: tuple[Json, ...]
    result: Json
    series: tuple[Json, ...] = ()
    scenario_files: Json = field(default_factory=dict)
    metrics_path: Path | None = None

    def metrics(self) -> Iterator[Json]:
        """The collected series of the metrics profile, one by one: there may be many. Raises BadInput for a damaged line."""
        if self.metrics_path and self.metrics_path.exists():
            try:
                with self.metrics_path.open("rb") as lines:
                    yield from _lines(lines, self.metrics_path, METRIC)
            except OSError as error:
                raise BadInput(f"cannot be read: {error.strerror}", str(self.metrics_path), _REMEDY) from None


def read_record(directory: Path) -> Recorded:
    """Read a record, also that of a runner that was killed. Raises BadInput, naming the file, where it is none or is damaged."""
    plan = _document(directory / "plan.json", PLAN)
    events = _events(directory / "events.jsonl")
    result = directory / "result.json"
    series, files = directory / "series.json", directory / "scenarios.json"
    return Recorded(
        directory=str(directory), plan=plan, events=events, metrics_path=directory / "metrics.jsonl",
        result=_result(result) if result.exists() else unfinished_result(plan, events),
        series=tuple(_document(series, SERIES)["series"]) if series.exists() else (),
        scenario_files=_document(files, FILES) if files.exists() else {},
    )  # fmt: skip


def _result(path: Path) -> Json:
    try:
        return _document(path, RESULT)
    except BadInput as error:
        if path.is_file() and _torn(path):
            error.remedy = f"the runner was killed while it wrote {path.name}: remove that file for a report from the plan and the events"
        raise


def _torn(path: Path) -> bool:
    return not path.read_bytes().rstrip().endswith(b"}")


def _document(path: Path, check: Check) -> Json:
    try:
        return _parsed(path.read_bytes(), check)
    except OSError as error:
        raise BadInput(f"not a record: {path.name} cannot be read: {error.strerror}", str(path.parent), _REMEDY) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not as a run writes it: {_why(error)}", str(path), _DAMAGED) from None


def _parsed(text: bytes, check: Check) -> Json:
    found: Json = shaped(json.loads(text.decode("utf-8")), check)
    return found


def _why(error: Exception) -> str:
    if isinstance(error, Misshapen):
        return str(error)
    return "it is nested too deeply" if isinstance(error, RecursionError) else f"it is no JSON ({error})"


def _events(path: Path) -> tuple[Json, ...]:
    try:
        with path.open("rb") as lines:
            return tuple(_lines(lines, path, _event))
    except OSError as error:
        raise BadInput(f"not a record: {path.name} cannot be read: {error.strerror}", str(path.parent), _REMEDY) from None


def _event(value: Any, where: str) -> None:
    EVENT(value, where)
    if value["event"] in EVENTS:
        EVENTS[value["event"]](value, where)


def _lines(lines: Iterator[bytes], path: Path, check: Check) -> Iterator[Json]:
    """A JSON object a line. A last line without an end was being written when the runner was killed: it is left out if it cannot be read."""
    for number, line in enumerate(lines, start=1):
        try:
            yield _parsed(line, check)
        except (ValueError, RecursionError) as error:
            if not line.endswith(b"\n"):
                return
            raise BadInput(f"not as a run writes it: {_why(error)}", f"{path}:{number}", _DAMAGED) from None
