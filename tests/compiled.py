"""Impairments compiled with the fewest words, and the lines of the programs that come out; for the tests of the kernel compiler."""

from __future__ import annotations

from typing import Any

from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.impairment import Chance, ClassRate, Delay, Direction, Impairment, TokenBucket
from chaos_modules.model.program import KernelProgram, Step
from chaos_modules.model.quantities import Duration, Percentage, Rate, Size
from chaos_modules.model.traffic import TrafficFilter

EGRESS, INGRESS = Direction.EGRESS, Direction.INGRESS
BUCKET = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("64kb"))
CLASS = ClassRate(rate=Rate.parse("80mbit"))


def chance(percentage: float, correlation: float = 0) -> Chance:
    """A share of the packets, in percent."""
    return Chance(percentage=Percentage.parse(percentage), correlation=Percentage.parse(correlation))


def delay(latency: str, jitter: str = "0", correlation: float = 0, **parts: Any) -> Delay:
    """A delay as scenario files write it."""
    return Delay(latency=Duration.parse(latency), jitter=Duration.parse(jitter), correlation=Percentage.parse(correlation), **parts)


def compiled(direction: Direction = EGRESS, **parts: Any) -> tuple[KernelProgram, ...]:
    """The alternatives for an impairment of all traffic, on a kernel that has the egress hook."""
    return tuple(one for one in alternatives(direction, **parts) if one.family == "netdev")


def alternatives(direction: Direction = EGRESS, **parts: Any) -> tuple[KernelProgram, ...]:
    """All of them, those for older kernels included."""
    return compile_programs(Wish(impairment=Impairment(**parts), traffic=TrafficFilter(), direction=direction, table="squall_t", ifb="sqifb"))


def tc_lines(steps: tuple[Step, ...]) -> list[str]:
    """The commands among the steps, without the nft scripts."""
    return [str(step) for step in steps if step.argv]


def chain(program: KernelProgram, name: str) -> list[str]:
    """The lines of one chain of the program's table."""
    script = next(step.nft for step in program.setup if step.nft)
    body = script.partition(f"chain {name} {{\n")[2].partition("\n  }")[0]
    return [line.strip() for line in body.splitlines()]
