"""The same program on a throw-away pair of devices first, measured, before any target is touched."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import struct
import threading
import time
from typing import Any

from commands import CommandFailed, command
from fault import Fault
from namespaces import CLONE_NEWNET, libc

PROTOCOLS = {"udp": 17, "tcp": 6, "sctp": 132, "icmp": 1, "ipv6-icmp": 58}


def frame(probe: dict[str, Any], number: int) -> bytes:
    """An Ethernet frame as the filter matches it, numbered in its last eight bytes."""
    family = socket.AF_INET6 if ":" in probe["source"] + probe["destination"] else socket.AF_INET
    source, destination = (socket.inet_pton(family, probe[end]) for end in ("source", "destination"))
    protocol = PROTOCOLS[probe["protocol"]]
    ports = struct.pack("!HH", probe["source_port"], probe["destination_port"])
    room = probe["size"] - 14 - (20 if family == socket.AF_INET else 40)
    tcp = ports + struct.pack("!IIBBHHH", number, 0, 0x50, 0x18, 1024, 0, 0)
    body = {17: ports + struct.pack("!HH", room, 0), 6: tcp}.get(protocol, ports + bytes(8))
    body = (body + bytes(room))[: room - 8] + struct.pack("!Q", number)
    if family == socket.AF_INET:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + room, number & 0xFFFF, 0, 64, protocol, 0) + source + destination
        return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00" + head + body
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x86\xdd" + struct.pack("!IHBB", 6 << 28, room, protocol, 64) + source + destination + body


def exchange(probe: dict[str, Any]) -> tuple[int, int, float]:
    """Send the frames from one end of the pair, count them at the other: (received, distinct, seconds from first to last)."""
    kind = 0x86DD if ":" in probe["source"] + probe["destination"] else 0x0800
    # A packet socket for one protocol stands behind the ingress hook; one for all protocols would stand before it.
    receiver, sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with receiver, sender:
        receiver.bind(("sqb", kind))
        receiver.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
        sender.bind(("sqa", 0))
        begin = time.monotonic()
        for number in range(probe["count"]):
            try:
                sender.send(frame(probe, number))
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # an nft verdict at egress tells the sender: a lost frame like any other
                    raise
        seen: list[bytes] = []
        last = begin
        receiver.settimeout(0.1 + probe.get("wait", 0))
        while True:
            try:
                data = receiver.recv(2048)
            except TimeoutError:
                return len(seen), len(set(seen)), last - begin
            last = time.monotonic()
            seen.append(data[-8:])
            receiver.settimeout(0.03 + probe.get("wait", 0))


def judge(effect: dict[str, Any], probe: dict[str, Any], received: int, distinct: int, seconds: float) -> str:
    """Why the rehearsal disproves the program; empty if it does not. Five standard errors, and generous bounds for a rate."""
    sent = probe["count"]
    if effect["rate"]:
        expected = max(0, sent * probe["size"] - effect["burst"]) * 8 / effect["rate"]
        if expected > 0.005 and not effect["loss"] and not 0.5 * expected < seconds < 3 * expected + 0.25:
            return f"{sent} frames of {probe['size']} bytes took {seconds * 1000:.0f} ms instead of {expected * 1000:.0f} ms"
        return "" if received else "no frame passed"
    for what, share, value in (("lost", effect["loss"], sent - distinct), ("copied", effect["duplicate"], received - distinct)):
        chance, of = (share or 0) / 1e6, sent if what == "lost" else distinct
        if abs(value - chance * of) > 5 * (chance * (1 - chance) * of) ** 0.5 + (0 < chance < 1):
            return f"{value} of {of} frames were {what} instead of {chance:.4%}"
    return ""


def rehearse(program: dict[str, Any], lease: float, addresses: list[list[str]]) -> dict[str, Any]:
    """The program on a throw-away pair in a fresh namespace. {'rehearsed': proven | unavailable | disproved, 'detail': …}"""
    probe = dict(program["probe"])
    for end in ("source", "destination"):
        probe[end] = probe[end] or next((address for group in addresses for address in group if ":" not in address), "")
    if not probe["count"] or not probe["source"] or not probe["destination"]:
        return {"rehearsed": "unavailable", "detail": "no sample packet could be made for this filter"}
    if libc.unshare(CLONE_NEWNET) != 0:
        return {"rehearsed": "unavailable", "detail": f"unshare: {os.strerror(ctypes.get_errno())} (needs SYS_ADMIN)"}
    fault = Fault(program, "sqb" if program["direction"] == "ingress" else "sqa", lease, addresses)
    try:
        # Told to have no IPv6 addresses before it is up, a device does not solicit routers among our frames.
        up = "".join(f"link set dev {end} {word}\n" for word in ("addrgenmode none", "up") for end in ("sqa", "sqb"))
        command(["ip", "-batch", "-"], f"link add name sqa type veth peer name sqb\n{up}")
        fault.apply()
        fault.step(program["arm"])
        if program["effect"]["rate"]:
            probe["wait"] = min(1.0, 2 * probe["size"] * 8 / program["effect"]["rate"])
        received, distinct, seconds = exchange(probe)
        problem = fault.missing(armed=True) or judge(program["effect"], probe, received, distinct, seconds)
        matched = fault.counters().get("matched", [0])[0]
        if not problem and matched != probe["count"]:
            problem = f"{matched} of {probe['count']} frames matched the filter"
        left = fault.revert()
        problem = problem or "; ".join(left)
    except (CommandFailed, OSError) as failure:
        return {"rehearsed": "disproved", "detail": str(failure)}
    numbers = {"sent": probe["count"], "received": received, "distinct": distinct, "milliseconds": round(seconds * 1000, 1)}
    return {"rehearsed": "disproved" if problem else "proven", "detail": problem, **numbers}


class Rehearsals:
    """Each program is rehearsed once per node, in a thread of its own whose namespace ends with it."""

    def __init__(self, lease: float) -> None:
        self.lease, self.lock = lease, threading.Lock()
        self.results: dict[str, dict[str, Any]] = {}

    def result(self, program: dict[str, Any], addresses: list[list[str]]) -> dict[str, Any]:
        """The rehearsal's result for one program and the addresses of its host names."""
        key = json.dumps([program["table"], program["engine"], addresses])
        with self.lock:
            if key not in self.results:
                thread = threading.Thread(target=lambda: self.results.update({key: rehearse(program, self.lease, addresses)}))
                thread.start()
                thread.join()
            return self.results.get(key, {"rehearsed": "disproved", "detail": "the rehearsal broke"})
