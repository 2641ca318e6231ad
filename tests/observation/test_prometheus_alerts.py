"""A real Prometheus scrapes gauges that the test sets: which alerts fire, when, and which of them count."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_server import Exporter, PrometheusServer, needs, until

from chaos_modules.model.observation import AlertFact, FindingKind, Phase, Window
from chaos_modules.model.probe import AlertRule, Connection, HaltOn
from chaos_modules.observe.alerts import evaluate_alerts
from chaos_modules.observe.critical import CriticalAlerts
from chaos_modules.observe.halting import Halting
from chaos_modules.observe.prometheus import Prometheus
from chaos_modules.verdict.alerts import findings, touches

pytestmark = needs("prometheus")
STEP = 0.1


def critical(name: str, lasting: str = "0s") -> dict[str, object]:
    return {"alert": name, "expr": f"{name.lower()} == 1", "for": lasting, "labels": {"severity": "critical"}}


@pytest.fixture(scope="module")
def scraped() -> Iterator[Exporter]:
    with Exporter(old=1, new=0, slow=0, errors=0, steady=1) as one:
        yield one


@pytest.fixture(scope="module")
def prometheus(scraped: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus takes five seconds until it scrapes for the first time."""
    rules = [critical("Old"), critical("New"), critical("Slow", "1h")]
    directory = tmp_path_factory.mktemp("prometheus")
    with PrometheusServer(directory, scrape=[scraped.address], rules=rules) as server, Prometheus(Connection(url=server.url)) as client:
        until(lambda: client.instant('ALERTS{alertname="Old",alertstate="firing"}'), "the alert that fires from the beginning")
        yield client


@pytest.fixture
def exporter(scraped: Exporter, prometheus: Prometheus) -> Exporter:
    """With nothing wrong but what was wrong from the beginning."""
    scraped.gauges.update(new=0, slow=0, errors=0)
    until(lambda: len(prometheus.instant("ALERTS")) == 1 and prometheus.instant("errors == 0"), "the end of the last test")
    return scraped


def seen(prometheus: Prometheus, query: str) -> None:
    until(lambda: prometheus.instant(query), query)


def test_an_alert_fires_during_the_fault_and_not_before_or_after_it(exporter: Exporter, prometheus: Prometheus) -> None:
    seen(prometheus, "steady offset 1s == 1")
    start = time.time()
    seen(prometheus, f"timestamp(errors) > {start + 0.5}")
    armed = time.time()
    exporter.gauges["errors"] = 7
    seen(prometheus, "errors == 7")
    exporter.gauges["errors"] = 0
    seen(prometheus, "errors == 0")
    reverted = time.time()
    seen(prometheus, f"timestamp(errors) > {reverted + 0.5}")
    end = time.time()
    rules = [
        AlertRule(expr="errors > 5", description="{{ $value }} errors at {{$labels.job}}", severity="error"),
        AlertRule(expr="errors > 50", description="too many", severity="critical"),
        AlertRule(expr="steady == 1", description="steady", severity="critical"),
    ]
    during, never, already = evaluate_alerts(prometheus, rules, start=start, end=end, step=STEP)

    assert (during.name, during.fired, during.before, during.counted) == ("7 errors at tests", True, False, True)
    (first, last), = during.intervals
    assert armed <= first <= last <= reverted
    baseline = Window(scenario=0, phase=Phase.BASELINE, start=start, end=armed)
    fault = Window(scenario=0, phase=Phase.FAULT, start=armed, end=reverted)
    recovery = Window(scenario=0, phase=Phase.RECOVERY, start=reverted, end=end)
    assert [touches(during, window) for window in (baseline, fault, recovery)] == [False, True, False]

    assert (never.fired, never.before, never.problem) == (False, False, "")
    assert (already.fired, already.before, already.counted) == (True, True, True)
    found = findings((during, never, already), "fail", (baseline, fault, recovery))
    assert [(one.kind, one.time) for one in found] == [(FindingKind.ALERT, first), (FindingKind.ALERT, already.intervals[0][0])]
    assert found[0].scenario == 0
    assert "before the run" in found[1].reason


