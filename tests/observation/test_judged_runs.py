"""Whole runs that judge a system under test: it holds or it does not, and the run says which, with the series and the second."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout_service import Checkout
from prometheus_server import PrometheusServer, needs, until

sys.path.insert(0, str(Path(__file__).parents[1] / "packets"))
from squall_runs import Squall, namespaces, scenario_file

from chaos_modules.clusters.sandbox.description import describe
from chaos_modules.clusters.sandbox.layout import lay_out
from chaos_modules.model.probe import Connection
from chaos_modules.observe.prometheus import Prometheus

pytestmark = [
    needs("prometheus"), pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="real packets in network namespaces: needs root"),
]  # fmt: skip
RATIO = "rate(checkout_errors_total[2s]) / rate(checkout_requests_total[2s])"
SANDBOX: dict[str, Any] = {
    "nodes": ["node-0"],
    "pods": [
        {"name": "price-0", "namespace": "shop", "owner": {"kind": "Deployment", "name": "web"}, "serve": {"udp": [9000]}},
        {"name": "checkout-0", "namespace": "shop"},
    ],
}
SECONDS = 6


class Shop:
    """The checkout with its Prometheus, and the files of a run against it."""

    def __init__(self, folder: Path, attempts: int, rules: list[dict[str, Any]]) -> None:
        self.folder = folder
        self.layout = lay_out(describe(SANDBOX))
        service = Path(__file__).with_name("checkout_service.py")
        where = self.layout.pods["shop/checkout-0"].netns_path, self.layout.pods["shop/price-0"].address_v4
        self.process = subprocess.Popen(
            [sys.executable, str(service), *where, "9000", str(attempts)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.address = f"127.0.0.1:{self.process.stdout.readline().strip()}"
        self.prometheus = PrometheusServer(folder / "prometheus", scrape=[self.address], rules=rules)

    def squall(self, *, squall: dict[str, Any], url: str | None = None, **sections: Any) -> Squall:
        """A run of half of the prices' answers lost, with this configuration."""
        loss = {"NETWORK_PACKET_LOSS_PERCENTAGE": 50, "TOTAL_CHAOS_DURATION": SECONDS, "SOURCE_PORTS": "9000"}
        scenario = scenario_file(self.folder, "pod-network-loss", **loss)
        (self.folder / "sandbox.yaml").write_text(yaml.safe_dump(SANDBOX))
        monitoring = {"prometheus_url": self.prometheus.url if url is None else url, **sections.pop("performance_monitoring", {})}
        configuration = {
            "kraken": {"chaos_scenarios": [{"pod_network_fault_scenarios": [str(scenario)]}]}, "tunings": {"wait_duration": 0},
            "performance_monitoring": monitoring, "squall": {"baseline_seconds": 3, "recovery_seconds": 4, **squall}, **sections,
        }  # fmt: skip
        (self.folder / "config.yaml").write_text(yaml.safe_dump(configuration))
        return Squall(self.folder, "run", "-c", self.folder / "config.yaml", "--sandbox-file", self.folder / "sandbox.yaml")


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    attempts, rules = getattr(request, "param", (1, []))
    made = Shop(tmp_path, attempts, rules)
    with made.prometheus:
        with Prometheus(Connection(url=made.prometheus.url)) as asked:  # it scrapes for the first time after some seconds
            until(lambda: asked.instant("up == 1"), "the first scrape")
        yield made
    made.process.communicate("", timeout=10)


OBJECTIVE = {"probes": [{"name": "checkout error rate", "prometheus": {"query": RATIO, "limit": "<= 0.1"}, "interval_seconds": 0.5}]}
RETRIES = pytest.mark.parametrize("shop", [(8, [])], indirect=True)


