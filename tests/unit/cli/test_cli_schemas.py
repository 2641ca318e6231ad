"""The schemas that editors use: they accept what loads and refuse what does not; and every field is described."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from chaos_modules.cli.description import FieldDescription, configuration_fields, described
from chaos_modules.cli.schema import kinds, schema_of
from chaos_modules.loading.documents import load_yaml
from chaos_modules.styles.registry import detect_type, styles

ROOT = Path(__file__).parents[3]
TYPE = "pod_network_fault_scenarios"
SHIPPED = sorted((ROOT / "scenarios").rglob("*.yaml"))
NAMED = {"id": "pod-network-loss", "workload": {"namespace": "shop", "labels": "app=web"}}
GOOD: list[dict[str, Any]] = [
    {}, {"DIRECTION": "Ingress"}, {"direction": " both "}, {"correlation": None, "DESTINATION_PORTS": ""}, {"TOTAL_CHAOS_DURATION": 5},
    {"TOTAL_CHAOS_DURATION": "1.5M"}, {"NETWORK_PACKET_LOSS_PERCENTAGE": "10 %"}, {"DESTINATION_PORTS": [80, "8000-8100"]}, {"SOURCE_PORTS": "!80"},
    {"POD_AFFECTED_PERCENTAGE": "25-75"}, {"LIB_IMAGE": {"any": "thing"}}, {"workload": None, "APPLABEL": "a=b", "appns": "shop"},
    {"workload": "", "TARGETS": "job:a:[b]"}, {"DESTINATION_IPS": "10.0.0.7|80,fd00::/8"},
]
BAD: list[dict[str, Any]] = [
    {"id": None}, {"id": "pod-network-los"}, {"TOTAL_CHAOS_DURATON": 5}, {"NETWORK_BANDWIDTH": "1mbit"}, {"DIRECTION": "outgress"},
    {"TOTAL_CHAOS_DURATION": "5 days"}, {"TOTAL_CHAOS_DURATION": -5}, {"TOTAL_CHAOS_DURATION": True}, {"NETWORK_PACKET_LOSS_PERCENTAGE": 101},
    {"NETWORK_PACKET_LOSS_PERCENTAGE": 0}, {"DESTINATION_PORTS": "80,,81"}, {"DESTINATION_PORTS": []}, {"SOURCE_PORTS": {"a": 1}},
    {"workload": {"labels": "a=b"}}, {"workload": {"namespace": "shop", "label": "a=b"}}, {"workload": {"namespace": "shop", "kind": "deploy"}},
    {"NETWORK_INTERFACE": "a-name-too-long-for-it"}, {"Direction": "both"}, {"CORRELATION": [1]}, {"TARGETS": "deployment/web"},
]


@cache
def validator(kind: str) -> Draft202012Validator:
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_scenario_is_valid_and_names_its_schema(file: Path) -> None:
    document = load_yaml(file)
    kind = detect_type(document)
    assert list(validator(kind).iter_errors(document.data)) == []
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text(encoding="utf-8"))
    assert named
    assert (file.parent / named[1]).resolve() == ROOT / "docs" / "reference" / "schemas" / f"{kind}.json"


def test_the_shipped_configuration_is_valid_and_names_its_schema() -> None:
    file = ROOT / "config" / "config.yaml"
    assert list(validator("config").iter_errors(load_yaml(file).data)) == []
    assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../docs/reference/schemas/config.json\n")


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_what_loads_is_valid(changes: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump([{**NAMED, **changes}]), encoding="utf-8")
    document = load_yaml(tmp_path / "a.yaml")
    assert styles()[TYPE].translate(document)
    assert [error.message for error in validator(TYPE).iter_errors(document.data)] == []
    assert validator(TYPE).is_valid(document.data[0])


@pytest.mark.parametrize("changes", BAD, ids=str)
def test_what_is_wrong_is_not_valid(changes: dict[str, Any]) -> None:
    assert not validator(TYPE).is_valid([{**NAMED, **changes}])


@pytest.mark.parametrize("data", [
    {"kraken": {"port": 65536}}, {"squall": {"lease_second": 5}}, {"squall": {"lease_seconds": 61}}, {"squall": {"seed": "x"}},
    {"kraken": {"signal_state": "HALT"}}, {"kraken": {"chaos_scenarios": [{"network_scenario": ["a"]}]}}, {"tunings": {"iterations": 0}},
    {"squall": {"injector": {"tolerations": [{"effect": "NoSchedul"}]}}}, [], {"kraken": {"exit_on_failure": "perhaps"}},
])
def test_a_wrong_configuration_is_not_valid(data: Any) -> None:
    assert not validator("config").is_valid(data)


@pytest.mark.parametrize("data", [
    {}, {"kraken": {"port": "8081", "kubeconfig_path": None, "exit_on_failure": "yes"}}, {"squall": {"seed": "", "injector": {"resources": {}}}},
    {"kraken": {"unknown": 1, "chaos_scenarios": [{TYPE: ["a.yaml"]}, {TYPE: None}]}}, {"elastic": {"elastic_url": 5}},
        {"tunings": {"wait_duration": "2.5"}},
])
def test_a_configuration_that_krkn_reads_is_valid(data: Any) -> None:
    assert [error.message for error in validator("config").iter_errors(data)] == []


def leaves() -> list[FieldDescription]:
    fields = [field for style in styles().values() for name, model in style.models().items() for field in described(model, name)]
    return [leaf for field in (*fields, *configuration_fields()) for leaf in field.leaves()]


def test_every_field_says_what_it_is() -> None:
    found = leaves()
    assert len(found) > 200
    for leaf in found:
        assert leaf.meaning.endswith((".", "…")), leaf.path
        assert leaf.kind, leaf.path
        assert leaf.example, leaf.path
        assert leaf.override, leaf.path
        assert leaf.source, leaf.path


def test_no_text_for_users_speaks_of_our_own_lists() -> None:
    texts = [text for leaf in leaves() for text in (leaf.meaning, leaf.allowed, leaf.source)]
    texts += [str(model.__doc__) for style in styles().values() for model in style.models().values()]
    assert [text for text in texts if re.search(r"\b[A-E]\d{1,2}\b", text)] == []


def test_defaults_are_written_as_a_user_would() -> None:
    text = json.dumps([schema_of(kind) for kind in kinds()])
    assert re.findall(r'"default": [\[{]|millionths|bits_per_second|microseconds', text) == []
    assert '"default": "1mbit"' in text
