"""Which programs there are for an impairment, in which order, and in what they differ from the request."""

from __future__ import annotations

from typing import Any

import pytest
from compiled import BUCKET, CLASS, EGRESS, INGRESS, alternatives, chain, chance, compiled, delay, tc_lines

from chaos_modules.model.impairment import Direction, GilbertElliott, Reorder, StateLoss
from chaos_modules.model.quantities import Percentage

BURSTS = GilbertElliott(p=Percentage.parse(1), r=Percentage.parse(9))
REORDER = {"delay": delay("10ms"), "reorder": Reorder(chance=chance(25))}

TABLE: list[tuple[Direction, dict[str, Any], list[tuple[str, str]]]] = [
    (EGRESS, {"loss": chance(20)}, [("blackhole", ""), ("netem", ""), ("nft-drop", "sender-visible")]),
    (EGRESS, {"loss": chance(100)}, [("blackhole", ""), ("netem", ""), ("nft-drop", "sender-visible")]),
    (INGRESS, {"loss": chance(20)}, [("nft-drop", ""), ("ifb+netem", "")]),
    (EGRESS, {"duplicate": chance(50)}, [("nft-dup", ""), ("netem", "")]),
    (INGRESS, {"duplicate": chance(50)}, [("ifb+nft-dup", ""), ("ifb+netem", "")]),
    # Within one netem a copy makes up for a loss, so that netem is no alternative for both at once.
    (EGRESS, {"loss": chance(9), "duplicate": chance(9)}, [("blackhole+nft-dup", ""), ("nft-drop+nft-dup", "sender-visible")]),
    (INGRESS, {"loss": chance(9), "duplicate": chance(9)}, [("ifb+nft-dup", "")]),
    (EGRESS, {"loss": chance(20, 25)}, [("netem", "")]),
    (EGRESS, {"duplicate": chance(20, 25)}, [("netem", "")]),
    (EGRESS, {"loss": chance(20, 25), "approximate": True}, [("netem", ""), ("blackhole", "uncorrelated")]),
    (INGRESS, {"loss": chance(20, 25), "approximate": True}, [("ifb+netem", ""), ("nft-drop", "uncorrelated")]),
    (EGRESS, {"duplicate": chance(20, 25), "approximate": True}, [("netem", ""), ("nft-dup", "uncorrelated")]),
    (EGRESS, {"loss": chance(20, 25), "rate": BUCKET, "approximate": True}, [("netem+tbf", ""), ("blackhole+tbf", "uncorrelated")]),
    # Approximating changes nothing where there is no correlation, or where netem is needed all the same.
    (EGRESS, {"loss": chance(20), "approximate": True}, [("blackhole", ""), ("netem", ""), ("nft-drop", "sender-visible")]),
    (EGRESS, {"loss": chance(20, 25), "delay": delay("1ms"), "approximate": True}, [("netem", "")]),
    (EGRESS, {"loss": BURSTS, "approximate": True}, [("netem", "")]),
    (EGRESS, {"loss": BURSTS}, [("netem", "")]),
    (EGRESS, {"loss": StateLoss(p13=Percentage.parse(1), p31=Percentage.parse(9))}, [("netem", "")]),
    (EGRESS, {"loss": chance(20, 25), "duplicate": chance(5)}, [("netem+nft-dup", "")]),
    (EGRESS, {"rate": BUCKET}, [("tbf", "")]),
    (EGRESS, {"rate": CLASS}, [("htb", "")]),
    (INGRESS, {"rate": BUCKET}, [("ifb+tbf", "")]),
    (EGRESS, {"rate": BUCKET, "loss": chance(1)}, [("blackhole+tbf", "")]),
    (EGRESS, {"delay": delay("100ms")}, [("netem", "")]),
    (INGRESS, {"delay": delay("100ms")}, [("ifb+netem", "")]),
    (EGRESS, {"corrupt": chance(1)}, [("netem", "")]),
    (EGRESS, REORDER, [("netem", "")]),
    (EGRESS, {"delay": delay("100ms"), "loss": chance(1)}, [("blackhole+netem", "")]),
    (INGRESS, {"delay": delay("100ms"), "loss": chance(1)}, [("ifb+netem", "")]),
    (EGRESS, {"delay": delay("100ms"), "rate": BUCKET}, [("netem+tbf", "")]),
    (EGRESS, {"delay": delay("100ms"), "rate": CLASS}, [("netem+htb", "")]),
    (INGRESS, {"delay": delay("100ms"), "rate": BUCKET, "duplicate": chance(1)}, [("ifb+netem+tbf+nft-dup", "")]),
]


@pytest.mark.parametrize(("direction", "parts", "expected"), TABLE)
def test_the_alternatives_in_their_order(direction: Direction, parts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(one.engine, one.fidelity) for one in compiled(direction, **parts)] == expected


@pytest.mark.parametrize(("direction", "parts"), [(direction, parts) for direction, parts, _ in TABLE])
def test_alternatives_promise_the_same_and_own_what_they_need(direction: Direction, parts: dict[str, Any]) -> None:
    for program in compiled(direction, **parts):
        queued = bool(tc_lines(program.setup))
        assert program.needs_root == (queued and not program.ifb)
        assert bool(program.ifb) == (direction is INGRESS and "ifb" in program.engine)
        assert program.queue_device == (program.ifb or "%device%")
        if program.leaf:
            assert program.leaf in [one.handle for one in program.qdiscs]
        owned = {(one.kind, one.handle) for one in program.qdiscs}
        assert len(owned) == len(program.qdiscs)
        assert program.effect.loss == compiled(direction, **parts)[0].effect.loss
        assert program.effect.duplicate == compiled(direction, **parts)[0].effect.duplicate


