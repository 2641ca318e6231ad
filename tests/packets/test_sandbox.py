"""A whole sandbox on this kernel: exact counts, and nothing left of it whatever ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sandbox_shop import MARKS, shop, until

from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.clusters.sandbox.layout import NETNS_DIRECTORY
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.peer import PeerCount
from chaos_modules.model.target import Target

pytestmark = MARKS

UDP, UDP_V6, HTTP, PING, PING_V6 = (
    "udp shop/web > load/client:9000",
    "udp6 load/client > shop/web:9000",
    "http load/client > shop/web:8080 (reply)",
    "ping load/client > shop/web",
    "ping6 load/client > default/exporter",
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(shop(), "shop.yaml", tmp_path_factory.mktemp("sandbox") / "state") as started:
        yield started


def counted(sandbox: Sandbox, seconds: float = 1.0) -> dict[str, PeerCount]:
    """The counts of a stretch of time from now on; it is over, and what was under way has arrived."""
    start = time.time()
    return {leg.name: leg for leg in until(lambda: time.time() > start + seconds + 0.1 and counts(sandbox, start, start + seconds))}


def counts(sandbox: Sandbox, start: float, end: float) -> Sequence[PeerCount]:
    assert sandbox.peers is not None
    return sandbox.peers.count(start, end)


def inside(netns: str, *argv: str) -> str:
    return subprocess.run(["ip", "netns", "exec", netns, *argv], check=True, capture_output=True, text=True).stdout


def test_without_a_fault_every_packet_sent_is_received_once(sandbox: Sandbox) -> None:
    legs = counted(sandbox)
    for name in (UDP, UDP_V6, PING, f"{PING} (reply)", PING_V6, f"{PING_V6} (reply)"):
        assert legs[name].sent == legs[name].distinct == legs[name].received > 0, name
        assert legs[name].errors == 0
    assert legs[UDP].seconds in (0.9, 1.0)
    assert legs[UDP].sent == pytest.approx(400 * legs[UDP].seconds, rel=0.05)
    assert legs[HTTP].received > 0 and legs[HTTP].goodput > 500_000
    assert legs[HTTP].flow.source_port == 8080 and legs[HTTP].reply
    round_trips = legs[PING].times
    assert round_trips and 0 < round_trips[0] <= round_trips[1] <= round_trips[2] < 0.5


def test_copies_and_refusals_are_counted_where_they_happen(sandbox: Sandbox) -> None:
    chain = "type filter hook egress device eth0 priority 0;"
    rules = "meta mark 0 udp dport 9000 ip version 4 meta mark set 1 dup to eth0"
    inside("squall.shop.web", "nft", f"table netdev test {{ chain out {{ {chain} {rules}; }}; }}")
    try:
        legs = counted(sandbox)
        assert legs[UDP].distinct == legs[UDP].sent and legs[UDP].received == 2 * (legs[UDP].sent or 0)
        assert legs[UDP_V6].received == legs[UDP_V6].sent
        inside("squall.shop.web", "nft", "flush chain netdev test out; add rule netdev test out udp dport 9000 drop")
        legs = counted(sandbox)
        assert legs[UDP].sent == 0 and legs[UDP].errors == pytest.approx(400 * legs[UDP].seconds, rel=0.05)
    finally:
        inside("squall.shop.web", "nft", "delete table netdev test")


def test_a_capped_download_has_the_goodput_of_the_cap_and_recovers(sandbox: Sandbox) -> None:
    inside("squall.shop.web", "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "2mbit", "burst", "5kb", "limit", "50kb")
    try:
        until(lambda: counted(sandbox, 0.5)[HTTP].goodput < 2e6)
        # 2 Mbit/s less the 0.68 Mbit/s of UDP and some headers; datagrams and bytes share the one queue.
        legs = counted(sandbox, 2)
        assert 0.5e6 < legs[HTTP].goodput + legs[UDP].goodput < 2e6
    finally:
        inside("squall.shop.web", "tc", "qdisc", "del", "dev", "eth0", "root")
    until(lambda: (legs := counted(sandbox, 0.5)) and legs[UDP].distinct == legs[UDP].sent and legs[HTTP].received > 1)


def test_servers_talk_to_anybody(sandbox: Sandbox) -> None:
    client = "from urllib.request import urlopen; import sys; print(len(urlopen(sys.argv[1], timeout=5).read()))"
    for host in ("10.244.1.2", "[fd00:5c::1:2]"):
        assert inside("squall.load.client", sys.executable, "-c", client, f"http://{host}:8080/?bytes=300000") == "300000\n"
    assert inside("squall.shop.web", sys.executable, "-c", client, "http://10.244.2.1:9100/") == "7\n"
    echo = "import socket; s = socket.socket(2, 2); s.settimeout(5); s.sendto(b'hi', ('10.244.1.2', 9000)); print(s.recv(9))"
    assert inside("squall.load.client", sys.executable, "-c", echo) == "b'hi'\n"


def test_host_network_is_the_nodes_namespace_and_hosts_are_written(sandbox: Sandbox) -> None:
    assert (NETNS_DIRECTORY / "squall.default.exporter").samefile(NETNS_DIRECTORY / "squall-node.two")
    target = next(pod for pod in sandbox.snapshot().pods if pod.path == "shop/web")
    assert target.addresses == ("10.244.1.2", "fd00:5c::1:2")
    etc = Path(sandbox.locate(Target(kind="pod", namespace="shop", name="web", node="one"))["etc"])
    assert "10.244.1.2 web web.shop web.shop.pod.sandbox front.shop" in (etc / "hosts").read_text()
    assert "nameserver 127.0.0.1" in (etc / "resolv.conf").read_text()


def test_the_uplink_is_the_nodes_default_device(sandbox: Sandbox) -> None:
    for netns in ("squall-node.one", "squall.shop.web", "squall.default.exporter"):
        for family in ("-4", "-6"):
            assert "dev eth0" in inside(netns, "ip", family, "route", "show", "default")


def test_a_second_sandbox_is_refused_and_the_first_one_unharmed(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ClusterProblem, match=f"already up on this machine, run by process {os.getpid()}"):
        Sandbox(shop(), "other.yaml", sandbox._state_directory).start()
    with pytest.raises(ClusterProblem, match="another sandbox are in the way"):
        Sandbox(shop(), "other.yaml", tmp_path / "state").start()
    assert counted(sandbox, 0.3)[UDP].received > 0
    assert sandbox.leftovers() == []


def test_an_audit_finds_what_an_injector_left_and_its_commands_remove_it(sandbox: Sandbox) -> None:
    inside(
        "squall.shop.web", "nft", "add table netdev squall_0a1b2c3d_egress; add table netdev squall_ffffffff_egress; add table inet other"
    )
    inside("squall.shop.web", "tc", "qdisc", "add", "dev", "eth0", "root", "handle", "ca05:", "htb")
    inside("squall-node.two", "ip", "link", "add", "sq0a1b2c3d", "type", "veth")
    commands = sandbox.audit("0a1b2c3d", ())
    assert sorted(commands) == [
        "ip -n squall-node.two link del dev sq0a1b2c3d",
        "ip netns exec squall.shop.web nft delete table netdev squall_0a1b2c3d_egress",
        "tc -n squall.shop.web qdisc del dev eth0 root handle ca05:",
    ]
    for command in commands:
        subprocess.run(command.split(), check=True)
    assert sandbox.audit("0a1b2c3d", ()) == []
    inside("squall.shop.web", "nft", "delete table netdev squall_ffffffff_egress; delete table inet other")
