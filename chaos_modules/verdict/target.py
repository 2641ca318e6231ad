"""One target: facts → outcome."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.outcome import Judged, Measurement, TargetOutcome, TargetStatus
from ..model.peer import PeerCount
from ..model.plan import Injection
from ..model.program import KernelProgram
from ..model.request import ImpairmentRequest
from .facts import TargetFacts
from .measure import rate, share
from .peers import at_peer, resolved, touches

# Arming and measuring are commands, which take their time on a busy node.
HOLD_TOLERANCE = 0.5


def conclude(
    request: ImpairmentRequest, injection: Injection, facts: TargetFacts, counts: Sequence[PeerCount], before: Sequence[PeerCount] = ()
) -> TargetOutcome:  # fmt: skip
    """Requested, applied, in effect, measured and reverted, each from its own evidence."""
    traffic = resolved(request.traffic, facts.addresses)
    program = next((one for one in injection.programs if one.engine == facts.engine), injection.programs[0])
    measured = _measured(program, facts)
    touched, usual = ([count for count in some if touches(injection, traffic, count)] for some in (counts, before))
    peer = at_peer(program.effect, touched, usual) if facts.armed else ()
    status, reason = _status(facts, measured + peer, request.hold.seconds)
    return TargetOutcome(
        target=injection.target.path, node=injection.target.node, device=facts.device or injection.device, direction=injection.direction,
        engine=facts.engine, requested=request.requested, status=status, in_effect=_in_effect(facts), traffic=facts.packets("matched"),
        measured=measured, at_peer=peer, reverted=_reverted(facts), started=facts.armed, ended=facts.ended, reason=reason,
        fidelity=facts.fidelity, rehearsed=facts.rehearsed, rejected=facts.rejected, residue=facts.left or (),
    )  # fmt: skip


def _in_effect(facts: TargetFacts) -> bool:
    """Found to be there right after arming and at every look until the end of the hold."""
    witnessed = facts.armed is not None and facts.ended is not None and facts.status in ("passed", "interrupted")
    return witnessed or (not facts.status and facts.told in ("passed", "no-traffic"))


def _reverted(facts: TargetFacts) -> bool | None:
    """None: nothing had been put there. A killed injector reverts nothing; its lease only ends the effect."""
    if facts.left is not None:
        return not facts.left
    return False if facts.engine or (facts.begun and not facts.status) else None


def _measured(program: KernelProgram, facts: TargetFacts) -> tuple[tuple[str, Measurement], ...]:
    effect, matched, independent = program.effect, facts.packets("matched"), program.effect.independent
    lost, copied = facts.netem()
    dropped = lost if effect.loss_in_queue else facts.packets("dropped")
    duplicated = copied if effect.copies_in_queue else facts.packets("duplicated")
    found = []
    if effect.loss is not None and matched and not (effect.loss_in_queue and effect.rate):
        found.append(("loss", share(dropped, matched, effect.loss / 1e6, "kernel", independent=independent)))
    if effect.duplicate is not None and matched:
        found.append(("duplicate", share(duplicated, matched - dropped, effect.duplicate / 1e6, "kernel", independent=independent)))
    if effect.rate is not None and matched:
        octets, seconds, packets = facts.saturated()
        # A delay line is never empty; only a bucket behind it tells whether the rate was reached.
        saturated = seconds > 0 and (effect.delay is None or "tbf" in program.engine)
        octets, seconds, packets = (octets, seconds, packets) if saturated else facts.through_queue()
        found.append(("rate", rate(octets, seconds, packets, effect.rate, saturated=saturated)))
    return tuple(found)


def _status(facts: TargetFacts, measurements: Sequence[tuple[str, Measurement]], hold: float) -> tuple[TargetStatus, str]:
    if not facts.status:
        return _without_log(facts)
    if facts.clock_offset:
        side = "ahead of" if facts.clock_offset > 0 else "behind"
        return TargetStatus.REFUSED, f"the node's clock is {abs(facts.clock_offset):.0f} s {side} the runner's"
    status = TargetStatus(facts.status)
    if status is not TargetStatus.PASSED:
        return status, facts.reason
    held = (facts.ended or 0.0) - (facts.armed or 0.0)
    if facts.armed is None or facts.ended is None or held < hold - HOLD_TOLERANCE:
        return TargetStatus.NOT_IN_EFFECT, f"it was in effect for {held:.1f} s instead of {hold:g} s"
    if not facts.packets("matched"):
        return TargetStatus.NO_TRAFFIC, "no packet met the fault: nothing matched the filter while it was in effect"
    wrong = [_wrong(name, one) for name, one in measurements if one.judged is Judged.YES and not one.within_tolerance]
    return (TargetStatus.OUT_OF_TOLERANCE, "; ".join(wrong)) if wrong else (TargetStatus.PASSED, "")


def _without_log(facts: TargetFacts) -> tuple[TargetStatus, str]:
    if facts.told:
        return TargetStatus(facts.told), f"by its injector's last word, since its log could not be read{facts.reason and ': '}{facts.reason}"
    status = TargetStatus.NOT_IN_EFFECT if facts.armed else TargetStatus.NOT_APPLIED
    return status, facts.lost or "its injector ended without a word"


def _wrong(name: str, one: Measurement) -> str:
    return f"{name} was {one.value:.6g} {one.unit} ({one.source}, {one.samples} samples) instead of {one.requested:.6g}"
