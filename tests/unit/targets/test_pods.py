"""Who is hit: selection by workload, labels, name, node and percentage; who is passed over; what is said when nobody is left."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.model.errors import NoTarget, Refused
from chaos_modules.model.quantities import PercentageRange
from chaos_modules.model.request import PodSelector
from chaos_modules.model.target import Container, Node, Pod, Selection, Snapshot, Workload
from chaos_modules.targets.pods import matching_pods, select


def pod(name: str, *owners: tuple[str, str], namespace: str = "shop", node: str = "n1", **labels: str) -> Pod:
    return Pod(
        namespace=namespace, name=name, node=node, labels=tuple(labels.items()), owners=owners,
        containers=(Container(name="web", id=f"id-{name}"), Container(name="proxy", id=f"proxy-{name}")), addresses=("10.0.0.1",),
        uid=f"uid-{name}",
    )


WEB_OWNERS = (("replicaset", "web-5d"), ("deployment", "web"))
WEB = tuple(pod(f"web-{index}", *WEB_OWNERS, node=f"n{index % 2}", app="web") for index in (2, 0, 1, 3))
DATABASE = pod("db-0", ("statefulset", "db"), app="db")
ALONE = pod("alone", app="tool")
SNAPSHOT = Snapshot(
    cluster="test", nodes=(Node(name="n0", labels=(("zone", "a"),)), Node(name="n1", labels=(("zone", "b"),))),
    pods=(*WEB, DATABASE, ALONE, pod("api-0", namespace="other", app="web")),
    workloads=(
        Workload(kind="deployment", namespace="shop", name="web", labels=(("team", "front"),)),
        Workload(kind="deployment", namespace="shop", name="idle", labels=(("team", "idle"),)),
        Workload(kind="statefulset", namespace="shop", name="db"),
    ),
    namespaces=("shop", "other", "empty"),
)
ALL = PercentageRange(100, 100)


def names(selection: Selection) -> list[str]:
    return [target.name for target in selection.targets]


def chosen(seed: int = 1, snapshot: Snapshot = SNAPSHOT, **parts: object) -> Selection:
    selector = PodSelector(**{"namespace": "shop", "affected": ALL, **parts})  # type: ignore[arg-type]
    return select(snapshot, selector, Random(seed))


def changed(name: str, **parts: object) -> Snapshot:
    return replace(SNAPSHOT, pods=tuple(replace(one, **parts) if one.name == name else one for one in SNAPSHOT.pods))  # type: ignore[arg-type]


@pytest.mark.parametrize(("parts", "expected"), [
    ({"kind": "deployment", "names": ("web",)}, ["web-0", "web-1", "web-2", "web-3"]),
    ({"kind": "replicaset", "names": ("web-5d",)}, ["web-0", "web-1", "web-2", "web-3"]),
    ({"kind": "statefulset", "names": ("db",)}, ["db-0"]),
    ({"kind": "deployment", "labels": "team=front"}, ["web-0", "web-1", "web-2", "web-3"]),
    ({"kind": "deployment", "labels": "app=web"}, ["web-0", "web-1", "web-2", "web-3"]),
    ({"kind": "statefulset", "labels": "app=db"}, ["db-0"]),
    ({"labels": "app=web"}, ["web-0", "web-1", "web-2", "web-3"]),
    ({"labels": "app!=web"}, ["alone", "db-0"]),
    ({"labels": "app in (db, tool)"}, ["alone", "db-0"]),
    ({"kind": "pod", "names": ("alone", "db-0")}, ["alone", "db-0"]),
    ({"labels": "app=web", "node_label": "zone=a"}, ["web-0", "web-2"]),
    ({"target_pods": ("web-2", "alone", "web-2")}, ["alone", "web-2"]),
    ({"target_pods": ("web-1",), "node_label": "zone=a", "affected": PercentageRange(0, 0)}, ["web-1"]),
])
def test_selection(parts: dict[str, object], expected: list[str]) -> None:
    assert names(chosen(**parts)) == expected


def test_a_target_knows_how_it_is_found() -> None:
    [target] = chosen(target_pods=("web-1",)).targets
    assert (target.kind, target.path, target.node) == ("pod", "pod/shop/web-1", "n1")
    assert (target.container, target.container_id, target.addresses, target.uid) == ("web", "id-web-1", ("10.0.0.1",), "uid-web-1")
    [target] = chosen(target_pods=("web-1",), container="proxy").targets
    assert (target.container, target.container_id) == ("proxy", "proxy-web-1")


@pytest.mark.parametrize(("percentage", "number"), [(0, 1), (1, 1), (25, 1), (49, 1), (50, 2), (74, 2), (75, 3), (100, 4)])
def test_a_percentage_is_rounded_down_and_at_least_one(percentage: int, number: int) -> None:
    selection = chosen(labels="app=web", affected=PercentageRange(percentage, percentage))
    assert (len(selection.targets), selection.candidates) == (number, 4)


@given(st.integers(0, 1000))
def test_the_same_seed_gives_the_same_pods_whatever_the_order_of_the_snapshot(seed: int) -> None:
    half = PercentageRange(25, 75)
    mixed = replace(SNAPSHOT, pods=tuple(reversed(SNAPSHOT.pods)))
    assert chosen(seed, labels="app=web", affected=half) == chosen(seed, mixed, labels="app=web", affected=half)
    assert 1 <= len(chosen(seed, labels="app=web", affected=half).targets) <= 3


def test_every_pair_of_pods_can_be_chosen() -> None:
    pairs = {tuple(names(chosen(seed, labels="app=web", affected=PercentageRange(50, 50)))) for seed in range(200)}
    assert len(pairs) == 6


@pytest.mark.parametrize(("parts", "reason"), [
    ({"phase": "Pending"}, "is Pending, not Running"),
    ({"terminating": True}, "is being deleted"),
    ({"host_network": True}, "uses the node's own network (hostNetwork)"),
    ({"containers": (Container(name="web", running=False),)}, "its container web does not run"),
    ({"containers": ()}, "has no container at all (has: none)"),
    ({"labels": (("app", "web"), ("squall.chaos/run", "r1"))}, "is one of Squall's own"),
])
def test_pods_that_cannot_be_hit_are_skipped_with_the_reason(parts: dict[str, object], reason: str) -> None:
    selection = chosen(snapshot=changed("web-1", **parts), labels="app=web")
    assert names(selection) == ["web-0", "web-2", "web-3"]
    assert (selection.candidates, selection.skipped) == (3, (("shop/web-1", reason),))


def test_pods_on_other_nodes_and_without_the_container_are_skipped() -> None:
    assert chosen(labels="app=web", node_label="zone=a").skipped == (
        ("shop/web-1", "its node n1 has not zone=a"), ("shop/web-3", "its node n1 has not zone=a"),
    )
    snapshot = changed("web-1", containers=(Container(name="web"),))
    assert chosen(snapshot=snapshot, labels="app=web", container="proxy").skipped == (("shop/web-1", "has no container proxy (has: web)"),)


@pytest.mark.parametrize(("parts", "reason"), [({"ready": False}, "is not Ready"), ({"operating_system": "windows"}, "runs windows")])
def test_pods_on_nodes_where_nothing_can_be_hit_are_skipped(parts: dict[str, object], reason: str) -> None:
    nodes = tuple(replace(node, **parts) if node.name == "n1" else node for node in SNAPSHOT.nodes)  # type: ignore[arg-type]
    snapshot = replace(SNAPSHOT, nodes=nodes)
    selection = chosen(snapshot=snapshot, labels="app=web")
    assert names(selection) == ["web-0", "web-2"]
    assert selection.skipped == (("shop/web-1", f"its node n1 {reason}"), ("shop/web-3", f"its node n1 {reason}"))
    with pytest.raises(NoTarget, match=f"shop/web-1: its node n1 {reason}"):
        chosen(snapshot=snapshot, target_pods=("web-1",))
    assert names(chosen(snapshot=replace(snapshot, nodes=()), target_pods=("web-1",))) == ["web-1"]  # nothing is known of its node


@pytest.mark.parametrize(("parts", "message"), [
    ({"namespace": "shpo", "labels": "app=web"}, "test: no namespace shpo (nearest: shop)\n  → there are: empty, other, shop"),
    ({"labels": "app=wbe"}, "test: no pod in namespace shop has app=wbe (nearest: app=web, 4 pods)\n  → there are: app=db, app=tool, app=web"),
    ({"labels": "ap=web"}, "test: no pod in namespace shop has ap=web (nearest: app=web, 4 pods)"),
    ({"labels": "apx=bd"}, "test: no pod in namespace shop has apx=bd (nearest: app=db, 1 pod)"),
    ({"labels": "zzz in (yyy)"}, "test: no pod in namespace shop has zzz in (yyy)\n"),
    ({"labels": "app=web,!app"}, "test: no pod in namespace shop has app=web,!app\n"),
    ({"namespace": "empty"}, "test: no pod in namespace empty\n  → there are none"),
    ({"kind": "deployment", "names": ("wbe",)}, "test: no deployment wbe in namespace shop (nearest: web)\n  → there are: idle, web"),
    ({"kind": "deployment", "names": ("web", "idle")}, "test: deployment idle in namespace shop has no pods\n  → scale it up"),
    ({"kind": "deployment", "labels": "team=frnot"}, "test: no deployment in namespace shop has team=frnot (nearest: team=front"),
    ({"kind": "deployment", "labels": "team=idle"}, "test: no deployment in namespace shop has team=idle"),
    ({"kind": "job", "labels": "a=b"}, "test: no job in namespace shop has a=b\n  → there are none"),
    ({"kind": "pod", "names": ("alne",)}, "test: no pod alne in namespace shop (nearest: alone)"),
    ({"target_pods": ("web-1", "web-9")}, "test: no pod web-9 in namespace shop (nearest: web-3)"),
    ({"target_pods": ("web-1",), "container": "db"}, "shop/web-1: has no container db (has: web, proxy)"),
    ({"labels": "app=web", "container": "db"}, "namespace shop: none of 4 matching pods can be hit: web-0 has no container db (has: web, proxy)"),
    ({"labels": "app=web", "node_label": "zone=c"}, "namespace shop: no node has zone=c\n  → correct NODE_LABEL; nodes have: zone=a, zone=b"),
    ({"labels": "app=db", "node_label": "zone=a"}, "namespace shop: none of 1 matching pods can be hit: db-0 its node n1 has not zone=a"),
])
def test_nothing_to_hit_names_what_is_wrong_and_what_is_nearest(parts: dict[str, object], message: str) -> None:
    with pytest.raises(NoTarget) as caught:
        chosen(**parts)
    assert str(caught.value).startswith(message)
    assert caught.value.remedy


def test_without_a_list_of_namespaces_only_the_pods_are_known() -> None:
    with pytest.raises(NoTarget, match=r"no pod that can be seen in namespace shpo \(nearest: shop\)"):
        chosen(snapshot=replace(SNAPSHOT, namespaces=()), namespace="shpo")


def test_long_lists_are_cut() -> None:
    many = replace(SNAPSHOT, pods=tuple(replace(pod(f"p-{number:02}", app="web"), phase="Pending") for number in range(12)))
    with pytest.raises(NoTarget, match="and 7 more"):
        chosen(snapshot=many, labels="app=web")
    with pytest.raises(NoTarget, match="p-09, …"):
        chosen(snapshot=many, target_pods=("x",))


def test_a_pod_in_the_nodes_network_is_refused_when_it_is_named_or_when_there_are_no_others() -> None:
    snapshot = changed("db-0", host_network=True)
    for parts in ({"target_pods": ("web-0", "db-0")}, {"labels": "app=db"}):
        with pytest.raises(Refused) as caught:
            chosen(snapshot=snapshot, **parts)
        assert caught.value.where == "shop/db-0"
        assert "hostNetwork" in caught.value.what
        assert caught.value.remedy


def test_the_candidates_of_listed_pods_are_their_workloads_pods() -> None:
    assert chosen(target_pods=("web-0",)).candidates == 4
    assert chosen(snapshot=changed("web-3", phase="Pending"), target_pods=("web-0",)).candidates == 3
    assert chosen(target_pods=("alone",)).candidates == 1
    assert chosen(target_pods=("web-0", "web-1", "db-0")).candidates == 5


def test_matching_ignores_the_state_of_pods() -> None:
    snapshot = changed("web-1", phase="Failed")
    assert [one.name for one in matching_pods(snapshot, PodSelector(namespace="shop", labels="app=web"))] == ["web-0", "web-1", "web-2", "web-3"]