def test_a_system_that_fails_its_objective_ends_the_run_with_2(shop: Shop) -> None:
    run = shop.squall(squall=OBJECTIVE)
    code, screen = run.end()
    assert code == 2, run.errors
    checks = {check["phase"]: check for check in run.result["checks"]}
    assert [checks[phase]["passed"] for phase in ("baseline", "fault", "recovery")] == [True, False, True]
    fault = next(window for window in run.result["windows"] if window["phase"] == "fault")
    assert fault["start"] <= checks["fault"]["crossed"] < fault["end"]
    [finding] = run.result["findings"]
    assert (finding["kind"], finding["time"], finding["exit_code"]) == ("objective", checks["fault"]["crossed"], 2)
    assert run.target["status"] == "passed"
    assert "checkout error rate" in screen
    page = (run.record / "report.html").read_text()
    assert "checkout error rate" in page and "rate(checkout_errors_total[2s])" in page


@RETRIES
def test_the_same_system_with_its_mitigation_passes(shop: Shop) -> None:
    run = shop.squall(squall=OBJECTIVE)
    code, _ = run.end()
    assert (code, run.result["findings"]) == (0, []), run.errors
    assert {check["passed"] for check in run.result["checks"]} == {True}
    assert run.target["measured"]["loss"]["value"] == pytest.approx(0.5, abs=0.15)


def test_one_whose_health_check_fails_ends_with_3(shop: Shop) -> None:
    run = shop.squall(squall={}, health_checks={"interval": 0.2, "config": [{"url": f"http://{shop.address}/health", "exit_on_failure": True}]})
    code, _ = run.end()
    assert code == 3, run.errors
    stretches = [(one["status"], one["status_code"]) for one in run.result["health"]]
    assert stretches[:2] == [(True, 200), (False, 503)]
    assert {one["kind"] for one in run.result["findings"]} == {"health"}


def test_a_query_that_halts_ends_the_fault_early(shop: Shop) -> None:
    run = shop.squall(squall={"halt_on": [{"query": f"{RATIO} > 0.2", "description": "checkouts fail", "interval_seconds": 0.2}]})
    code, screen = run.end()
    assert code == 2, run.errors
    events = run.events
    halt = next(event for event in events if event["event"] == "halt")
    reverted = next(event for event in events if event["event"] == "reverted")
    assert reverted["time"] - halt["time"] < 2
    [scenario] = run.result["scenarios"]
    assert (scenario["status"], run.target["status"], run.target["reverted"]) == ("interrupted", "interrupted", True)
    assert run.target["ended"] - run.target["started"] < SECONDS - 1
    assert "checkouts fail" in scenario["halted"] and "checkouts fail" in screen
    assert namespaces() == []


ALERT = "- {expr: '%s', description: 'checkouts fail: {{$value}}', severity: error}\n"


def alerts(folder: Path, expr: str) -> dict[str, Any]:
    (folder / "alerts.yaml").write_text(ALERT % expr)
    return {"enable_alerts": True, "alert_profile": str(folder / "alerts.yaml")}


def test_an_alert_of_the_profile_ends_the_run_with_2(shop: Shop) -> None:
    run = shop.squall(squall={}, performance_monitoring=alerts(shop.folder, f"{RATIO} > 0.1"))
    code, _ = run.end()
    assert code == 2, run.errors
    [alert] = run.result["alerts"]
    assert (alert["fired"], alert["counted"], alert["before"]) == (True, True, False)
    assert alert["name"].startswith("checkouts fail: 0.")
    assert run.result["resiliency"]["score"] == 0


CRITICAL = [(1, [{"alert": "CheckoutBurns", "expr": f"{RATIO} > 0.1", "labels": {"severity": "critical"}, "keep_firing_for": "1m"}])]


@pytest.mark.parametrize("shop", CRITICAL, indirect=True)
def test_a_critical_alert_after_a_scenario_ends_the_run_with_2(shop: Shop) -> None:
    run = shop.squall(squall={}, performance_monitoring={"check_critical_alerts": True})
    code, _ = run.end()
    assert code == 2, run.errors
    assert {one["kind"] for one in run.result["findings"]} == {"critical-alert"}


def test_a_bad_query_is_unknown_and_no_alert(shop: Shop) -> None:
    run = shop.squall(squall={}, performance_monitoring=alerts(shop.folder, "sum(up"))
    code, _ = run.end()
    assert code == 1, run.errors
    assert {one["kind"] for one in run.result["findings"]} == {"unknown"}
    assert [alert["fired"] for alert in run.result["alerts"]] == [False]


