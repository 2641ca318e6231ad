"""Which nodes are hit, which are passed over and why, and what is said when none is left."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from chaos_modules.model.errors import NoTarget
from chaos_modules.model.request import NodeSelector
from chaos_modules.model.target import Node, Selection, Snapshot, Target
from chaos_modules.targets.select import select

SNAPSHOT = Snapshot(cluster="test", pods=(), nodes=(
    Node(name="n3", labels=(("zone", "b"),)), Node(name="n1", labels=(("zone", "a"),)), Node(name="n2", labels=(("zone", "a"),)),
    Node(name="sick", labels=(("zone", "a"),), ready=False), Node(name="win", labels=(("zone", "c"),), operating_system="windows"),
))


def chosen(seed: int = 1, snapshot: Snapshot = SNAPSHOT, **parts: object) -> Selection:
    return select(snapshot, NodeSelector(**parts), Random(seed))  # type: ignore[arg-type]


def names(selection: Selection) -> list[str]:
    return [target.name for target in selection.targets]


@pytest.mark.parametrize(("parts", "expected"), [
    ({}, ["n1", "n2", "n3"]), ({"labels": "zone=a"}, ["n1", "n2"]), ({"labels": "zone!=a"}, ["n3"]), ({"names": ("n3", "n1", "n3")}, ["n1", "n3"]),
    ({"names": ("n3",), "labels": "zone=a"}, ["n3"]), ({"labels": "zone=a", "count": 9}, ["n1", "n2"]),
])
def test_selection(parts: dict[str, object], expected: list[str]) -> None:
    assert names(chosen(**parts)) == expected


def test_a_target_is_the_node_itself() -> None:
    [target] = chosen(names=("n1",)).targets
    assert target == Target(kind="node", namespace="", name="n1", node="n1")
    assert target.path == "node/n1"


def test_a_count_is_drawn_with_the_seed_whatever_the_order() -> None:
    mixed = replace(SNAPSHOT, nodes=SNAPSHOT.nodes[::-1])
    drawn = {tuple(names(chosen(seed, count=2))) for seed in range(50)}
    assert drawn == {("n1", "n2"), ("n1", "n3"), ("n2", "n3")}
    assert all(chosen(seed, count=2) == chosen(seed, mixed, count=2) for seed in range(20))


def test_nodes_that_cannot_be_hit_are_skipped_with_the_reason() -> None:
    selection = chosen()
    assert (selection.candidates, selection.skipped) == (3, (("sick", "is not Ready"), ("win", "runs windows")))


@pytest.mark.parametrize(("parts", "message"), [
    ({"names": ("n1", "sock")}, "test: no node sock (nearest: sick)\n  → there are: n1, n2, n3, sick, win"),
    ({"labels": "zone=aa"}, "test: no node has zone=aa (nearest: zone=a, 3 nodes)\n  → there are: zone=a, zone=b, zone=c"),
    ({"labels": "disk=ssd"}, "test: no node has disk=ssd\n  → there are: zone=a"),
    ({"names": ("n1", "sick")}, "node n1,sick: cannot be hit: sick is not Ready\n  → wait"),
    ({"labels": "zone=c"}, "node zone=c: cannot be hit: win runs windows\n"),
])
def test_nothing_to_hit_names_what_is_wrong_and_what_is_nearest(parts: dict[str, object], message: str) -> None:
    with pytest.raises(NoTarget) as caught:
        chosen(**parts)
    assert str(caught.value).startswith(message)


def test_a_cluster_of_no_use() -> None:
    with pytest.raises(NoTarget, match="test: no node\n"):
        chosen(snapshot=replace(SNAPSHOT, nodes=()))
    with pytest.raises(NoTarget, match=r"node all: cannot be hit: .*; and 2 more"):
        chosen(snapshot=replace(SNAPSHOT, nodes=tuple(Node(name=f"n{number}", ready=False) for number in range(7))))
