"""The same program on a throw-away pair of devices first, measured, before any target is touched."""

from __future__ import annotations

import ctypes
import json
import os
import threading

import nftables
from commands import CommandFailed, command, qdiscs
from exchange import Exchanged, exchange
from fault import Fault
from namespaces import CLONE_NEWNET, libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A rehearsal of a longer delay would keep the target waiting.
LONGEST_DELAY = 5.0
# A node that is busy for a moment disproves what a second look proves; what does not work never does.
TRIES = 2


def judge(effect: dict[str, Any], probe: dict[str, Any], done: Exchanged) -> str:
    """Why the rehearsal disproves the program; empty if it does not."""
    if not done.received and effect["loss"] != 10**6:
        return "no frame passed"
    return _judge_time(effect, probe, done) or (_judge_shares(effect, done) if not effect["rate"] else "")


def _judge_time(effect: dict[str, Any], probe: dict[str, Any], done: Exchanged) -> str:
    """Generous bounds: they catch a wrong unit or a shaper that does nothing, not a slow machine."""
    if effect["rate"]:
        expected = max(0, done.sent * probe["size"] - effect["burst"]) * 8 / effect["rate"] + (effect["delay"] or 0) / 1e6
        if expected > 0.005 and not effect["loss"] and effect["independent"] and not 0.5 * expected < done.seconds < 3 * expected + 0.25:
            return f"{done.sent} frames of {probe['size']} bytes took {done.seconds * 1000:.0f} ms instead of {expected * 1000:.0f} ms"
    elif effect["delay"] and done.came:
        latencies, wanted = done.latencies(), effect["delay"] / 1e6
        median = latencies[len(latencies) // 2]
        if (effect["reorder"] or 0) < 400_000 and not 0.85 * wanted - effect["jitter"] / 1e6 < median < 1.3 * wanted + effect["jitter"] / 1e6 + 0.05:
            return f"frames took {median * 1000:.1f} ms instead of {wanted * 1000:.1f} ms"
        spread = latencies[len(latencies) * 9 // 10] - latencies[len(latencies) // 10]
        if spread < 0.5 * effect["spread"] / 1e6 and len(latencies) > 50:
            return f"the times of the frames spread over {spread * 1000:.2f} ms for a jitter of {effect['jitter'] / 1000:.2f} ms"
    return ""


def _judge_shares(effect: dict[str, Any], done: Exchanged) -> str:
    """Five standard errors where every packet's fate is its own; else only that something happened."""
    overtook = sum(one < effect["delay"] / 2e6 for one in done.latencies()) if effect["delay"] else 0
    lost = done.sent - done.distinct - (done.damaged if effect["corrupt"] else 0)
    copied, originals = done.received - done.distinct - done.damaged, done.distinct
    if effect["corrupt"] and effect["loss"] is None:  # a damaged frame does not tell whether it is a copy
        copied, originals = done.received - done.sent, done.sent
    shares = (
        ("lost", effect["loss"], lost, done.sent),
        ("damaged", effect["corrupt"], done.damaged, done.received),
        ("copied", effect["duplicate"], copied, originals),
        ("ahead of their turn", effect["reorder"], overtook, done.distinct),
    )
    for what, wanted, value, of in shares:
        chance = (wanted or 0) / 1e6
        if what in _unclear(effect) or (wanted is None and (effect["corrupt"] or not effect["independent"])):
            continue
        if not effect["independent"]:
            if chance * of > 20 and not value:
                return f"none of {of} frames were {what}"
        elif abs(value - chance * of) > 5 * (chance * (1 - chance) * of) ** 0.5 + (0 < chance < 1):
            return f"{value} of {of} frames were {what} instead of {chance:.4%}"
    return ""


def _unclear(effect: dict[str, Any]) -> set[str]:
    """Shares that this effect's frames do not tell, though they may have been asked for."""
    unclear = {name for name, wanted in (("damaged", effect["corrupt"]), ("ahead of their turn", effect["reorder"])) if wanted is None}
    if effect["corrupt"] and effect["duplicate"] and effect["loss"]:
        unclear |= {"lost", "copied"}
    if effect["reorder"] and 8 * effect["jitter"] > effect["delay"]:
        unclear.add("ahead of their turn")  # early by jitter, or by overtaking
    return unclear


def _patience(effect: dict[str, Any], probe: dict[str, Any]) -> float:
    """How long nothing may come before everything has."""
    between = min(1.0, 2 * probe["size"] * 8 / effect["rate"]) if effect["rate"] else 0.0
    return float(0.02 + between + ((effect["delay"] or 0) + 4 * effect["jitter"]) / 1e6)


def _settled(fault: Fault, probe: dict[str, Any], done: Exchanged) -> bool:
    """Whether every frame that the counters leave has come, in effects that hold none back, and they prove the program."""
    effect = fault.program["effect"]
    if not effect["independent"] or effect["rate"] or effect["delay"]:
        return False
    counted = nftables.counters(fault.program["family"], fault.program["table"])
    expected = done.sent - counted.get("dropped", [0])[0] + counted.get("duplicated", [0])[0]
    return done.received == expected and not judge(effect, probe, done)


def _route(probe: dict[str, Any]) -> str:
    """What the IP stack needs to send the probe over `sqa`."""
    bits = 128 if ":" in probe["source"] + probe["destination"] else 32
    return (
        f"address add {probe['source']}/{bits} dev sqa{' nodad' if bits == 128 else ''}\nroute add {probe['destination']}/{bits} dev sqa\n"
        f"neighbour replace {probe['destination']} lladdr 02:00:00:00:00:02 dev sqa\n"
    )


def rehearse(program: dict[str, Any], lease: float, addresses: list[list[str]]) -> dict[str, Any]:
    """The program on a throw-away pair in a fresh namespace. {'rehearsed': proven | unavailable | disproved, 'detail': …}"""
    probe, effect = dict(program["probe"]), program["effect"]
    for end in ("source", "destination"):
        probe[end] = probe[end] or next((address for group in addresses for address in group if ":" not in address), "")
    if not probe["count"] or not probe["source"] or not probe["destination"]:
        return {"rehearsed": "unavailable", "detail": "no sample packet could be made for this filter"}
    if program["family"] == "bridge":
        return {"rehearsed": "unavailable", "detail": "the throw-away pair is no bridge"}
    if (effect["delay"] or 0) > LONGEST_DELAY * 1e6:
        return {"rehearsed": "unavailable", "detail": f"a delay of more than {LONGEST_DELAY:.0f} s is not waited for"}
    if libc.unshare(CLONE_NEWNET) != 0:
        return {"rehearsed": "unavailable", "detail": f"unshare: {os.strerror(ctypes.get_errno())} (needs SYS_ADMIN)"}
    os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)  # kept to the end: to take a namespace down holds up all others
    device = "sqb" if program["direction"] == "ingress" else "sqa"
    try:
        # Told to have no IPv6 addresses before it is up, a device does not solicit routers among our frames.
        up = "".join(f"link set dev {end} {word}\n" for word in ("addrgenmode none", "up") for end in ("sqa", "sqb"))
        routed = program["family"] == "inet"
        command(["ip", "-batch", "-"], f"link add name sqa type veth peer name sqb\n{up}{_route(probe) if routed else ''}")
        fault = Fault(program, device, lease, addresses, qdiscs(device) if program["needs_root"] else [])
        fault.steps([*fault.set_up(), program["arm"]])
        done = exchange(probe, _patience(effect, probe), lambda done: _settled(fault, probe, done), routed=routed)
        problem = fault.missing(armed=True) or judge(effect, probe, done)
        matched = fault.counters().get("matched", [0])[0]
        if not problem and matched != done.sent:
            problem = f"{matched} of {done.sent} frames matched the filter"
        problem = problem or "; ".join(fault.revert())
    except (CommandFailed, OSError) as failure:
        return {"rehearsed": "disproved", "detail": str(failure)}
    numbers = {"sent": done.sent, "received": done.received, "distinct": done.distinct, "milliseconds": round(done.seconds * 1000, 1)}
    return {"rehearsed": "disproved" if problem else "proven", "detail": problem, **numbers}


class Rehearsals:
    """Each program is rehearsed once per node, one after the other, in a thread and a namespace of its own."""

    def __init__(self, lease: float) -> None:
        self.lease, self.lock = lease, threading.Lock()
        self.results: dict[str, dict[str, Any]] = {}
        self.begun: list[dict[str, Any]] = []

    def begin(self, programs: list[dict[str, Any]]) -> None:
        """Rehearse programs that wait for no addresses, while their targets are still being looked at."""
        for program in programs:
            if not program["hosts"] and program not in self.begun:
                self.begun.append(program)
                threading.Thread(target=self.result, args=(program, []), daemon=True).start()

    def result(self, program: dict[str, Any], addresses: list[list[str]]) -> dict[str, Any]:
        """The rehearsal's result for one program and the addresses of its host names."""
        key = json.dumps([program["table"], program["engine"], addresses])
        if key in self.results:
            return self.results[key]
        with self.lock:
            if key not in self.results:
                told: list[dict[str, Any]] = []
                while len(told) < TRIES and (not told or told[-1]["rehearsed"] == "disproved"):
                    told.append({"rehearsed": "disproved", "detail": "the rehearsal broke"})
                    thread = threading.Thread(target=lambda: told[-1].update(rehearse(program, self.lease, addresses)))
                    thread.start()
                    thread.join()
                self.results[key] = told[-1]
            return self.results[key]
