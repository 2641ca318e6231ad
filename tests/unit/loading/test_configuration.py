"""config.yaml: krkn's sections read as krkn reads them, ours strictly; flags over variables over the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from chaos_modules.loading.configuration import Configuration, ScenarioFile
from chaos_modules.loading.overrides import load_configuration
from chaos_modules.loading.scenarios import load_scenarios
from chaos_modules.loading.validation import annotation_at
from chaos_modules.model.errors import BadInput

TYPES = ("network_scenarios", "pod_network_fault_scenarios")


def loaded(text: str, tmp_path: Path, **environment: str) -> Configuration:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return load_configuration(file, {}, environment, TYPES)


def test_without_a_file_everything_has_its_default() -> None:
    configuration = load_configuration(None, {}, {}, TYPES)
    assert configuration.scenarios == ()
    assert configuration.notices == ()
    assert configuration.tunings.wait_duration == 60
    squall = configuration.squall
    assert (squall.record_directory, squall.lease_seconds, squall.namespace) == ("runs", 10, "squall")
    assert (squall.seed, squall.sandbox_file, squall.on_runner_loss, squall.require_traffic) == (None, None, None, "any")
    assert squall.injector.security == "capabilities"


def test_null_and_empty_mean_the_default_everywhere(tmp_path: Path) -> None:
    text = "kraken:\n  port:\n  signal_state: ''\ncerberus:\ntunings: {wait_duration: null, iterations: 3}\nsquall:\n  lease_seconds:\n"
    configuration = loaded(text, tmp_path)
    assert (configuration.kraken.port, configuration.kraken.signal_state) == (8081, "RUN")
    assert (configuration.tunings.wait_duration, configuration.tunings.iterations) == (60, 3)
    assert configuration.squall.lease_seconds == 10


def test_scenario_files_keep_their_order_and_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    text = """kraken:
  chaos_scenarios:
    - network_scenarios:
        - b.yaml
        - ~/a.yaml
    - pod_network_fault_scenarios:
    - pod_network_fault_scenarios: []
    - network_scenarios: [c.yaml]
"""
    file = tmp_path / "config.yaml"
    assert loaded(text, tmp_path).scenarios == (
        ScenarioFile("network_scenarios", "b.yaml", f"{file}:4:11"),
        ScenarioFile("network_scenarios", "/home/somebody/a.yaml", f"{file}:5:11"),
        ScenarioFile("network_scenarios", "c.yaml", f"{file}:8:27"),
    )


def test_scenario_files_are_loaded_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(f"id: {name}\n", encoding="utf-8")
    configuration = loaded(f"kraken: {{chaos_scenarios: [network_scenarios: [{tmp_path}/b, {tmp_path}/a]]}}\n", tmp_path)
    assert [document.data["id"] for _, document in load_scenarios(configuration)] == ["b", "a"]


def test_unknown_keys_of_krkn_sections_are_noticed_and_legacy_ones_are_not(tmp_path: Path) -> None:
    text = """kraken:
  distribution: openshift
  exit_on_failre: True
cerberus: {check_applicaton_routes: False}
performance_monitoring: {repo: x, deploy_dashboards: False}
health_checks:
  config:
    - {urls: x}
chaos_scenario: []
"""
    file = tmp_path / "config.yaml"
    assert loaded(text, tmp_path).notices == (
        f"{file}:9:1: chaos_scenario: unknown key, ignored as krkn does",
        f"{file}:3:3: kraken.exit_on_failre: unknown key, ignored as krkn does (did you mean exit_on_failure?)",
        f"{file}:8:8: health_checks.config[0].urls: unknown key, ignored as krkn does (did you mean url?)",
    )


def test_collections_that_this_version_does_not_do_are_noticed(tmp_path: Path) -> None:
    text = """elastic: {password: 12345}
telemetry: {api_url: "http://telemetry"}
kraken: {publish_kraken_status: True}
"""
    configuration = loaded(text, tmp_path)
    assert configuration.elastic.password == "12345"
    assert [notice.split(": ")[1] for notice in configuration.notices] == [
        "telemetry.api_url", "kraken.publish_kraken_status",
    ]


def test_the_shipped_shape_of_an_empty_health_check_is_no_gate(tmp_path: Path) -> None:
    loaded("health_checks:\n  interval:\n  config:\n    - url:\n      bearer_token:\n      exit_on_failure:\n", tmp_path)


def test_flags_win_over_variables_and_variables_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("squall: {lease_seconds: 3, seed: 3, record_directory: file}\nkraken:\n", encoding="utf-8")
    environment = {
        "SQUALL_SET__squall__lease_seconds": "4", "SQUALL_SET__squall__seed": "4", "OTHER": "x",
        "SQUALL_SET__squall__injector__node_selector": "{kubernetes.io/os: linux}", "SQUALL_SET__kraken__port": "",
    }
    overrides = {
        "squall.lease_seconds": "5", "squall.injector.node_selector.disk": "ssd",
        "kraken.chaos_scenarios": "[{network_scenarios: [a.yaml]}]",
    }
    configuration = load_configuration(file, overrides, environment, TYPES)
    assert (configuration.squall.lease_seconds, configuration.squall.seed, configuration.squall.record_directory) == (5, 4, "file")
    assert configuration.squall.injector.node_selector == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert configuration.scenarios == (ScenarioFile("network_scenarios", "a.yaml", "--set kraken.chaos_scenarios"),)


def test_a_gate_switched_on_by_a_flag_names_the_flag() -> None:
    with pytest.raises(BadInput, match=r"^--set kubevirt_checks\.namespace: kubevirt_checks\.namespace: this version"):
        load_configuration(None, {"kubevirt_checks.namespace": "vms"}, {}, TYPES)


@pytest.mark.parametrize(("given", "missing"), [
    ("performance_monitoring: {enable_alerts: True, alert_profile: a.yaml}", "prometheus_url"),
    ("performance_monitoring: {enable_alerts: True, prometheus_url: 'http://p'}", "alert_profile"),
    ("performance_monitoring: {enable_metrics: True, prometheus_url: 'http://p'}", "metrics_profile"),
    ("performance_monitoring: {check_critical_alerts: True}", "prometheus_url"),
    ("cerberus: {cerberus_enabled: True}", "cerberus_url"),
    ("elastic: {enable_elastic: True}", "elastic_url"),
    ("squall: {halt_on: [{query: up}]}", "prometheus_url"),
    ("squall: {probes: [{name: a, prometheus: {query: up, limit: '>= 1'}}]}", "prometheus_url"),
])  # fmt: skip
def test_what_cannot_be_without_something_else_says_so_where_it_stands(tmp_path: Path, given: str, missing: str) -> None:
    with pytest.raises(BadInput, match=rf"config\.yaml:1:\d+: .*: it needs \S+{missing}, which is empty"):
        loaded(given, tmp_path)


def _leaves(model: type[BaseModel], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name in model.model_fields:
        annotation = annotation_at(model, (name,))
        below = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        found += _leaves(annotation, (*path, name)) if below else [(*path, name)]
    return found


@pytest.mark.parametrize("path", _leaves(Configuration), ids=".".join)
def test_every_field_can_be_reset_by_a_flag_and_by_a_variable(path: tuple[str, ...]) -> None:
    assert load_configuration(None, {".".join(path): ""}, {f"SQUALL_SET__{'__'.join(path)}": "null"}, TYPES).notices == ()
