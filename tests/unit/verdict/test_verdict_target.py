"""One target: requested, in effect, measured and reverted, each from its own evidence."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import ARMED, ENDED, counters, injection, peer_count, request, target

from chaos_modules.model.impairment import Chance, ClassRate, Delay, Impairment, TokenBucket
from chaos_modules.model.outcome import Judged, TargetOutcome, TargetStatus
from chaos_modules.model.quantities import Duration, Percentage, Rate, Size
from chaos_modules.verdict.facts import TargetFacts
from chaos_modules.verdict.target import conclude

BUCKET = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("64kb"))


def life(end: dict[str, Any] | None = None, status: str = "passed", **changes: Any) -> TargetFacts:
    """A life of 30 seconds that loses a fifth of 5000 packets, unless told otherwise."""
    samples = [(ARMED, counters(0, bytes=0)), (ENDED, end or counters(5000, 1000))]
    parts: dict[str, Any] = {
        "engine": "blackhole", "device": "eth0", "rehearsed": "proven", "armed": ARMED, "ended": ENDED, "samples": samples,
        "left": (), "status": status,
    }
    return TargetFacts(**{**parts, **changes})


def concluded(facts: TargetFacts, impairment: Impairment | None = None, *counts: Any) -> TargetOutcome:
    wish = request(**({"impairment": impairment} if impairment else {}))
    return conclude(wish, injection(wish, target()), facts, counts)


def test_a_target_that_passed() -> None:
    one = concluded(life(), None, peer_count(sent=5000, distinct=4000, received=4000), peer_count(sender="shop/web-1", distinct=1))
    assert (one.status, one.reason, one.in_effect, one.reverted, one.traffic) == (TargetStatus.PASSED, "", True, True, 5000)
    assert (one.target, one.node, one.device, one.direction, one.engine) == ("pod/shop/web-0", "worker-1", "eth0", "egress", "blackhole")
    assert (one.started, one.ended, one.requested, one.rehearsed) == (ARMED, ENDED, (("loss", "20%"),), "proven")
    assert (dict(one.measured)["loss"].value, dict(one.at_peer)["loss"].value) == (0.2, 0.2)


@pytest.mark.parametrize("status", ["not-applied", "refused", "lapsed", "not-in-effect", "interrupted"])
def test_the_injector_s_own_status_stands(status: str) -> None:
    one = concluded(life(status=status, reason="because"))
    assert (one.status, one.reason) == (TargetStatus(status), "because")
    assert one.in_effect is (status == "interrupted")


def test_no_matching_packet_is_no_proof() -> None:
    one = concluded(life(counters(0)))
    assert (one.status, one.traffic, one.measured) == (TargetStatus.NO_TRAFFIC, 0, ())
    assert "no packet met the fault" in one.reason


def test_a_wrong_share_is_out_of_tolerance_and_says_the_numbers() -> None:
    one = concluded(life(counters(5000, 500)))
    assert one.status is TargetStatus.OUT_OF_TOLERANCE
    assert one.reason == "loss was 0.1 share (kernel, 5000 samples) instead of 0.2"
    assert one.in_effect is True


def test_a_wrong_share_of_few_packets_is_not() -> None:
    one = concluded(life(counters(500, 0)))
    assert one.status is TargetStatus.PASSED


def test_the_peer_alone_can_disprove_it() -> None:
    one = concluded(life(), None, peer_count(sent=5000, distinct=5000, received=5000))
    assert one.status is TargetStatus.OUT_OF_TOLERANCE
    assert "(peer, 5000 samples)" in one.reason


def test_copies_are_held_against_what_was_not_lost() -> None:
    both = Impairment(loss=Chance(percentage=Percentage.parse(20)), duplicate=Chance(percentage=Percentage.parse(50)))
    one = concluded(life(counters(5000, 1000, 2000)), both)
    assert (one.status, dict(one.measured)["duplicate"].value) == (TargetStatus.PASSED, 0.5)
    assert dict(one.measured)["duplicate"].samples == 4000


def test_a_saturated_rate_is_judged() -> None:
    samples = [(ARMED, counters(0, bytes=0, backlog=9)), (ARMED + 10, counters(900, bytes=2_500_000, packets=900, backlog=9))]
    one = concluded(life(samples=samples, engine="tbf"), Impairment(rate=BUCKET))
    assert one.status is TargetStatus.OUT_OF_TOLERANCE
    assert one.reason == "rate was 2e+06 bit/s (kernel, 900 samples) instead of 1e+06"


def test_an_idle_rate_is_told_and_not_judged() -> None:
    one = concluded(life(counters(10, bytes=1000, packets=10)), Impairment(rate=BUCKET))
    found = dict(one.measured)["rate"]
    assert (one.status, found.value, found.detail) == (TargetStatus.PASSED, 1000 * 8 / 30, "the traffic did not fill the queue")


@pytest.mark.parametrize(("changes", "reverted"), [
    ({"left": ()}, True),
    ({"left": ("nft delete table netdev t",)}, False),
    ({"left": None}, False),                                   # killed: the lease ends the effect, nothing is removed
    ({"left": None, "engine": "", "armed": None, "ended": None, "samples": []}, None),
])
def test_reverted(changes: dict[str, Any], reverted: bool | None) -> None:
    one = concluded(life(**changes))
    assert one.reverted is reverted
    assert one.residue == (changes["left"] or ())


@pytest.mark.parametrize(("changes", "status", "reason"), [
    ({"lost": "killed by SIGKILL"}, TargetStatus.NOT_IN_EFFECT, "killed by SIGKILL"),
    ({"armed": None, "ended": None, "samples": [], "lost": "no injector"}, TargetStatus.NOT_APPLIED, "no injector"),
    ({"armed": None, "ended": None, "samples": []}, TargetStatus.NOT_APPLIED, "its injector ended without a word"),
])
def test_an_injector_that_never_finished(changes: dict[str, Any], status: TargetStatus, reason: str) -> None:
    one = concluded(life(status="", **changes), None, peer_count())
    assert (one.status, one.reason, one.in_effect) == (status, reason, False)
    assert bool(one.at_peer) is ("armed" not in changes)


def test_in_effect_needs_the_last_look() -> None:
    assert concluded(life(ended=None)).in_effect is False


FIFTH = Percentage.parse(20)
CLUMPS = Chance(percentage=FIFTH, correlation=Percentage.parse(25))


def test_a_loss_by_netem_is_told_by_its_queue() -> None:
    one = concluded(life(counters(5000, packets=4000, drops=1000, qlen=0), engine="netem"))
    assert (one.status, dict(one.measured)["loss"].value, dict(one.measured)["loss"].judged) == (TargetStatus.PASSED, 0.2, Judged.YES)
    one = concluded(life(counters(5000, packets=4500, drops=500, qlen=0), engine="netem"))
    assert one.status is TargetStatus.OUT_OF_TOLERANCE


def test_copies_by_netem_are_told_by_its_queue() -> None:
    copies = Impairment(duplicate=Chance(percentage=FIFTH))
    one = concluded(life(counters(5000, packets=5990, drops=0, qlen=10), engine="netem"), copies)
    assert (one.status, dict(one.measured)["duplicate"].value) == (TargetStatus.PASSED, 0.2)
    one = concluded(life(counters(5000, 0, 1000, packets=5000, drops=0, qlen=0), engine="netem"), copies)
    assert one.status is TargetStatus.OUT_OF_TOLERANCE  # nftables copied nothing


@pytest.mark.parametrize("drops", [0, 500, 5000])
def test_a_correlated_loss_is_shown_and_never_judged(drops: int) -> None:
    one = concluded(life(counters(5000, packets=5000 - drops, drops=drops, qlen=0), engine="netem"), Impairment(loss=CLUMPS))
    found = dict(one.measured)["loss"]
    assert (one.status, found.value, found.judged) == (TargetStatus.PASSED, drops / 5000, Judged.INSUFFICIENT)


def test_a_correlated_loss_before_a_bucket_cannot_be_told_from_the_bucket_s_own() -> None:
    one = concluded(life(counters(5000, packets=1, drops=4999, qlen=0), engine="netem+tbf"), Impairment(loss=CLUMPS, rate=BUCKET))
    assert list(dict(one.measured)) == ["rate"]


def test_a_delay_is_measured_by_the_peers_alone() -> None:
    delayed = Impairment(delay=Delay(latency=Duration.parse("100ms")))
    wish = request(impairment=delayed)
    before, during = peer_count(times=(0.001, 0.001, 0.001)), peer_count(times=(0.1, 0.101, 0.12))
    facts = life(counters(5000, packets=4990, drops=0, qlen=10), engine="netem")
    one = conclude(wish, injection(wish, target()), facts, [during], [before])
    assert (one.status, one.measured) == (TargetStatus.PASSED, ())
    assert dict(one.at_peer)["delay"].value == pytest.approx(0.1)
    one = conclude(wish, injection(wish, target()), facts, [before], [before, peer_count(sender="shop/web-1", times=(9.0, 9.0, 9.0))])
    assert one.status is TargetStatus.OUT_OF_TOLERANCE
    assert one.reason == "delay was 0 s (peer, 1000 samples) instead of 0.1"


@pytest.mark.parametrize(("rate", "engine", "saturated"), [(BUCKET, "netem+tbf", True), (ClassRate(rate=BUCKET.rate), "netem+htb", False)])
def test_a_delay_line_that_is_never_empty_does_not_mean_that_the_rate_was_reached(rate: Any, engine: str, saturated: bool) -> None:
    both = Impairment(delay=Delay(latency=Duration.parse("100ms")), rate=rate)
    samples = [(ARMED, counters(0, bytes=0, backlog=9)), (ARMED + 10, counters(900, bytes=2_500_000, packets=900, backlog=9))]
    one = concluded(life(samples=samples, engine=engine), both)
    assert (one.status is TargetStatus.OUT_OF_TOLERANCE) is saturated
    assert dict(one.measured)["rate"].judged is (Judged.YES if saturated else Judged.INSUFFICIENT)


def test_a_hold_that_was_cut_short_is_no_hold() -> None:
    one = concluded(life(ended=ENDED - 10))
    assert one.status is TargetStatus.NOT_IN_EFFECT
    assert "20.0 s instead of 30 s" in one.reason


@pytest.mark.parametrize(("offset", "side"), [(3600.0, "3600 s ahead of"), (-120.0, "120 s behind")])
def test_a_node_with_another_time_proves_nothing(offset: float, side: str) -> None:
    one = concluded(life(clock_offset=offset))
    assert one.status is TargetStatus.REFUSED
    assert side in one.reason
