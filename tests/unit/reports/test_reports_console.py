"""What a person sees meanwhile: changes of state as lines, or one line per target in place."""

from __future__ import annotations

import time
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from fakes import Stage, plan, request, scenario, target

from chaos_modules.engine.run import execute
from chaos_modules.model.quantities import Duration
from chaos_modules.reports.console import Changes, Console, LiveConsole, PlainConsole, change
from chaos_modules.reports.style import Style

KEY = "pod/shop/web-0/egress"


class Terminal(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def told(event: str, about: str = KEY, **facts: Any) -> dict[str, Any]:
    return {"time": 0.0, "event": event, "target": about, **facts}


@pytest.mark.parametrize(("event", "text"), [
    (told("rehearsed", rehearsed="proven", engine="tbf"), "rehearsed: proven (tbf)"),
    (told("applied", engine="tbf", device="eth0"), "applied (tbf on eth0)"),
    (told("armed"), "in effect"),
    (told("reverted", seconds=0.2, left=[]), "reverted in 0.2 s"),
    (told("finished", status="passed", reason=""), "done"),
    (told("finished", status="lapsed", reason="too late"), "done, lapsed too late"),
    (told("waiting", seconds=60.0, why="tunings.wait_duration"), "waiting 60 s: tunings.wait_duration"),
    (told("scenario-started", file="a.yaml", hold=30.0, targets=["a", "b"]), "a.yaml: 30 s on 2 targets"),
    (told("scenario-finished", status="failed", reason="no target"), "failed no target"),
    (told("holding", at=0.0, counters={}), ""),
    (told("run-started"), ""),
])
def test_changes(event: Mapping[str, Any], text: str) -> None:
    assert change(event) == text


def everything_of_a_run(console: Console) -> None:
    """All events of a run that passes, with a ramp."""
    stage = Stage(plan(scenario(request(ramp=Duration.of_seconds(5)), target("web-0"), target("web-1"))))
    execute(stage.session, wait_seconds=1.0)
    for event in [*stage.said[:3], *stage.relayed, *stage.said[3:]]:
        console.event({**event, "time": 1.5})
    console.close()


def test_plain_lines_have_a_time_and_no_cursor_codes() -> None:
    stream = StringIO()
    everything_of_a_run(PlainConsole(stream, Style(False, "utf-8")))
    lines = stream.getvalue().splitlines()
    clock = time.strftime("%H:%M:%S", time.localtime(1.5))
    assert f"{clock} pod/shop/web-1/egress: in effect" in lines
    assert f"{clock} pod-network-loss: loss.yaml: 30 s on 2 targets" in lines
    assert all(line.startswith(clock) for line in lines)
    assert not {"\x1b", "\r"} & set(stream.getvalue())
    assert "holding" not in stream.getvalue()


def test_plain_lines_can_be_written_on_an_ascii_stream() -> None:
    stream = StringIO()
    PlainConsole(stream, Style(False, "ascii")).event(told("finished", status="refused", reason="no → do"))
    assert stream.getvalue().endswith("done, refused no -> do\n")


def test_a_terminal_has_a_line_for_each_target_which_goes_away() -> None:
    stream = Terminal()
    console = LiveConsole(stream)
    console.event(told("scenario-started", "loss", file="a.yaml", hold=1e6, targets=[KEY, "pod/shop/web-1/egress"]))
    assert dict(console.states) == {KEY: ("planned", 0.0, 0.0), "pod/shop/web-1/egress": ("planned", 0.0, 0.0)}
    console.event({**told("armed"), "time": time.time()})
    console.event(told("holding", at=0.0, counters={}))
    console.live.refresh()
    console.close()
    assert "in effect, 1000000 s left" in stream.getvalue() or "in effect, 999999 s left" in stream.getvalue()
    assert "planned" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[2K")  # the lines are erased


def test_a_whole_run_on_a_terminal() -> None:
    stream = Terminal()
    everything_of_a_run(LiveConsole(stream))
    assert "done" in stream.getvalue()


def test_a_hold_that_is_over_has_nothing_left() -> None:
    stream = Terminal()
    console = LiveConsole(stream)
    console.event(told("scenario-started", "loss", file="a.yaml", hold=5.0, targets=[KEY]))
    console.event({**told("armed"), "time": 1.0})
    console.live.refresh()
    console.close()
    assert "in effect, 0 s left" in stream.getvalue()


@pytest.mark.parametrize(("event", "text"), [
    (told("window", "loss", scenario=0, phase="baseline", start=10.0, end=15.0), "baseline window of 5.0 s"),
    (told("halt", "loss", query="errors > 1", reason="too many errors"), "HALTED, the fault ends early: too many errors (errors > 1)"),
    (told("unsent", "0badcafe", documents=7, problem="no answer"), "not all could be sent: no answer"),
    (told("sample", "shop", good=True, seconds=0.1, detail=""), ""),
])
def test_events_of_observation(event: Mapping[str, Any], text: str) -> None:
    assert change(event) == text


def test_samples_are_told_only_when_the_state_changes() -> None:
    changes = Changes()
    seen = [(True, ""), (True, ""), (False, "status 503"), (False, "status 502"), (None, "timed out"), (True, ""), (True, "")]
    assert [changes.text(told("sample", "shop", good=good, seconds=None, detail=detail)) for good, detail in seen] == [
        "", "", "NOT GOOD: status 503", "", "unknown: timed out", "good again", "",
    ]  # fmt: skip
    assert changes.text(told("sample", "another", good=False, seconds=None, detail="")) == "NOT GOOD"


def test_health_is_told_when_it_changes() -> None:
    changes = Changes()
    seen = [(True, 200), (False, 503), (True, 200)]
    assert [changes.text(told("health", "http://a", healthy=good, status_code=code, detail="")) for good, code in seen] == [
        "", "NOT GOOD: status 503", "good again",
    ]  # fmt: skip


def test_a_terminal_has_a_line_for_a_probe_that_is_not_good() -> None:
    stream = Terminal()
    console = LiveConsole(stream)
    console.event(told("scenario-started", "loss", file="a.yaml", hold=1e6, targets=[KEY]))
    console.event(told("sample", "shop", good=True, seconds=0.1, detail=""))
    assert list(console.states) == [KEY]
    console.event(told("sample", "shop", good=False, seconds=0.1, detail="status 503"))
    assert console.states["shop"][0] == "NOT GOOD: status 503"
    console.close()
