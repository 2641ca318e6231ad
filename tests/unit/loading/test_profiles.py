"""Alert and metrics profiles: krkn's files as they are; everything wrong at its position, nothing skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos_modules.loading.profiles import load_alert_profile, load_metrics_profile, load_objectives
from chaos_modules.model.errors import BadInput
from chaos_modules.model.probe import AlertRule, MetricQuery

ROOT = Path(__file__).parents[3]
KRKN_ALERTS = """
# etcd

- expr: avg_over_time(histogram_quantile(0.99, rate(etcd_disk_wal_fsync_duration_seconds_bucket[2m]))[10m:]) > 0.01
  description: 10 minutes avg. 99th etcd fsync latency on {{$labels.pod}} higher than 10ms. {{$value}}s
  severity: warning

- expr: up{job=~"crio|kubelet"} == 0
  description: "{{$labels.node}}/{{$labels.job}} down"
  severity: Critical
"""
KRKN_METRICS = """
metrics:

# API server
- query: sum(apiserver_current_inflight_requests{}) by (request_kind) > 0
  metricName: APIInflightRequests
  instant: true
- query: max_over_time(sum(up)[.elapsed:])
  metricName: up
- query: irate(process_cpu_seconds_total[2m])
  metricName: cpu
  instant: false
"""


def written(directory: Path, text: str) -> Path:
    file = directory / "profile.yaml"
    file.write_text(text)
    return file


def problem(load: Callable[[Path], Any], file: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load(file)
    return str(caught.value).replace(f"{file}:", "")


def test_krkns_alert_profile(tmp_path: Path) -> None:
    first, second = load_alert_profile(written(tmp_path, KRKN_ALERTS))
    assert first.description == "10 minutes avg. 99th etcd fsync latency on {{$labels.pod}} higher than 10ms. {{$value}}s"
    assert second == AlertRule(expr='up{job=~"crio|kubelet"} == 0', description="{{$labels.node}}/{{$labels.job}} down", severity="critical")


def test_a_weight_is_for_the_score(tmp_path: Path) -> None:
    one, = load_alert_profile(written(tmp_path, "[{expr: up == 0, description: down, severity: error, weight: 2.5}]"))
    assert one.weight == 2.5


def test_krkns_metrics_profile_and_what_krkn_would_skip(tmp_path: Path) -> None:
    assert [(one.name, one.instant) for one in load_metrics_profile(written(tmp_path, KRKN_METRICS))] == [
        ("APIInflightRequests", True), ("up", False), ("cpu", False),
    ]


@pytest.mark.parametrize(("text", "told"), [
    ("", "1:1: the file is empty"),
    ("[]", "1:1: no entry, so nothing would ever be looked at"),
    ("{expr: up}", "1:1: {'expr': 'up'} is not a list of entries"),
    ("- up == 0\n", "1:3: 'up == 0' is not an entry"),
    ("- {expr: up, severity: error}\n", "1:3: description: required, but missing"),
    ("- {expr: '', description: a, severity: error}\n", "1:10: expr: it is empty\n  → write a PromQL"),
    ("- expr: up\n  description: a\n  severity: fatal\n", "3:13: severity: 'fatal' is not one of its values\n  → valid: debug, info, "),
    ("- expr: up\n  description: a\n  severity: error\n  severty: info\n", "4:3: severty: unknown key\n  → did you mean severity?"),
    ("- {expr: up, description: a, severity: error, weight: -1}\n", "1:55: weight: -1 is not at least 0"),
    ("- {expr: 1, description: a, severity: error}\n", "1:10: expr: 1 is not text"),
    ("- {expr: up, description: a, severity: error}\n- {expr: up}\n- 5\n", "3:3: 5 is not an entry"),
    ("- {expr: up\n", "2:1: "),
])
def test_what_is_wrong_in_an_alert_profile_is_told_where_it_is(tmp_path: Path, text: str, told: str) -> None:
    assert told in problem(load_alert_profile, written(tmp_path, text))


@pytest.mark.parametrize(("text", "told"), [
    ("", "1:1: the file is empty"),
    ("- {query: up, metricName: up}\n", "1:1: a metrics profile begins with `metrics:`"),
    ("metrics:\n", "1:9: None is not a list of entries"),
    ("metrics: []\n", "1:10: no entry"),
    ("metrics: [{query: up}]\nmetric: []\n", "2:1: 'metric': unknown key"),
    ("metrics: [{query: up}]\n", "1:11: metricName: required, but missing"),
    ("metrics: [{query: up, metricName: up, instant: maybe}]\n", "1:48: instant: 'maybe' is not true or false"),
    ("metrics: [{query: up, metricName: up, step: 5}]\n", "1:39: step: unknown key"),
])
def test_what_is_wrong_in_a_metrics_profile_is_told_where_it_is(tmp_path: Path, text: str, told: str) -> None:
    assert told in problem(load_metrics_profile, written(tmp_path, text))


def test_a_missing_file_is_told() -> None:
    for load in (load_alert_profile, load_metrics_profile, load_objectives):
        assert "no such file" in problem(load, Path("nowhere.yaml"))


def test_objectives_need_no_description(tmp_path: Path) -> None:
    file = written(tmp_path, "- {expr: up, severity: error, description: named}\n- {expr: up, severity: info}\n")
    assert [one.description for one in load_objectives(file)] == ["named", "slo_1"]
    assert "description: required" in problem(load_alert_profile, file)


def test_the_shipped_profiles() -> None:
    alerts = load_alert_profile(ROOT / "config/alerts.yaml")
    assert len({one.description for one in alerts}) == len(alerts) > 15
    metrics = load_metrics_profile(ROOT / "config/metrics.yaml")
    assert len({one.name for one in metrics}) == len(metrics) > 15
    assert any(".elapsed" in one.query for one in metrics)
    assert MetricQuery(query="node_nf_conntrack_entries", name="nodeConnections") in metrics
