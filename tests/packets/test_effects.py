"""What the programs do to real packets, counted by the receiving peer and by the kernel."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
import threading
import time
from ipaddress import ip_network
from typing import Any

import pytest
from two_ends import ADDRESSES, NAMES, Running, job_for, state, within
from wire import Exchange, UdpFlow, send_paced, socket_in

from chaos_modules.model.impairment import Chance, ClassRate, Direction, Impairment, TokenBucket
from chaos_modules.model.quantities import Percentage, Rate, Size
from chaos_modules.model.traffic import PortRange, TrafficFilter, TrafficRule

HALF, TENTH, ALL = (Chance(percentage=Percentage.parse(text)) for text in ("50%", "10%", "100%"))
MEGABIT = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("256kb"))
TO_9000 = TrafficFilter(include=(TrafficRule(remote_ports=(PortRange(9000, 9000),)),))
FROM_9000 = TrafficFilter(include=(TrafficRule(local_ports=(PortRange(9000, 9000),)),))
BOTH_WAYS = pytest.mark.parametrize("direction", list(Direction))


def flows_for(direction: Direction, *ports: int) -> list[UdpFlow]:
    """The first end is the target: it sends at egress and receives at ingress."""
    ends = NAMES if direction is Direction.EGRESS else NAMES[::-1]
    address = ADDRESSES[1] if direction is Direction.EGRESS else ADDRESSES[0]
    return [UdpFlow(*ends, address, port) for port in ports]


def filter_for(direction: Direction) -> TrafficFilter:
    return TO_9000 if direction is Direction.EGRESS else FROM_9000


def impaired(impairment: Impairment, direction: Direction, *, per_second: float, seconds: float) -> tuple[Exchange, Exchange, dict[str, Any]]:
    """Matched and unmatched traffic during one fault; both exchanges, and the kernel's counters of the matched one."""
    before = state(NAMES[0])
    with Running(job_for(impairment, filter_for(direction), direction)) as running:
        running.until("armed")
        flows = flows_for(direction, 9000, 9001)
        send_paced(flows, per_second, seconds)
        matched, unmatched = (flow.finish() for flow in flows)
        assert running.stop() == 0, running.events
    assert state(NAMES[0]) == before
    counters = next(event["counters"] for event in running.events if event["event"] == "measured")
    assert unmatched.distinct == unmatched.sent
    assert unmatched.copies == 0
    return matched, unmatched, counters


def agrees(hits: int, of: int, share: float) -> bool:
    return abs(hits - of * share) <= 5 * math.sqrt(of * share * (1 - share))


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize(("direction", "seconds"), [(Direction.EGRESS, 20), (Direction.INGRESS, 5)])
def test_half_of_the_packets_arrive_twice(direction: Direction, seconds: int) -> None:
    matched, _, counters = impaired(Impairment(duplicate=HALF), direction, per_second=400, seconds=seconds)
    assert matched.distinct == matched.sent == 400 * seconds
    assert agrees(matched.copies, matched.sent, 0.5)
    assert counters["matched"][0] == matched.sent
    assert counters["duplicated"][0] == matched.copies


@BOTH_WAYS
@pytest.mark.usefixtures("ends")
def test_every_packet_exactly_twice(direction: Direction) -> None:
    matched, _, _ = impaired(Impairment(duplicate=ALL), direction, per_second=1000, seconds=2)
    assert set(matched.arrived.values()) == {2}
    assert matched.distinct == matched.sent


@BOTH_WAYS
@pytest.mark.usefixtures("ends")
def test_a_tenth_is_lost_and_the_sender_is_not_told(direction: Direction) -> None:
    matched, _, counters = impaired(Impairment(loss=TENTH), direction, per_second=1500, seconds=3)
    assert agrees(matched.sent - matched.distinct, matched.sent, 0.1)
    assert counters["dropped"][0] == matched.sent - matched.distinct
    assert not matched.errors
    assert matched.copies == 0


