"""A whole record is sent; what does not arrive waits in it, and arrives later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import records
from search_server import SearchServer

from chaos_modules.cli.sending import send_run
from chaos_modules.model.observation_plan import Indices
from chaos_modules.model.probe import Connection
from chaos_modules.reports.krkn_documents import run_documents
from chaos_modules.reports.recorded import Recorded
from chaos_modules.storage.sending import Patience
from chaos_modules.storage.spool import NAME, spooled

QUICK = Patience(attempts=2, first_wait=0.0)


@pytest.fixture
def record(tmp_path: Path) -> Recorded:
    return records.write_record(tmp_path, passed=False, unhealthy=True, metrics=50)


def sent(record: Recorded, url: str, **who: Any) -> list[str]:
    return send_run(record, Connection(url=url, **who), Indices(), "nightly", lambda: False, patience=QUICK)


def stored(server: SearchServer) -> int:
    return sum(map(len, server.stored.values()))


def test_everything_arrives_and_nothing_waits(record: Recorded) -> None:
    with SearchServer() as server:
        assert sent(record, server.url) == []
        assert stored(server) == len(list(run_documents(record, Indices())))
    assert not Path(record.directory, NAME).exists()


def test_what_waits_is_sent_by_the_next_attempt_and_then_gone(record: Recorded) -> None:
    everything = list(run_documents(record, Indices(), "nightly"))
    with SearchServer() as server:
        server.probe_status = 503
        problems = sent(record, server.url)
        waiting = Path(record.directory, NAME)
        assert list(spooled(waiting)) == everything
        assert f"{len(everything)} documents were not stored (0 were)" in problems[0]
        assert problems[1].endswith(f"kept in {waiting}; send it with: python run_chaos.py report --send {record.directory}")
        server.probe_status = 200
        assert sent(record, server.url) == []
        assert stored(server) == len(everything)
        assert not waiting.exists()
        assert sent(record, server.url) == []  # once more, from the record
        assert stored(server) == len(everything)


def test_a_server_that_stays_away_leaves_the_same_waiting(record: Recorded) -> None:
    with SearchServer() as server:
        away = server.url
    sent(record, away)
    first = Path(record.directory, NAME).read_bytes()
    assert "Connection refused (tried 2 times)" in sent(record, away)[0]
    assert Path(record.directory, NAME).read_bytes() == first


def test_refused_documents_wait_too(record: Recorded) -> None:
    with SearchServer() as server:
        server.judge = lambda index, _: (400, "mapping [created_at]") if index == "krkn-alerts" else (201, "")
        problems = sent(record, server.url)
        assert "refused documents: 2 for krkn-alerts, the first because 400" in problems[0]
        assert {one.index for one in spooled(Path(record.directory, NAME))} == {"krkn-alerts"}
        server.judge = lambda index, _: (201, "")
        assert sent(record, server.url) == []
        assert len(server.stored["krkn-alerts"]) == 2


def test_a_damaged_line_of_metrics_costs_only_what_comes_after_it(record: Recorded) -> None:
    assert record.metrics_path
    lines = record.metrics_path.read_text().splitlines(keepends=True)
    record.metrics_path.write_text("".join(lines[:20]) + lines[20][:30] + "\n" + "".join(lines[21:]))
    with SearchServer() as server:
        (problem,) = sent(record, server.url)
        assert sum("podCPU" in json.dumps(body) for body in server.stored["krkn-metrics"].values()) == 20
    assert "only a part of the metrics was sent" in problem


def test_a_certificate_that_is_not_there_is_a_problem_and_no_traceback(record: Recorded) -> None:
    (problem,) = sent(record, "https://127.0.0.1:1", ca_file="/nowhere/ca.pem")
    assert "/nowhere/ca.pem cannot be read" in problem


def test_a_broken_spool_is_told_and_kept(record: Recorded) -> None:
    waiting = Path(record.directory, NAME)
    waiting.write_text("broken\n")
    with SearchServer() as server:
        (problem,) = sent(record, server.url)
    assert "not a document that waits to be sent" in problem
    assert waiting.read_text() == "broken\n"


def test_no_problem_tells_who_we_are(record: Recorded) -> None:
    with SearchServer(user="chaos:right") as server:
        told = sent(record, server.url.replace("//", "//someone:hunter2@"), username="chaos", password="hunter3")
    assert "401" in told[0]
    assert not any(secret in " ".join(told) for secret in ("hunter2", "hunter3", "someone"))
