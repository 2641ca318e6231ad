"""Input that means harm: bombs, escapes for the terminal, numbers beyond every bound, things that are no files, forged plans."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from chaos_modules.cli.output import say
from chaos_modules.cli.run import _Printable
from chaos_modules.model.wording import nearest, one_line, printable, printable_parts
from chaos_modules.reports.console import LiveConsole, PlainConsole
from chaos_modules.reports.style import Style
from chaos_modules.reports.table import final_screen

from .conftest import Cli

SIZE = 1024 * 1024 - 100
ENTRY = "- id: pod-network-loss\n  workload: {namespace: shop, labels: app=web}\n"
ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202e\u009b31m"
HUGE = {
    "a flow list": "[" + "a," * (SIZE // 2) + "]",
    "empty lists": "[" + "[]," * (SIZE // 3) + "]",
    "a block list": "- a\n" * (SIZE // 4),
    "entries of nothing": "-\n" * (SIZE // 2),
    "the same key": "a: 1\n" * (SIZE // 5),
    "many keys": "".join(f"k{number}: 1\n" for number in range(90_000)),
    "anchors": "[" + "".join(f"&a{number} x," for number in range(80_000)) + "]",
    "merges": "a0: &a0 {x: 1}\n" + "".join(f"a{one}: &a{one} {{<<: *a{one - 1}, y{one}: 1}}\n" for one in range(1, 15_000)),
    "wrong entries": "- id: x\n" * 15_000,
    "one text": "a: " + "x" * SIZE,
    "one key": "x" * SIZE + ": 1",
    "commas in a selector": f"{ENTRY}  NODE_LABEL: '{',' * SIZE}'\n"[:SIZE] + "'",
    "commas in ports": f"{ENTRY}  SOURCE_PORTS: '{'1,' * (SIZE // 2 - 100)}'\n",
    "addresses": f"{ENTRY}  DESTINATION_IPS: '" + ",".join(f"10.{one % 250}.{one // 250}.1" for one in range(60_000)) + "'\n",
    "one label": f"{ENTRY}  DESTINATION_HOSTS: '{'a.' * (SIZE // 2 - 100)}'\n",
    "digits": f"{ENTRY}  TOTAL_CHAOS_DURATION: {'9' * (SIZE - 200)}\n",
}
NUMBERS = (
    "1e999", "1.0e+999", "-1e999", "1_000", "0x10", "0o17", "0b1", ".inf", "-.inf", ".nan", "inf", "nan", "infinity", "9" * 400, "1e99", "-1",
    "1e-99", "1__0", "+-1", "٣", "1²", "½", "1,5", "1 000", "22:30", "--1", "1e", "e1", "0.00000000000000000001", "[1]", "{a: 1}", "true", "0x1p3",
)
QUANTITIES = ("TOTAL_CHAOS_DURATION", "RAMP_TIME", "NETWORK_PACKET_LOSS_PERCENTAGE", "CORRELATION", "POD_AFFECTED_PERCENTAGE")


@pytest.mark.parametrize("name", HUGE)
def test_a_megabyte_is_refused_within_a_second(name: str, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "a.yaml").write_text(HUGE[name], encoding="utf-8")
    begin = time.process_time()
    code, said = cli("validate", "--type", "pod_network_fault_scenarios", "a.yaml")
    assert time.process_time() - begin < 1
    assert code == 255
    assert len(said) < 20_000


def test_ten_thousand_files_are_looked_for_within_seconds_and_some_are_named(tmp_path: Path, cli: Cli) -> None:
    listed = "    - a.yaml\n" * 10_000
    (tmp_path / "config.yaml").write_text(f"kraken:\n  chaos_scenarios:\n  - pod_network_fault_scenarios:\n{listed}", encoding="utf-8")
    begin = time.process_time()
    code, said = cli("run", "--sandbox", "-c", "config.yaml")
    assert time.process_time() - begin < 5
    assert code == 255
    assert said.count("no such file") == 60
    assert said.endswith("and 9940 further problems; correct these first\n")


def test_hundreds_of_files_are_all_read(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY, encoding="utf-8")
    listed = "    - a.yaml\n" * 500
    (tmp_path / "config.yaml").write_text(f"kraken:\n  chaos_scenarios:\n  - pod_network_fault_scenarios:\n{listed}", encoding="utf-8")
    assert cli("validate", "config.yaml") == (0, "")


@pytest.mark.parametrize("number", NUMBERS)
def test_odd_numbers_are_refused_by_every_quantity(number: str, tmp_path: Path, cli: Cli) -> None:
    refused = set()
    for name in QUANTITIES:
        (tmp_path / "a.yaml").write_text(f"{ENTRY}  {name}: {number}\n", encoding="utf-8")
        code, said = cli("validate", "a.yaml")
        assert code in (0, 255)
        refused |= {name} if code else set()
        assert len(said) < 1000
    assert refused == set(QUANTITIES)


@pytest.mark.parametrize("path", ["tunings.wait_duration", "tunings.iterations", "squall.seed", "squall.lease_seconds", "kraken.port"])
@pytest.mark.parametrize("number", ["1e999", "inf", ".inf", "nan", "9" * 400, "-1", "1e300", "9" * 29, "[1]", "0x10"])
def test_odd_numbers_are_refused_by_the_configuration(path: str, number: str, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY, encoding="utf-8")
    (tmp_path / "config.yaml").write_text("kraken:\n", encoding="utf-8")
    assert cli("plan", "--sandbox", "-c", "config.yaml", "--set", f"{path}={number}", "a.yaml")[0] == 255


def test_things_that_are_no_files(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "folder").mkdir()
    for path in ("fifo", "one", "folder", "folder/", "/dev/zero", "/dev/random", "/proc/self/mem", "nothing\nhere", "a" * 5000, "no\x1b[31m",
        "\udcff", "~", ""):
        for words in (("validate", path), ("plan", "--sandbox", path), ("run", "-c", path), ("run", "--plan", path), ("plan", "--sandbox-file",
            path, "one")):
            code, said = cli(*words)
            assert code == 255
            assert said


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY, encoding="utf-8")
    real = os.fdopen

    def growing(descriptor: int, *rest: Any) -> Any:
        (tmp_path / "a.yaml").write_bytes(b"#" * 3 * 2**20)
        return real(descriptor, *rest)

    monkeypatch.setattr(os, "fdopen", growing)
    assert "larger than 1 MiB" in cli("validate", "a.yaml")[1]


def test_no_escape_reaches_the_terminal(tmp_path: Path, cli: Cli) -> None:
    """`cli` itself checks that all that was printed is printable."""
    name = f"a{ESCAPE}\n.yaml"
    (tmp_path / name).write_text(ENTRY, encoding="utf-8")
    (tmp_path / "value.yaml").write_text(f'{ENTRY}  "{ESCAPE[-4:]}": 1\n  DIRECTION: "\\u202E\\e[2J"\n  TARGET_CONTAINER: "{ESCAPE[-4]}"\n',
    encoding="utf-8")
    (tmp_path / "sandbox").write_text('nodes: ["\\u202Ex"]\npods: [{name: "\\u202Ey"}]\n"\\u202Ez": 1\n', encoding="utf-8")
    (tmp_path / "config.yaml").write_text('squall: {"\\u202E": 1}\nkraken: {chaos_scenarios: [{"\\u202E": ["\\u202E"]}]}\n', encoding="utf-8")
    assert cli("validate", name)[0] == 0
    for words in (
        ("validate", "value.yaml"), ("validate", f"no{ESCAPE}"), ("plan", "--sandbox-file", "sandbox", name), ("validate", "config.yaml"),
        ("plan", "--sandbox", "--set", f"{ESCAPE}={ESCAPE}", name), ("plan", "--set", ESCAPE, name), (ESCAPE,), ("explain", ESCAPE), ("schema",
            ESCAPE),
        ("explain", f"config.{ESCAPE}"), ("validate", "--type", ESCAPE, name), ("plan", "--seed", ESCAPE, name), ("plan", f"--{ESCAPE}"),
        ("plan", "--sandbox", "--require-context", ESCAPE, name), ("run", "--plan", ESCAPE), ("run", "--color", ESCAPE),
    ):
        assert cli(*words)[0] == 255, words
    for variable in (f"SQUALL_SET__squall__{ESCAPE}\n", "SQUALL_SET__squall__seed", "SQUALL_SET__", "SQUALL_SET____", "SQUALL_SET__squall"):
        assert cli("plan", "--sandbox", name, **{variable: f"{ESCAPE}\udcff"})[0] == 255


def test_what_is_printable() -> None:
    assert printable("a\tb\nc → é \\ '") == "a\tb\nc → é \\ '"
    assert printable("\x1b[31m\x07\u202e\udcff\x9b\x7f\r") == r"\x1b[31m\x07\u202e\udcff\x9b\x7f\r"
    assert one_line("a\nb\tc\x1b") == r"a\nb\tc\x1b"
    assert printable_parts({"a\x1b": ["\x1b", 1, None, ("\x1b",)]}) == {r"a\x1b": [r"\x1b", 1, None, [r"\x1b"]]}
    assert nearest("x" * 10**6, ["seed"]) == ""


def test_reports_print_nothing_raw(capsys: pytest.CaptureFixture[str]) -> None:
    import logging
    import sys

    event = {"event": "finished", "time": 0, "target": f"pod/{ESCAPE}[/x]", "status": "failed", "reason": f"{ESCAPE}[bold"}
    PlainConsole(sys.stderr, Style(False, "utf-8")).event(event)
    live = LiveConsole(sys.stderr)
    live.event({**event, "event": "scenario-started", "targets": [event["target"]], "hold": 1})
    live.event(event)
    assert [target for target in live.states if not target.isprintable()] == []
    live.live.console.render_lines(live._render())
    live.close()
    target = {
        "target": ESCAPE, "direction": "egress", "requested": {ESCAPE: ESCAPE}, "measured": {}, "at_peer": {}, "reverted": None, "in_effect": False,
        "traffic": 0, "status": "failed", "reason": ESCAPE, "engine": ESCAPE, "fidelity": ESCAPE,
    }
    scenario = {"id": ESCAPE, "file": ESCAPE, "status": "failed", "reason": ESCAPE, "targets": [target]}
    verdict = {"status": "failed", "exit_code": 1, "reasons": [ESCAPE]}
    result = {"scenarios": [scenario], "verdict": verdict, "residue": [ESCAPE], "run_id": "0badcafe", "seed": 1}
    say(_Printable().format(logging.LogRecord("a", 10, "p", 1, ESCAPE, None, None)))
    for text in (capsys.readouterr(), final_screen(result, ESCAPE, Style(False, "utf-8"), 80)):
        shown = text if isinstance(text, str) else text.out + text.err
        assert not {"\x07", "\u202e", "\u009b"} & set(shown)
        assert "]0;owned\x07" not in shown


DEEP = "[" * 100_000
PLAN: dict[str, Any] = {"schema": 1, "plan": {"seed": 1, "run_id": "0badcafe"}, "inputs": {
    "config": None, "assignments": [], "scenarios": ["a.yaml"], "type": None, "sandbox": False, "sandbox_file": "sandbox", "enforce_limits": False,
}}  # fmt: skip
FORGED: dict[str, str] = {
    "not JSON": "{", "empty": "", "deep": DEEP, "deep plan": json.dumps(PLAN)[:-1] + f', "x": {DEEP}{"]" * 100_000}}}', "list": "[]", "number": "5",
    "null": "null", "long number": "9" * 5000, "NaN": '{"schema": NaN}', "other schema": '{"schema": 2}', "no parts": '{"schema": 1}',
    "escape": '{"schema": "\\u001b[2J"}', "nothing fits": json.dumps(PLAN),
    **{f"{key} is {value!r}": json.dumps({**PLAN, key: value}) for key in PLAN for value in (None, 5, [], {}, "x")},
    **{f"{key} of the inputs is {value!r}": json.dumps({**PLAN, "inputs": {**PLAN["inputs"], key: value}})
       for key in PLAN["inputs"] for value in (5, {}, [5], [[]], "\0", "../" * 2000)},
    **{f"{key} of the plan is {value!r}": json.dumps({**PLAN, "plan": {**PLAN["plan"], key: value}})
       for key in ("seed", "run_id") for value in (None, -1, 1.5, True, "../../x", "0BADCAFE", "0badcafe\n", [], {})},
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_plan_ends_with_255(name: str, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "plan.json").write_text(FORGED[name], encoding="utf-8")
    (tmp_path / "a.yaml").write_text(ENTRY, encoding="utf-8")
    (tmp_path / "sandbox").write_text("nodes: [n]\npods: [{name: web-0, namespace: shop, labels: {app: web}}]\n", encoding="utf-8")
    code, said = cli("run", "--plan", "plan.json")
    assert code == 255
    assert len(said) < 7000
