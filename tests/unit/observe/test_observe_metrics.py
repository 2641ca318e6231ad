"""krkn's metrics profile: the run's length in a query, the step, and the lines of the record."""

from __future__ import annotations

import json

import pytest
from answering import Answering, vector

from chaos_modules.model.probe import Connection, MetricQuery
from chaos_modules.observe.metrics import capture_metrics, step_of, with_elapsed
from chaos_modules.observe.prometheus import Prometheus


@pytest.mark.parametrize(("seconds", "length"), [(0, "1m"), (1, "1m"), (60, "1m"), (60.1, "2m"), (299, "5m"), (7200, "120m")])
def test_elapsed_is_the_length_in_minutes_rounded_up(seconds: float, length: str) -> None:
    assert with_elapsed("max_over_time(up[.elapsed:]) + sum_over_time(up[.elapsed])", seconds) == (
        f"max_over_time(up[{length}:]) + sum_over_time(up[{length}])"
    )
    assert with_elapsed("time_elapsed + x.elapsedly", seconds) == "time_elapsed + x.elapsedly"


@pytest.mark.parametrize(("seconds", "step"), [(1, 1), (60, 1), (600, 10), (1800, 30), (86_400, 30)])
def test_short_runs_get_sixty_points_and_long_ones_krkns_step(seconds: float, step: float) -> None:
    assert step_of(seconds) == step


def test_lines_of_the_record_and_problems_beside_them() -> None:
    def answer(asked: dict[str, str]) -> object:
        if asked["query"] == "bad":
            return 422
        if "start" in asked:
            return [{"metric": {"__name__": "up"}, "values": [[1, "1"], [2, "NaN"], [3, "+Inf"], [4, "0.5"]]}]
        return vector(7, time=float(asked["time"]))

    metrics = [MetricQuery(query="up", name="up"), MetricQuery(query="up", name="last", instant=True), MetricQuery(query="bad", name="bad"),
               MetricQuery(query="m[.elapsed:]", name="long", instant=True)]  # fmt: skip
    with Answering(answer) as server, Prometheus(Connection(url=server.url)) as prometheus:
        capture = capture_metrics(prometheus, metrics, start=0, end=120)
    assert [json.loads(json.dumps(one, allow_nan=False)) for one in capture.records()] == [
        {"metricName": "up", "query": "up", "labels": {"__name__": "up"}, "points": [[1.0, 1.0], [4.0, 0.5]]},
        {"metricName": "last", "query": "up", "labels": {"n": "0"}, "points": [[120.0, 7.0]]},
        {"metricName": "long", "query": "m[.elapsed:]", "labels": {"n": "0"}, "points": [[120.0, 7.0]]},
    ]
    assert capture.problems == (f"metric bad: bad: Prometheus at {server.url}: it answers 422: bad_data: no",)
    assert {one["query"] for one in server.asked} == {"up", "bad", "m[2m:]"}
