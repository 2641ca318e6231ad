"""The whole page: a pure function of the record. Values are made here and beside; the template only places them."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...model.wording import printable
from ..recorded import Json, Recorded
from .axis import Axis
from .done import done
from .history import history_of
from .series import Panel, panels
from .strip import problems, strip
from .tables import alert_rows, check_rows, effects, health_rows, shown_rows
from .timeline import Timeline, timeline, windows_of

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
# In a script, only what could end it must be spelled otherwise; JSON knows these spellings as well.
_INNOCUOUS = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def report_page(recorded: Recorded) -> str:
    """The report as one HTML document (UTF-8) without any reference to something outside it. The same record gives the same text."""
    result, history = recorded.result, history_of(recorded.events)
    shown = timeline(recorded, history)
    drawn = panels(shown.axis, result, recorded.series, windows_of(result))
    checks, alerts = check_rows(shown.axis, result), alert_rows(shown.axis, result)
    scripts = (_text("uPlot.iife.min.js"), _text("script.js"))
    return _environment().get_template("page.html.j2").render(
        strip=strip(recorded), timeline=shown, panels=drawn, findings=_findings(shown.axis, result), effects=effects(result),
        checks=checks, alerts=alerts, check_fold=shown_rows(checks), alert_fold=shown_rows(alerts), health=health_rows(shown.axis, result),
        score=result.get("resiliency"), done=done(shown.axis, recorded.plan, result, history.executed),
        plan_warnings=recorded.plan.get("warnings") or (), residue=result["residue"], problems=problems(result, history, recorded.series),
        raw=json.dumps(result, indent=1), data=_data(shown, drawn), scripts=[_markup(one) for one in scripts], hashes=[_hash(one) for one in scripts],
        styles=[_markup(_text("uPlot.min.css")), _markup(_text("style.css"))], licence=_text("uPlot.LICENSE"), run_id=result["run_id"],
    )  # fmt: skip


def _findings(axis: Axis, result: Json) -> list[Json]:
    return [{**one, "when": axis.moment(one.get("time")), "exit_code": one.get("exit_code")} for one in result.get("findings", ())]


def _data(shown: Timeline, drawn: tuple[Panel, ...]) -> Any:
    axis = shown.axis
    data = {
        "zero": axis.zero, "start": round(axis.start - axis.zero, 3), "end": round(axis.end - axis.zero, 3),
        "charts": [panel.chart for panel in drawn],
    }  # fmt: skip
    return _markup(json.dumps(data, separators=(",", ":")).translate(_INNOCUOUS))


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """For the page's policy: no other script runs, not even one that came in with a name."""
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def _markup(text: str) -> Any:
    from markupsafe import Markup  # noqa: PLC0415

    return Markup(text)  # our own files, and JSON in which nothing can end a script


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    def plain(value: Any) -> Any:
        """What a cluster says may hold characters that show as others, or as nothing."""
        return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    return Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, finalize=plain, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, extensions=["jinja2.ext.do"],
    )  # fmt: skip
