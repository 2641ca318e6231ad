"""Nodes by name or label: who is hit, who is passed over and why."""

from __future__ import annotations

from random import Random

from ..model.errors import NoTarget
from ..model.labels import parse_selector, selects
from ..model.request import NodeSelector
from ..model.target import Node, Selection, Snapshot, Target
from .nearest import no_such_node


def select(snapshot: Snapshot, selector: NodeSelector, random: Random) -> Selection:
    """The nodes to hit. The same snapshot, selector and seed give the same nodes.

    Raises NoTarget when nothing matches or can be hit (naming the nearest match); a node that is named must be fit to be hit.
    """
    judged = [(node, obstacle(node)) for node in _matching(snapshot, selector)]
    eligible = [node.name for node, reason in judged if not reason]
    skipped = tuple((node.name, reason) for node, reason in judged if reason)
    if skipped and (selector.names or not eligible):
        what = "; ".join(f"{name} {reason}" for name, reason in skipped[:5]) + (f"; and {len(skipped) - 5} more" if len(skipped) > 5 else "")
        raise NoTarget(f"cannot be hit: {what}", selector.words, "wait until they are Ready, or select others")
    chosen = sorted(random.sample(eligible, min(selector.count or len(eligible), len(eligible))))
    targets = tuple(Target(kind="node", namespace="", name=name, node=name) for name in chosen)
    return Selection(targets=targets, candidates=len(eligible), skipped=skipped)


def obstacle(node: Node) -> str:
    """Why nothing can be hit on this node; empty when it can."""
    if not node.ready:
        return "is not Ready"
    return "" if node.operating_system == "linux" else f"runs {node.operating_system}"


def _matching(snapshot: Snapshot, selector: NodeSelector) -> list[Node]:
    """In the order of their names, whatever their state."""
    nodes = {node.name: node for node in sorted(snapshot.nodes, key=lambda node: node.name)}
    for name in selector.names:
        if name not in nodes:
            raise no_such_node(snapshot, selector, name)
    wanted = parse_selector(selector.labels) if selector.labels else ()
    found = [node for node in nodes.values() if (node.name in selector.names if selector.names else selects(wanted, dict(node.labels)))]
    if not found:
        raise no_such_node(snapshot, selector)
    return found