@pytest.mark.parametrize(("on_unknown", "expected"), [("fail", 1), ("pass", 0)])
def test_a_prometheus_that_dies_in_mid_run_is_unknown_and_no_alert(shop: Shop, on_unknown: str, expected: int) -> None:
    run = shop.squall(squall={"on_unknown": on_unknown}, performance_monitoring=alerts(shop.folder, f"{RATIO} > 0.1"))
    run.until("in effect")
    shop.prometheus.kill()
    code, _ = run.end()
    assert code == expected, run.errors
    assert ([alert["fired"] for alert in run.result["alerts"]], len(run.result["problems"])) == ([False], 1)
    assert {one["kind"] for one in run.result["findings"]} == ({"unknown"} if expected else set())
    assert run.target["status"] == "passed"


def test_without_an_answer_of_prometheus_nothing_is_touched(shop: Shop) -> None:
    run = shop.squall(squall={}, url="http://127.0.0.1:9", performance_monitoring=alerts(shop.folder, f"{RATIO} > 0.1"))
    code, screen = run.end()
    assert (code, screen) == (1, ""), run.errors
    assert "nothing was touched" in run.errors
    assert not (shop.folder / "runs").exists()


SECRET = "s3cret-of-this-run"


def test_a_store_that_is_away_costs_nothing_and_no_secret_is_kept(shop: Shop) -> None:
    """Everything that takes a secret, and a store that does not answer: the verdict stands, the documents wait, and nobody is told the secrets."""
    shop.folder.joinpath("metrics.yaml").write_text("metrics:\n- {query: checkout_requests_total, metricName: requests}\n")
    address = f"http://me:{SECRET}@{shop.address}/health?key={SECRET}"
    probe = {"url": address, "headers": {"X-Key": SECRET}, "bearer_token": SECRET}
    run = shop.squall(
        url=shop.prometheus.url.replace("//", f"//me:{SECRET}@"),
        performance_monitoring={"prometheus_bearer_token": SECRET, "enable_metrics": True, "metrics_profile": str(shop.folder / "metrics.yaml")},
        squall={"probes": [{"name": "health", "http": probe, "fault": {}}], "prometheus": {"headers": {"X-Scope": SECRET}}, "recovery_seconds": 3},
        health_checks={"interval": 0.5, "config": [{"url": address, "auth": f"me,{SECRET}"}]},
        elastic={"enable_elastic": True, "elastic_url": "http://127.0.0.1", "elastic_port": 9, "username": "me", "password": SECRET},
    )  # fmt: skip
    code, screen = run.end()
    assert code == 0, run.errors
    assert "unsent.ndjson" in run.errors and "report --send" in run.errors
    unsent = (run.record / "unsent.ndjson").read_text()
    assert "requests" in unsent and (run.record / "unsent.ndjson").stat().st_mode & 0o077 == 0
    assert (run.record / "metrics.jsonl").read_text()
    kept = {file.name: file.read_text() for file in run.record.iterdir()}
    assert {"plan.json", "events.jsonl", "result.json", "report.html", "junit.xml", "report.md", "debug.log"} <= set(kept)
    assert [name for name, text in {**kept, "screen": screen, "errors": run.errors}.items() if SECRET in text] == []


@RETRIES
def test_a_system_that_is_broken_already_is_not_attacked(shop: Shop) -> None:
    probes = [{"name": "nobody", "http": {"url": "http://127.0.0.1:9/"}, "interval_seconds": 0.2}]
    run = shop.squall(squall={"probes": probes, "baseline_seconds": 1})
    code, _ = run.end()
    assert code == 1, run.errors
    assert {event["event"] for event in run.events} & {"applied", "armed"} == set()
    assert [one["kind"] for one in run.result["findings"]] == ["steady-state"]
    assert run.result["scenarios"][0]["targets"] == []


def test_the_checkout_fails_without_its_price_service() -> None:
    """The system under test itself can fail: else the runs above would prove nothing."""
    checkout = Checkout("127.0.0.1", 9, 1)
    checkout.recent = [True] * 20 + [False] * 6
    assert not checkout.healthy
