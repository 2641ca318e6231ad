"""`run` in this process: up to the point where a sandbox would be built, and beyond it with an injector of the test's own."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import RUN_ID, FakeCluster, plan, request, scenario, target

from chaos_modules.carriers import local
from chaos_modules.cli import run
from chaos_modules.cli.arguments import parse
from chaos_modules.cli.main import main
from chaos_modules.cli.preparation import Prepared
from chaos_modules.engine.interruption import Interruption
from chaos_modules.loading.overrides import load_configuration
from chaos_modules.model.observation_plan import ObservationPlan
from chaos_modules.reports.record import Record
from chaos_modules.styles.registry import styles

RUN = ["run", "-c", "config.yaml", "wrong.yaml"]
Write = Callable[[str, str], str]
INJECTOR = """
import json, os, sys, time
NOW = time.time()
def say(event, key, **facts): print(json.dumps({"time": NOW, "event": event, "target": key, **facts}), flush=True)
keys = [item["key"] for item in json.loads(os.environ["SQUALL_JOB"])["injections"]]
for key in keys:
    say("applied", key, engine="blackhole", device="eth0", fidelity="", rejected=[], addresses={})
for line in sys.stdin:
    if line == "start\\n":
        break
for key in keys:
    say("armed", key, counters={"matched": [0, 0], "dropped": [0, 0]})
    say("measured", key, at=NOW + 30, counters={"matched": [5000, 0], "dropped": [1000, 0]})
    say("reverted", key, left=LEFT, seconds=0.1)
    say("finished", key, status="passed", reason="")
"""


@pytest.fixture(autouse=True)
def _in_place(place: Path) -> None:
    """Every test of this module has its own current directory."""


def record() -> dict[str, str]:
    """The files of the one record that a run has written."""
    [folder] = Path("record").iterdir()
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_a_run_without_target_is_recorded_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(RUN, {}) == 1
    output, files = capsys.readouterr(), record()
    assert set(files) >= {"plan.json", "events.jsonl", "result.json", "debug.log"}
    result = json.loads(files["result.json"])
    assert (result["verdict"]["status"], result["verdict"]["exit_code"]) == ("failed", 1)
    assert [json.loads(line)["event"] for line in files["events.jsonl"].splitlines()] == ["run-started", "run-finished"]
    assert json.loads(files["plan.json"])["run_id"] == result["run_id"]
    assert output.err.startswith("sandbox (sandbox.yaml): run ")
    assert "nothing was touched" in output.out
    assert output.out.endswith(f"record  record/{result['run_id']}  run {result['run_id']}  seed 1  exit 1\n")


def test_json_on_standard_output_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--format", "json"], {}) == 1
    assert json.loads(capsys.readouterr().out) == json.loads(record()["result.json"])


def test_jsonl_on_standard_output_is_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--format", "jsonl"], {}) == 1
    assert capsys.readouterr().out == record()["events.jsonl"]


def test_the_report_is_also_written_where_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "-o", "report.txt", "--color", "always"], {}) == 1
    text = Path("report.txt").read_text(encoding="utf-8")
    assert "NO-TARGET" in text
    assert "\x1b" not in text
    assert "\x1b[31m" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "-o", "no/such/report.txt"], {}) == 1
    assert "warning: no/such/report.txt could not be written" in capsys.readouterr().err


def test_a_record_that_cannot_be_written_stops_it_before_anything_is_done(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("record", "a file is in the way")
    assert main(RUN, {}) == 255
    assert "the record cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "level"), [([], None), (["-v"], logging.INFO), (["-vv"], logging.DEBUG), (["-d", "True"], logging.DEBUG)])
def test_how_much_is_said(words: list[str], level: int | None) -> None:
    before = set(logging.getLogger("chaos_modules").handlers)
    assert main([*RUN, *words], {}) == 1
    added = [handler.level for handler in logging.getLogger("chaos_modules").handlers if handler not in before]
    assert added == ([] if level is None else [level])


def test_a_saved_plan_is_run_with_its_id_and_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-c", "config.yaml", "wrong.yaml", "--save", "plan.json", "--seed", "9"], {}) == 1
    assert main(["run", "--plan", "plan.json"], {}) == 1
    saved, result = json.loads(Path("plan.json").read_text(encoding="utf-8")), json.loads(record()["result.json"])
    assert (result["run_id"], result["seed"]) == (saved["plan"]["run_id"], 9)
    assert json.loads(record()["plan.json"]) == saved["plan"]
    capsys.readouterr()


def test_drift_may_be_allowed(write: Write) -> None:
    assert main(["plan", "-c", "config.yaml", "wrong.yaml", "--save", "plan.json"], {}) == 1
    write("wrong.yaml", Path("wrong.yaml").read_text(encoding="utf-8").replace("20", "30"))
    assert main(["run", "--plan", "plan.json"], {}) == 255
    assert main(["run", "--plan", "plan.json", "--allow-drift"], {}) == 1
    assert json.loads(record()["plan.json"])["scenarios"][0]["request"]["impairment"]["loss"]["percentage"] == "30%"


def test_no_secret_reaches_the_terminal_or_the_record(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    extra = "performance_monitoring: {prometheus_bearer_token: hunter2-token}\nelastic: {password: hunter2-password}\n"
    write("config.yaml", Path("config.yaml").read_text(encoding="utf-8") + extra)
    words = ["--set", "telemetry.password=hunter2-flag", "-vv", "-o", "report.txt"]
    assert main([*RUN, *words], {"SQUALL_SET__telemetry__password": "hunter2-variable"}) == 1
    output = capsys.readouterr()
    everything = [output.out, output.err, Path("report.txt").read_text(encoding="utf-8"), *record().values()]
    assert len(everything) >= 7
    assert not [text for text in everything if "hunter2" in text]


def prepared(cluster: FakeCluster, *names: str) -> Prepared:
    """A run of one scenario on a cluster of the test's own."""
    wish = request()
    made = plan(scenario(wish, *(target(name) for name in names or ("web-0",))))
    configuration = load_configuration("config.yaml", {}, {}, tuple(styles()))
    return Prepared(
        configuration=configuration, contents={}, requests=(wish,), cluster=cluster, interruption=Interruption(),
        plan=replace(made, lease_seconds=10), observation=ObservationPlan(),
    )  # fmt: skip


