"""Traffic filters as nftables text, and nft's own opinion of every script."""

from __future__ import annotations

import os
import shutil
import subprocess
from ipaddress import ip_network
from itertools import product
from typing import Any

import pytest

from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.impairment import Chance, ClassRate, Direction, Impairment, TokenBucket
from chaos_modules.model.program import KernelProgram
from chaos_modules.model.quantities import Percentage, Rate, Size
from chaos_modules.model.traffic import PortRange, Protocol, TrafficFilter, TrafficRule

EGRESS, INGRESS = Direction.EGRESS, Direction.INGRESS
ND = "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } return"
V4, V6 = ip_network("10.0.0.0/8"), ip_network("fd00::/8")


def programs(traffic: TrafficFilter, direction: Direction = EGRESS, impairment: Impairment | None = None) -> tuple[KernelProgram, ...]:
    loss = Impairment(loss=Chance(percentage=Percentage.parse(20)))
    return compile_programs(Wish(impairment=impairment or loss, traffic=traffic, direction=direction, table="squall_t", ifb="lo"))


def script(traffic: TrafficFilter, direction: Direction = EGRESS) -> str:
    return next(step.nft for step in programs(traffic, direction)[0].setup if step.nft)


def filter_rules(traffic: TrafficFilter, direction: Direction = EGRESS) -> list[str]:
    body = script(traffic, direction).partition("chain filter {\n")[2].partition("\n  }")[0]
    return [line.strip() for line in body.splitlines()]


def only(**parts: Any) -> TrafficFilter:
    return TrafficFilter(include=(TrafficRule(**parts),))


def test_no_filter_means_everything_but_neighbour_discovery() -> None:
    assert filter_rules(TrafficFilter()) == [ND, "goto fault"]


@pytest.mark.parametrize(("direction", "rules"), [
    (EGRESS, ["ip daddr @include_0_v4 goto fault", "ip6 daddr @include_0_v6 goto fault"]),
    (INGRESS, ["ip saddr @include_0_v4 goto fault", "ip6 saddr @include_0_v6 goto fault"]),
])
def test_peers_are_sets_of_their_family(direction: Direction, rules: list[str]) -> None:
    traffic = only(peers=(V4, V6, ip_network("192.0.2.7/32")))
    assert filter_rules(traffic, direction) == [ND, *rules]
    text = script(traffic, direction)
    assert "set include_0_v4 { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8, 192.0.2.7/32 }; }" in text
    assert "set include_0_v6 { type ipv6_addr; flags interval; auto-merge; elements = { fd00::/8 }; }" in text


def test_peers_of_one_family_make_no_rule_for_the_other() -> None:
    assert filter_rules(only(peers=(V6,))) == [ND, "ip6 daddr @include_0_v6 goto fault"]


def test_hosts_are_sets_that_the_injector_fills() -> None:
    traffic = TrafficFilter(include=(TrafficRule(hosts=("api.shop.svc",)),), exclude=(TrafficRule(hosts=("db.shop.svc",), peers=(V4,)),))
    first = programs(traffic)[0]
    assert [(one.names, one.set_v4, one.set_v6) for one in first.hosts] == [
        (("db.shop.svc",), "exclude_0_v4", "exclude_0_v6"), (("api.shop.svc",), "include_0_v4", "include_0_v6"),
    ]
    text = script(traffic)
    assert "set include_0_v4 { type ipv4_addr; flags interval; auto-merge; }" in text
    assert "set exclude_0_v4 { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8 }; }" in text


@pytest.mark.parametrize(("ports", "text"), [
    ([(80, 80)], "{ 80 }"),
    ([(8000, 8100), (80, 80)], "{ 80, 8000-8100 }"),
    ([(80, 90), (85, 100)], "{ 80-100 }"),
    ([(80, 80), (81, 81)], "{ 80-81 }"),
    ([(80, 100), (82, 84)], "{ 80-100 }"),
    ([(80, 80), (82, 82)], "{ 80, 82 }"),
])
def test_ports_are_merged(ports: list[tuple[int, int]], text: str) -> None:
    ranges = tuple(PortRange(*pair) for pair in ports)
    assert filter_rules(only(remote_ports=ranges))[1] == f"meta l4proto {{ tcp, udp, sctp }} th dport {text} goto fault"


