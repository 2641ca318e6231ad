"""Latency, corruption and reordering: defaults, what they do to packets, what they warn of."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chaos_modules.faults.corruption import Corruption
from chaos_modules.faults.latency import Latency
from chaos_modules.faults.registry import Fault, described, faults
from chaos_modules.faults.reorder import Reordering
from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.impairment import Chance, Delay, Direction, Distribution, Impairment, Reorder
from chaos_modules.model.quantities import Duration, Percentage
from chaos_modules.model.traffic import TrafficFilter


def percent(value: float) -> Percentage:
    return Percentage.parse(value)


@pytest.mark.parametrize("kind", faults().values())
@pytest.mark.parametrize("direction", Direction)
def test_every_fault_compiles_as_it_is(kind: type[Fault], direction: Direction) -> None:
    wish = Wish(impairment=kind().impairment(), traffic=TrafficFilter(), direction=direction, table="squall_t", ifb="sq")
    assert compile_programs(wish)


@pytest.mark.parametrize("kind", [kind for name, kind in faults().items() if name != "pod-network-partition"])
def test_only_a_partition_has_directions_and_allowances_of_its_own(kind: type[Fault]) -> None:
    assert (kind().own_directions(), kind().allowed()) == ((), ())


def test_latency_defaults() -> None:
    assert Latency().impairment() == Impairment(delay=Delay(latency=Duration.parse("2s")))
    assert Latency().notices() == ()


@pytest.mark.parametrize(("tunables", "delay"), [
    ({"NETWORK_LATENCY": 500}, Delay(latency=Duration.parse("500ms"))),
    ({"NETWORK_LATENCY": "1500us", "JITTER": "100"}, Delay(latency=Duration(1500), jitter=Duration.parse("100ms"))),
    ({"NETWORK_LATENCY": "1s", "JITTER": "10ms", "CORRELATION": "25%", "DISTRIBUTION": "ParetoNormal"},
     Delay(latency=Duration.parse("1s"), jitter=Duration.parse("10ms"), correlation=percent(25), distribution=Distribution.PARETONORMAL)),
])
def test_latency(tunables: dict[str, Any], delay: Delay) -> None:
    fault = Latency.model_validate(tunables)
    assert fault.impairment() == Impairment(delay=delay)
    assert fault.notices() == ()


@pytest.mark.parametrize(("tunables", "idle"), [
    ({"CORRELATION": 25}, True), ({"DISTRIBUTION": "normal"}, True), ({"DISTRIBUTION": "uniform"}, False),
    ({"CORRELATION": 25, "DISTRIBUTION": "normal", "JITTER": 1}, False),
])
def test_what_has_no_effect_without_jitter(tunables: dict[str, Any], idle: bool) -> None:
    notices = ("CORRELATION and DISTRIBUTION have no effect without JITTER",) if idle else ()
    assert Latency.model_validate(tunables).notices() == notices


@pytest.mark.parametrize("tunables", [
    {"NETWORK_LATENCY": 0}, {"NETWORK_LATENCY": "-1ms"}, {"NETWORK_LATENCY": "8h8"},
    {"JITTER": "fast"}, {"CORRELATION": 101}, {"DISTRIBUTION": "bell"},
])
def test_no_latency(tunables: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Latency.model_validate(tunables)
    assert [error["loc"] for error in caught.value.errors()] == [tuple(tunables)]


def test_corruption() -> None:
    assert Corruption().impairment() == Impairment(corrupt=Chance(percentage=percent(100)))
    fault = Corruption.model_validate({"NETWORK_PACKET_CORRUPTION_PERCENTAGE": "0.1%", "CORRELATION": 5})
    assert fault.impairment() == Impairment(corrupt=Chance(percentage=percent(0.1), correlation=percent(5)))
    assert fault.notices() == ()
    with pytest.raises(ValidationError, match="no fault at all"):
        Corruption.model_validate({"NETWORK_PACKET_CORRUPTION_PERCENTAGE": 0})


def test_reordering() -> None:
    delay = Delay(latency=Duration.parse("10ms"))
    assert Reordering().impairment() == Impairment(delay=delay, reorder=Reorder(chance=Chance(percentage=percent(25))))
    fault = Reordering.model_validate({"NETWORK_PACKET_REORDER_PERCENTAGE": 50, "NETWORK_LATENCY": "1ms", "CORRELATION": 10, "GAP": "5"})
    assert fault.impairment() == Impairment(
        delay=Delay(latency=Duration.parse("1ms")), reorder=Reorder(chance=Chance(percentage=percent(50), correlation=percent(10)), gap=5)
    )
    assert Reordering().notices() == ()


@pytest.mark.parametrize("tunables", [
    {"NETWORK_PACKET_REORDER_PERCENTAGE": 0}, {"NETWORK_LATENCY": 0}, {"GAP": -1}, {"GAP": 10_001}, {"GAP": "often"},
])
def test_no_reordering(tunables: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Reordering.model_validate(tunables)
    assert [error["loc"] for error in caught.value.errors()] == [tuple(tunables)]


@pytest.mark.parametrize(("fault", "shown"), [
    (Latency(), (("delay", "2s"),)),
    (Latency.model_validate({"JITTER": 10, "CORRELATION": 25, "DISTRIBUTION": "normal"}),
     (("delay", "2s"), ("delay jitter", "10ms"), ("delay correlation", "25%"), ("delay distribution", "normal"))),
    (Corruption.model_validate({"CORRELATION": 5}), (("corrupt", "100%"), ("corrupt correlation", "5%"))),
    (Reordering(), (("delay", "10ms"), ("reorder", "25%"))),
    (Reordering.model_validate({"CORRELATION": 10, "GAP": 5}),
     (("delay", "10ms"), ("reorder", "25%"), ("reorder correlation", "10%"), ("reorder gap", "5"))),
])
def test_what_is_shown(fault: Fault, shown: tuple[tuple[str, str], ...]) -> None:
    assert described(fault.impairment()) == shown
