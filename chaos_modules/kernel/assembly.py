"""Steering, copies and queues put together into one program for one hook of one device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..model.impairment import Direction
from ..model.program import DEVICE, KernelProgram, Probe, Step
from . import nft, tc
from .effect import expected_effect
from .probe import find_probe
from .queues import Queue, build_queue
from .wish import Shares, Wish


def assemble(wish: Wish, shares: Shares) -> KernelProgram:
    """The program for the wish's hook."""
    return _ingress(wish, shares) if wish.hook is Direction.INGRESS else _egress(wish, shares)


def assemble_without_root(wish: Wish, shares: Shares) -> KernelProgram:
    """Loss by an nft verdict at egress, and copies: nothing that needs a queue. The sender is told of the loss (ENOBUFS with IP_RECVERR)."""
    fault, guard = _fault_rules(shares, Queue(), steer_loss=False)
    engine = ["nft-drop", *(["nft-dup"] if shares.duplicate else [])]
    return _program(wish, shares, guard=guard, fault=fault, engine=engine)


def assemble_at_postrouting(wish: Wish, shares: Shares) -> KernelProgram:
    """The same steering from inet postrouting, or from the bridge's for a bridged device; for kernels without the egress hook (before 5.16).

    Only a netdev chain can copy to a device, so that `shares` must leave copies to the queue.
    """
    program = _egress(wish, shares, family="bridge" if wish.reversed else "inet")
    return replace(program, engine=f"{program.engine}@postrouting")


def _egress(wish: Wish, shares: Shares, family: str = "netdev") -> KernelProgram:
    """Steering by packet priority into classes of our root; copies by `dup`, which needs no root."""
    queue = build_queue(shares.queued, DEVICE)
    fault, guard = _fault_rules(shares, queue, steer_loss=True)
    setup, expected = queue.setup, queue.expected
    if shares.loss:
        step, qdisc = tc.blackhole(DEVICE)
        setup, expected = (*setup, tc.open_class(DEVICE, tc.DROP_CLASS), step), (*expected, qdisc)
    if setup:
        step, qdisc = tc.root(DEVICE)
        setup, expected = (step, *setup), (qdisc, *expected)
    engine = [*(["blackhole"] if shares.loss else []), *queue.engine, *(["nft-dup"] if shares.duplicate else [])]
    program = _program(wish, shares, guard=guard, fault=fault, engine=engine, family=family)
    teardown = (tc.delete_root(DEVICE),) if setup else ()
    return replace(
        program, setup=(*setup, *program.setup), qdiscs=expected, flush=queue.flush, leaf=queue.leaf, needs_root=bool(setup),
        teardown=(*program.teardown, *teardown),
    )  # fmt: skip


def _ingress(wish: Wish, shares: Shares) -> KernelProgram:
    """Loss at the ingress hook itself; what needs a queue, or a copy, is forwarded to an ifb of ours and treated at its egress hook.

    A `dup` at the ingress hook would send the copy back to the peer.
    """
    queue = build_queue(shares.queued, wish.ifb)
    rules = ["counter name matched", *_dropped(shares)]
    if not shares.duplicate and not queue.leaf:
        return _program(wish, shares, guard="", fault=rules, engine=["nft-drop"])
    step, qdisc = tc.root(wish.ifb) if queue.leaf else tc.plain_queue(wish.ifb)
    engine = ["ifb", *queue.engine, *(["nft-dup"] if shares.duplicate else [])]
    fault = [*rules, f'fwd to "{wish.ifb}"']
    program = _program(wish, shares, guard="", fault=fault, engine=engine, delivery=_delivery(wish, shares, queue))
    return replace(
        program, setup=(*tc.intermediate_device(wish.ifb), step, *queue.setup, *program.setup), qdiscs=(qdisc, *queue.expected),
        flush=queue.flush, leaf=queue.leaf, ifb=wish.ifb, queue_device=wish.ifb, teardown=(*program.teardown, tc.delete_device(wish.ifb)),
    )  # fmt: skip


def _dropped(shares: Shares) -> list[str]:
    return [f"{nft.chance(shares.loss.percentage)}counter name dropped drop"] if shares.loss else []


def _fault_rules(shares: Shares, queue: Queue, *, steer_loss: bool) -> tuple[list[str], str]:
    """What happens to a matching packet, in this order: lost, or queued, and then copied (so that a copy inherits the queue)."""
    rules, guard = ["counter name matched"], ""
    if shares.loss and steer_loss:
        # One random draw decides; the verdict must not depend on a second one, so the lost packets take a chain of their own.
        rules.append(f"{nft.chance(shares.loss.percentage)}goto lost")
    else:
        rules += _dropped(shares)
    if queue.leaf:
        rules.append(nft.steer(tc.FAULT_CLASS))
    if shares.duplicate:
        guard, copy = nft.copies(shares.duplicate.percentage, DEVICE)
        rules.append(copy)
    return rules, guard


def _delivery(wish: Wish, shares: Shares, queue: Queue) -> list[str]:
    """The ifb's egress: everything that comes here was already chosen."""
    steer = [nft.steer(tc.FAULT_CLASS)] if queue.leaf else []
    if shares.duplicate is None:
        return steer
    guard, copy = nft.copies(shares.duplicate.percentage, wish.ifb)
    return [guard, *steer, copy]


def _program(
    wish: Wish, shares: Shares, *, guard: str, fault: list[str], engine: Sequence[str], delivery: Sequence[str] = (), family: str = "netdev"
) -> KernelProgram:  # fmt: skip
    """The nftables part, which every program has, and everything that follows from the wish alone."""
    table = nft.Table(name=wish.table, link_layer=wish.traffic.link_layer, family=family)
    for counter in ("matched", "dropped", "duplicated"):
        table.counter(counter)
    if any(rule.endswith("goto lost") for rule in fault):
        table.chain("lost", [f"counter name dropped {nft.steer(tc.DROP_CLASS)}"])
    table.chain("fault", fault)
    hosts = nft.filter_chain(table, wish.traffic, wish.direction, "fault")
    leaving, hook = ("", str(wish.hook)) if family == "netdev" else (f'oifname "{DEVICE}" ', nft.POSTROUTING)
    table.chain("entry", ([guard] if guard else []) + [f"{leaving}meta protocol @lease jump filter"], hook=hook)
    if delivery:
        table.chain("delivery", delivery, hook="egress", device=wish.ifb)
    effect = expected_effect(wish.impairment, shares)
    return KernelProgram(
        engine="+".join(engine), direction=str(wish.hook), family=family, table=wish.table, effect=effect,
        setup=(Step(nft=table.script()),), arm=table.arm(), renew=table.renew(), disarm=table.disarm(), flush=(),
        teardown=(table.delete(),), rules=table.rules, hosts=hosts,
        probe=find_probe(wish.traffic, wish.direction, effect) or Probe(source="", destination="", count=0),
    )  # fmt: skip