def test_netem_does_the_whole_of_one_chance_and_nftables_draws_nothing() -> None:
    netem = compiled(loss=chance(20))[1]
    assert chain(netem, "fault") == ["counter name matched", "meta priority set ca05:10"]
    assert tc_lines(netem.setup)[-1] == "tc qdisc add dev %device% parent ca05:10 handle ca06: netem limit 1000 loss random 20%"
    assert (netem.needs_root, netem.leaf, netem.effect.loss_in_queue, netem.effect.copies_in_queue) == (True, "ca06:", True, False)
    netem = compiled(duplicate=chance(50))[1]
    assert chain(netem, "fault") == ["counter name matched", "meta priority set ca05:10"]
    assert chain(netem, "entry")[1:] == ["meta protocol @lease jump filter"]
    assert (netem.effect.loss_in_queue, netem.effect.copies_in_queue) == (False, True)


def test_a_loss_beside_a_delay_is_drawn_before_the_queue() -> None:
    [program] = compiled(delay=delay("100ms"), loss=chance(10))
    assert chain(program, "fault") == ["counter name matched", "numgen random mod 1000000 < 100000 goto lost", "meta priority set ca05:10"]
    assert [one.kind for one in program.qdiscs] == ["htb", "netem", "blackhole"]
    assert not any("loss" in line for line in tc_lines(program.setup))
    assert program.leaf == "ca06:"
    assert (program.effect.loss_in_queue, program.effect.independent) == (False, True)


def test_a_bucket_stands_behind_the_delay_as_its_child() -> None:
    [program] = compiled(delay=delay("100ms"), rate=BUCKET)
    assert tc_lines(program.setup)[2:] == [
        "tc qdisc add dev %device% parent ca05:10 handle ca06: netem limit 11000 delay 100000us",
        "tc qdisc add dev %device% parent ca06:1 handle ca08: tbf rate 1000000bit burst 32768b limit 65536b",
    ]
    assert [(one.kind, one.handle, one.parent) for one in program.qdiscs] == [
        ("htb", "ca05:", ""), ("netem", "ca06:", "ca05:10"), ("tbf", "ca08:", "ca06:1"),
    ]
    assert tc_lines(program.flush) == ["tc qdisc change dev %device% parent ca06:1 handle ca08: tbf rate 100gbit burst 1mb limit 65536b"]
    assert (program.leaf, program.effect.rate, program.effect.delay) == ("ca08:", 10**6, 100_000)


def test_a_class_rate_is_the_class_s_own_before_the_delay() -> None:
    [program] = compiled(delay=delay("100ms"), rate=CLASS)
    capped = "tc class add dev %device% parent ca05: classid ca05:10 htb rate 80000000bit burst 100000b cburst 100000b quantum 60000"
    assert tc_lines(program.setup)[1:] == [capped, "tc qdisc add dev %device% parent ca05:10 handle ca06: netem limit 11000 delay 100000us"]
    assert tc_lines(program.flush) == ["tc class change dev %device% parent ca05: classid ca05:10 htb rate 1tbit quantum 60000"]


def test_jitter_reorders_and_the_plan_says_so() -> None:
    assert compiled(delay=delay("100ms", "10ms"))[0].notes == ("jitter of 10ms reorders packets that follow each other more closely",)
    assert compiled(delay=delay("100ms"))[0].notes == ()
    assert compiled(loss=chance(1))[0].notes == ()


@pytest.mark.parametrize(("parts", "engines"), [
    ({"loss": chance(20)}, ["blackhole", "netem", "blackhole@postrouting", "nft-drop"]),
    ({"duplicate": chance(20)}, ["nft-dup", "netem", "netem@postrouting"]),
    ({"loss": chance(20), "duplicate": chance(20)}, ["blackhole+nft-dup", "blackhole+netem@postrouting", "nft-drop+nft-dup"]),
    ({"rate": BUCKET}, ["tbf", "tbf@postrouting"]),
    ({"delay": delay("1ms")}, ["netem", "netem@postrouting"]),
])
def test_kernels_without_the_egress_hook_steer_at_postrouting(parts: dict[str, Any], engines: list[str]) -> None:
    assert [one.engine for one in alternatives(EGRESS, **parts)] == engines
    assert alternatives(INGRESS, **parts) == compiled(INGRESS, **parts)
    older = next(one for one in alternatives(EGRESS, **parts) if one.engine.endswith("@postrouting"))
    assert older.family == "inet"
    assert chain(older, "entry") == [
        "type filter hook postrouting priority 0; policy accept;", 'oifname "%device%" meta protocol @lease jump filter',
    ]
    assert not any("netdev" in step.nft for step in (*older.setup, older.arm, older.renew, older.disarm, *older.teardown))
    assert not any("dup to" in step.nft for step in older.setup)  # only a netdev chain can
    assert "".join(tc_lines(older.setup)).count("tc qdisc replace dev %device% root") == 1
