"""Partition: which directions are cut, and who and what stays allowed (Litmus: POLICY_TYPES, POD_SELECTOR, NAMESPACE_SELECTOR, PORTS)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chaos_modules.faults.partition import Partition
from chaos_modules.model.impairment import Chance, Direction, Impairment
from chaos_modules.model.quantities import Percentage
from chaos_modules.model.traffic import PortRange, Protocol, TrafficRule

WEB, SHOP = "app=web,tier!=cache", "kubernetes.io/metadata.name=shop"


def partition(**tunables: Any) -> Partition:
    return Partition.model_validate(tunables)


def test_it_cuts_everything_both_ways_and_allows_nobody() -> None:
    fault = Partition()
    assert fault.impairment() == Impairment(loss=Chance(percentage=Percentage.parse(100)))
    assert fault.own_directions() == (Direction.EGRESS, Direction.INGRESS)
    assert (fault.allowed(), fault.notices()) == ((), ())


@pytest.mark.parametrize(("text", "directions"), [
    ("all", (Direction.EGRESS, Direction.INGRESS)), ("ingress", (Direction.INGRESS,)), ("Egress", (Direction.EGRESS,)), (" ALL ", tuple(Direction)),
])
def test_directions(text: str, directions: tuple[Direction, ...]) -> None:
    assert partition(POLICY_TYPES=text).own_directions() == directions


@pytest.mark.parametrize("value", ["both", "", None, 1, ["ingress"]])
def test_no_direction(value: Any) -> None:
    with pytest.raises(ValidationError):
        partition(POLICY_TYPES=value)


def ports(*pairs: tuple[int, int]) -> tuple[PortRange, ...]:
    return tuple(PortRange(*pair) for pair in pairs)


def rules(protocol: Protocol, ranges: tuple[PortRange, ...], **peers: str) -> list[TrafficRule]:
    return [
        TrafficRule(protocols=(protocol,), local_ports=ranges, **peers),  # type: ignore[arg-type]
        TrafficRule(protocols=(protocol,), remote_ports=ranges, **peers),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(("tunables", "allowed"), [
    ({"POD_SELECTOR": WEB}, [TrafficRule(pod_labels=WEB)]),
    ({"NAMESPACE_SELECTOR": SHOP}, [TrafficRule(namespace_labels=SHOP)]),
    ({"POD_SELECTOR": f" {WEB} ", "NAMESPACE_SELECTOR": SHOP}, [TrafficRule(pod_labels=WEB, namespace_labels=SHOP)]),
    ({"PORTS": "tcp:[8080,80]"}, rules(Protocol.TCP, ports((80, 80), (8080, 8080)))),
    ({"PORTS": "TCP: [ 8080 ]"}, rules(Protocol.TCP, ports((8080, 8080)))),
    ({"PORTS": "udp:[8000-8100,8050-8200]"}, rules(Protocol.UDP, ports((8000, 8200)))),
    ({"PORTS": "sctp:[1]"}, rules(Protocol.SCTP, ports((1, 1)))),
    ({"PORTS": "tcp:[80]", "POD_SELECTOR": WEB, "NAMESPACE_SELECTOR": SHOP},
     rules(Protocol.TCP, ports((80, 80)), pod_labels=WEB, namespace_labels=SHOP)),
    ({"PORTS": "tcp:[80],udp:[53]"}, [*rules(Protocol.TCP, ports((80, 80))), *rules(Protocol.UDP, ports((53, 53)))]),
])
def test_what_stays_allowed(tunables: dict[str, str], allowed: list[TrafficRule]) -> None:
    found = partition(**tunables).allowed()
    assert sorted(found, key=repr) == sorted(allowed, key=repr)


@pytest.mark.parametrize("text", [
    "", "80", "tcp:80", "tcp:[80", "tcp[80]", "tcp:[80],", "tcp:[80]udp:[53]", "tcp:[80];udp:[53]", "icmp:[1]", "tcp:[80],tcp:[81]",
    "tcp:[80],TCP:[81]", "tcp:[]", "tcp:[80,]", "tcp:[0]", "tcp:[65536]", "tcp:[90-80]", "tcp:[http]", "tcp:[-1]", "x,tcp:[80]", "tcp:[[80]]",
    80, None, True, ["tcp:[80]"], {"tcp": [80]},
])
def test_ports_that_are_none(text: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        partition(PORTS=text)
    [error] = caught.value.errors()
    assert error["loc"] == ("PORTS",)
    assert "write p" in error["msg"]  # what to write, with an example


@pytest.mark.parametrize("text", [5, [], "=web", "app in web", None])
def test_selectors_that_are_none(text: Any) -> None:
    with pytest.raises(ValidationError):
        partition(POD_SELECTOR=text)


def test_ports_are_shown_as_they_are_written() -> None:
    shown = partition(PORTS="TCP:[8080, 80],udp:[9000-9010]").model_dump(mode="json", by_alias=True)["PORTS"]
    assert shown == "tcp:[80,8080],udp:[9000-9010]"
    assert partition(PORTS=shown) == partition(PORTS="tcp:[80,8080],udp:[9000-9010]")
