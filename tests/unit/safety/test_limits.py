"""One test per limit, at its edge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos_modules.model.errors import EXIT_FAILED, Refused
from chaos_modules.model.impairment import Direction, Impairment
from chaos_modules.model.quantities import Duration
from chaos_modules.model.request import ImpairmentRequest, NodeSelector, PodSelector
from chaos_modules.model.target import Selection, Target
from chaos_modules.model.traffic import TrafficFilter
from chaos_modules.safety.limits import breaches, enforce

REQUEST = ImpairmentRequest(
    id="i", type="t", style="s", file="f", where="f:1:3", selector=PodSelector(namespace="shop"), impairment=Impairment(),
    traffic=TrafficFilter(), directions=(Direction.EGRESS,), device="eth0", hold=Duration.of_seconds(3600),
)


def hit(number: int, candidates: int, namespace: str = "shop") -> Selection:
    targets = tuple(Target(kind="pod", namespace=namespace, name=f"p-{index}", node="n") for index in range(number))
    return Selection(targets=targets, candidates=candidates)


@pytest.mark.parametrize(("number", "candidates", "text"), [
    (1, 2, ""), (2, 4, ""), (2, 3, "2 of 3 pods (66 %) of the workload are hit; the limit is 50 %"), (1, 1, "1 of 1 pods (100 %)"),
])
def test_workload_share(number: int, candidates: int, text: str) -> None:
    found = breaches(REQUEST, hit(number, candidates))
    assert [breach.rule for breach in found] == (["workload-share"] if text else [])
    assert all(breach.text.startswith(text) for breach in found)


@pytest.mark.parametrize(("number", "text"), [(1, ""), (2, "2 nodes are hit; the limit is 1")])
def test_nodes(number: int, text: str) -> None:
    targets = tuple(Target(kind="node", namespace="", name=f"n-{index}", node=f"n-{index}") for index in range(number))
    for candidates in (number, 100):  # one of one node is no breach, and two of a hundred are
        found = breaches(replace(REQUEST, selector=NodeSelector()), Selection(targets=targets, candidates=candidates))
        assert [(breach.rule, breach.text) for breach in found] == ([("nodes", text)] if text else [])


def test_hold() -> None:
    [breach] = breaches(replace(REQUEST, hold=Duration.parse("3600.5s")), hit(1, 3))
    assert (breach.rule, breach.text) == ("hold", "the fault is held for 3600500ms; the limit is 3600s")


def test_system_namespace() -> None:
    [breach] = breaches(REQUEST, hit(1, 3, "kube-system"))
    assert breach.rule == "system-namespace"
    assert "pod/kube-system/p-0" in breach.text


def test_enforced_limits_are_errors_that_name_the_flag() -> None:
    enforce(REQUEST, [])
    with pytest.raises(Refused, match=r"f:1:3: workload-share: 3 of 3 pods .*\n.*leave out --enforce-limits and squall\.enforce_limits") as caught:
        enforce(REQUEST, breaches(REQUEST, hit(3, 3)))
    assert caught.value.exit_code == EXIT_FAILED
