"""One kernel program on one device: put there, read back, drained, taken away, looked at again."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from commands import CommandFailed, command, listed, qdiscs

# Roots that the kernel puts there by itself: they may be replaced, and are put back.
KERNEL_ROOTS = ("noqueue", "mq", "fq_codel", "fq", "pfifo_fast")
OUR_ROOT = "ca05:"
OUR_TABLE = re.compile(r"^squall_([0-9a-f]{8})_(?:egress|ingress)$")
OUR_DEVICE = re.compile(r"^sq([0-9a-f]{8})$")
DRAIN_SECONDS = 5.0
# The kernel keeps sizes as times, in ticks.
TICK_TOLERANCE = 0.02
Shape = list[tuple[str, bool, str, str]]


def shape(items: list[dict[str, Any]]) -> Shape:
    """The qdiscs of a device as far as they should be the same again afterwards."""
    return sorted(
        (item["kind"], bool(item.get("root")), item.get("parent", "").rpartition(":")[2], json.dumps(item.get("options", {}), sort_keys=True))
        for item in items
    )


def tables() -> list[tuple[str, str]]:
    """(family, name) of all tables in this namespace."""
    objects = json.loads(command(["nft", "-j", "list", "tables"]))["nftables"]
    return [(item["table"]["family"], item["table"]["name"]) for item in objects if "table" in item]


def our_objects() -> list[tuple[str, str]]:
    """(run id, removing command) of everything in this namespace that carries our name; a root qdisc does not tell its run."""
    named = [(OUR_TABLE.match(name), f"nft delete table {family} {name}") for family, name in tables()]
    links = [link["ifname"] for link in listed(["ip", "-j", "link", "show"])]
    named += [(OUR_DEVICE.match(name), f"ip link del dev {name}") for name in links]
    found = [(match.group(1), remedy) for match, remedy in named if match]
    for item in listed(["tc", "-j", "qdisc", "show"]):
        if item.get("handle") == OUR_ROOT and item.get("root") and not OUR_DEVICE.match(item["dev"]):
            found.append(("", f"tc qdisc del dev {item['dev']} root handle {OUR_ROOT}"))
    return found


class Sweeper:
    """Looks at each namespace once before anything is put there: what an earlier try of this run left is removed, another run's is named."""

    def __init__(self, run: str) -> None:
        self.run, self.lock = run, threading.Lock()
        self.swept: set[tuple[int, int]] = set()

    def sweep(self, namespace: tuple[int, int]) -> list[tuple[str, str]]:
        """The leftovers of other runs in this thread's namespace, as (run id, removing command). Raises CommandFailed."""
        with self.lock:
            found = our_objects()
            others = [(run, remedy) for run, remedy in found if run not in (self.run, "")]
            if others or namespace in self.swept:
                return others
            self.swept.add(namespace)
            for _, remedy in found if any(run for run, _ in found) else []:
                command(remedy.split())
            return []


def foreign_root(device: str) -> str:
    """The kind of a root qdisc that somebody else put there on purpose; empty if the root may be replaced."""
    root = next((item for item in qdiscs(device) if item.get("root")), None)
    return "" if root is None or root["kind"] in KERNEL_ROOTS else f"{root['kind']} {root['handle']}"


