"""Whole runs: what is proven, who is left alone, how a run ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from squall_runs import Squall, cleanup, machine, namespaces, sandbox_file, scenario_file


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    cleanup()
    before = machine()
    yield
    left = namespaces()
    cleanup()
    assert left == []
    assert machine() == before


def test_only_the_targets_are_touched(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, "pod-network-duplication", NETWORK_PACKET_DUPLICATION_PERCENTAGE=50, POD_AFFECTED_PERCENTAGE=100,
                             DESTINATION_PORTS="9000", TOTAL_CHAOS_DURATION=7)  # fmt: skip
    run = Squall(tmp_path, scenario, "--sandbox-file", sandbox_file(tmp_path), "--seed", "7")
    code, output = run.end()
    assert code == 0, run.errors
    (outcome,) = run.result["scenarios"]
    assert [target["target"] for target in outcome["targets"]] == ["pod/shop/web-0", "pod/shop/web-1"]
    for target in outcome["targets"]:
        peer, kernel = target["at_peer"]["duplicate"], target["measured"]["duplicate"]
        assert peer["judged"] == kernel["judged"] == "yes"
        assert peer["value"] == pytest.approx(0.5, abs=0.06)
        assert target["in_effect"] is target["reverted"] is True
    assert outcome["bystanders"]["flows"] >= 12
    assert outcome["bystanders"]["sent"] > 2 * 400 * 7 + 7 * 50 * 7
    assert (outcome["bystanders"]["lost"], outcome["bystanders"]["copied"]) == (0, 0)
    assert outcome["skew_seconds"] < 0.2
    assert "exit 0" in output
    assert run.result["seed"] == 7
    assert {path.name for path in run.record.iterdir()} == {
        "plan.json", "scenarios.json", "events.jsonl", "series.json", "result.json", "debug.log", "report.html", "report.md", "junit.xml",
    }
    assert json.loads((run.record / "plan.json").read_text())["run_id"] == run.record.name


def test_a_megabit_and_nobody_elses(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, "pod-network-rate-limit", NETWORK_BANDWIDTH="1mbit", LIMIT="256kb", TARGET_PODS="web-0",
                             SOURCE_PORTS="8080", TOTAL_CHAOS_DURATION=10)  # fmt: skip
    run = Squall(tmp_path, scenario, "--sandbox-file", sandbox_file(tmp_path))
    code, _ = run.end()
    assert code == 0, run.errors
    assert run.target["measured"]["rate"]["judged"] == "yes"
    assert run.target["measured"]["rate"]["value"] == pytest.approx(1e6, rel=0.01)
    assert 0.90e6 <= run.target["at_peer"]["goodput"]["value"] <= 0.98e6
    assert run.result["scenarios"][0]["bystanders"]["lost"] == 0


def test_serial_targets_come_one_after_the_other(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, "pod-network-loss", NETWORK_PACKET_LOSS_PERCENTAGE=30, POD_AFFECTED_PERCENTAGE=100, SEQUENCE="serial",
                             DESTINATION_PORTS="9000", DIRECTION="egress", TOTAL_CHAOS_DURATION=3)  # fmt: skip
    run = Squall(tmp_path, scenario, "--sandbox-file", sandbox_file(tmp_path))
    code, _ = run.end()
    assert code == 0, run.errors
    first, second = run.result["scenarios"][0]["targets"]
    assert first["ended"] < second["started"]
    assert first["at_peer"]["loss"]["value"] == pytest.approx(0.3, abs=0.08)


def test_both_directions_of_both_targets(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, "pod-network-loss", NETWORK_PACKET_LOSS_PERCENTAGE=10, POD_AFFECTED_PERCENTAGE=100, DIRECTION="both",
                             TOTAL_CHAOS_DURATION=4)  # fmt: skip
    run = Squall(tmp_path, scenario, "--sandbox-file", sandbox_file(tmp_path))
    code, _ = run.end()
    assert code == 0, run.errors
    assert [target["direction"] for target in run.result["scenarios"][0]["targets"]] == ["egress", "ingress"] * 2
    assert run.result["scenarios"][0]["bystanders"]["lost"] == 0


REFUSED = {
    "nobody has the label": ({"workload": {"namespace": "shop", "labels": "app=wbe"}}, "no-target", ("app=wbe", "shop", "app=web")),
    "no such pod": ({"TARGET_PODS": "web-9"}, "no-target", ("web-9",)),
    "a pod of the node's network": (
        {"workload": {"namespace": "shop", "labels": "app=agent"}, "TARGET_PODS": "agent"}, "refused", ("agent", "hostNetwork"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_without_a_target_nothing_is_touched(name: str, tmp_path: Path) -> None:
    changes, status, told = REFUSED[name]
    run = Squall(tmp_path, scenario_file(tmp_path, "pod-network-loss", **changes), "--sandbox-file", sandbox_file(tmp_path))
    code, output = run.end()
    assert code == 1
    assert run.target["status"] == status
    assert all(text in output for text in told), output
    assert not any(event["event"] in ("scenario-started", "applied") for event in run.events)


def test_a_filter_that_no_traffic_meets(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, "pod-network-loss", DESTINATION_PORTS="4711", TOTAL_CHAOS_DURATION=1)
    run = Squall(tmp_path, scenario, "--sandbox-file", sandbox_file(tmp_path))
    code, output = run.end()
    assert code == 1
    assert run.target["status"] == "no-traffic"
    assert run.target["in_effect"] is True
    assert "no packet met the fault" in output


def test_names_are_resolved_in_the_targets_namespace(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, "pod-network-duplication", DESTINATION_HOSTS="by-0.other", TARGET_PODS="web-0", DESTINATION_PORTS="9000",
                             TOTAL_CHAOS_DURATION=3)  # fmt: skip
    run = Squall(tmp_path, scenario, "--sandbox-file", sandbox_file(tmp_path))
    code, _ = run.end()
    assert code == 0, run.errors
    assert run.target["at_peer"]["duplicate"]["value"] == 1.0
    assert run.result["scenarios"][0]["bystanders"]["copied"] == 0


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, "pod-network-duplication", DESTINATION_HOSTS="nowhere.invalid", TOTAL_CHAOS_DURATION=1)
    run = Squall(tmp_path, scenario, "--sandbox-file", sandbox_file(tmp_path))
    code, output = run.end()
    assert code == 1
    assert run.target["status"] == "not-applied"
    assert "nowhere.invalid does not resolve" in output
