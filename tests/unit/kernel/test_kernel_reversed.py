"""The device may be the host's end of the workload's: then the hook is the other one, and the filter stays the workload's."""

from __future__ import annotations

import pytest

from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.impairment import Chance, Direction, Impairment, TokenBucket
from chaos_modules.model.program import KernelProgram
from chaos_modules.model.quantities import Percentage, Rate, Size
from chaos_modules.model.traffic import PortRange, TrafficFilter, TrafficRule

LOSS = Impairment(loss=Chance(percentage=Percentage.parse(5)))
RATE = Impairment(rate=TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("64kb")))
MINE = TrafficFilter(include=(TrafficRule(remote_ports=(PortRange(80, 80),)),))


def first(impairment: Impairment, direction: Direction, *, reverse: bool = True) -> KernelProgram:
    wish = Wish(impairment=impairment, traffic=MINE, direction=direction, table="squall_t", ifb="sqifb", reversed=reverse)
    return compile_programs(wish)[0]


def script(program: KernelProgram) -> str:
    return next(step.nft for step in program.setup if step.nft)


@pytest.mark.parametrize(("direction", "side"), [(Direction.EGRESS, "dport"), (Direction.INGRESS, "sport")])
def test_the_hook_is_the_devices_and_the_filter_the_workloads(direction: Direction, side: str) -> None:
    program = first(LOSS, direction)
    assert program.direction == str(direction.opposite)
    assert f'hook {direction.opposite} device "%device%"' in script(program)
    assert f"th {side} {{ 80 }}" in script(program)
    assert (program.probe.destination_port if direction is Direction.EGRESS else program.probe.source_port) == 80


def test_what_a_reversed_device_sends_needs_no_ifb_and_what_it_gets_does() -> None:
    outward, inward = first(RATE, Direction.EGRESS), first(RATE, Direction.INGRESS)
    assert (outward.ifb, outward.queue_device, outward.needs_root) == ("sqifb", "sqifb", False)
    assert (inward.ifb, inward.queue_device, inward.needs_root) == ("", "%device%", True)
    assert first(LOSS, Direction.EGRESS).engine == first(LOSS, Direction.INGRESS, reverse=False).engine == "nft-drop"
    assert first(LOSS, Direction.INGRESS).engine == first(LOSS, Direction.EGRESS, reverse=False).engine == "blackhole"