class Fault:
    """One program on one device of the namespace that this thread is in; `addresses` are those of its host names, set by set."""

    def __init__(self, program: dict[str, Any], device: str, lease: float, addresses: list[list[str]]) -> None:
        self.program, self.device, self.lease, self.addresses = program, device, lease, addresses
        self.before: Shape = []
        self.original: list[dict[str, Any]] = []
        self.counted: dict[str, Any] = {}
        self.queue: dict[str, Any] = {}

    def fill(self, text: str, lease: float) -> str:
        """The planned line for this device and lease."""
        return text.replace("%device%", self.device).replace("%lease%", f"{max(1, int(lease * 1000))}ms")

    def step(self, step: Any, lease: float | None = None) -> None:
        """Run one planned line. Raises CommandFailed."""
        lease = self.lease if lease is None else lease
        if isinstance(step, dict):
            command(["nft", "-f", "-"], self.fill(step["nft"], lease))
        else:
            command([self.fill(word, lease) for word in step])

    def apply(self) -> None:
        """All objects, disarmed, and found to be there. Raises CommandFailed."""
        self.original = qdiscs(self.device)
        self.before = shape(self.original)
        for step in self.program["setup"]:
            self.step(step)
        for wanted, addresses in zip(self.program["hosts"], self.addresses, strict=True):
            for name, marker in ((wanted["set_v4"], "."), (wanted["set_v6"], ":")):
                chosen = [address for address in addresses if marker in address]
                if chosen:
                    self.step({"nft": f"add element {self.program['family']} {self.program['table']} {name} {{ {', '.join(chosen)} }}\n"})
        if missing := self.missing(armed=False):
            raise CommandFailed(f"after setting up, {missing}")

    def missing(self, *, armed: bool) -> str:
        """What should be in the kernel and is not; empty if all is there. Keeps the counters that it read."""
        table = self.program["table"]
        try:
            objects = json.loads(command(["nft", "-j", "list", "table", self.program["family"], table]))["nftables"]
            self.counted = {item["counter"]["name"]: item["counter"] for item in objects if "counter" in item}
            rules = sum("rule" in item for item in objects)
            lease: list[Any] = next((item["set"].get("elem", []) for item in objects if item.get("set", {}).get("name") == "lease"), [])
            if rules != self.program["rules"]:
                return f"table {table} has {rules} rules instead of {self.program['rules']}"
            if bool(lease) is not armed:
                return f"the lease in table {table} is {'not ' if armed else ''}in force"
            return self._missing_device() or self._missing_qdisc()
        except (CommandFailed, ValueError) as failure:
            return str(failure)

    def _missing_device(self) -> str:
        """An ifb that is not up swallows what is sent through it."""
        if not self.program["ifb"]:
            return ""
        links = listed(["ip", "-j", "link", "show", "dev", self.program["ifb"]])
        return "" if links and "UP" in links[0].get("flags", ()) else f"device {self.program['ifb']} is not up"

    def _missing_qdisc(self) -> str:
        present = {device: qdiscs(self.fill(device, self.lease)) for device in {wanted["device"] for wanted in self.program["qdiscs"]}}
        for wanted in self.program["qdiscs"]:
            device = self.fill(wanted["device"], self.lease)
            found = next((item for item in present[wanted["device"]] if item.get("handle") == wanted["handle"]), None)
            if found is None or found["kind"] != wanted["kind"] or found.get("parent", "") != wanted["parent"]:
                return f"qdisc {wanted['kind']} {wanted['handle']} is not on {device}"
            for name, value in wanted["options"]:
                if abs(int(found.get("options", {}).get(name, 0)) - value) > value * TICK_TOLERANCE:
                    return f"qdisc {wanted['kind']} on {device} has {name} {found.get('options', {}).get(name)} instead of {value}"
            if wanted["handle"] == self.program["leaf"]:
                self.queue = found
        return ""

    def counters(self) -> dict[str, Any]:
        """The numbers read by the last `missing`: [packets, bytes] by counter, and the queue of the fault."""
        facts: dict[str, Any] = {name: [item["packets"], item["bytes"]] for name, item in self.counted.items()}
        if self.program["leaf"]:
            facts["queue"] = {key: self.queue.get(key, 0) for key in ("bytes", "packets", "drops", "overlimits", "backlog", "qlen")}
        return facts

    def drain(self) -> None:
        """Let what is queued leave at line rate, for DRAIN_SECONDS at most."""
        end = time.monotonic() + DRAIN_SECONDS
        for step in self.program["flush"]:
            self.step(step)
        device, queues = self.fill(self.program["queue_device"], self.lease), {item["handle"] for item in self.program["qdiscs"]} - {OUR_ROOT}
        while self.program["leaf"] and time.monotonic() < end:
            if not any(item.get("backlog") or item.get("qlen") for item in qdiscs(device) if item.get("handle") in queues):
                return
            time.sleep(0.005)

    def revert(self) -> list[str]:
        """Take everything away, whatever is there of it, and look again. The commands that remove what is left, and why it is."""
        teardown = [partial(self.step, step) for step in self.program["teardown"]]
        attempts: list[Callable[[], None]] = [partial(self.step, self.program["disarm"]), self.drain, *teardown]
        failures = []
        for attempt in attempts:
            try:
                attempt()
            except CommandFailed as failure:
                failures.append(str(failure))
        try:
            left = self._left()
        except (CommandFailed, ValueError) as failure:
            return [] if "Cannot find device" in str(failure) or "does not exist" in str(failure) else [str(failure)]
        return left and left + failures

    def _left(self) -> list[str]:
        names = {self.program["table"], self.program["ifb"]} - {""}
        ours = our_objects()
        left = [remedy for _, remedy in ours if names & set(remedy.split())]
        if self.program["needs_root"]:
            left += [remedy for run, remedy in ours if not run and f" {self.device} " in remedy]
        if left or not self.program["needs_root"] or shape(qdiscs(self.device)) == self.before:
            return left
        put_back(self.device, self.original)
        if shape(qdiscs(self.device)) != self.before:
            left.append(f"qdiscs of {self.device} are {[item[0] for item in shape(qdiscs(self.device))]}, were {[item[0] for item in self.before]}")
        return left


def put_back(device: str, before: list[dict[str, Any]]) -> None:
    """Give the kernel's own qdiscs the parameters back that they had; called only where the kernel's defaults differ from what was there."""
    for item in sorted(before, key=lambda item: not item.get("root")):
        words: list[str] = []
        for name, value in item.get("options", {}).items():
            if isinstance(value, bool):
                words += [name] if value else []
            elif isinstance(value, int) and name not in ("bands", "multiqueue"):
                words += [name, f"{value}us" if name in ("target", "interval", "ce_threshold") else str(value)]
        place = ["root", "handle", "1:"] if item.get("root") else ["parent", f"1:{item.get('parent', '').rpartition(':')[2]}"]
        try:
            command(["tc", "qdisc", "replace", "dev", device, *place, item["kind"], *words])
        except CommandFailed:
            return
