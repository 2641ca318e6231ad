"""One kernel program on one device: put there, read back, drained, taken away, looked at again."""

from __future__ import annotations

import json
import time
from functools import partial
from itertools import groupby

import nftables
from commands import CommandFailed, Waiting, batch, command, parsed, qdiscs, queues, together
from ours import OUR_ROOT, Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Shape = list[tuple[str, bool, str, str]]

DRAIN_SECONDS = 5.0
# The kernel keeps sizes as times, in ticks.
TICK_TOLERANCE = 0.02


def shape(items: list[dict[str, Any]]) -> Shape:
    """The qdiscs of a device as far as they should be the same again afterwards."""
    return sorted(
        (item["kind"], bool(item.get("root")), item.get("parent", "").rpartition(":")[2], json.dumps(item.get("options", {}), sort_keys=True))
        for item in items
    )


class Fault:
    """One program on one device of the namespace that this thread is in.

    `addresses` are those of its host names, set by set; `original` the qdiscs that the device has without it.
    """

    def __init__(
        self, program: dict[str, Any], device: str, lease: float, addresses: list[list[str]], original: list[dict[str, Any]]
    ) -> None:  # fmt: skip
        self.program, self.device, self.lease, self.addresses = program, device, lease, addresses
        self.original, self.before = original, shape(original)
        self.counted: dict[str, list[int]] = {}
        self.queue: dict[str, Any] = {}
        self.at = 0.0
        self.arming: Waiting | None = None

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

    def steps(self, steps: list[Any]) -> None:
        """Run planned lines in order, those that follow each other with the same tool in one process. Raises CommandFailed."""
        for tool, group in groupby(steps, lambda step: "nft" if isinstance(step, dict) else step[0]):
            if tool == "nft":
                command(["nft", "-f", "-"], "".join(self.fill(step["nft"], self.lease) for step in group))
            else:
                batch([[self.fill(word, self.lease) for word in step] for step in group])

    def apply(self) -> None:
        """All objects, disarmed, and found to be there. Raises CommandFailed."""
        self.steps(self.set_up())
        if missing := self.missing(armed=False):
            raise CommandFailed(f"after setting up, {missing}")

    def set_up(self) -> list[Any]:
        """The lines that put everything there, with the addresses of the host names."""
        steps = list(self.program["setup"])
        for wanted, addresses in zip(self.program["hosts"], self.addresses, strict=True):
            for name, marker in ((wanted["set_v4"], "."), (wanted["set_v6"], ":")):
                chosen = [address for address in addresses if marker in address]
                if chosen:
                    steps.append({"nft": f"add element {self.program['family']} {self.program['table']} {name} {{ {', '.join(chosen)} }}\n"})
        return steps

    def stand_by(self) -> None:
        """Be ready to be armed without delay. Raises CommandFailed."""
        self.arming = Waiting(["nft", "-f", "-"])

    def arm(self, lease: float) -> None:
        """Let the fault begin. Raises CommandFailed."""
        if self.arming:
            self.arming.run(self.fill(self.program["arm"]["nft"], lease))

    def missing(self, *, armed: bool) -> str:
        """What should be in the kernel and is not; empty if all is there. Keeps the counters that it read, and `at` which time."""
        table, ifb = self.program["table"], self.program["ifb"]
        devices = sorted({self.fill(wanted["device"], self.lease) for wanted in self.program["qdiscs"]})
        links = [["ip", "-j", "link", "show", "dev", ifb]] if ifb else []
        try:
            if problem := self._missing_rules(self.program["family"], table, armed):
                return problem
            begin = time.time()
            lists = [parsed(text) for text in together(*links, *map(queues, devices))]
            self.at = (begin + time.time()) / 2
            return _missing_device(ifb, lists) or self._missing_qdisc(dict(zip(devices, lists[len(links) :], strict=True)))
        except (CommandFailed, ValueError) as failure:
            return str(failure)

    def _missing_rules(self, family: str, table: str, armed: bool) -> str:
        leased, rules = nftables.elements(family, table, "lease"), nftables.rules(family, table)
        self.counted = nftables.counters(family, table)
        if rules != self.program["rules"]:
            return f"table {table} has {rules} rules instead of {self.program['rules']}"
        return "" if bool(leased) is armed else f"the lease in table {table} is {'not ' if armed else ''}in force"

    def _missing_qdisc(self, present: dict[str, list[dict[str, Any]]]) -> str:
        for wanted in self.program["qdiscs"]:
            device = self.fill(wanted["device"], self.lease)
            found = next((item for item in present[device] if item.get("handle") == wanted["handle"]), None)
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
        facts: dict[str, Any] = dict(self.counted)
        if self.program["leaf"]:
            facts["queue"] = {key: self.queue.get(key, 0) for key in ("bytes", "packets", "drops", "overlimits", "backlog", "qlen")}
        return facts

    def matched(self) -> int:
        """How many packets the filter has matched, by the last `missing`."""
        return self.counted.get("matched", [0])[0]

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
        if self.arming:
            self.arming.end()
        failures = []
        for attempt in self._ending():
            try:
                attempt()
            except CommandFailed as failure:
                failures.append(str(failure))
        try:
            left = self._left()
        except (CommandFailed, ValueError) as failure:
            return [] if "Cannot find device" in str(failure) or "does not exist" in str(failure) else [str(failure)]
        return left and left + failures

    def _ending(self) -> list[Callable[[], None]]:
        """Disarm, let what is queued leave, tear down; where nothing queues, the first two lines of nft in one."""
        disarm, first, *others = (partial(self.step, step) for step in (self.program["disarm"], *self.program["teardown"]))
        if self.program["leaf"] or self.program["flush"]:
            return [disarm, self.drain, first, *others]
        return [partial(self._disarm_and_delete, first), *others]

    def _disarm_and_delete(self, delete: Callable[[], None]) -> None:
        try:
            self.steps([self.program["disarm"], self.program["teardown"][0]])
        except CommandFailed:
            delete()

    def _left(self) -> list[str]:
        names, seen = {self.program["table"], self.program["ifb"]} - {""}, Seen()
        ours = seen.ours()
        left = [remedy for _, remedy in ours if names & set(remedy.split())]
        if self.program["needs_root"]:
            left += [remedy for run, remedy in ours if not run and f" {self.device} " in remedy]
        if left or not self.program["needs_root"] or shape(seen.qdiscs(self.device)) == self.before:
            return left
        put_back(self.device, self.original)
        if shape(qdiscs(self.device)) != self.before:
            left.append(f"qdiscs of {self.device} are {[item[0] for item in shape(qdiscs(self.device))]}, were {[item[0] for item in self.before]}")
        return left


def _missing_device(ifb: str, lists: list[list[dict[str, Any]]]) -> str:
    """An ifb that is not up swallows what is sent through it."""
    return f"device {ifb} is not up" if ifb and not (lists[0] and "UP" in lists[0][0].get("flags", ())) else ""


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
