"""Back-filled history: long ranges keep their resolution; the metrics profile; what is shipped is understood by Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_server import PrometheusServer, needs, node_exporter, openmetrics, until

from chaos_modules.loading.profiles import load_alert_profile, load_metrics_profile
from chaos_modules.model.probe import AlertRule, Connection, MetricQuery
from chaos_modules.observe.alerts import evaluate_alerts
from chaos_modules.observe.evaluation import observe_ranges
from chaos_modules.observe.metrics import capture_metrics
from chaos_modules.observe.prometheus import Prometheus, parts

pytestmark = needs("prometheus", "promtool")
ROOT = Path(__file__).parents[2]
START = 1_700_000_000.0
HOURS = 31
END = START + HOURS * 3600
BAD_FROM, BAD_UNTIL = START + 30 * 3600 + 300, START + 30 * 3600 + 600


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    times = [START + 15 * n for n in range(HOURS * 240 + 1)]
    history = openmetrics({
        'errors{pod="a"}': [(time, 9 if BAD_FROM <= time < BAD_UNTIL else 0) for time in times],
        'errors{pod="b"}': [(time, 0) for time in times],
        'odd{kind="nan"}': [(time, float("nan")) for time in times[:20]],
        "steps": [(time, number) for number, time in enumerate(times)],
    })
    directory = tmp_path_factory.mktemp("prometheus")
    with PrometheusServer(directory, history=history) as server, Prometheus(Connection(url=server.url)) as client:
        until(lambda: client.instant("errors", START), "the history")
        yield client


def test_thirty_one_hours_are_judged_at_the_step_that_was_asked_for(prometheus: Prometheus) -> None:
    rules = [
        AlertRule(expr="errors > 100", description="never", severity="critical"),
        AlertRule(expr="errors > 5", description="pod {{$labels.pod}} had {{$value}}", severity="error"),
        AlertRule(expr="errors >= 0", description="always", severity="info"),
    ]
    never, fired, always = evaluate_alerts(prometheus, rules, start=START, end=END, step=10.0)
    assert (never.fired, never.problem) == (False, "")
    assert (fired.name, fired.problem) == ("pod a had 9", "")
    (first, last), = fired.intervals
    assert BAD_FROM <= first < BAD_FROM + 15
    assert BAD_UNTIL - 15 <= last < BAD_UNTIL + 15
    assert always.intervals == ((START, END),)
    assert always.name == "always (and 1 more series)"


@pytest.mark.parametrize("step", [10.0, 7.3, 1.0])
def test_the_parts_of_a_range_join_without_gap_or_double(prometheus: Prometheus, step: float) -> None:
    series, = prometheus.range("steps", START, END, step)
    times = [time for time, _ in series.points]
    assert times == [round(START + number * step, 3) for number in range(int((END - START) / step + 1e-6) + 1)]
    values = [value for _, value in series.points]
    assert values == sorted(values)
    assert len(list(parts(START, END, step))) == -(-len(times) // 11_000)


def test_one_request_for_so_many_points_would_be_refused(prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the parts are for."""
    monkeypatch.setattr("chaos_modules.observe.prometheus.MOST_POINTS", 12_000)
    seen, = observe_ranges(prometheus, ["errors > 100"], start=START, end=END, step=10.0)
    assert "exceeded maximum resolution" in seen.problem


def test_scalars_vectors_and_ranges_are_series_and_nan_is_none(prometheus: Prometheus) -> None:
    assert [one.points for one in prometheus.instant("1 + 1", START)] == [((START, 2.0),)]
    assert [dict(one.labels)["pod"] for one in prometheus.instant("errors", START)] == ["a", "b"]
    assert [len(one.points) for one in prometheus.instant("errors[1m]", START + 45)] == [4, 4]
    assert prometheus.instant("odd", START) == ()
    assert prometheus.range("odd", START, START + 60, 15) == ()
    assert [value for one in prometheus.instant('errors{pod="b"} + Inf', START) for _, value in one.points] == [float("inf")]


def test_a_query_longer_than_any_url_may_be(prometheus: Prometheus) -> None:
    query = " or ".join(f'errors{{pod="{number}"}}' for number in range(20_000)) + ' or errors{pod="a"}'
    assert len(query) > 400_000
    assert len(prometheus.instant(query[-100_000:].partition(" or ")[2], START)) == 1


def test_the_metrics_of_a_run(prometheus: Prometheus) -> None:
    metrics = [
        MetricQuery(query="errors", name="errors"),
        MetricQuery(query="max_over_time(errors[.elapsed:15s])", name="max-errors", instant=True),
        MetricQuery(query="sum(errors", name="broken"),
        MetricQuery(query="errors + Inf", name="infinite", instant=True),
    ]
    begin, end = BAD_UNTIL - 60, BAD_UNTIL + 840
    capture = capture_metrics(prometheus, metrics, start=begin, end=end)
    records = list(capture.records())
    assert [len(one["points"]) for one in records if (one["metricName"], one["labels"]["pod"]) == ("errors", "a")] == [61]
    most, = [one for one in records if one["metricName"] == "max-errors" and one["labels"]["pod"] == "a"]
    assert most == {"metricName": "max-errors", "query": metrics[1].query, "labels": {"pod": "a"}, "points": [(end, 9.0)]}
    assert not [one for one in records if one["metricName"] == "infinite"]
    problem, = capture.problems
    assert problem.startswith("metric broken: sum(errors: ")


def test_a_hundred_thousand_samples_stay_possible(prometheus: Prometheus) -> None:
    labelled = [MetricQuery(query=f'label_replace(errors, "n", "{number}", "", "")', name=f"n{number}") for number in range(50)]
    capture = capture_metrics(prometheus, labelled, start=START, end=START + 30 * 1000)
    assert not capture.problems
    assert sum(len(one["points"]) for one in capture.records()) == 50 * 2 * 1001


@pytest.mark.parametrize("entry", load_alert_profile(ROOT / "config/alerts.yaml"), ids=lambda entry: entry.description)
def test_prometheus_understands_every_shipped_alert(prometheus: Prometheus, entry: AlertRule) -> None:
    assert prometheus.range(entry.expr, START, START + 60, 10) == ()


def test_prometheus_understands_every_shipped_metric(prometheus: Prometheus) -> None:
    assert capture_metrics(prometheus, load_metrics_profile(ROOT / "config/metrics.yaml"), start=START, end=START + 60).problems == ()


@needs("prometheus-node-exporter")
def test_the_shipped_metrics_of_nodes_exist_in_a_real_exporter(tmp_path: Path) -> None:
    with ExitStack() as stack:
        address = stack.enter_context(node_exporter(tmp_path))
        server = stack.enter_context(PrometheusServer(tmp_path, scrape=[address]))
        client = stack.enter_context(Prometheus(Connection(url=server.url)))
        until(lambda: client.instant("rate(node_netstat_Tcp_RetransSegs[1m])"), "two samples")
        end = client.instant("vector(1)")[0].points[0][0]
        metrics = [one for one in load_metrics_profile(ROOT / "config/metrics.yaml") if one.name in ("nodeRetransmissions", "nodeTcpTimeouts")]
        names = {record["metricName"] for record in capture_metrics(client, metrics, start=end - 2, end=end).records()}
    assert names == {"nodeRetransmissions", "nodeTcpTimeouts"}
