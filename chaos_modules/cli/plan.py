"""`plan`: exactly what `run` would do, with -v all lines of every alternative; writes nothing but what `--save` asks for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..model.errors import EXIT_FAILED, EXIT_PASSED, BadInput
from ..model.plan import Plan, ScenarioPlan, document
from ..model.program import DEVICE, LEASE, KernelProgram
from .origin import origins
from .output import say
from .preparation import prepare
from .saved_plan import saved


def execute(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the plan; exit 1 when a scenario has no target, as `run` would."""
    prepared = prepare(arguments, environment)
    if arguments.save:
        try:
            Path(arguments.save).write_text(json.dumps(saved(prepared, arguments), indent=2) + "\n", encoding="utf-8")
        except (OSError, ValueError) as error:
            raise BadInput(f"the plan cannot be written: {error}", arguments.save, "choose another file") from None
    if arguments.format == "json":
        print(json.dumps(document(prepared.plan), indent=2))
    else:
        say("\n".join([*prepared.configuration.notices, *_lines(prepared.plan, verbose=bool(arguments.verbose))]))
    if arguments.show_origin:
        say("\n".join(f"{name} = {value}  ← {origin}" for name, value, origin in origins(prepared.configuration)))
    return EXIT_FAILED if any(scenario.unplannable for scenario in prepared.plan.scenarios) else EXIT_PASSED


def _lines(plan: Plan, *, verbose: bool) -> Iterator[str]:
    yield f"{plan.cluster}: run {plan.run_id}, seed {plan.seed}, lease {plan.lease_seconds} s"
    for scenario in plan.scenarios:
        yield ""
        yield from _scenario(scenario, plan.lease_seconds, verbose=verbose)
    if plan.observation:
        yield ""
        yield "watched meanwhile:"
        yield from (f"  {line}" for line in plan.observation)


def _scenario(scenario: ScenarioPlan, lease_seconds: int, *, verbose: bool) -> Iterator[str]:
    request = scenario.request
    wish = ", ".join(f"{name} {value}" for name, value in request.requested)
    yield f"{request.id}: {wish}  ({request.where})"
    if scenario.unplannable:
        yield f"  {scenario.unplannable.status}: {scenario.unplannable.what}"
        yield f"    → {scenario.unplannable.remedy}"
        return
    targets = list(dict.fromkeys(injection.target for injection in scenario.injections))
    kind = targets[0].kind
    where = "" if kind == "node" else f" on {len({target.node for target in targets})} nodes"
    yield f"  {len(targets)} of {scenario.candidates} {kind}s{where}, {request.sequence}, hold {request.hold}, ramp {request.ramp}"
    yield from (f"  warning: {warning}" for warning in scenario.warnings)
    yield from (f"  skipped {name}: {reason}" for name, reason in scenario.skipped)
    for injection in scenario.injections:
        yield f"  {injection.target.path} on {injection.target.node}: {injection.direction} of {injection.device}"
    for device, programs in dict.fromkeys((injection.device, injection.programs) for injection in scenario.injections):
        for number, program in enumerate(programs, 1):
            title = f"{program.direction}, {'first' if number == 1 else 'else'}: {program.engine}"
            lines = _program(program, title, whole=number == 1 or verbose)
            yield from (line.replace(DEVICE, device).replace(LEASE, f"{lease_seconds}s") for line in lines)


def _program(program: KernelProgram, title: str, *, whole: bool) -> Iterator[str]:
    yield f"  {title}{f' ({program.fidelity})' if program.fidelity else ''}"
    if not whole:
        return
    named = (("set up", program.setup), ("arm", (program.arm,)), ("renew", (program.renew,)), ("disarm", (program.disarm,)))
    for name, steps in (*named, ("flush", program.flush), ("remove", program.teardown)):
        for step in steps:
            first, *rest = str(step).rstrip().splitlines()
            yield f"    {name:8}{'nft  ' if step.nft else ''}{first}"
            yield from (f"            {line}" for line in rest)
