"""Reading a record back: whole, of a killed runner, of an older version, and damaged in every way."""

from __future__ import annotations

import json
import random
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from records import write_record
from test_reports_screen import ENDS

from chaos_modules.model import observation as seen
from chaos_modules.model.errors import BadInput
from chaos_modules.reports.files import write_reports
from chaos_modules.reports.recorded import Recorded, read_record
from chaos_modules.reports.shapes import RESULT, shaped
from chaos_modules.reports.style import Style
from chaos_modules.reports.table import final_screen
from chaos_modules.reports.unfinished import KILLED

DOCUMENTS = ("plan.json", "result.json", "events.jsonl", "series.json", "scenarios.json", "metrics.jsonl")


def everything(recorded: Recorded, directory: Path) -> None:
    """Every report of it, and its metrics."""
    assert write_reports(directory, recorded) == []
    assert final_screen(recorded.result, recorded.directory, Style(False, "utf-8"), 80)
    assert len(list(recorded.metrics())) >= 0


def change(path: Path, **parts: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **parts}), encoding="utf-8")


def test_a_whole_record(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, metrics=5)
    assert recorded.result["run_id"] == recorded.plan["run_id"] == "0badcafe"
    assert recorded.events[0]["event"] == "run-started"
    assert [one["name"] for one in recorded.series] == ["checkout error rate", "panel 1"]
    assert list(recorded.scenario_files) == ["scenarios/harness/loss.yaml"]
    assert [sample["metricName"] for sample in recorded.metrics()] == ["podCPU"] * 5


def test_a_record_of_before_observation(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, observed=False)
    assert (recorded.series, recorded.scenario_files, list(recorded.metrics())) == ((), {}, [])
    everything(recorded, tmp_path)


@pytest.mark.parametrize("name", ["plan.json", "events.jsonl"])
def test_a_folder_that_is_no_record(tmp_path: Path, name: str) -> None:
    write_record(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadInput, match=f"not a record: {name} cannot be read: No such file") as caught:
        read_record(tmp_path)
    assert (caught.value.where, caught.value.remedy) == (str(tmp_path), "name a folder that a run wrote, such as runs/0badcafe")


def killed(directory: Path, last: str, **wishes: Any) -> Recorded:
    """A record whose runner died after the first event of that name."""
    whole = write_record(directory, observed=False, **wishes)
    number = [event["event"] for event in whole.events].index(last)
    (directory / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in whole.events[: number + 1]), encoding="utf-8")
    (directory / "result.json").unlink()
    return read_record(directory)


def test_a_killed_runner_has_failed(tmp_path: Path) -> None:
    recorded = killed(tmp_path, "armed")
    assert recorded.result["verdict"] == {"status": "failed", "exit_code": 1, "reasons": ["the run ended without a result: the runner was killed"]}
    [scenario] = recorded.result["scenarios"]
    assert (scenario["status"], scenario["reason"], scenario["ended"]) == ("failed", KILLED, None)
    first, second = scenario["targets"]
    assert (first["status"], first["in_effect"], first["reverted"], first["requested"]) == ("interrupted", True, False, {"loss": "20%"})
    assert (second["status"], second["in_effect"], second["started"]) == ("not-applied", False, None)
    assert "cleanup --audit" in recorded.result["problems"][0]
    everything(recorded, tmp_path)


def test_nothing_is_reverted_that_was_never_put_there(tmp_path: Path) -> None:
    [scenario] = killed(tmp_path, "scenario-started").result["scenarios"]
    assert [(target["status"], target["reverted"]) for target in scenario["targets"]] == [("not-applied", None)] * 2


def test_a_runner_killed_after_its_scenarios_keeps_what_they_told(tmp_path: Path) -> None:
    recorded = killed(tmp_path, "scenario-finished", scenarios=2)
    [scenario] = recorded.result["scenarios"]
    assert scenario["status"] == "passed"
    assert [(target["status"], target["in_effect"], target["reverted"]) for target in scenario["targets"]] == [("passed", True, True)] * 2
    assert recorded.result["verdict"]["exit_code"] == 1


