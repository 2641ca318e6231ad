"""Whole runs in real nodes: they arrive, krkn's dashboards find them, and nothing is lost or doubled on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import records
import requests
from search_node import SearchNode

from chaos_modules.cli.sending import send_run
from chaos_modules.model.observation_plan import Indices
from chaos_modules.model.probe import Connection
from chaos_modules.observe.session import session_for
from chaos_modules.reports.krkn_documents import run_documents
from chaos_modules.reports.krkn_telemetry import run_uuid
from chaos_modules.reports.recorded import Recorded
from chaos_modules.storage.bulk import PlainBulk
from chaos_modules.storage.elastic_client import ClientBulk, client_fits, installed_client
from chaos_modules.storage.sending import CHUNK_DOCUMENTS, Patience, writer_to
from chaos_modules.storage.server import probe_server
from chaos_modules.storage.spool import NAME, spooled

QUICK = Patience(attempts=2, first_wait=0.05)
Send = Callable[[Recorded], list[str]]


def to(node: SearchNode) -> Connection:
    return Connection(url=node.url, timeout_seconds=60)  # a busy machine takes its time to make an index


@pytest.fixture
def record(tmp_path: Path) -> Recorded:
    return records.write_record(tmp_path / "run", passed=False, unhealthy=True, metrics=30, scenarios=2)


@pytest.fixture
def send(node: SearchNode, indices: Indices) -> Send:
    """Send, and make it visible to searches."""

    def run(record: Recorded) -> list[str]:
        problems = send_run(record, to(node), indices, "nightly", lambda: False, patience=QUICK)
        node.refresh(indices.telemetry.partition("krkn")[0])
        return problems

    return run


def other_run(record: Recorded, uuid: str, **changed: Any) -> Recorded:
    return replace(record, result={**record.result, "run_uuid": uuid}, **changed)


def test_a_whole_run_arrives_as_it_was_made(node: SearchNode, indices: Indices, record: Recorded, send: Send) -> None:
    assert send(record) == []
    made = list(run_documents(record, indices, "nightly"))
    assert len(made) > 30
    for document in made:
        assert node.ask("GET", f"/{document.index}/_doc/{document.id}")["_source"] == document.body


def test_krkns_dashboards_find_it(node: SearchNode, indices: Indices, record: Recorded, send: Send) -> None:
    send(record)
    send(other_run(record, "another-run"))
    this = f'run_uuid.keyword: "{run_uuid(record)}"'
    fired = sum(one["fired"] for one in record.result["alerts"])
    assert [node.count(index, this) for index in (indices.telemetry, indices.alerts, indices.metrics)] == [1, fired, 30 + 2]
    assert node.count(indices.metrics, f"{this} AND metricName.keyword: podCPU") == 30
    assert node.count(indices.metrics, f"{this} AND metricName.keyword: health_check_recovery AND status: false") == 1
    assert node.count(indices.telemetry, f"{this} AND scenarios.scenario_type.keyword: pod_network_fault_scenarios AND tag.keyword: nightly") == 1
    assert node.count(indices.telemetry, f"{this} AND network_plugins.keyword: Unknown AND job_status: false") == 1
    assert node.count(indices.telemetry, f"{this} AND scenarios.scenario_type.keyword: pod_disruption_scenarios") == 0
    assert node.count(indices.metrics, 'run_uuid.keyword: "of-nobody"') == 0


@pytest.mark.parametrize(
    ("kind", "field", "query"),
    [
        ("telemetry", "timestamp", "*"),
        ("metrics", "timestamp", "metricName.keyword: podCPU"),
        ("alerts", "created_at", "*"),
        ("metrics", "start_timestamp", "metricName.keyword: health_check_recovery"),
    ],
)
def test_its_time_fields_are_dates_in_utc(
    node: SearchNode, indices: Indices, record: Recorded, send: Send, kind: str, field: str, query: str
) -> None:  # fmt: skip
    send(record)
    index, start, end = getattr(indices, kind), record.result["started"], record.result["ended"]

    def within(since: float, until: float) -> int:
        span = {"range": {field: {"gte": int(since * 1000), "lte": int(until * 1000) + 1, "format": "epoch_millis"}}}
        wanted = {"query": {"bool": {"filter": [span, {"query_string": {"query": query}}]}}}
        return int(node.ask("POST", f"/{index}/_count", wanted)["count"])

    assert within(start, end) == node.count(index, query) > 0
    assert within(start - 7200, start - 1) == within(end + 1, end + 7200) == 0


def test_texts_are_searchable_as_words_and_as_a_whole_and_nothing_is_nested(node: SearchNode, indices: Indices, record: Recorded, send: Send) -> None:
    send(record)
    (found,) = node.ask("GET", f"/{indices.telemetry}/_mapping").values()
    fields = found["mappings"]["properties"]
    assert fields["run_uuid"] == {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
    assert "nested" not in {one.get("type") for one in (fields["scenarios"], fields["scenarios"]["properties"]["affected_pods"])}
    times = {"aggs": {"mean": {"avg": {"field": "scenarios.affected_pods.recovered.total_recovery_time"}}}, "size": 0}
    assert node.ask("POST", f"/{indices.telemetry}/_search", times)["aggregations"]["mean"]["value"] == 0.0


def test_sending_twice_changes_nothing(node: SearchNode, indices: Indices, record: Recorded, send: Send) -> None:
    everything = f"{indices.telemetry},{indices.metrics},{indices.alerts}"
    send(record)
    once = node.count(everything)
    assert send(record) == []
    assert node.count(everything) == once == len(list(run_documents(record, indices)))
    send(other_run(record, "another-run"))
    assert node.count(everything) == 2 * once  # the count does see what is new


def test_a_node_killed_in_mid_send_loses_nothing(node: SearchNode, indices: Indices, tmp_path: Path) -> None:
    if not node.command:
        pytest.skip("a node of the user's own is not killed")
    record = records.write_record(tmp_path / "run", metrics=6 * CHUNK_DOCUMENTS)
    total, answered = len(list(run_documents(record, indices))), []

    def kill_after_three(response: requests.Response, *_: Any, **__: Any) -> None:
        answered.append(response.status_code)
        if len(answered) == 4:  # the probe is the first
            node.kill()

    def watched(connection: Connection) -> requests.Session:
        session = session_for(connection)
        session.hooks["response"].append(kill_after_three)
        return session

    problems = send_run(record, to(node), indices, "", lambda: False, open_session=watched, patience=QUICK)
    waiting = Path(record.directory, NAME)
    assert "were not stored" in problems[0]
    assert len(list(spooled(waiting))) == total - 3 * CHUNK_DOCUMENTS
    node.start()
    everything = f"{indices.telemetry},{indices.metrics},{indices.alerts}"
    node.refresh(indices.telemetry.partition("krkn")[0])
    assert node.count(everything) == 3 * CHUNK_DOCUMENTS  # what was acknowledged, and no more
    assert send_run(record, to(node), indices, "", lambda: False) == []
    node.refresh(indices.metrics)
    assert node.count(everything) == total
    assert not waiting.exists()


def test_parameters_that_do_not_fit_the_index_cost_only_themselves(node: SearchNode, indices: Indices, record: Recorded, send: Send) -> None:
    send(other_run(record, "first", scenario_files={records.FILE: [{"config": {"namespace": "shop"}}]}))
    clash = other_run(record, "second", scenario_files={records.FILE: [{"config": "shop"}]})
    telemetry = next(run_documents(clash, indices))
    with session_for(to(node)) as session:
        (refused,) = PlainBulk(session, to(node)).store([telemetry])
    assert refused.status == 400  # the whole document, were it sent as it is
    assert send(clash) == []
    assert node.count(indices.telemetry, "run_uuid.keyword: second AND scenarios.scenario_type.keyword: pod_network_fault_scenarios") == 1
    stored = node.ask("GET", f"/{indices.telemetry}/_doc/{telemetry.id}")["_source"]["scenarios"]
    assert all("parameters" not in one and one["parameters_base64"] for one in stored)
    assert node.count(indices.telemetry, "scenarios.parameters.config.namespace.keyword: shop") == 1


def test_a_refused_sample_is_told_and_kept_and_the_others_are_stored(node: SearchNode, indices: Indices, record: Recorded, send: Send) -> None:
    assert record.metrics_path
    line = '{"metricName": "age", "query": "age", "labels": {"since": "%s"}, "points": [[%d, 1]]}\n'
    record.metrics_path.write_text("".join(line % (since, time) for time, since in enumerate(["2026-01-01", "not a date", "2026-01-02"], 1)))
    problems = send(record)
    assert f"refused documents: 1 for {indices.metrics}, the first because 400" in problems[0]
    assert node.count(indices.metrics, "metricName.keyword: age") == 2
    assert [one.body["since"] for one in spooled(Path(record.directory, NAME))] == ["not a date"]


def test_the_way_to_the_node_suits_it(node: SearchNode) -> None:
    with session_for(to(node)) as session:
        server = probe_server(session, to(node))
        writer = writer_to(session, to(node), server)
        writer.close()
    assert str(server.product).lower() == ("opensearch" if "opensearch" in node.flavour else "elasticsearch") or node.flavour == "ES_URL"
    assert isinstance(writer, ClientBulk) is client_fits(server, installed_client())