def test_of_the_critical_alerts_only_new_and_firing_ones_count(exporter: Exporter, prometheus: Prometheus) -> None:
    start = time.time()
    alerts = CriticalAlerts(prometheus)
    alerts.note_before()
    assert alerts.after(0) == ()
    exporter.gauges.update(new=1, slow=1)
    seen(prometheus, 'ALERTS{alertname="New",alertstate="firing"}')
    seen(prometheus, 'ALERTS{alertname="Slow",alertstate="pending"}')
    assert [one.name for one in alerts.after(1)] == ["New"]
    assert alerts.after(2) == ()
    exporter.gauges["new"] = 0
    until(lambda: not prometheus.instant('ALERTS{alertname="New"}'), "the alert's end")
    assert alerts.after(3) == ()

    facts = {one.name: one for one in alerts.facts(start=start, end=time.time(), step=STEP)}
    assert {name: (one.before, one.counted, one.fired) for name, one in facts.items()} == {"Old": (True, False, True), "New": (False, True, True)}
    assert facts["New"].intervals[0][0] > start
    assert dict(facts["New"].labels)["severity"] == "critical"
    assert [(one.kind, one.scenario) for one in alerts.findings("fail")] == [(FindingKind.CRITICAL_ALERT, 1)]
    assert alerts.problems == ()


def test_a_bad_query_is_a_problem_and_not_an_alert(prometheus: Prometheus) -> None:
    rules = [AlertRule(expr="sum(up", description="broken", severity="critical"), AlertRule(expr="up == 1", description="up", severity="info")]
    broken, up = evaluate_alerts(prometheus, rules, start=time.time() - 1, end=time.time(), step=STEP)
    assert (broken.fired, broken.before) == (False, False)
    assert "400" in broken.problem
    assert "parse error" in broken.problem
    assert (up.fired, up.problem) == (True, "")
    assert [one.kind for one in findings((broken, up), "fail")] == [FindingKind.UNKNOWN]
    assert findings((broken, up), "pass") == ()


class Halted:
    """Who was told."""

    def __init__(self) -> None:
        self.event, self.told = threading.Event(), ""

    def __call__(self, rule: HaltOn, reason: str) -> None:
        self.told = f"{rule.query}: {reason}"
        self.event.set()


def test_halting_waits_for_a_result_and_then_says_which(exporter: Exporter, prometheus: Prometheus) -> None:
    rules = [
        HaltOn(query="errors / 0 * 0", interval_seconds=0.05),  # NaN
        HaltOn(query="errors * 0", interval_seconds=0.05),
        HaltOn(query="sum(up", interval_seconds=0.05),
        HaltOn(query="errors > 5", description="too many errors", for_seconds=0.3, interval_seconds=0.05),
    ]
    halted = Halted()
    with Halting(prometheus, rules, halted, threading.Event()) as halting:
        until(lambda: halting.problems and len(halting.unanswered) == 1, "a look at every rule")
        assert (halting.reason, halted.event.is_set()) == ("", False)
        exporter.gauges["errors"] = 9
        assert halted.event.wait(20)
    assert halting.reason in halted.told
    assert halting.reason.startswith("too many errors: errors > 5 is 9 for __name__=errors, instance=127.0.0.1:")
    assert halting.reason.endswith("Z")
    assert [one.query for one in halting.unanswered] == ["sum(up"]
    assert len(halting.problems) == 1
    assert "parse error" in halting.problems[0]


def test_facts_are_the_same_however_often_they_are_asked_for(prometheus: Prometheus) -> None:
    """History does not change: the record can be folded again."""
    end = time.time()
    rules = [AlertRule(expr="steady == 1", description="steady", severity="info")]

    def asked() -> tuple[AlertFact, ...]:
        return evaluate_alerts(prometheus, rules, start=end - 2, end=end - 1, step=STEP)

    assert asked() == asked()
