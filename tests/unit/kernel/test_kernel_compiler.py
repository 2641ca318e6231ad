"""Impairments as programs: which alternatives, with which lines, in which order; and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from compiled import BUCKET, CLASS, EGRESS, INGRESS, chain, chance, compiled, tc_lines

from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.errors import BadInput
from chaos_modules.model.impairment import ClassRate, Direction, Impairment, Reorder, TokenBucket
from chaos_modules.model.quantities import Rate, Size
from chaos_modules.model.traffic import TrafficFilter

ROOT = "tc qdisc replace dev %device% root handle ca05: htb default 0 direct_qlen 1000"
OPEN = "tc class add dev %device% parent ca05: classid ca05:10 htb rate 1tbit quantum 60000"
BASIC = "tc qdisc add dev %device% parent ca05:10 handle ca06: tbf rate 1000000bit burst 32768b limit 65536b"


def test_loss_is_steered_into_a_blackhole_or_else_dropped_by_nft() -> None:
    first, _, other = compiled(loss=chance(20))
    assert (first.engine, first.fidelity, first.needs_root) == ("blackhole", "", True)
    assert tc_lines(first.setup) == [
        ROOT, "tc class add dev %device% parent ca05: classid ca05:20 htb rate 1tbit quantum 60000",
        "tc qdisc add dev %device% parent ca05:20 handle ca07: blackhole",
    ]
    assert chain(first, "fault") == ["counter name matched", "numgen random mod 1000000 < 200000 goto lost"]
    assert chain(first, "lost") == ["counter name dropped meta priority set ca05:20"]
    assert [(one.kind, one.handle, one.parent) for one in first.qdiscs] == [("htb", "ca05:", ""), ("blackhole", "ca07:", "ca05:20")]
    assert tc_lines(first.teardown) == ["tc qdisc del dev %device% root handle ca05:"]
    assert (other.engine, other.fidelity, other.needs_root, tc_lines(other.setup)) == ("nft-drop", "sender-visible", False, [])
    assert chain(other, "fault") == ["counter name matched", "numgen random mod 1000000 < 200000 counter name dropped drop"]


def test_a_partition_draws_no_random_number() -> None:
    first, _, other = compiled(loss=chance(100))
    assert chain(first, "fault") == ["counter name matched", "goto lost"]
    assert chain(other, "fault") == ["counter name matched", "counter name dropped drop"]
    assert first.effect.loss == 10**6


def test_loss_at_ingress_needs_no_queue() -> None:
    program = compiled(INGRESS, loss=chance(0.5))[0]
    assert (program.engine, program.needs_root, program.ifb, program.qdiscs) == ("nft-drop", False, "", ())
    assert chain(program, "fault") == ["counter name matched", "numgen random mod 1000000 < 5000 counter name dropped drop"]
    assert chain(program, "entry")[0] == 'type filter hook ingress device "%device%" priority 0; policy accept;'


def test_a_copy_is_marked_and_never_copied_again() -> None:
    program = compiled(duplicate=chance(50))[0]
    assert (program.engine, program.needs_root, program.qdiscs) == ("nft-dup", False, ())
    assert chain(program, "fault")[1] == (
        "numgen random mod 1000000 < 500000 counter name duplicated meta mark set meta mark | 0x40000000 "
        'dup to "%device%" meta mark set meta mark & 0xbfffffff'
    )
    entry = chain(program, "entry")
    assert entry[1] == "meta mark & 0x40000000 == 0x40000000 meta mark set meta mark & 0xbfffffff accept"
    assert entry[2] == "meta protocol @lease jump filter"


def test_duplication_at_ingress_happens_behind_an_ifb_of_ours() -> None:
    program = compiled(INGRESS, duplicate=chance(100))[0]
    assert (program.engine, program.ifb, program.queue_device, program.needs_root) == ("ifb+nft-dup", "sqifb", "sqifb", False)
    assert chain(program, "fault") == ["counter name matched", 'fwd to "sqifb"']
    lines = tc_lines(program.setup)
    assert lines[0] == "ip link add name sqifb type ifb"
    assert "tc qdisc replace dev sqifb root handle ca05: pfifo limit 10000" in lines
    assert sum("addrgenmode none" in line for line in lines) == 1  # it never speaks itself
    assert any(line.endswith("up") for line in lines)
    delivery = chain(program, "delivery")
    assert delivery[0] == 'type filter hook egress device "sqifb" priority 0; policy accept;'
    assert delivery[1].endswith("accept")
    assert 'dup to "sqifb"' in delivery[2]
    assert tc_lines(program.teardown) == ["ip link del dev sqifb"]


@pytest.mark.parametrize(("changes", "words"), [
    ({}, ""),
    ({"minimum_burst": Size(1540), "peak_rate": Rate.parse("2mbit")}, " mtu 1540b peakrate 2000000bit"),
    ({"minimum_burst": Size(1540)}, " mtu 1540b"),
])
def test_a_token_bucket(changes: dict[str, Any], words: str) -> None:
    bucket = TokenBucket(rate=BUCKET.rate, burst=BUCKET.burst, limit=BUCKET.limit, **changes)
    [program] = compiled(rate=bucket)
    assert (program.engine, program.leaf, program.needs_root) == ("tbf", "ca06:", True)
    assert tc_lines(program.setup) == [ROOT, OPEN, BASIC + words]
    assert chain(program, "fault") == ["counter name matched", "meta priority set ca05:10"]
    assert program.qdiscs[1].options == (("rate", 125000), ("burst", 32768))
    assert tc_lines(program.flush) == ["tc qdisc change dev %device% parent ca05:10 handle ca06: tbf rate 100gbit burst 1mb limit 65536b"]
    assert (program.effect.rate, program.effect.burst) == (10**6, 32768)


def test_a_bare_rate_is_a_class_with_an_explicit_burst() -> None:
    [program] = compiled(rate=CLASS)
    assert (program.engine, program.effect.burst) == ("htb", 100_000)
    capped = "tc class add dev %device% parent ca05: classid ca05:10 htb rate 80000000bit burst 100000b cburst 100000b quantum 60000"
    assert tc_lines(program.setup) == [ROOT, capped, "tc qdisc add dev %device% parent ca05:10 handle ca06: pfifo limit 1000"]
    assert tc_lines(program.flush) == ["tc class change dev %device% parent ca05: classid ca05:10 htb rate 1tbit quantum 60000"]


def test_a_slow_class_still_saves_two_frames() -> None:
    [program] = compiled(rate=ClassRate(rate=Rate.parse("8kbit")))
    assert program.effect.burst == 3200


def test_a_rate_at_ingress_queues_on_the_ifb() -> None:
    [program] = compiled(INGRESS, rate=BUCKET)
    assert (program.engine, program.ifb, program.queue_device, program.needs_root) == ("ifb+tbf", "sqifb", "sqifb", False)
    assert all("%device%" not in line for line in tc_lines(program.setup))
    assert chain(program, "delivery")[1:] == ["meta priority set ca05:10"]


def test_everything_at_once_is_lost_then_queued_then_copied() -> None:
    [program] = compiled(loss=chance(10), duplicate=chance(5), rate=BUCKET)
    assert program.engine == "blackhole+tbf+nft-dup"
    kinds = [line.partition(" < ")[2] or line for line in chain(program, "fault")]
    assert kinds[1:3] == ["100000 goto lost", "meta priority set ca05:10"]
    assert kinds[3].startswith("50000 counter name duplicated")
    assert [one.kind for one in program.qdiscs] == ["htb", "tbf", "blackhole"]
    [behind] = compiled(INGRESS, loss=chance(10), duplicate=chance(5), rate=CLASS)
    assert behind.engine == "ifb+htb+nft-dup"
    assert chain(behind, "fault")[1:] == ["numgen random mod 1000000 < 100000 counter name dropped drop", 'fwd to "sqifb"']
    guard, steer, copy = chain(behind, "delivery")[1:]
    assert (guard[-6:], steer, copy[:6]) == ("accept", "meta priority set ca05:10", "numgen")


def test_loss_beside_duplication_keeps_the_alternative_without_a_root() -> None:
    first, other = compiled(loss=chance(10), duplicate=chance(5))
    assert (first.engine, other.engine) == ("blackhole+nft-dup", "nft-drop+nft-dup")
    assert other.needs_root is False


@pytest.mark.parametrize("direction", [EGRESS, INGRESS])
@pytest.mark.parametrize("parts", [{"loss": chance(1)}, {"duplicate": chance(1)}, {"rate": BUCKET}, {"rate": CLASS, "duplicate": chance(9)}])
def test_every_program_says_how_many_rules_it_has_and_starts_disarmed(direction: Direction, parts: dict[str, Any]) -> None:
    for program in compiled(direction, **parts):
        script = next(step.nft for step in program.setup if step.nft)
        rules = [line for line in script.splitlines() if line.startswith("    ") and "type filter hook" not in line]
        assert program.rules == len(rules)
        assert "set lease { type ether_type; flags timeout; }" in script
        assert program.teardown[0].nft == "delete table netdev squall_t\n"
        assert program.setup[-1].nft == script  # nothing steers into a class that is not there yet


def test_the_lease() -> None:
    program = compiled(duplicate=chance(1))[0]
    assert program.arm.nft == "add element netdev squall_t lease { ip timeout %lease%, ip6 timeout %lease% }\n"
    assert program.renew.nft == "delete element netdev squall_t lease { ip, ip6 }\n" + program.arm.nft
    assert program.disarm.nft == "flush set netdev squall_t lease\n"


def test_the_link_layer_has_a_lease_too() -> None:
    wish = Wish(impairment=Impairment(loss=chance(5)), traffic=TrafficFilter(link_layer=True), direction=INGRESS, table="squall_t", ifb="sqifb")
    program = compile_programs(wish)[0]
    assert "arp timeout %lease%" in program.arm.nft
    assert chain(program, "filter") == ["goto fault"]


def test_a_fault_that_changes_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="changes nothing"):
        compiled()


def test_reordering_without_a_delay_to_escape_is_refused() -> None:
    with pytest.raises(BadInput, match="reordering needs a delay") as caught:
        compiled(reorder=Reorder(chance=chance(25)))
    assert caught.value.remedy == "add a latency, e.g. 10ms"
