"""Requests + snapshot + seed → plan. Nothing is done yet, and the same input gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from ..kernel.compiler import compile_programs
from ..kernel.wish import Wish
from ..model.errors import BadInput, NoTarget, Refused, SquallError
from ..model.impairment import Direction, TokenBucket
from ..model.outcome import TargetStatus
from ..model.plan import Injection, Plan, ScenarioPlan, Unplannable
from ..model.program import KernelProgram
from ..model.request import ImpairmentRequest
from ..model.target import Selection, Snapshot
from ..safety.limits import breaches, enforce
from ..targets.peers import with_addresses
from ..targets.select import select
from ..targets.services import with_services


def build_plan(
    requests: Sequence[ImpairmentRequest], snapshot: Snapshot, *, run_id: str, seed: int, lease_seconds: int, enforce_limits: bool = False
) -> Plan:  # fmt: skip
    """The whole run. Raises BadInput for a fault that no kernel program can bring about; a scenario without targets is noted in the plan."""
    scenarios, index = [], 0
    for number, request in enumerate(requests):
        scenario = _plan_scenario(request, snapshot, random.Random(f"{seed}/{number}"), run_id, index, lease_seconds, enforce_limits)
        index += len(scenario.injections)
        scenarios.append(scenario)
    return Plan(run_id=run_id, seed=seed, cluster=snapshot.cluster, lease_seconds=lease_seconds, scenarios=tuple(scenarios))


def _plan_scenario(
    request: ImpairmentRequest, snapshot: Snapshot, chance: random.Random, run_id: str, index: int, lease_seconds: int, enforced: bool
) -> ScenarioPlan:  # fmt: skip
    home = request.selector.namespace
    traffic, services = with_services(request.traffic, snapshot, home)
    traffic, nobody = with_addresses(traffic, snapshot, home)
    request = replace(request, traffic=traffic, notices=(*request.notices, *services, *nobody))
    programs = {direction: _programs(request, direction, run_id) for direction in request.directions}
    try:
        selection = select(snapshot, request.selector, chance)
    except (NoTarget, Refused) as problem:
        status = TargetStatus.NO_TARGET if isinstance(problem, NoTarget) else TargetStatus.REFUSED
        what = f"{problem.where}: {problem.what}" if problem.where else problem.what
        unplannable = Unplannable(status=str(status), what=what, remedy=problem.remedy)
        return ScenarioPlan(request=request, candidates=0, skipped=(), injections=(), unplannable=unplannable)
    limits = _limits(request, selection, enforced)
    pairs = [(target, direction) for target in selection.targets for direction in request.directions]
    injections = tuple(
        Injection(index=index + offset, target=target, direction=str(direction), device=request.device, programs=programs[direction])
        for offset, (target, direction) in enumerate(pairs)
    )
    warnings = (*request.notices, *limits, *_backlog(request, lease_seconds))
    return ScenarioPlan(
        request=request, candidates=selection.candidates, skipped=selection.skipped, injections=injections, warnings=warnings
    )  # fmt: skip


def check_programs(request: ImpairmentRequest) -> None:
    """Raise BadInput for a fault that no kernel program can bring about; needs no cluster."""
    for direction in request.directions:
        _programs(request, direction, "00000000")


def _programs(request: ImpairmentRequest, direction: Direction, run_id: str) -> tuple[KernelProgram, ...]:
    wish = Wish(
        impairment=request.impairment, traffic=request.traffic, direction=direction,
        table=f"squall_{run_id}_{direction}", ifb=f"sq{run_id}",
    )  # fmt: skip
    try:
        return compile_programs(wish)
    except SquallError as error:
        raise BadInput(error.what, request.where, error.remedy) from None


def _limits(request: ImpairmentRequest, selection: Selection, enforced: bool) -> tuple[str, ...]:
    found = breaches(request, selection)
    if enforced:
        enforce(request, found)
    return tuple(breach.text for breach in found)


def _backlog(request: ImpairmentRequest, lease_seconds: int) -> tuple[str, ...]:
    """A killed injector cannot flush: what is queued then drains at the fault's own rate."""
    rate, delay = request.impairment.rate, request.impairment.delay
    if delay and delay.latency.seconds > lease_seconds:
        return (f"a delay of {delay.latency} is longer than the lease: if the injector is killed, packets stay delayed past it",)
    if not isinstance(rate, TokenBucket):
        return ()
    seconds = rate.limit.octets * 8 / rate.rate.bits_per_second
    if seconds <= lease_seconds:
        return ()
    return (f"a full queue ({rate.limit}) takes {seconds:.1f} s at {rate.rate}: if the injector is killed, packets stay delayed past its lease",)
