"""list, explain, schema, completion and validate: what can be asked for, and whether a file is right."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from chaos_modules.cli.main import main
from chaos_modules.styles.registry import styles

FAULTS = sorted(fault for style in styles().values() for fault in style.models())
LOSS = "- id: pod-network-loss\n  workload: {kind: deployment, namespace: shop, names: [web]}\n"


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"], {}) == 0
    text = capsys.readouterr().out
    for style in styles().values():
        assert all(f"\n  {fault:28}{getattr(model, 'summary', '')}\n" in text for fault, model in style.models().items())
    assert "pod_network_fault_scenarios: " in text


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--format", "json"], {}) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(fault for facts in told.values() for fault in facts["faults"]) == FAULTS
    assert all(facts["summary"] for facts in told.values())


@pytest.mark.parametrize("fault", FAULTS)
def test_explain_describes_every_field(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", fault], {}) == 0
    lines = capsys.readouterr().out.splitlines()
    fields = [line for line in lines[2:] if line and not line.startswith(" ")][1:-1]
    assert lines[0] == f"{fault}: {getattr(styles()['pod_network_fault_scenarios'].models()[fault], 'summary', '')}"
    assert len(fields) > 10
    assert all(line.endswith(("(section)", "no default)", "required)")) or ", default " in line for line in fields)
    assert all(below.startswith("    ") and below.strip() for line, below in pairwise(lines) if line in fields)
    for wanted in ("    example:  DIRECTION: ingress", "    allowed:  egress, ingress, both", "    override: in the scenario file",
        "    source:   Squall's own"):
        assert wanted in lines


def test_explain_one_field_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "pod-network-rate-limit.Burst"], {}) == 0
    assert capsys.readouterr().out == (
        "BURST  (size, default 32kb)\n    Bytes saved up while idle and sent at once.\n"
        "    allowed:  write a number and one of b, kb, mb, gb, 1024-based (e.g. 32kb); a number alone\n              means bytes\n"
        "    example:  BURST: 32kb\n    override: in the scenario file\n    source:   Harness pod-network-rate-limit, BURST\n"
    )


def test_explain_a_field_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "config.squall.lease_seconds"], {}) == 0
    assert capsys.readouterr().out == (
        "lease_seconds  (whole number in seconds, default 10)\n    The kernel ends a fault by itself when it was not renewed for so long.\n"
        "    allowed:  at least 3, at most 60\n    example:  lease_seconds: 10\n"
        "    override: --set squall.lease_seconds=VALUE, or the variable\n              SQUALL_SET__squall__lease_seconds\n"
        "    source:   Squall's own\n"
    )


@pytest.mark.parametrize(("topic", "words"), [
    ("config", ["\nsquall\n", "more:   run_chaos.py explain config.kraken"]),
    ("config.squall", ["lease_seconds  (", "below:    config.squall.injector.image"]),
    ("config.health_checks.config.url", ["url  (text, no default)", "source:   krkn, health_checks.config.url"]),
    ("pod-network-loss.workload", ["workload  (section)", "kind  (one of its values, no default)"]),
    ("pod-network-loss.workload.labels", ["labels  (label selector, no default)"]),
    ("pod_network_fault_scenarios", ["Harness and Litmus", *FAULTS]),
])
def test_explain_other_topics(topic: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", topic], {}) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in words)


@pytest.mark.parametrize(("kind", "words"), [
    ("pod-network-los", ["there is no scenario type or fault pod-network-los", "did you mean pod-network-loss?"]),
    ("pod-network-rate-limit.BRUST", ["pod-network-rate-limit has no field BRUST", "did you mean BURST?"]),
])
def test_explain_names_the_nearest(kind: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", kind], {}) == 255
    error = capsys.readouterr().err
    assert all(word in error for word in words)


@pytest.mark.parametrize("kind", ["config", *styles(), *FAULTS])
def test_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", kind], {}) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert told["title"] == kind
    assert (told["else"] == {"$ref": "#/$defs/entry"}) if kind in styles() else (told["type"] == "object")


def test_schema_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "pod_network_fault_scenario"], {}) == 255
    assert "there is no scenario type or fault pod_network_fault_scenario\n  → did you mean pod_network_fault_scenarios?" in capsys.readouterr().err


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "#compdef squall"), ("fish", "complete -c squall")])
def test_completion(shell: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell], {}) == 0
    text = capsys.readouterr().out
    assert word in text
    assert "validate" in text


@pytest.mark.usefixtures("at_root")
def test_validate_the_shipped_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"], {}) == 0
    assert capsys.readouterr().out == "ok  config/config.yaml: configuration with 3 scenario files, 3 scenarios\n"


def test_validate_many_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, other = tmp_path / "loss.yaml", tmp_path / "config.yaml"
    good.write_text(LOSS, encoding="utf-8")
    other.write_text(f"kraken:\n  chaos_scenarios:\n  - pod_network_fault_scenarios: [{good}]\n", encoding="utf-8")
    assert main(["validate", str(good), str(other)], {}) == 0
    assert capsys.readouterr().out == (
        f"ok  {good}: pod_network_fault_scenarios, 1 scenarios\nok  {other}: configuration with 1 scenario files, 1 scenarios\n"
    )
    assert main(["validate", "--type", "pod_network_fault_scenarios", str(good)], {}) == 0


def test_validate_tells_all_problems_of_all_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, odd = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "odd.yaml"
    good.write_text(LOSS, encoding="utf-8")
    bad.write_text(f"{LOSS}  DESTINATION_PORTS: http\n  TOTAL_CHAOS_DURATION: soon\n", encoding="utf-8")
    odd.write_text("- something: else\n", encoding="utf-8")
    assert main(["validate", str(bad), str(good), str(odd), str(tmp_path / "absent.yaml")], {}) == 255
    output = capsys.readouterr()
    assert output.out == f"ok  {good}: pod_network_fault_scenarios, 1 scenarios\n"
    assert f"{bad}:3:" in output.err
    assert f"{bad}:4:" in output.err
    assert f"{odd}:1:" in output.err
    assert "absent.yaml" in output.err


def test_validate_with_a_type_that_is_not_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(LOSS, encoding="utf-8")
    assert main(["validate", "--type", "pods", str(tmp_path / "a.yaml")], {}) == 255
    assert "unknown scenario type pods" in capsys.readouterr().err
