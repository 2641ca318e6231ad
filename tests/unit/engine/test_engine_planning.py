"""Requests + snapshot + seed → plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import RUN_ID, request

from chaos_modules.engine.planning import build_plan
from chaos_modules.model.errors import BadInput, Refused
from chaos_modules.model.impairment import Chance, Direction, Impairment, Reorder, TokenBucket
from chaos_modules.model.plan import Plan, document
from chaos_modules.model.quantities import Duration, Percentage, PercentageRange, Rate, Size
from chaos_modules.model.request import NodeSelector, PodSelector
from chaos_modules.model.target import Container, Node, Pod, Service, Snapshot
from chaos_modules.model.traffic import TrafficFilter, TrafficRule

BOTH = (Direction.EGRESS, Direction.INGRESS)


def pod(name: str, namespace: str = "shop", **parts: Any) -> Pod:
    return Pod(
        namespace=namespace, name=name, node="worker-1", owners=(("deployment", "web"),), containers=(Container(name="web", id=f"id-{name}"),),
        **parts,
    )


SNAPSHOT = Snapshot(
    cluster="test", nodes=(Node(name="worker-1"),), pods=(*(pod(f"web-{number}") for number in range(8)), pod("dns", namespace="kube-system")),
    namespaces=("shop", "kube-system"),
)
HALF = PodSelector(namespace="shop", kind="deployment", names=("web",), affected=PercentageRange(50, 50))
ALL = replace(HALF, affected=PercentageRange(100, 100))


def planned(*requests: Any, seed: int = 1, snapshot: Snapshot = SNAPSHOT, lease_seconds: int = 10, enforce_limits: bool = False) -> Plan:
    return build_plan(requests, snapshot, run_id=RUN_ID, seed=seed, lease_seconds=lease_seconds, enforce_limits=enforce_limits)


def names(plan: Plan) -> list[list[str]]:
    return [[one.target.name for one in scenario.injections] for scenario in plan.scenarios]


def test_the_same_seed_gives_the_same_plan() -> None:
    wishes = (request(selector=HALF), request(selector=HALF))
    assert document(planned(*wishes)) == document(planned(*wishes))
    assert planned(*wishes, snapshot=replace(SNAPSHOT, pods=SNAPSHOT.pods[::-1])) == planned(*wishes)


def test_another_seed_gives_another_choice_and_so_does_the_next_scenario() -> None:
    assert len({str(names(planned(request(selector=HALF), seed=seed))) for seed in range(20)}) > 10
    first, second = names(planned(request(selector=HALF), request(selector=HALF)))
    assert first != second


def test_a_scenario_before_does_not_change_the_choice_of_the_next() -> None:
    lone = request(selector=replace(HALF, affected=PercentageRange(0, 0)))
    assert names(planned(lone, request(selector=HALF)))[1] == names(planned(request(selector=ALL), request(selector=HALF)))[1]


def test_injections_are_counted_over_the_whole_run() -> None:
    plan = planned(request(selector=HALF, directions=BOTH), request(selector=HALF))
    assert [one.index for scenario in plan.scenarios for one in scenario.injections] == list(range(12))
    first, second, *_ = plan.scenarios[0].injections
    assert (first.direction, second.direction, first.target) == ("egress", "ingress", second.target)
    assert first.key.endswith("/egress")
    keys = [one.key for one in plan.scenarios[0].injections]
    assert len(set(keys)) == len(keys)


def test_our_names_carry_the_run_and_fit_into_the_kernel() -> None:
    programs = planned(request(selector=ALL, directions=BOTH, impairment=Impairment(duplicate=Chance(percentage=Percentage.parse(9)))))
    egress, ingress = (one.programs[0] for one in programs.scenarios[0].injections[:2])
    assert (egress.table, ingress.table) == (f"squall_{RUN_ID}_egress", f"squall_{RUN_ID}_ingress")
    assert ingress.ifb == f"sq{RUN_ID}"
    assert len(ingress.ifb) <= 15


def test_the_plan_knows_what_it_was_made_of() -> None:
    plan = planned(request(selector=HALF), seed=7, lease_seconds=5)
    assert (plan.run_id, plan.seed, plan.cluster, plan.lease_seconds) == (RUN_ID, 7, "test", 5)
    assert plan.scenarios[0].candidates == 8


@pytest.mark.parametrize(("selector", "snapshot", "status", "words"), [
    (replace(HALF, names=("wbe",)), SNAPSHOT, "no-target", "nearest: web"),
    (replace(HALF, namespace="shpo"), SNAPSHOT, "no-target", "nearest: shop"),
    (ALL, replace(SNAPSHOT, pods=(pod("web-0", host_network=True),)), "refused", "hostNetwork"),
])
def test_a_scenario_without_targets_is_noted(selector: PodSelector, snapshot: Snapshot, status: str, words: str) -> None:
    [scenario] = planned(request(selector=selector), snapshot=snapshot).scenarios
    assert scenario.unplannable is not None
    assert scenario.unplannable.status == status
    assert words in scenario.unplannable.what
    assert scenario.unplannable.remedy
    assert (scenario.injections, scenario.candidates) == ((), 0)


def test_skipped_pods_are_in_the_plan() -> None:
    snapshot = replace(SNAPSHOT, pods=(*SNAPSHOT.pods, pod("web-9", phase="Pending")))
    assert planned(request(selector=HALF), snapshot=snapshot).scenarios[0].skipped == (("shop/web-9", "is Pending, not Running"),)


def test_a_fault_that_no_program_can_do_is_bad_input_with_its_position() -> None:
    undelayed = Impairment(reorder=Reorder(chance=Chance(percentage=Percentage.parse(9))))
    with pytest.raises(BadInput) as caught:
        planned(request(selector=HALF, impairment=undelayed))
    assert (caught.value.where, caught.value.exit_code) == ("loss.yaml:1:3", 255)
    assert "reordering needs a delay" in caught.value.what


def test_limits_are_warnings_or_errors() -> None:
    wish = request(selector=ALL, hold=Duration.of_seconds(7200), notices=("a notice",))
    [scenario] = planned(wish).scenarios
    assert scenario.warnings[0] == "a notice"
    assert [text.partition(";")[0] for text in scenario.warnings[1:]] == [
        "8 of 8 pods (100 %) of the workload are hit", "the fault is held for 7200s",
    ]
    with pytest.raises(Refused, match="8 of 8 pods"):
        planned(wish, enforce_limits=True)
    assert planned(request(selector=HALF), enforce_limits=True).scenarios[0].warnings == ()


@pytest.mark.parametrize(("limit", "lease", "warned"), [("2mb", 10, True), ("64kb", 10, False), ("64kb", 0, True), ("2mb", 17, False)])
def test_a_queue_that_outlives_the_lease_is_told(limit: str, lease: int, warned: bool) -> None:
    bucket = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse(limit))
    [scenario] = planned(request(selector=HALF, impairment=Impairment(rate=bucket)), lease_seconds=lease).scenarios
    assert any("past its lease" in text for text in scenario.warnings) is warned


def test_nodes_are_targets_like_any_other() -> None:
    [scenario] = planned(request(selector=NodeSelector(names=("worker-1",)), directions=BOTH)).scenarios
    assert [one.key for one in scenario.injections] == ["node/worker-1/egress", "node/worker-1/ingress"]
    [scenario] = planned(request(selector=NodeSelector(names=("worker-2",)))).scenarios
    assert scenario.unplannable is not None
    assert "nearest: worker-1" in scenario.unplannable.what


def test_a_host_that_is_a_service_is_planned_by_its_addresses_and_told() -> None:
    service = Service(namespace="shop", name="db", cluster_ips=("10.96.0.7",), endpoints=("10.244.0.9",))
    wish = request(selector=HALF, traffic=TrafficFilter(include=(TrafficRule(hosts=("db",)),)), notices=("a notice",))
    [scenario] = planned(wish, snapshot=replace(SNAPSHOT, services=(service,))).scenarios
    [program, *_] = scenario.injections[0].programs
    assert (program.hosts, "10.96.0.7/32, 10.244.0.9/32" in program.setup[-1].nft) == ((), True)
    assert scenario.warnings == ("a notice", "host db is the Service shop/db (ClusterIP 10.96.0.7, 1 endpoint)")
    [scenario] = planned(wish).scenarios
    assert [names.names for names in scenario.injections[0].programs[0].hosts] == [("db",)]
    assert scenario.warnings == ("a notice",)
