"""The kernel that these tests run on: it has netem, and the injector's whole loop works there."""

from __future__ import annotations

import math
import socket
import statistics
import time

import pytest
from two_ends import ADDRESSES, NAMES, Running, job_for, state, within
from wire import UdpFlow, send_paced, socket_in

from chaos_modules.model.impairment import Chance, Impairment
from chaos_modules.model.quantities import Percentage

pytestmark = pytest.mark.usefixtures("ends")


def round_trips(count: int) -> list[float]:
    """Seconds from the first end to the second and back, one datagram at a time."""
    with socket_in(NAMES[0], socket.AF_INET, socket.SOCK_DGRAM) as near, socket_in(NAMES[1], socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind((ADDRESSES[1], 9000))
        for end in (near, far):
            end.settimeout(2)
        times = []
        for number in range(count):
            begin = time.monotonic()
            near.sendto(number.to_bytes(8), (ADDRESSES[1], 9000))
            data, sender = far.recvfrom(64)
            far.sendto(data, sender)
            assert int.from_bytes(near.recv(64)) == number
            times.append(time.monotonic() - begin)
    return times


def test_a_delay_of_twenty_milliseconds_is_one() -> None:
    undelayed = statistics.median(round_trips(20))
    within(NAMES[0], "tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "20ms")
    delayed = round_trips(50)
    assert min(delayed) >= 0.020
    assert statistics.median(delayed) - undelayed == pytest.approx(0.020, abs=0.002)


def test_the_injector_duplicates_and_leaves_nothing() -> None:
    before = state(NAMES[0])
    with Running(job_for(Impairment(duplicate=Chance(percentage=Percentage.parse("50%"))))) as running:
        running.until("armed")
        flow = UdpFlow(*NAMES, ADDRESSES[1], 9000)
        send_paced([flow], 400, 3)
        exchange = flow.finish()
        assert running.stop() == 0, running.events
    assert exchange.distinct == exchange.sent
    assert abs(exchange.copies - exchange.sent / 2) <= 5 * math.sqrt(exchange.sent / 4)
    assert state(NAMES[0]) == before
