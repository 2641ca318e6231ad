"""A plan as plain JSON types."""

from __future__ import annotations

import json
from ipaddress import ip_network

from chaos_modules.model.impairment import Chance, Direction, Impairment
from chaos_modules.model.plan import Injection, Plan, ScenarioPlan, document
from chaos_modules.model.program import Step
from chaos_modules.model.quantities import Duration, Percentage
from chaos_modules.model.request import ImpairmentRequest, PodSelector
from chaos_modules.model.target import Target
from chaos_modules.model.traffic import PortRange, Protocol, TrafficFilter, TrafficRule

REQUEST = ImpairmentRequest(
    id="pod-network-loss", type="t", style="s", file="f", where="f:1:1", selector=PodSelector(namespace="shop"),
    impairment=Impairment(loss=Chance(percentage=Percentage.parse(5))),
    traffic=TrafficFilter(include=(TrafficRule(
        peers=(ip_network("10.0.0.0/8"),), remote_ports=(PortRange(80, 90),), protocols=(Protocol.TCP,),
    ),)),
    directions=(Direction.EGRESS,), device="eth0", hold=Duration.of_seconds(60), requested=(("loss", "5%"),),
)


def test_a_plan_is_printed_with_quantities_and_addresses_in_their_canonical_text() -> None:
    target = Target(kind="pod", namespace="shop", name="web-0", node="n")
    injection = Injection(index=0, target=target, direction="egress", device="eth0", programs=())
    scenario = ScenarioPlan(request=REQUEST, candidates=3, skipped=(("shop/web-1", "is Pending, not Running"),), injections=(injection,))
    plan = document(Plan(run_id="r", seed=1, cluster="c", lease_seconds=10, scenarios=(scenario,)))
    assert json.loads(json.dumps(plan)) == plan
    request = plan["scenarios"][0]["request"]
    assert request["hold"] == "60s"
    assert request["impairment"]["loss"] == {"percentage": "5%", "correlation": "0%"}
    assert request["traffic"]["include"][0]["peers"] == ["10.0.0.0/8"]
    assert request["traffic"]["include"][0]["remote_ports"] == ["80-90"]
    assert request["directions"] == ["egress"]
    assert plan["scenarios"][0]["skipped"] == [["shop/web-1", "is Pending, not Running"]]
    assert injection.key == "pod/shop/web-0/egress"


def test_steps_and_plain_values() -> None:
    assert document(Step(argv=("tc", "qdisc"))) == ["tc", "qdisc"]
    assert document(Step(nft="add table")) == {"nft": "add table"}
    assert [str(Step(argv=("tc", "qdisc"))), str(Step(nft="add table"))] == ["tc qdisc", "add table"]
    assert document({1: None, "a": (1.5, True)}) == {"1": None, "a": [1.5, True]}