def carried_out(monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster, *words: str, left: str = "[]") -> dict[str, Any]:
    Path("injector.py").write_text(INJECTOR.replace("LEFT", left), encoding="utf-8")
    monkeypatch.setattr(local, "INJECTOR", Path("injector.py").resolve())
    book = Record("record", RUN_ID)
    try:
        return run._run(prepared(cluster), book, parse(["run", *words]), {})
    finally:
        book.close()


def test_a_run_with_an_injector_of_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = FakeCluster()
    result = carried_out(monkeypatch, cluster, "--format", "jsonl")
    assert (result["verdict"]["status"], result["scenarios"][0]["targets"][0]["measured"]["loss"]["value"]) == ("passed", 0.2)
    assert cluster.calls == ["start", f"audit {RUN_ID}", "close"]
    output = capsys.readouterr()
    assert [json.loads(line)["event"] for line in output.out.splitlines()] == [
        "run-started", "scenario-started", "applied", "armed", "measured", "reverted", "finished", "scenario-finished", "window", "run-finished",
    ]
    assert re.search(r"pod/shop/web-0/egress: applied \(blackhole on eth0\)\n", output.err)
    assert output.out == record()["events.jsonl"]


def test_a_cluster_with_residue_is_left_as_it_is_for_the_user_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    result = carried_out(monkeypatch, cluster, left='["ip link del dev sq1"]')
    assert result["verdict"]["exit_code"] == 4
    assert "close" not in cluster.calls


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_live_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert carried_out(monkeypatch, FakeCluster())["verdict"]["exit_code"] == 0
    assert "\x1b[" in sys.stderr.getvalue()  # type: ignore[attr-defined]


MANY = tuple(f"web-{number}" for number in range(11))


@pytest.mark.parametrize(("answer", "names", "yes", "terminal", "confirmed", "asked"), [
    ("y\n", MANY, False, True, True, True), ("YES\n", MANY, False, True, True, True),
    ("\n", MANY, False, True, False, True), ("n\n", MANY, False, True, False, True), ("", MANY, False, True, False, True),
    ("n\n", MANY, True, True, True, False), ("n\n", MANY, False, False, True, False), ("n\n", MANY[:10], False, True, True, False),
])
def test_many_targets_on_a_terminal_are_asked_about(
    monkeypatch: pytest.MonkeyPatch, answer: str, names: tuple[str, ...], yes: bool, terminal: bool, confirmed: bool, asked: bool
) -> None:
    stream = Terminal if terminal else io.StringIO
    monkeypatch.setattr(sys, "stdin", stream(answer))
    monkeypatch.setattr(sys, "stderr", stream())
    assert run._confirmed(prepared(FakeCluster(), *names).plan, Namespace(yes=yes)) is confirmed
    assert ("This impairs 11 targets in fake: pod/shop/web-0, " in sys.stderr.getvalue()) is asked  # type: ignore[attr-defined]
