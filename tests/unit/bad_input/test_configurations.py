"""Wrong configurations, flags and variables: everything is found before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos_modules.loading.overrides import load_configuration
from chaos_modules.loading.scenarios import load_scenarios
from chaos_modules.model.errors import EXIT_BAD_INPUT, BadInput, BadInputs

TYPES = ("pod_network_fault_scenarios", "network_scenarios")
GATE = "does not evaluate it"

CORPUS = {
    "list instead of sections": ("- kraken\n", [("1:1", "is not a mapping")]),
    "section is text": ("kraken: yes please\n", [("1:9", "kraken: 'yes please' is not a mapping")]),
    "scenarios are text": ("kraken:\n  chaos_scenarios: a.yaml\n", [("2:20", "is not a list")]),
    "entry is text": ("kraken:\n  chaos_scenarios:\n  - network_scenarios\n", [("3:5", "is not a scenario type with files")]),
    "two types in one entry": (
        "kraken:\n  chaos_scenarios:\n  - network_scenarios: [a]\n    pod_network_fault_scenarios: [b]\n", [("3:5", "2 scenario types in one entry")],
    ),
    "unknown type": (
        "kraken:\n  chaos_scenarios:\n  - network_scenario:\n    - a.yaml\n", [("3:5", "unknown scenario type network_scenario (for a.yaml)")],
    ),
    "unknown type without files": ("kraken:\n  chaos_scenarios:\n  - pods:\n", [("3:5", "(for no file)")]),
    "files are text": ("kraken:\n  chaos_scenarios:\n  - network_scenarios: a.yaml\n", [("3:24", "is not a list of files")]),
    "list in the list": ("kraken:\n  chaos_scenarios:\n  - network_scenarios:\n    - - a.yaml\n", [("4:7", "is not the path of a file")]),
    "blank path": ("kraken:\n  chaos_scenarios:\n  - network_scenarios: ['  ']\n", [("3:25", "is not the path of a file")]),
    "port": ("kraken:\n  port: 65536\n", [("2:9", "kraken.port: 65536 is not at most 65535")]),
    "signal state": ("kraken:\n  signal_state: HALT\n", [("2:17", "valid: RUN, PAUSE, STOP")]),
    "boolean": ("kraken:\n  exit_on_failure: perhaps\n", [("2:20", "is not true or false")]),
    "number": ("tunings:\n  iterations: many\n", [("2:15", "is not a whole number")]),
    "wait": ("tunings:\n  wait_duration: -1\n", [("2:18", "is not at least 0")]),
    "secret is not shown": ("elastic:\n  password: [hunter2]\n", [("2:13", "elastic.password: the value is not text")]),
    "unknown squall key": ("squall:\n  lease_second: 5\n", [("2:3", "did you mean lease_seconds?")]),
    "lease too short": ("squall:\n  lease_seconds: 2\n", [("2:18", "is not at least 3")]),
    "lease too long": ("squall:\n  lease_seconds: 61\n", [("2:18", "is not at most 60")]),
    "lease is a text": ("squall:\n  lease_seconds: 10s\n", [("2:18", "is not a whole number")]),
    "seed": ("squall:\n  seed: x\n", [("2:9", "squall.seed: 'x' is not a whole number")]),
    "runner loss": ("squall:\n  on_runner_loss: finsh\n", [("2:19", "did you mean finish?")]),
    "require traffic": ("squall:\n  require_traffic: some\n", [("2:20", "valid: any, all")]),
    "namespace": ("squall:\n  namespace: My_Space\n", [("2:14", "'My_Space'")]),
    "security": ("squall:\n  injector: {security: root}\n", [("2:24", "valid: capabilities, privileged")]),
    "pull policy": ("squall:\n  injector:\n    pull_policy: always\n", [("3:18", "did you mean Always?")]),
    "injector key": ("squall:\n  injector: {imagee: x}\n", [("2:14", "did you mean image?")]),
    "resources key": ("squall:\n  injector: {resources: {limit: {}}}\n", [("2:26", "did you mean limits?")]),
    "toleration": ("squall:\n  injector:\n    tolerations:\n    - {effect: NoSchedul}\n", [("4:16", "did you mean NoSchedule?")]),
    "node selector": ("squall:\n  injector: {node_selector: {a: [b]}}\n", [("2:33", "is not text")]),
    "alerts": ("performance_monitoring:\n  enable_alerts: True\n", [("2:18", "needs performance_monitoring.prom"), ("2:18", "alert_profile")]),
    "critical alerts": ("performance_monitoring: {check_critical_alerts: 'true'}\n", [("1:49", "needs performance_monitoring.prometheus_url")]),
    "cerberus": ("cerberus:\n  cerberus_enabled: True\n", [("2:21", "needs cerberus.cerberus_url")]),
    "health check": ("health_checks:\n  config:\n  - url: http://shop/\n    auth: admin\n", [("4:11", "it is not a user and a password")]),
    "URL of Prometheus": ("performance_monitoring:\n  prometheus_url: prometheus:9090\n", [("2:19", "it is no URL")]),
    "URL of Cerberus": ("cerberus: {cerberus_enabled: True, cerberus_url: cerberus}\n", [("1:50", "it is no URL")]),
    "probe of two kinds": ("squall:\n  probes:\n  - {name: a, command: {argv: [x]}, http: {url: 'http://x'}}\n", [("3:5", "exactly one of")]),
    "probe without a kind": ("squall:\n  probes:\n  - name: a\n", [("3:5", "exactly one of")]),
    "probe's URL": ("squall:\n  probes:\n  - {name: a, http: {url: shop}}\n", [("3:27", "it is no URL")]),
    "probe's limit": ("squall:\n  probes:\n  - {name: a, prometheus: {query: up, limit: high}}\n", [("3:46", "it is no limit")]),
    "probe's condition": (
        "squall:\n  probes:\n  - {name: a, object: {api_version: v1, kind: Pod, name: b, condition: up}}\n", [("3:72", "condition")],
    ),
    "probe's latency": ("squall:\n  probes:\n  - {name: a, command: {argv: [x]}, fault: {latency: {p95: fast}}}\n", [("3:60", "fast")]),
    "two probes of one name": (
        "squall:\n  probes:\n  - {name: a, command: {argv: [x]}}\n  - {name: a, command: {argv: [y]}}\n", [("3:3", "two probes are called a")],
    ),
    "virtual machine check": ("kubevirt_checks:\n  namespace: vms\n", [("2:14", GATE)]),
    "trigger": ("triggers:\n  conditions:\n  - command: {cmd: 'true'}\n", [("3:3", GATE)]),
    "pause": ("kraken:\n  publish_kraken_status: True\n  signal_state: PAUSE\n", [("3:17", GATE)]),
    "several at once": (
        "squall:\n  seed: x\n  lease_seconds: y\nkraken:\n  chaos_scenarios: x\n",
        [("5:20", "is not a list"), ("2:9", "seed"), ("3:18", "lease_seconds")],
    ),
    "very many": (
        "squall:\n" + "".join(f"  key{number}: 1\n" for number in range(60)),
        [*((f"{number + 2}:3", "unknown key") for number in range(50)), ("1:1", "10 further problems")],
    ),
}

OVERRIDES = {
    "squall.lease": ("5", "did you mean lease_seconds?"),
    "squal.lease_seconds": ("5", "did you mean squall?"),
    "squall.lease_seconds": ("soon", "is not a whole number"),
    "squall.lease_seconds.x": ("5", "has no fields below it"),
    "squall.injector.tolerations.0": ("5", "has no fields below it"),
    "": ("5", "(nothing) is not a field"),
    "squall.seed": ("a: b: c", "a colon that YAML cannot read"),
    "squall.namespace": ("{a: 1, a: 2}", "given twice"),
    "kraken.chaos_scenarios": ("[{nothing: [a.yaml]}]", "unknown scenario type nothing"),
}


def flattened(error: BadInput) -> list[BadInput]:
    return error.problems if isinstance(error, BadInputs) else [error]


@pytest.mark.parametrize("name", CORPUS)
def test_every_wrong_configuration_is_refused_with_its_message_and_place(name: str, tmp_path: Path) -> None:
    text, expected = CORPUS[name]
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_configuration(file, {}, {}, TYPES)
    problems = flattened(caught.value)
    assert [problem.where for problem in problems] == [f"{file}:{place}" for place, _ in expected]
    for problem, (_, fragment) in zip(problems, expected, strict=True):
        assert fragment in str(problem)
        assert problem.remedy
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == EXIT_BAD_INPUT


@pytest.mark.parametrize("path", OVERRIDES)
def test_a_wrong_override_names_its_flag_or_its_variable(path: str) -> None:
    text, fragment = OVERRIDES[path]
    with pytest.raises(BadInput) as by_flag:
        load_configuration(None, {path: text}, {}, TYPES)
    variable = f"SQUALL_SET__{path.replace('.', '__')}"
    with pytest.raises(BadInput) as by_variable:
        load_configuration(None, {}, {variable: text}, TYPES)
    assert [problem.where for problem in flattened(by_flag.value)] == [f"--set {path}"]
    assert [problem.where for problem in flattened(by_variable.value)] == [variable]
    assert fragment in str(by_flag.value)
    assert fragment in str(by_variable.value)


def test_missing_scenario_files_are_all_named_with_the_line_that_lists_them(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: 1\na: 2\nb: 1\nb: 2\n", encoding="utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(f"kraken:\n  chaos_scenarios:\n  - network_scenarios:\n    - nowhere.yaml\n    - {broken}\n", encoding="utf-8")
    with pytest.raises(BadInputs) as caught:
        load_scenarios(load_configuration(file, {}, {}, TYPES))
    first, second, third = caught.value.problems
    assert (first.where, first.what) == ("nowhere.yaml:1:1", f"no such file (listed at {file}:4:7)")
    assert (second.where, third.where) == (f"{broken}:2:1", f"{broken}:4:1")
