"""One selector, one resolver: a new kind of target is a module beside this one and a line here."""

from __future__ import annotations

from random import Random

from ..model.request import NodeSelector, Selector
from ..model.target import Selection, Snapshot
from . import nodes, pods


def select(snapshot: Snapshot, selector: Selector, random: Random) -> Selection:
    """Whom to hit. Raises NoTarget, Refused."""
    if isinstance(selector, NodeSelector):
        return nodes.select(snapshot, selector, random)
    return pods.select(snapshot, selector, random)
