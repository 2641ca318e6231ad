"""`plan`: what would be done, saved and run again; where settings come from; everything that is wrong before that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import request, scenario, target

from chaos_modules.cli.main import main
from chaos_modules.cli.plan import _scenario
from chaos_modules.cli.saved_plan import differences
from chaos_modules.model.target import Target

PLAN = ["plan", "-c", "config.yaml"]
Write = Callable[[str, str], str]


@pytest.fixture(autouse=True)
def _in_place(place: Path) -> None:
    """Every test of this module has its own current directory."""


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main([*PLAN, *words], {}) == code
    return capsys.readouterr().out


def test_the_table_says_who_what_and_how(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys)
    assert text.startswith("sandbox (sandbox.yaml): run ")
    assert "pod-network-loss: loss 20%  (loss.yaml:2:3)" in text
    assert "1 of 2 pods on 1 nodes, parallel, hold 60s, ramp 0s" in text
    assert "egress, first: blackhole" in text
    assert "egress, else: nft-drop (sender-visible)" in text
    assert "%" not in text.replace("20%", "")  # every placeholder is filled in


def test_nodes_are_not_called_pods() -> None:
    node = Target(kind="node", namespace="", name="worker-1", node="worker-1")
    assert "  1 of 1 nodes, parallel, hold 30s, ramp 0s" in _scenario(scenario(request(), node), 10, verbose=False)
    assert "  1 of 1 pods on 1 nodes, parallel, hold 30s, ramp 0s" in _scenario(scenario(request(), target()), 10, verbose=False)


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads(told(capsys, "--format", "json"))
    assert (plan["seed"], plan["lease_seconds"], plan["cluster"]) == (1, 10, "sandbox (sandbox.yaml)")
    [scenario] = plan["scenarios"]
    assert scenario["request"]["impairment"]["loss"]["percentage"] == "20%"
    assert scenario["injections"][0]["programs"][0]["setup"][0][0] == "tc"


def test_planning_touches_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in place.iterdir())
    told(capsys)
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize(("words", "environment", "lease"), [
    ([], {}, 10), (["--set", "squall.lease_seconds=5"], {}, 5), ([], {"SQUALL_SET__squall__lease_seconds": "7"}, 7),
    (["--set", "squall.lease_seconds=5"], {"SQUALL_SET__squall__lease_seconds": "7"}, 5),
])
def test_a_flag_wins_over_a_variable_and_that_over_the_file(
    words: list[str], environment: dict[str, str], lease: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*PLAN, "--format", "json", *words], environment) == 0
    assert json.loads(capsys.readouterr().out)["lease_seconds"] == lease


def test_without_a_seed_one_is_drawn_and_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("config.yaml", Path("config.yaml").read_text(encoding="utf-8").replace("seed: 1", "seed:"))
    seeds = {json.loads(told(capsys, "--format", "json"))["seed"] for _ in range(3)}
    assert len(seeds) > 1
    assert json.loads(told(capsys, "--format", "json", "--seed", "77"))["seed"] == 77


def test_a_scenario_without_target_is_in_the_plan_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "wrong.yaml", code=1)
    assert "  no-target: " in text
    assert "no deployment wbe in namespace shop (nearest: web)\n    → there are: web" in text


def test_skipped_pods_and_warnings_are_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    pods = Path("sandbox.yaml").read_text(encoding="utf-8")
    write("sandbox.yaml", pods + "  - {name: web-2, namespace: shop, owner: {kind: Deployment, name: web}, phase: Pending}\n")
    write("all.yaml", Path("loss.yaml").read_text(encoding="utf-8") + "  POD_AFFECTED_PERCENTAGE: 100\n")
    text = told(capsys, "all.yaml")
    assert "  skipped shop/web-2: is Pending, not Running" in text
    assert "  warning: 2 of 2 pods (100 %) of the workload are hit" in text
    assert main([*PLAN, "all.yaml", "--enforce-limits"], {}) == 1
    assert "workload-share" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "error"), [
    (["plan", "-c", "absent.yaml"], "absent.yaml"),
    (["plan", "-c", "config.yaml", "absent.yaml"], "absent.yaml"),
    (["plan", "loss.yaml"], "there is no kubeconfig"),
    (["plan", "loss.yaml", "--sandbox-file", "absent.yaml"], "absent.yaml"),
    (["plan", "loss.yaml", "--sandbox-file", "loss.yaml"], "loss.yaml:"),
    (["plan", "loss.yaml", "--type", "pods"], "unknown scenario type pods"),
    (["plan", "sandbox.yaml", "--sandbox-file", "sandbox.yaml"], "not a scenario of any known type"),
    (["plan", "--sandbox-file", "sandbox.yaml", "-c", "empty.yaml"], "there is no scenario to run"),
    (["plan", "-c", "config.yaml", "--set", "squall.lease_seconds"], "sets nothing"),
    (["plan", "-c", "config.yaml", "--set", "squall.lease_second=5"], "lease_seconds"),
    (["plan", "-c", "config.yaml", "--seed", "x"], "'x' is not a whole number"),
    (["plan", "-c", "config.yaml", "--require-context", "prod"], "the cluster is sandbox (sandbox.yaml), not prod"),
    (["plan", "-c", "config.yaml", "--save", "no/such/plan.json"], "the plan cannot be written"),
])
def test_bad_input(words: list[str], error: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("empty.yaml", "kraken:\n  chaos_scenarios: []\n")
    assert main(words, {}) == 255
    output = capsys.readouterr()
    assert output.out == ""
    assert error in output.err
    assert output.err.startswith("error: ")


def test_problems_of_all_files_are_told_at_once(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = write("a.yaml", "- id: pod-network-los\n"), write("b.yaml", "- id: pod-network-loss\n  WORKLOD: {}\n")
    assert main([*PLAN, first, second], {}) == 255
    error = capsys.readouterr().err
    assert "a.yaml:1:" in error
    assert "b.yaml:2:3" in error


def test_the_required_context_may_be_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert "run " in told(capsys, "--require-context", "sandbox (sandbox.yaml)")


SECRETS = """
performance_monitoring: {prometheus_bearer_token: hunter2-prometheus}
elastic: {username: somebody, password: hunter2-elastic}
"""


def test_origins_are_shown_and_secrets_are_not(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("config.yaml", Path("config.yaml").read_text(encoding="utf-8") + SECRETS)
    text = told(capsys, "--show-origin", "--set", "squall.lease_seconds=5", "--set", "telemetry.password=hunter2-flag")
    lines = {line.partition(" = ")[0]: line.partition(" = ")[2] for line in text.splitlines() if " = " in line}
    assert lines["squall.lease_seconds"].startswith("5  ← --set")
    assert lines["squall.seed"].startswith("1  ← config.yaml:9")
    assert lines["squall.require_traffic"] == "'any'  ← default"
    assert lines["elastic.password"].startswith("(hidden)  ← config.yaml")
    assert lines["performance_monitoring.prometheus_bearer_token"].startswith("(hidden)")
    assert lines["elastic.username"].startswith("'somebody'")
    assert "hunter2" not in text


def test_a_saved_plan_has_its_inputs_and_no_secrets(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("config.yaml", Path("config.yaml").read_text(encoding="utf-8") + SECRETS)
    told(capsys, "--save", "plan.json", "--set", "elastic.password=hunter2-flag", "--set", "squall.lease_seconds=5")
    text = Path("plan.json").read_text(encoding="utf-8")
    saved = json.loads(text)
    assert (saved["schema"], saved["inputs"]["config"], saved["inputs"]["assignments"]) == (1, "config.yaml", ["squall.lease_seconds=5"])
    assert saved["plan"]["lease_seconds"] == 5
    assert "hunter2" not in text


def _drifted(write: Write) -> None:
    pods = Path("sandbox.yaml").read_text(encoding="utf-8")
    write("sandbox.yaml", pods.replace("web-0", "web-7").replace("web-1", "web-8"))


def test_a_plan_that_no_longer_fits_is_refused_by_name(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "--save", "plan.json")
    _drifted(write)
    assert main(["run", "--plan", "plan.json"], {}) == 255
    error = capsys.readouterr().err
    assert "plan.json: the plan no longer fits: plan.scenarios[0].injections[0].target." in error
    assert '"web-' in error
    assert "--allow-drift" in error
    assert not Path("record").exists()


def test_many_differences_are_not_all_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "--save", "plan.json")
    write("loss.yaml", Path("loss.yaml").read_text(encoding="utf-8") + "  DESTINATION_PORTS: 9000\n  RAMP_TIME: 5\n  TOTAL_CHAOS_DURATION: 5\n")
    assert main(["run", "--plan", "plan.json"], {}) == 255
    assert " more\n" in capsys.readouterr().err


@pytest.mark.parametrize("change", [
    lambda content: "no json", lambda content: "[]", lambda content: "{}", lambda content: content.replace('"schema": 1,', '"schema": 2,', 1),
    lambda content: content.replace('"inputs"', '"input"'),
])
def test_what_is_not_a_saved_plan(change: Callable[[str], str], write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "--save", "plan.json")
    write("plan.json", change(Path("plan.json").read_text(encoding="utf-8")))
    assert main(["run", "--plan", "plan.json"], {}) == 255
    assert "error: plan.json: " in capsys.readouterr().err


def test_an_absent_saved_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--plan", "absent.json"], {}) == 255
    assert "absent.json:1:1: no such file" in capsys.readouterr().err


@pytest.mark.parametrize(("old", "new", "found"), [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": 2}, ["p.a: 1 → 2"]),
    ({"a": 1}, {}, ["p.a: 1 → null"]),
    ([1, [2, 3]], [1, [2, 4]], ["p[1][1]: 3 → 4"]),
    ([1], [1, 2], ["p: [1] → [1, 2]"]),
])
def test_differences(old: Any, new: Any, found: list[str]) -> None:
    assert list(differences(old, new, "p")) == found


def test_long_differences_are_shown_where_they_begin() -> None:
    [text] = differences("x" * 500 + "old" + "x" * 500, "x" * 500 + "new" + "x" * 500, "p")
    assert len(text) < 150
    assert "xold" in text.partition(" → ")[0]
    assert "xnew" in text.partition(" → ")[2]