@pytest.mark.parametrize(("direction", "local", "remote"), [(EGRESS, "sport", "dport"), (INGRESS, "dport", "sport")])
def test_local_and_remote_ports_follow_the_direction(direction: Direction, local: str, remote: str) -> None:
    traffic = only(local_ports=(PortRange(8080, 8080),), remote_ports=(PortRange(9, 9),), protocols=(Protocol.TCP,))
    assert filter_rules(traffic, direction)[1] == f"meta l4proto {{ tcp }} th {local} {{ 8080 }} th {remote} {{ 9 }} goto fault"


def test_protocols_alone() -> None:
    assert filter_rules(only(protocols=(Protocol.ICMP, Protocol.ICMPV6)))[1] == "meta l4proto { icmp, ipv6-icmp } goto fault"


def test_excludes_come_first_and_leave() -> None:
    traffic = TrafficFilter(include=(TrafficRule(peers=(V4,)),), exclude=(TrafficRule(remote_ports=(PortRange(53, 53),)), TrafficRule(peers=(V6,))))
    assert filter_rules(traffic) == [
        ND, "meta l4proto { tcp, udp, sctp } th dport { 53 } return", "ip6 daddr @exclude_1_v6 return", "ip daddr @include_0_v4 goto fault",
    ]


def test_excludes_alone_leave_the_rest() -> None:
    assert filter_rules(TrafficFilter(exclude=(TrafficRule(protocols=(Protocol.UDP,)),))) == [ND, "meta l4proto { udp } return", "goto fault"]


def test_the_link_layer_includes_neighbour_discovery() -> None:
    assert filter_rules(TrafficFilter(link_layer=True)) == ["goto fault"]


PORTS = (PortRange(80, 90), PortRange(85, 100), PortRange(8080, 8080))
FILTERS = {
    "everything": TrafficFilter(),
    "link layer": TrafficFilter(link_layer=True),
    "overlapping networks": only(peers=(V4, ip_network("10.1.0.0/16"), V6, ip_network("fd00::1/128"), ip_network("0.0.0.0/0"))),
    "ports": only(local_ports=PORTS, remote_ports=PORTS),
    "protocols": only(protocols=tuple(Protocol)),
    "all of it": TrafficFilter(
        include=(TrafficRule(peers=(V4, V6), hosts=("a.example",), local_ports=PORTS, protocols=(Protocol.TCP,)), TrafficRule(peers=(V6,))),
        exclude=(TrafficRule(remote_ports=PORTS), TrafficRule(hosts=("b.example",)), TrafficRule(protocols=(Protocol.SCTP,))),
    ),
}
HALF = Chance(percentage=Percentage.parse(50))
BUCKET = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("64kb"))
IMPAIRMENTS = {
    "loss": Impairment(loss=HALF),
    "partition": Impairment(loss=Chance(percentage=Percentage.parse(100))),
    "smallest": Impairment(loss=Chance(percentage=Percentage(1)), duplicate=Chance(percentage=Percentage(0))),
    "duplicate": Impairment(duplicate=HALF),
    "tbf": Impairment(rate=BUCKET),
    "all": Impairment(loss=HALF, duplicate=HALF, rate=ClassRate(rate=Rate.parse("1gbit"))),
}


def _whole_life(program: KernelProgram) -> str:
    """Set-up, arming, two renewals, disarming and removal as one transaction, on the loopback device."""
    tables = [step.nft for step in program.setup if step.nft]
    removal = [step.nft for step in program.teardown if step.nft]
    hosts = [f"add element {program.family} {program.table} {one.set_v4} {{ 192.0.2.9 }}\n" for one in program.hosts]
    lines = [*tables, *hosts, program.arm.nft, program.renew.nft, program.renew.nft, program.disarm.nft, *removal]
    return "".join(lines).replace("%device%", "lo").replace("%lease%", "10000ms")


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="nft -c asks the kernel, which needs root")
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("traffic", "impairment"), list(product(FILTERS, IMPAIRMENTS)))
def test_nft_accepts_it(traffic: str, impairment: str, direction: Direction) -> None:
    for program in programs(FILTERS[traffic], direction, IMPAIRMENTS[impairment]):
        done = subprocess.run(["nft", "-c", "-f", "-"], input=_whole_life(program), capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("nft") is None or os.geteuid() != 0, reason="needs nft and root")
def test_nft_would_refuse_a_broken_script() -> None:
    broken = _whole_life(programs(TrafficFilter())[0]).replace("goto fault", "goto nowhere")
    done = subprocess.run(["nft", "-c", "-f", "-"], input=broken, capture_output=True, text=True, check=False)
    assert done.returncode != 0
