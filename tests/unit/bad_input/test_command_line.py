"""The corpus of wrong files by way of `run` and `validate`: exit 255, every message in its place, nothing touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cli
from .test_configurations import CORPUS as CONFIGURATIONS
from .test_scenarios import CORPUS as SCENARIOS

SANDBOX = "nodes: [n]\npods: [{name: web-0, namespace: shop, labels: {app: web}}]\n"
WRONG = {name: (text, expected) for name, (text, expected) in SCENARIOS.items() if expected is not None}


@pytest.mark.parametrize("command", [("run", "--sandbox-file", "sandbox"), ("validate",)], ids=["run", "validate"])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_scenario_ends_with_255(name: str, command: tuple[str, ...], tmp_path: Path, cli: Cli) -> None:
    text, expected = WRONG[name]
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "sandbox").write_text(SANDBOX, encoding="utf-8")
    code, said = cli(*command, "--type", "pod_network_fault_scenarios", "a.yaml")
    assert code == 255
    for place, fragment in expected:
        assert f"a.yaml:{place}: " in said
        assert fragment.replace("{file}", "a.yaml") in said


# The others speak of types that only their own test knows.
@pytest.mark.parametrize("name", [name for name, (text, _) in CONFIGURATIONS.items() if "network_scenarios" not in text])
def test_a_wrong_configuration_ends_with_255(name: str, tmp_path: Path, cli: Cli) -> None:
    text, expected = CONFIGURATIONS[name]
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    code, said = cli("run", "--sandbox", "--config", "config.yaml")
    assert code == 255
    assert all(f"config.yaml:{place}: " in said and fragment in said for place, fragment in expected)


def test_there_are_enough_of_them() -> None:
    assert len(WRONG) + len(CONFIGURATIONS) >= 100


@pytest.mark.parametrize(("kind", "words"), [
    ("pod_disruption_scenarios", ["is a scenario type of krkn that this version does not run (for a.yaml)", "leave it out; this version runs: "]),
    ("pod_network_fault_scenario", ["unknown scenario type", "did you mean pod_network_fault_scenarios? valid: "]),
    ("pod_chaos_scenarios", ["unknown scenario type", "→ valid: pod_network_fault_scenarios"]),
])
def test_a_type_that_is_not_run(kind: str, words: list[str], tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "config.yaml").write_text(f"kraken:\n  chaos_scenarios:\n  - {kind}:\n    - a.yaml\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("- id: pod-network-loss\n", encoding="utf-8")
    for command in (("validate", "config.yaml"), ("run", "--sandbox", "-c", "config.yaml"), ("validate", "--type", kind, "a.yaml")):
        code, said = cli(*command)
        assert code == 255
        assert all(word in said for word in words)
