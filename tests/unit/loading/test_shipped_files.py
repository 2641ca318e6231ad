"""What we ship validates, so that the first thing that a user tries works."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos_modules.loading.documents import load_yaml
from chaos_modules.loading.overrides import load_configuration
from chaos_modules.loading.scenarios import load_scenarios
from chaos_modules.styles.registry import detect_type, styles

ROOT = Path(__file__).parents[3]


def test_the_shipped_configuration_and_its_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    configuration = load_configuration("config/config.yaml", {}, {}, styles())
    assert configuration.notices == ()
    loaded = load_scenarios(configuration)
    assert loaded
    for file, document in loaded:
        for request in styles()[file.type].translate(document):
            assert request.notices == ()


@pytest.mark.parametrize("file", sorted((ROOT / "scenarios" / "harness").glob("*.yaml")), ids=lambda file: file.name)
def test_every_shipped_harness_scenario_is_recognised(file: Path) -> None:
    document = load_yaml(file)
    assert detect_type(document) == "pod_network_fault_scenarios"
    assert styles()["pod_network_fault_scenarios"].translate(document)
