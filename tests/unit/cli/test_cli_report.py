"""`report`: a record shown again, its reports written anew and elsewhere; and what `run` adds at its end."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
from records import write_record

from chaos_modules.cli.arguments import parse
from chaos_modules.cli.main import main
from chaos_modules.cli.report import check_report_options, extra_reports, standard_output_is_taken
from chaos_modules.model.errors import BadInput
from chaos_modules.reports.files import REPORTS
from chaos_modules.reports.junit import junit
from chaos_modules.reports.markdown import markdown
from chaos_modules.reports.recorded import read_record

RUN = Path("runs/0badcafe")
NAMES = set(REPORTS)


@pytest.fixture(autouse=True)
def _in_place(place: Path) -> None:
    """Every test of this module has its own current directory with the record of a run whose objective failed."""
    write_record(place / RUN, passed=False)


def words(*more: str) -> list[str]:
    return ["report", str(RUN), *more]


def test_it_prints_the_screen_and_writes_the_reports(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(), {}) == 0
    output = capsys.readouterr()
    assert output.out.splitlines()[-2:] == ["report  runs/0badcafe/report.html", "record  runs/0badcafe  run 0badcafe  seed 42  exit 2"]
    assert output.err == ""
    assert {path.name for path in RUN.iterdir()} > NAMES


def test_the_reports_are_the_same_bytes_again_and_in_a_copy() -> None:
    assert main(words(), {}) == 0
    first = {name: (RUN / name).read_bytes() for name in NAMES}
    shutil.copytree(RUN, "copy")
    for folder in (RUN, Path("copy")):
        for name in NAMES:
            (folder / name).unlink()
        assert main(["report", str(folder)], {"TZ": "Asia/Kolkata"}) == 0
        assert {name: (folder / name).read_bytes() for name in NAMES} == first


def test_the_exit_code_is_the_commands_own_unless_asked_for() -> None:
    assert main(words("--exit-code"), {}) == 2


def test_reports_go_where_they_are_wanted_and_folders_are_made() -> None:
    assert main(words("--junit", "a/b/junit.xml", "--html", "c/page.html", "--markdown", "d.md"), {}) == 0
    recorded = read_record(RUN)
    assert Path("a/b/junit.xml").read_text(encoding="utf-8") == junit(recorded)
    assert Path("d.md").read_text(encoding="utf-8") == markdown(recorded)
    assert Path("c/page.html").read_bytes() == (RUN / "report.html").read_bytes()


@pytest.mark.parametrize(("option", "name"), [("--junit", "junit.xml"), ("--html", "report.html"), ("--markdown", "report.md")])
def test_a_dash_is_standard_output_alone(option: str, name: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(words(option, "-"), {}) == 0
    assert capsysbinary.readouterr().out == (RUN / name).read_bytes()


def test_json_is_the_result_and_jsonl_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("--format", "json"), {}) == 0
    assert capsys.readouterr().out == (RUN / "result.json").read_text(encoding="utf-8")
    assert main(words("--format", "jsonl"), {}) == 0
    assert capsys.readouterr().out == (RUN / "events.jsonl").read_text(encoding="utf-8")


def test_a_killed_run_has_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    (RUN / "result.json").unlink()
    assert main(words("--exit-code"), {}) == 1
    assert "the run ended without a result: the runner was killed" in capsys.readouterr().out
    assert not (RUN / "result.json").exists()


def test_what_cannot_be_written_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    (RUN / "report.md").mkdir()
    Path("file").write_text("", encoding="utf-8")
    assert main(words("--junit", "file/junit.xml"), {}) == 1
    error = capsys.readouterr().err
    assert "error: runs/0badcafe/report.md could not be written: " in error
    assert "error: file/junit.xml could not be written: " in error
    assert main(words("--exit-code"), {}) == 2


@pytest.mark.parametrize(("name", "what"), [
    ("nowhere", "error: nowhere: not a record: plan.json cannot be read: No such file or directory\n  → name a folder that a run wrote"),
    ("loss.yaml", "error: loss.yaml: not a record: plan.json cannot be read: Not a directory"), ("a\0b", "error: a\\x00b"),
    ("x" * 5000, "File name too long"),
])
def test_what_is_no_record(name: str, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", name], {}) == 255
    output = capsys.readouterr()
    assert what in output.err
    assert output.out == ""


@pytest.mark.parametrize(("options", "what"), [
    (["--junit", "-", "--html", "-"], "--junit and --html both want standard output"),
    (["--junit", "-", "--format", "json"], "--junit and --format json both want standard output"),
    (["--junit", ""], "--junit: no file is named"),
])
def test_options_that_do_not_go_together(options: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(*options), {}) == 255
    assert what in capsys.readouterr().err
    assert not (RUN / "junit.xml").exists()


def test_sending_needs_to_know_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("--send", "-c", "config.yaml"), {}) == 255
    assert "--send: there is nowhere to send it to\n  → set elastic.enable_elastic" in capsys.readouterr().err


class Storage(BaseHTTPRequestHandler):
    """An OpenSearch that keeps the ids of what it is sent."""

    kept: set[str]

    def do_GET(self) -> None:
        self._answer({"version": {"number": "2.19.1", "distribution": "opensearch"}, "tagline": "The OpenSearch Project: https://opensearch.org/"})

    def do_POST(self) -> None:
        lines = [json.loads(line) for line in self.rfile.read(int(self.headers["Content-Length"])).splitlines()]
        heads = [next(iter(line.values())) for line in lines if set(line) <= {"index", "create"}]
        type(self).kept |= {head["_id"] for head in heads}
        self._answer({"errors": False, "items": [{"index": {"_id": head["_id"], "status": 201}} for head in heads]})

    def _answer(self, content: object) -> None:
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def storage() -> Iterator[tuple[str, set[str]]]:
    Storage.kept = set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", Storage.kept
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_record_is_sent(storage: tuple[str, set[str]], capsys: pytest.CaptureFixture[str]) -> None:
    address, kept = storage
    host, _, port = address.rpartition(":")
    settings = ["elastic.enable_elastic=true", f"elastic.elastic_url={host}", f"elastic.elastic_port={port}"]
    more = [word for setting in settings for word in ("--set", setting)]
    assert main(words("--send", "-c", "config.yaml", *more), {}) == 0
    assert f"sent to {address}" in capsys.readouterr().err
    assert kept
    before = set(kept)
    assert main(words("--send", "-c", "config.yaml", *more), {}) == 0
    assert kept == before


def asked(*options: str) -> Namespace:
    return parse(["run", *options])


def test_a_run_without_further_wishes_writes_nothing_more() -> None:
    assert extra_reports(asked(), read_record(RUN), {}) == []
    assert not NAMES & {path.name for path in RUN.iterdir()}


def test_a_run_writes_what_it_was_asked_for() -> None:
    Path("cases").mkdir()
    options = ["--junit", "out/j.xml", "--html", "out/p.html", "--summary", "out/s.md", "--junit-testcase", "[sig-etcd] it holds"]
    arguments = asked(*options, "--junit-testcase-path", "cases", "--junit-testcase-version", "4.19")
    check_report_options(arguments)
    assert extra_reports(arguments, read_record(RUN), {}) == []
    assert {path.name for path in Path("out").iterdir()} == {"j.xml", "p.html", "s.md"}
    [case] = Path("cases").iterdir()
    assert case.name == "junit_krkn_1795268424.xml"
    assert ElementTree.parse(case).find(".//testcase").attrib["name"] == "[sig-etcd] it holds"  # type: ignore[union-attr]


def test_a_run_can_print_a_report_instead_of_the_screen(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    arguments = asked("--summary", "-")
    assert (standard_output_is_taken(arguments), standard_output_is_taken(asked("--summary", "a"))) == (True, False)
    assert extra_reports(arguments, read_record(RUN), {}) == []
    assert capsysbinary.readouterr().out.decode() == markdown(read_record(RUN))


@pytest.mark.parametrize(("options", "what"), [
    (["--junit-testcase", "it holds"], "--junit-testcase: there is no folder for the test case"),
    (["--junit-testcase-path", "."], "--junit-testcase-path: the test case has no description"),
    (["--junit-testcase", "it holds", "--junit-testcase-path", "nowhere"], "'nowhere' cannot be used: No such file or directory"),
    (["--junit-testcase", "it holds", "--junit-testcase-path", "loss.yaml"], "'loss.yaml' is not a folder"),
    (["--junit-testcase", "it holds", "--junit-testcase-path", "x" * 5000], "cannot be used: File name too long"),
    (["--junit-testcase", "it holds", "--junit-testcase-path", "a\0b"], "cannot be used: embedded null byte"),
    (["--summary", "-", "--format", "jsonl"], "--summary and --format jsonl both want standard output"),
])
def test_wishes_that_cannot_be_met_are_refused_before_anything_is_touched(options: list[str], what: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_report_options(asked(*options))
    assert what in str(caught.value)
    assert caught.value.exit_code == 255


def test_no_test_case_is_no_mistake() -> None:
    check_report_options(asked("--junit-testcase-version", "1", "--junit-testcase", "", "--junit-testcase-path", ""))


def test_on_github_there_are_annotations_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"}
    assert extra_reports(asked(), read_record(RUN), environment) == []
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        "::error title=objective::storefront: fewer than 95%25 good under the fault", "::error title=alert::checkout error rate is 0.031",
    ]  # fmt: skip
    assert Path("summary.md").read_text(encoding="utf-8") == markdown(read_record(RUN))
    assert extra_reports(asked(), read_record(RUN), {**environment, "GITHUB_STEP_SUMMARY": "no/such"}) != []


def test_a_halt_can_be_asked_for_many_times() -> None:
    assert asked("--halt-on", "a > 1", "--halt-on", "b > 2").halt_on == ["a > 1", "b > 2"]
    assert asked().halt_on == []


def test_a_terminal_of_ascii_gets_a_report_in_utf_8(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    sys.stdout.reconfigure(encoding="ascii")  # type: ignore[union-attr]
    assert main(words("--html", "-"), {}) == 0
    assert capsysbinary.readouterr().out == (RUN / "report.html").read_bytes()