def test_a_runner_killed_before_anything_began(tmp_path: Path) -> None:
    recorded = killed(tmp_path, "run-started")
    assert recorded.result["scenarios"] == []
    (tmp_path / "events.jsonl").write_text("", encoding="utf-8")
    everything(read_record(tmp_path), tmp_path)


def test_what_an_injector_left_is_residue_of_the_killed_run_too(tmp_path: Path) -> None:
    recorded = killed(tmp_path, "reverted")
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").replace('"left": []', '"left": ["nft delete table netdev squall_0badcafe"]')
    (tmp_path / "events.jsonl").write_text(lines, encoding="utf-8")
    assert recorded.result["residue"] == []
    again = read_record(tmp_path).result
    assert (again["verdict"]["exit_code"], len(again["residue"])) == (4, 1)


@pytest.mark.parametrize("tail", ['{"time": 17952', '{"time": 1.0, "event": "a"', "\x00\x00\x00", "\xff"])
def test_a_torn_last_event_is_left_out(tmp_path: Path, tail: str) -> None:
    whole = write_record(tmp_path)
    path = tmp_path / "events.jsonl"
    path.write_bytes(path.read_bytes() + tail.encode("latin-1"))
    assert read_record(tmp_path).events == whole.events


def test_a_damaged_event_before_the_last_is_not_passed_over(tmp_path: Path) -> None:
    write_record(tmp_path)
    path = tmp_path / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1][:20] + b"\n", *lines[2:]]))
    with pytest.raises(BadInput, match="it is no JSON") as caught:
        read_record(tmp_path)
    assert caught.value.where == f"{path}:2"


def test_metrics_are_read_like_events(tmp_path: Path) -> None:
    recorded = write_record(tmp_path, metrics=3)
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"metricName')
    assert len(list(recorded.metrics())) == 3
    path.write_bytes(b"[]\n" + path.read_bytes())
    with pytest.raises(BadInput, match="the document is not a mapping") as caught:
        list(recorded.metrics())
    assert caught.value.where == f"{path}:1"


def test_a_result_that_was_being_written_says_how_to_go_on(tmp_path: Path) -> None:
    write_record(tmp_path)
    path = tmp_path / "result.json"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(BadInput, match="it is no JSON") as caught:
        read_record(tmp_path)
    assert caught.value.remedy == "the runner was killed while it wrote result.json: remove that file for a report from the plan and the events"
    path.unlink()
    assert read_record(tmp_path).result["verdict"]["reasons"] == [KILLED]


@pytest.mark.parametrize(("name", "parts", "what"), [
    ("result.json", {"schema": 2}, "it is of schema 2, and this version reads schema 1"),
    ("result.json", {"scenarios": {}}, "scenarios is not a list"),
    ("result.json", {"scenarios": [{"id": "a"}]}, r"scenarios\[0\] is not complete: it has no type"),
    ("result.json", {"verdict": {"status": "passed", "exit_code": "0", "reasons": []}}, "verdict.exit_code is not a whole number"),
    ("result.json", {"verdict": {"status": "passed", "exit_code": True, "reasons": []}}, "verdict.exit_code is not a whole number"),
    ("result.json", {"started": 1e300}, "started is not a time"),
    ("result.json", {"ended": float("nan")}, "ended is not a time"),
    ("result.json", {"alerts": [{"source": "a", "name": "a", "expr": "b", "severity": "c", "intervals": [[1]]}]}, r"intervals\[0\] is not a pair"),
    ("result.json", {"resiliency": []}, "resiliency is not a mapping"),
    ("plan.json", {"scenarios": [{}]}, r"scenarios\[0\] is not complete: it has no request"),
    ("plan.json", {"run_id": 7}, "run_id is not a text"),
    ("series.json", {"series": [{"name": "a"}]}, r"series\[0\] is not complete"),
])
def test_wrong_shapes_name_the_file_and_the_place(tmp_path: Path, name: str, parts: dict[str, Any], what: str) -> None:
    write_record(tmp_path)
    change(tmp_path / name, **parts)
    with pytest.raises(BadInput, match=what) as caught:
        read_record(tmp_path)
    assert caught.value.where == str(tmp_path / name)


