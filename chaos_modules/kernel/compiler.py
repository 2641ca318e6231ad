"""Each impairment as an ordered list of programs; the injector takes the first that the rehearsal proves on its node (design: alternatives)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..model.errors import BadInput
from ..model.impairment import Chance, ClassRate, Direction, Impairment, TokenBucket
from ..model.program import DEVICE, Effect, ExpectedQdisc, KernelProgram, Probe, Step
from ..model.traffic import TrafficFilter
from . import nft, tc
from .probe import find_probe

SENDER_VISIBLE = "sender-visible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to compile, and the names under which our objects will be found: `table`, and `ifb` (at most 15 characters)."""

    impairment: Impairment
    traffic: TrafficFilter
    direction: Direction
    table: str
    ifb: str


def compile_programs(wish: Wish) -> tuple[KernelProgram, ...]:
    """The alternatives for one target and direction, best first. Raises BadInput for an impairment that no program can bring about."""
    _refuse_unsupported(wish.impairment)
    if wish.direction is Direction.INGRESS:
        return (_ingress(wish),)
    first = _egress(wish)
    if wish.impairment.loss is not None and wish.impairment.rate is None:
        return (first, _egress_without_root(wish))
    return (first,)


def _refuse_unsupported(impairment: Impairment) -> None:
    netem_only = {"delay": impairment.delay, "corrupt": impairment.corrupt, "reorder": impairment.reorder}
    wanted = [name for name, value in netem_only.items() if value is not None]
    for name, chance in (("loss", impairment.loss), ("duplicate", impairment.duplicate)):
        if chance is None:
            continue
        if not isinstance(chance, Chance):
            wanted.append(f"a burst model of {name}")
        elif chance.correlation.millionths and not impairment.approximate:
            wanted.append(f"correlation of {name}")
    if wanted:
        raise BadInput(f"{', '.join(wanted)}: no kernel program of this version can do that", remedy="leave it out, or set it to 0")
    if not (impairment.loss or impairment.duplicate or impairment.rate):
        raise BadInput("the fault changes nothing", remedy="ask for loss, duplication or a rate")


def _chance(value: object) -> Chance | None:
    return value if isinstance(value, Chance) else None


def _effect(impairment: Impairment) -> Effect:
    loss, duplicate, rate = _chance(impairment.loss), impairment.duplicate, impairment.rate
    return Effect(
        loss=loss.percentage.millionths if loss else None,
        duplicate=duplicate.percentage.millionths if duplicate else None,
        rate=rate.rate.bits_per_second if rate else None,
        burst=rate.burst.octets if isinstance(rate, TokenBucket) else tc.class_burst(rate.rate) if rate else 0,
    )


def _fidelity(impairment: Impairment) -> str:
    chances = (_chance(impairment.loss), impairment.duplicate)
    return "uncorrelated" if any(chance and chance.correlation.millionths for chance in chances) else ""


@dataclass(frozen=True, slots=True)
class _Queue:
    """The qdiscs on one device: lines, what must be found, how to let the queue drain."""

    setup: tuple[Step, ...] = ()
    expected: tuple[ExpectedQdisc, ...] = ()
    flush: tuple[Step, ...] = ()
    leaf: str = ""


def _rate_queue(rate: TokenBucket | ClassRate | None, device: str) -> _Queue:
    if rate is None:
        return _Queue()
    if isinstance(rate, TokenBucket):
        leaf, expected = tc.token_bucket(device, rate)
        return _Queue((tc.open_class(device, tc.FAULT_CLASS), leaf), (expected,), (tc.flush_token_bucket(device, rate),), tc.FAULT_LEAF)
    leaf, expected = tc.class_queue(device)
    return _Queue((tc.capped_class(device, rate.rate), leaf), (expected,), (tc.uncap_class(device),), tc.FAULT_LEAF)


def _egress(wish: Wish) -> KernelProgram:
    """Steering by packet priority into classes of our root; copies by `dup`, which needs no root."""
    impairment, loss = wish.impairment, _chance(wish.impairment.loss)
    queue = _rate_queue(impairment.rate, DEVICE)
    fault, guard = _fault_rules(wish, DEVICE, steer_loss=True)
    setup, expected = queue.setup, queue.expected
    if loss:
        step, qdisc = tc.blackhole(DEVICE)
        setup, expected = (*setup, tc.open_class(DEVICE, tc.DROP_CLASS), step), (*expected, qdisc)
    if setup:
        step, qdisc = tc.root(DEVICE)
        setup, expected = (step, *setup), (qdisc, *expected)
    program = _program(wish, guard=guard, fault=fault, setup=setup, expected=expected, engine=_engine(wish))
    teardown = (tc.delete_root(DEVICE),) if setup else ()
    return replace(program, flush=queue.flush, leaf=queue.leaf, needs_root=bool(setup), teardown=(*program.teardown, *teardown))


