"""A snapshot is asked for no more than the scenarios need."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import request

from chaos_modules.model.request import NodeSelector, PodSelector, Selector
from chaos_modules.model.target import Scope
from chaos_modules.model.traffic import TrafficFilter, TrafficRule
from chaos_modules.targets.scope import scope_of


def scope(selector: Selector, **rule: Any) -> Scope:
    traffic = TrafficFilter(include=(TrafficRule(**rule),)) if rule else TrafficFilter()
    return scope_of([request(selector=selector, traffic=traffic)])


def pods(**parts: Any) -> PodSelector:
    return PodSelector(namespace="shop", **parts)


@pytest.mark.parametrize(("selector", "expected"), [
    (pods(labels="app=web"), Scope(namespaces=("shop",))),
    (pods(kind="pod", names=("web-0",)), Scope(namespaces=("shop",))),
    (pods(kind="deployment", labels="app=web", target_pods=("web-0",)), Scope(namespaces=("shop",))),
    (pods(kind="deployment", names=("web",)), Scope(namespaces=("shop",), named=(("shop", "deployment", "web"),))),
    (pods(kind="deployment", names=("web",), labels="a=b"), Scope(namespaces=("shop",), named=(("shop", "deployment", "web"),))),
    (pods(kind="job", labels="app=web"), Scope(namespaces=("shop",), workloads=(("shop", "job"),))),
    (NodeSelector(names=("n1",)), Scope()),
    (NodeSelector(labels="zone=a"), Scope()),
])
def test_each_selector_needs_its_own_lists_only(selector: Selector, expected: Scope) -> None:
    assert scope(selector) == expected


@pytest.mark.parametrize(("selector", "rule", "everywhere", "labels"), [
    (pods(), {"pod_labels": "app=web"}, False, False),  # of its own namespace, which is listed anyway
    (NodeSelector(), {"pod_labels": "app=web"}, True, False),
    (pods(), {"namespace_labels": "team=a"}, True, True),
    (pods(), {"pod_labels": "app=web", "namespace_labels": "team=a"}, True, True),
])
def test_filters_by_label_may_need_the_pods_of_every_namespace(selector: Selector, rule: dict[str, str], everywhere: bool, labels: bool) -> None:
    for one in (scope(selector, **rule), scope_of([request(selector=selector, traffic=TrafficFilter(exclude=(TrafficRule(**rule),)))])):  # type: ignore[arg-type]
        assert (one.everywhere, one.namespace_labels) == (everywhere, labels)


def test_hosts_that_may_be_services_are_looked_up_once_per_home() -> None:
    hosts = ("db", "db.shop", "db.shop.svc", "api.other", "www.example.com")
    traffic = TrafficFilter(include=(TrafficRule(hosts=hosts),), exclude=(TrafficRule(hosts=("cache",)),))
    other = PodSelector(namespace="other")
    wishes = [request(selector=pods(), traffic=traffic), request(selector=other, traffic=TrafficFilter(include=(TrafficRule(hosts=("db",)),)))]
    assert scope_of(wishes).services == (("shop", "db"), ("other", "api"), ("shop", "cache"), ("other", "db"))
    assert scope(NodeSelector(), hosts=("db", "db.shop")).services == (("shop", "db"),)


def test_many_scenarios_make_one_scope() -> None:
    both = scope_of([request(selector=pods(labels="a=b")), request(selector=PodSelector(namespace="other")), request(selector=pods(labels="c=d"))])
    assert both == Scope(namespaces=("shop", "other"))
    assert scope_of([]) == Scope()
