"""What is watched, from a file to the words in the plan; and what of it cannot be, before anything is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from chaos_modules.cli.main import main
from chaos_modules.loading.observation import observation_plan, server_url
from chaos_modules.loading.overrides import load_configuration
from chaos_modules.model.errors import BadInput
from chaos_modules.model.observation_plan import ObservationPlan
from chaos_modules.model.probe import HttpProbe, PrometheusProbe, Threshold
from chaos_modules.styles.registry import styles

SECRET = "s3cret-word"
SANDBOX = {"nodes": ["n1"], "pods": [{"name": "web-0", "namespace": "shop", "owner": {"kind": "Deployment", "name": "web"}}]}
SCENARIO = [{"id": "pod-network-loss", "workload": {"kind": "deployment", "namespace": "shop", "names": ["web"]}}]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("sandbox.yaml").write_text(yaml.safe_dump(SANDBOX))
    Path("loss.yaml").write_text(yaml.safe_dump(SCENARIO))
    return tmp_path


def configured(**sections: Any) -> None:
    kraken = {"chaos_scenarios": [{"pod_network_fault_scenarios": ["loss.yaml"]}]}
    Path("config.yaml").write_text(yaml.safe_dump({"kraken": kraken, **sections}, sort_keys=False))


def loaded(**sections: Any) -> ObservationPlan:
    configured(**sections)
    return observation_plan(load_configuration("config.yaml", {}, {}, tuple(styles())))


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["plan", "-c", "config.yaml", "--sandbox-file", "sandbox.yaml", "--format", "json", *words], {}) == 0
    told: list[str] = json.loads(capsys.readouterr().out)["observation"]
    return told


def test_a_probe_is_what_its_file_says(place: Path) -> None:
    http = {"url": "http://web-0.shop/", "from": "shop/web-0", "expected_status": [200, 204], "bearer_token": SECRET}
    plan = loaded(
        squall={"probes": [
            {"name": "a", "http": http, "timeout_seconds": 2, "fault": {"pass_rate": 95, "latency": {"p95": "250ms", "p50": 1}}},
            {"name": "b", "prometheus": {"query": "up", "limit": ">= 1"}, "recover_within_seconds": 3},
        ]},
        performance_monitoring={"prometheus_url": "http://prometheus/"},
    )  # fmt: skip
    first, second = plan.probes
    assert isinstance(first.what, HttpProbe)
    assert (first.what.source, first.what.expected_status, first.what.connection.bearer_token) == ("shop/web-0", (200, 204), SECRET)
    assert (first.what.connection.timeout_seconds, first.kind, second.kind) == (2, "http", "prometheus")
    assert first.fault == Threshold(pass_rate=0.95, latency=((0.95, 0.25), (0.5, 1.0)))
    assert (first.baseline, first.recovery) == (Threshold(pass_rate=1.0), Threshold())
    assert isinstance(second.what, PrometheusProbe)
    assert (str(second.what.limit), second.recover_within) == (">= 1", 3)
    assert (plan.baseline_seconds, plan.recovery_seconds, plan.gates_on_prometheus) == (5, 10, True)
    assert plan.prometheus and plan.prometheus.url == "http://prometheus"
    assert SECRET not in repr(plan)


def test_nothing_configured_is_nothing_watched(place: Path) -> None:
    plan = loaded()
    assert (list(plan.described()), plan.baseline_seconds, plan.recovery_seconds) == ([], 0, 0)


def test_the_plan_tells_all_of_it_and_no_secret(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("alerts.yaml").write_text("- {expr: up == 0, description: down, severity: critical}\n")
    Path("metrics.yaml").write_text("metrics:\n- {query: up, metricName: up}\n")
    configured(
        performance_monitoring={
            "prometheus_url": f"http://me:{SECRET}@prometheus:9090", "prometheus_bearer_token": SECRET, "enable_alerts": True,
            "alert_profile": "alerts.yaml", "enable_metrics": True, "metrics_profile": "metrics.yaml", "check_critical_alerts": True,
        },
        cerberus={"cerberus_enabled": True, "cerberus_url": f"http://cerberus/?key={SECRET}"},
        health_checks={"config": [{"url": "http://shop/", "auth": f"me,{SECRET}", "exit_on_failure": True}]},
        elastic={"enable_elastic": True, "elastic_url": "https://elastic", "username": "me", "password": SECRET},
        squall={"halt_on": [{"query": "errors > 1", "for_seconds": 2}], "probes": [{"name": "b", "command": {"argv": ["look", SECRET]}}]},
    )  # fmt: skip
    told = planned(capsys)
    assert told == [
        "alerts of alerts.yaml: 1 rules over the whole run", "critical alerts that fire after a scenario and did not before",
        "probe b: look, every 1 s", "ends the fault early: errors > 1 for 2 s", "health of http://shop/ every 2 s, gates the run",
        "Cerberus at http://cerberus/ after every scenario", "metrics of metrics.yaml: 1 queries", "resiliency score over 1 objectives",
        "results are stored at https://elastic:32766",
    ]


@pytest.mark.parametrize(("probe", "problem"), [
    ({"name": "a", "http": {"url": "http://x/", "from": "shop/nobody"}}, "config.yaml:7:5: a: from: pod/shop/nobody has no network namespace"),
    ({"name": "a", "object": {"api_version": "v1", "kind": "Pod", "name": "b", "condition": "status.phase == Running"}}, "no Kubernetes objects"),
])  # fmt: skip
def test_a_probe_that_a_sandbox_cannot_have_is_bad_input(
    place: Path, capsys: pytest.CaptureFixture[str], probe: dict[str, Any], problem: str
) -> None:
    configured(squall={"probes": [probe]})
    assert main(["run", "-c", "config.yaml", "--sandbox-file", "sandbox.yaml"], {}) == 255
    assert problem in capsys.readouterr().err
    assert not Path("runs").exists()


def test_halting_by_flag_needs_a_prometheus(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    assert main(["run", "-c", "config.yaml", "--sandbox-file", "sandbox.yaml", "--halt-on", "up == 0"], {}) == 255
    assert "--halt-on: there is no Prometheus to ask" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "plan", "check", "validate"])
def test_a_profile_that_is_wrong_is_told_before_anything(place: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    Path("alerts.yaml").write_text("- {expr: up == 0, description: down}\n")
    configured(performance_monitoring={"prometheus_url": "http://127.0.0.1:9", "enable_alerts": True, "alert_profile": "alerts.yaml"})
    words = ["config.yaml"] if command == "validate" else ["-c", "config.yaml", "--sandbox-file", "sandbox.yaml"]
    assert main([command, *words], {}) == 255
    assert "alerts.yaml:1:3" in capsys.readouterr().err


@pytest.mark.parametrize(("given", "mode", "objectives"), [
    ({}, "disabled", 0), ({"resiliency_run_mode": "standalone"}, "disabled", 0), ({"resiliency_file": "slo.yaml"}, "record", 1),
    ({"resiliency_file": "slo.yaml", "resiliency_run_mode": "detailed"}, "detailed", 1),
    ({"resiliency_file": "slo.yaml", "resiliency_run_mode": "disabled"}, "disabled", 0),
])  # fmt: skip
def test_the_score_needs_objectives(place: Path, given: dict[str, str], mode: str, objectives: int) -> None:
    Path("slo.yaml").write_text("- {expr: up == 0, description: down, severity: critical, weight: 2}\n")
    plan = loaded(performance_monitoring={"prometheus_url": "http://prometheus"}, resiliency=given)
    assert (plan.score_mode, len(plan.objectives)) == (mode, objectives)


@pytest.mark.parametrize(("url", "port", "expected"), [
    ("https://elastic", 9200, "https://elastic:9200"), ("elastic", 9200, "http://elastic:9200"),
    ("https://elastic:9243/", 9200, "https://elastic:9243"), ("https://elastic/path/", 9200, "https://elastic:9200/path"),
    ("https://me:word@elastic", 9200, "https://me:word@elastic:9200"), ("http://[::1]", 9200, "http://[::1]:9200"),
    ("http://[::1]:9201", 9200, "http://[::1]:9201"),
])  # fmt: skip
def test_two_keys_are_one_url(url: str, port: int, expected: str) -> None:
    assert server_url(url, port) == expected


class _NoGo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


@pytest.fixture
def nonsense() -> Iterator[str]:
    """A server that answers, and is no Prometheus."""
    with HTTPServer(("127.0.0.1", 0), _NoGo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("on_unknown", "gated", "code"), [("fail", True, 1), ("pass", True, None), ("fail", False, None)])
def test_a_gate_that_could_not_be_told_keeps_the_run_from_beginning(
    place: Path, nonsense: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, on_unknown: str, gated: bool, code: int | None
) -> None:
    def stop(*_: object) -> None:
        raise BadInput("it would begin now")

    monkeypatch.setattr("chaos_modules.cli.run.Record", stop)
    monkeypatch.setattr("chaos_modules.clusters.sandbox.cluster.Sandbox.preflight", lambda *_: ())
    configured(
        performance_monitoring={"prometheus_url": nonsense, "check_critical_alerts": gated}, squall={"on_unknown": on_unknown}
    )
    assert main(["run", "-c", "config.yaml", "--sandbox-file", "sandbox.yaml"], {}) == (code or 255)
    told = capsys.readouterr().err
    assert ("nothing was touched" in told, "it would begin now" in told) == (bool(code), not code)