def _egress_without_root(wish: Wish) -> KernelProgram:
    """Loss by an nft verdict. The sender is told (ENOBUFS with IP_RECVERR) and TCP sees a local drop: only where the root is not ours to take."""
    fault, guard = _fault_rules(wish, DEVICE, steer_loss=False)
    program = _program(wish, guard=guard, fault=fault, setup=(), expected=(), engine=_engine(wish).replace("blackhole", "nft-drop"))
    return replace(program, fidelity=", ".join(filter(None, (SENDER_VISIBLE, program.fidelity))))


def _ingress(wish: Wish) -> KernelProgram:
    """Loss at the ingress hook itself; what needs a queue, or a copy, is forwarded to an ifb of ours and treated at its egress hook.

    A `dup` at the ingress hook would send the copy back to the peer.
    """
    impairment, loss = wish.impairment, _chance(wish.impairment.loss)
    rules = ["counter name matched"]
    if loss:
        rules.append(f"{nft.chance(loss.percentage)}counter name dropped drop")
    if not impairment.duplicate and not impairment.rate:
        return _program(wish, guard="", fault=rules, setup=(), expected=(), engine="nft-drop")
    rules.append(f'fwd to "{wish.ifb}"')
    queue = _rate_queue(impairment.rate, wish.ifb)
    step, qdisc = tc.root(wish.ifb) if impairment.rate else tc.plain_queue(wish.ifb)
    setup = (*tc.intermediate_device(wish.ifb), step, *queue.setup)
    program = _program(wish, guard="", fault=rules, setup=setup, expected=(qdisc, *queue.expected), engine=f"ifb+{_engine(wish)}", ifb=True)
    teardown = (*program.teardown, tc.delete_device(wish.ifb))
    return replace(program, flush=queue.flush, leaf=queue.leaf, ifb=wish.ifb, queue_device=wish.ifb, teardown=teardown)


def _engine(wish: Wish) -> str:
    impairment = wish.impairment
    parts = []
    if impairment.loss and wish.direction is Direction.EGRESS:
        parts.append("blackhole")
    if impairment.rate:
        parts.append("tbf" if isinstance(impairment.rate, TokenBucket) else "htb")
    if impairment.duplicate:
        parts.append("nft-dup")
    return "+".join(parts)


def _fault_rules(wish: Wish, device: str, *, steer_loss: bool) -> tuple[list[str], str]:
    """What happens to a matching packet, in this order: lost, or queued, and then copied (so that a copy inherits the queue)."""
    impairment, loss = wish.impairment, _chance(wish.impairment.loss)
    rules, guard = ["counter name matched"], ""
    if loss and steer_loss:
        # One random draw decides; the verdict must not depend on a second one, so the lost packets take a chain of their own.
        rules.append(f"{nft.chance(loss.percentage)}goto lost")
    elif loss:
        rules.append(f"{nft.chance(loss.percentage)}counter name dropped drop")
    if impairment.rate:
        rules.append(nft.steer(tc.FAULT_CLASS))
    if impairment.duplicate:
        guard, copy = nft.copies(impairment.duplicate.percentage, device)
        rules.append(copy)
    return rules, guard


def _program(
    wish: Wish, *, guard: str, fault: list[str], setup: tuple[Step, ...], expected: tuple[ExpectedQdisc, ...], engine: str, ifb: bool = False
) -> KernelProgram:  # fmt: skip
    table = nft.Table(name=wish.table, link_layer=wish.traffic.link_layer)
    for counter in ("matched", "dropped", "duplicated"):
        table.counter(counter)
    if any(rule.endswith("goto lost") for rule in fault):
        table.chain("lost", [f"counter name dropped {nft.steer(tc.DROP_CLASS)}"])
    table.chain("fault", fault)
    hosts = nft.filter_chain(table, wish.traffic, wish.direction, "fault")
    entry = ([guard] if guard else []) + ["meta protocol @lease jump filter"]
    table.chain("entry", entry, hook=str(wish.direction))
    if ifb:
        table.chain("delivery", _delivery(wish), hook="egress", device=wish.ifb)
    effect = _effect(wish.impairment)
    return KernelProgram(
        engine=engine, direction=str(wish.direction), table=wish.table, effect=effect,
        setup=(*setup, Step(nft=table.script())), arm=table.arm(), renew=table.renew(), disarm=table.disarm(), flush=(),
        teardown=(table.delete(),), rules=table.rules, qdiscs=expected, hosts=hosts,
        probe=find_probe(wish.traffic, wish.direction, effect) or Probe(source="", destination="", count=0),
        fidelity=_fidelity(wish.impairment),
    )  # fmt: skip


def _delivery(wish: Wish) -> list[str]:
    """The ifb's egress: everything that comes here was already chosen."""
    rules = []
    if wish.impairment.duplicate:
        guard, copy = nft.copies(wish.impairment.duplicate.percentage, wish.ifb)
        rules = [guard, copy]
    if wish.impairment.rate:
        rules.insert(len(rules) and 1, nft.steer(tc.FAULT_CLASS))
    return rules
