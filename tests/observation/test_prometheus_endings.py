"""A Prometheus that dies, hangs or stumbles: problems in bounded time, and never an alert; and who ends the asking."""

from __future__ import annotations

import json
import signal
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from prometheus_gateway import Gateway
from prometheus_server import Exporter, PrometheusServer, alertmanager, needs, until

from chaos_modules.model.probe import AlertRule, Connection, HaltOn
from chaos_modules.observe.alerts import evaluate_alerts
from chaos_modules.observe.critical import CriticalAlerts
from chaos_modules.observe.evaluation import WORKERS, observe_instants
from chaos_modules.observe.halting import Halting
from chaos_modules.observe.metrics import capture_metrics
from chaos_modules.observe.prometheus import Prometheus
from chaos_modules.verdict.alerts import findings

pytestmark = needs("prometheus")


def test_a_prometheus_that_dies_gives_problems_and_no_alerts(tmp_path: Path) -> None:
    rules = [AlertRule(expr=f"up > {number}", description=f"rule {number}", severity="critical") for number in range(60)]
    with ExitStack() as stack:
        exporter = stack.enter_context(Exporter(errors=1))
        server = stack.enter_context(PrometheusServer(tmp_path, scrape=[exporter.address]))
        prometheus = stack.enter_context(Prometheus(Connection(url=server.url)))
        critical = CriticalAlerts(prometheus)
        critical.note_before()
        until(lambda: prometheus.instant("up == 1"), "the first sample")
        halting = Halting(prometheus, [HaltOn(query="errors == 1", for_seconds=1e6, interval_seconds=0.02)], lambda *_: None, threading.Event())
        with halting:
            until(lambda: not halting.unanswered, "an answer")
            server.kill()
            until(lambda: [one for one in halting.problems if "Connection refused" in one], "a problem")
        assert halting.reason == ""
        end = time.time()
        facts = evaluate_alerts(prometheus, rules, start=end - 60, end=end, step=1.0)
        assert critical.after(0) == ()
        assert critical.facts(start=end - 60, end=end, step=1.0) == ()
        capture = capture_metrics(prometheus, [], start=end - 60, end=end)
    assert not any(one.fired or one.before for one in facts)
    assert all("cannot be reached" in one.problem for one in facts)
    assert sum("not asked" in one.problem for one in facts) >= len(rules) - 2 * WORKERS
    assert [str(one.kind) for one in findings(facts, "fail")] == ["unknown"] * 60
    assert [(str(one.kind), one.scenario) for one in critical.findings("fail")] == [("unknown", 0)]
    assert critical.findings("pass") == ()
    assert len(critical.problems) == 2
    assert (capture.answers, capture.problems) == ((), ())


def test_a_prometheus_that_hangs_takes_a_few_time_outs_and_no_more(tmp_path: Path) -> None:
    with PrometheusServer(tmp_path) as server, Prometheus(Connection(url=server.url, timeout_seconds=0.2)) as prometheus:
        server.signal(signal.SIGSTOP)
        answers = observe_instants(prometheus, [f"vector({number})" for number in range(200)])
        server.signal(signal.SIGCONT)
    assert all("no answer within 0.2 s" in one.problem for one in answers)
    assert sum("not asked" in one.problem for one in answers) >= 200 - 2 * WORKERS


def test_the_baseline_of_critical_alerts_is_asked_for_again(tmp_path: Path) -> None:
    rule = {"alert": "Old", "expr": "errors == 1", "labels": {"severity": "critical"}}
    with ExitStack() as stack:
        exporter = stack.enter_context(Exporter(errors=1))
        server = stack.enter_context(PrometheusServer(tmp_path, scrape=[exporter.address], rules=[rule]))
        gateway = stack.enter_context(Gateway(server.url))
        prometheus = stack.enter_context(Prometheus(Connection(url=gateway.url)))
        until(lambda: prometheus.instant('ALERTS{alertstate="firing"}'), "the alert")
        critical = CriticalAlerts(prometheus)
        gateway.planned = [(500, b"")]
        critical.note_before()
        assert gateway.planned == []
        assert critical.after(0) == ()
        assert critical.findings("fail") == ()


def test_halting_ends_promptly_whoever_ends_it(server: PrometheusServer) -> None:
    for ending in ("close", "stop"):
        stop = threading.Event()
        with Prometheus(Connection(url=server.url)) as prometheus:
            halting = Halting(prometheus, [HaltOn(query="vector(0)", interval_seconds=3600)], lambda *_: None, stop)
            halting.start()
            until(lambda one=halting: not one.unanswered, "an answer")  # type: ignore[misc]
            if ending == "stop":
                stop.set()
                until(lambda: not [one for one in threading.enumerate() if one.name == "halt-on"], "the thread's end")
            halting.close()
        assert not [one for one in threading.enumerate() if one.name == "halt-on"]


@needs("prometheus-alertmanager")
def test_a_critical_alert_that_counts_is_the_one_that_alertmanager_got(tmp_path: Path) -> None:
    """Alertmanager is told of firing alerts only, by Prometheus itself."""
    rule = {"expr": "errors == 1", "labels": {"severity": "critical"}}
    rules = [rule | {"alert": "New"}, rule | {"alert": "Slow", "for": "1h"}]
    with ExitStack() as stack:
        address = stack.enter_context(alertmanager(tmp_path))
        exporter = stack.enter_context(Exporter(errors=0))
        server = stack.enter_context(PrometheusServer(tmp_path, scrape=[exporter.address], rules=rules, alertmanagers=[address]))
        prometheus = stack.enter_context(Prometheus(Connection(url=server.url)))
        until(lambda: prometheus.instant("errors == 0"), "the first sample")
        critical = CriticalAlerts(prometheus)
        critical.note_before()
        exporter.gauges["errors"] = 1
        found = until(lambda: _alerts_at(address), "an alert at Alertmanager")
        assert {one["labels"]["alertname"] for one in found} == {one.name for one in critical.after(0)} == {"New"}


def _alerts_at(address: str) -> list[dict[str, dict[str, str]]]:
    with urllib.request.urlopen(f"http://{address}/api/v2/alerts", timeout=10) as response:
        alerts: list[dict[str, dict[str, str]]] = json.load(response)
        return alerts