@BOTH_WAYS
@pytest.mark.usefixtures("ends")
def test_loss_copies_and_rate_at_once(direction: Direction) -> None:
    bucket = TokenBucket(rate=Rate.parse("10mbit"), burst=Size.parse("32kb"), limit=Size.parse("1mb"))
    everything = Impairment(loss=TENTH, duplicate=HALF, rate=bucket)
    matched, _, counters = impaired(everything, direction, per_second=1000, seconds=3)
    assert agrees(matched.sent - matched.distinct, matched.sent, 0.1)
    assert agrees(matched.copies, matched.distinct, 0.5)
    assert counters["queue"]["packets"] == matched.distinct + matched.copies


def flood(flow: UdpFlow, stop: threading.Event) -> None:
    """Much more than the cap, and a little less than the machine can."""
    while not stop.is_set():
        for _ in range(5):
            flow.send()
        time.sleep(0.005)


@BOTH_WAYS
@pytest.mark.parametrize("rate", [MEGABIT, ClassRate(rate=Rate.parse("1mbit"))], ids=["tbf", "htb"])
@pytest.mark.usefixtures("ends")
def test_a_megabit_is_a_megabit_at_layer_two(direction: Direction, rate: TokenBucket | ClassRate) -> None:
    with Running(job_for(Impairment(rate=rate), filter_for(direction), direction, hold=6.5)) as running:
        running.until("armed")
        ends = NAMES if direction is Direction.EGRESS else NAMES[::-1]
        flow, stop = UdpFlow(*ends, ADDRESSES[1 if direction is Direction.EGRESS else 0], 9000, size=1000), threading.Event()
        sender = threading.Thread(target=flood, args=(flow, stop))
        sender.start()
        code = running.end()
        stop.set()
        sender.join()
        flow.finish()
        assert code == 0, running.events
    samples = [event for event in running.events if event["event"] in ("holding", "measured")]
    first, last = samples[0], samples[-1]
    assert all(sample["counters"]["queue"]["backlog"] for sample in samples)
    octets = last["counters"]["queue"]["bytes"] - first["counters"]["queue"]["bytes"]
    assert octets * 8 / (last["at"] - first["at"]) == pytest.approx(1e6, rel=0.01)


@pytest.mark.usefixtures("ends")
def test_the_queue_is_flushed_at_line_rate() -> None:
    """256 kb at 1 mbit would take two seconds; after the revert they are there at once."""
    with Running(job_for(Impairment(rate=MEGABIT), TO_9000, hold=0.8)) as running:
        running.until("armed")
        flow = UdpFlow(*NAMES, ADDRESSES[1], 9000, size=1000)
        for _ in range(200):
            flow.send()
        running.until("reverted")
        done = time.monotonic()
        assert running.end() == 0
        exchange = flow.finish()
    assert exchange.distinct == exchange.sent
    late = [moment for moment in exchange.times if moment > done - running.events[-2]["seconds"]]
    assert late, "nothing was queued any more when the fault ended"
    assert max(exchange.times) < done + 0.05
    assert running.events[-2]["seconds"] < 1


DOWNLOAD = """
import socket, sys, time
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    total, begin = 0, None
    while data := connection.recv(65536):
        begin = begin or time.monotonic()
        total += len(data)
        if time.monotonic() - begin > float(sys.argv[3]):
            break
print(total, time.monotonic() - begin)
"""