@pytest.mark.parametrize("text", [
    b"", b"null", b"[]", b"0", b"{}", b"\xff\xfe", b'{"a": ', b"[" * 100_000, b'{"scenarios": ' * 200 + b"1" + b"}" * 200, b"9" * 5000, b"\x00" * 50,
])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_garbage_is_wrong_input(tmp_path: Path, name: str, text: bytes) -> None:
    recorded = write_record(tmp_path, metrics=1, seconds=4.0, probes=1)
    (tmp_path / name).write_bytes(text + b"\n")
    if name == "scenarios.json" and text == b"{}":
        assert read_record(tmp_path).scenario_files == {}
        return
    with pytest.raises(BadInput) as caught:
        list(recorded.metrics()) if name == "metrics.jsonl" else read_record(tmp_path)
    assert str(caught.value.where).startswith(str(tmp_path / name))
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("name", ["plan.json", "result.json", "events.jsonl", "series.json"])
def test_a_byte_changed_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    """Whatever is read can be shown: every report is made of it."""
    write_record(tmp_path, seconds=6.0, baseline=2.0, recovery=2.0, passed=False, unhealthy=True)
    whole, chance = (tmp_path / name).read_bytes(), random.Random(name)
    refused = 0
    for _ in range(15):
        place = chance.randrange(len(whole))
        (tmp_path / name).write_bytes(whole[:place] + bytes([chance.randrange(256)]) + whole[place + 1 :])
        try:
            everything(read_record(tmp_path), tmp_path)
        except BadInput:
            refused += 1
    assert 0 < refused < 15


@pytest.mark.parametrize("name", ["plan.json", "result.json", "events.jsonl", "series.json"])
def test_a_value_of_another_type_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    write_record(tmp_path, seconds=6.0, baseline=2.0, recovery=2.0, passed=False, unhealthy=True)
    whole, chance = (tmp_path / name).read_text(encoding="utf-8").splitlines(), random.Random(name)
    for _ in range(20):
        place, value = chance.randrange(len(whole)), chance.choice(["null", "[]", "{}", "-1", "1e308", "NaN", '"x"', "true", "[[[]]]"])
        head, colon, tail = whole[place].partition(": ")
        if colon and not tail.rstrip().endswith(("{", "[")):
            changed = f"{head}: {value}{',' if tail.endswith(',') else ''}"
            (tmp_path / name).write_text("\n".join([*whole[:place], changed, *whole[place + 1 :]]) + "\n", encoding="utf-8")
            try:
                everything(read_record(tmp_path), tmp_path)
            except BadInput as error:
                assert str(tmp_path) in error.where


@pytest.mark.parametrize("end", ENDS)
def test_what_the_engine_makes_has_the_shapes(end: str) -> None:
    assert shaped(json.loads(json.dumps(ENDS[end]())), RESULT)["schema"] == 1


def test_the_record_page_names_every_field_of_observation() -> None:
    shapes = (
        seen.Window, seen.ProbeCheck, seen.AlertFact, seen.HealthRecord, seen.Finding, seen.SloResult, seen.ScenarioScore,
        seen.Resiliency, seen.Observed,
    )  # fmt: skip
    wanted = {item.name for shape in shapes for item in fields(shape)} | {str(kind) for kind in (*seen.FindingKind, *seen.AlertSource, *seen.Phase)}
    page = (Path(__file__).parents[3] / "docs" / "reference" / "record.md").read_text(encoding="utf-8")
    assert wanted <= set(re.findall(r"`([\w-]+)`", page))


def test_a_seed_may_be_of_any_size(tmp_path: Path) -> None:
    write_record(tmp_path)
    for name in ("plan.json", "result.json"):
        change(tmp_path / name, seed=10**40)
    assert read_record(tmp_path).result["seed"] == 10**40
