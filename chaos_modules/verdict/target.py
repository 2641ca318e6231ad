"""One target: facts → outcome."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.outcome import Judged, Measurement, TargetOutcome, TargetStatus
from ..model.peer import PeerCount
from ..model.plan import Injection
from ..model.request import ImpairmentRequest
from .facts import TargetFacts
from .measure import rate, share
from .peers import at_peer, resolved, touches


def conclude(request: ImpairmentRequest, injection: Injection, facts: TargetFacts, counts: Sequence[PeerCount]) -> TargetOutcome:
    """Requested, applied, in effect, measured and reverted, each from its own evidence."""
    traffic = resolved(request.traffic, facts.addresses)
    effect = injection.programs[0].effect
    measured = _measured(injection, facts)
    peer = at_peer(effect, [count for count in counts if touches(injection, traffic, count)]) if facts.armed else ()
    status, reason = _status(facts, measured + peer)
    return TargetOutcome(
        target=injection.target.path, node=injection.target.node, device=facts.device or injection.device, direction=injection.direction,
        engine=facts.engine, requested=request.requested, status=status, in_effect=_in_effect(facts), traffic=facts.packets("matched"),
        measured=measured, at_peer=peer, reverted=_reverted(facts), started=facts.armed, ended=facts.ended, reason=reason,
        fidelity=facts.fidelity, rehearsed=facts.rehearsed, rejected=facts.rejected, residue=facts.left or (),
    )  # fmt: skip


def _in_effect(facts: TargetFacts) -> bool:
    """Found to be there right after arming and at every look until the end of the hold."""
    return facts.armed is not None and facts.ended is not None and facts.status in ("passed", "interrupted")


def _reverted(facts: TargetFacts) -> bool | None:
    """None: nothing had been put there. A killed injector reverts nothing; its lease only ends the effect."""
    if facts.left is not None:
        return not facts.left
    return False if facts.engine else None


def _measured(injection: Injection, facts: TargetFacts) -> tuple[tuple[str, Measurement], ...]:
    effect, matched = injection.programs[0].effect, facts.packets("matched")
    found = []
    if effect.loss is not None and matched:
        found.append(("loss", share(facts.packets("dropped"), matched, effect.loss / 1e6, "kernel")))
    if effect.duplicate is not None and matched:
        kept = matched - facts.packets("dropped")
        found.append(("duplicate", share(facts.packets("duplicated"), kept, effect.duplicate / 1e6, "kernel")))
    if effect.rate is not None and matched:
        octets, seconds, packets = facts.saturated()
        saturated = seconds > 0
        octets, seconds, packets = (octets, seconds, packets) if saturated else facts.through_queue()
        found.append(("rate", rate(octets, seconds, packets, effect.rate, saturated=saturated)))
    return tuple(found)


def _status(facts: TargetFacts, measurements: Sequence[tuple[str, Measurement]]) -> tuple[TargetStatus, str]:
    if not facts.status:
        status = TargetStatus.NOT_IN_EFFECT if facts.armed else TargetStatus.NOT_APPLIED
        return status, facts.lost or "its injector ended without a word"
    status = TargetStatus(facts.status)
    if status is not TargetStatus.PASSED:
        return status, facts.reason
    if not facts.packets("matched"):
        return TargetStatus.NO_TRAFFIC, "no packet met the fault: nothing matched the filter while it was in effect"
    wrong = [_wrong(name, one) for name, one in measurements if one.judged is Judged.YES and not one.within_tolerance]
    return (TargetStatus.OUT_OF_TOLERANCE, "; ".join(wrong)) if wrong else (TargetStatus.PASSED, "")


def _wrong(name: str, one: Measurement) -> str:
    return f"{name} was {one.value:.6g} {one.unit} ({one.source}, {one.samples} samples) instead of {one.requested:.6g}"