def download(seconds: float, port: int = 9000) -> float:
    """Bits per second that the second end gets from the first over TCP."""
    with socket_in(NAMES[0], socket.AF_INET, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("", port))
        server.listen()
        client = subprocess.Popen(
            ["ip", "netns", "exec", NAMES[1], sys.executable, "-c", DOWNLOAD, ADDRESSES[0], str(port), str(seconds)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        connection, _ = server.accept()
        with connection:
            try:
                while client.poll() is None:
                    connection.send(bytes(65536))
            except OSError:
                pass
        text, _ = client.communicate()
    octets, taken = text.split()
    return int(octets) * 8 / float(taken)


@pytest.mark.usefixtures("ends")
def test_tcp_goodput_of_a_served_download() -> None:
    assert download(0.5) > 50e6
    with Running(job_for(Impairment(rate=MEGABIT), TrafficFilter(include=(TrafficRule(local_ports=(PortRange(9000, 9000),)),)))) as running:
        running.until("armed")
        download(1)  # the bucket is full at first
        assert 0.90e6 <= download(5) <= 0.98e6
        assert download(0.5, port=9001) > 50e6
        assert running.stop() == 0
    assert download(0.5) > 50e6


def retransmitted(seconds: float) -> tuple[float, int]:
    """(bit/s, segments that TCP sent again) of a download."""
    def count() -> int:
        lines = within(NAMES[0], "cat", "/proc/net/snmp").splitlines()
        names, values = (line.split() for line in lines if line.startswith("Tcp:"))
        return int(values[names.index("RetransSegs")])

    before = count()
    return download(seconds), count() - before


@pytest.mark.usefixtures("ends")
def test_tcp_sees_loss_as_from_the_wire() -> None:
    """One percent lost at the sender's egress costs TCP what one percent lost at the receiver costs it, and not a local drop's little."""
    one = Impairment(loss=Chance(percentage=Percentage.parse("1%")))
    with Running(job_for(one)) as running:
        running.until("armed")
        _, at_sender = retransmitted(3)
        assert running.stop() == 0
    hook = 'type filter hook ingress device "eth0" priority 0; policy accept;'
    rules = f"table netdev test {{ chain in {{ {hook}\nnumgen random mod 100 < 1 drop\n}}\n}}\n"
    within(NAMES[1], "nft", "-f", "-", text=rules)
    _, at_receiver = retransmitted(3)
    assert at_receiver > 0
    assert at_receiver / 4 < at_sender < at_receiver * 4


@BOTH_WAYS
@pytest.mark.usefixtures("ends")
def test_ipv6_neighbours_stay_alive_under_total_loss(direction: Direction) -> None:
    ends, number = (NAMES, 2) if direction is Direction.EGRESS else (NAMES[::-1], 1)

    def neighbour() -> str:
        return within(ends[0], "ip", "-6", "neigh", "show", f"fd77::{number}")

    with Running(job_for(Impairment(loss=ALL), direction=direction)) as running:
        running.until("armed")
        assert "lladdr" not in neighbour()
        flow = UdpFlow(*ends, f"fd77::{number}", 9000)
        send_paced([flow], 50, 1.5)
        assert "lladdr" in neighbour(), "neighbour discovery did not pass"
        assert flow.finish().distinct == 0
        assert running.stop() == 0
    measured = next(event["counters"] for event in running.events if event["event"] == "measured")
    assert measured["matched"][0] == measured["dropped"][0] > 0


@BOTH_WAYS
@pytest.mark.usefixtures("ends")
def test_ipv6_filters_and_excludes(direction: Direction) -> None:
    peers = TrafficRule(peers=(ip_network("fd77::/64"), ip_network("10.77.0.0/24")))
    port = (PortRange(9001, 9001),)
    barred = TrafficRule(remote_ports=port) if direction is Direction.EGRESS else TrafficRule(local_ports=port)
    only = TrafficFilter(include=(peers,), exclude=(barred,))
    ends, number = (NAMES, 2) if direction is Direction.EGRESS else (NAMES[::-1], 1)
    with Running(job_for(Impairment(duplicate=ALL), only, direction)) as running:
        running.until("armed")
        addresses = (f"10.77.0.{number}", f"fd77::{number}")
        flows = [UdpFlow(*ends, address, port).meet() for address in addresses for port in (9000, 9001)]
        send_paced(flows, 300, 1)
        results = [flow.finish() for flow in flows]
        assert running.stop() == 0, running.events
    assert [result.copies for result in results] == [300, 0, 300, 0]
