"""The life of one target: enter, choose, apply, wait, arm, hold, revert, and say how it ended."""

from __future__ import annotations

import fnmatch
import os
import re
import threading
import time

from commands import CommandFailed, listed
from fault import Fault
from lookup import Absent, Found, HostNetwork, Processes
from namespaces import enter, resolve
from ours import Seen, Sweeper
from outside import Countdown, Outside, emit
from rehearsal import Rehearsals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DONE, NOT_APPLIED, NOT_IN_EFFECT, RESIDUE, NO_NAMESPACE, REFUSED, BUG = 0, 10, 11, 12, 13, 14, 70
EXIT = {"passed": DONE, "interrupted": DONE, "not-applied": NOT_APPLIED, "not-in-effect": NOT_IN_EFFECT, "lapsed": NOT_IN_EFFECT, "refused": REFUSED}
DEVICE_NAME = re.compile(r"^[A-Za-z0-9_.:-]{1,15}$")
SAMPLE_SECONDS, TOGETHER_SECONDS = 2.0, 0.2


class Problem(Exception):
    """The target ends here, with this status and reason."""

    def __init__(self, status: str, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.code = status, reason, EXIT[status] if code is None else code


class Node:
    """What the targets of one job share."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job, self.outside = job, Outside(job)
        self.ready, self.armed = Countdown(len(job["injections"])), Countdown(len(job["injections"]))
        self.rehearsals, self.sweeper = Rehearsals(float(job["lease_seconds"])), Sweeper(job["run"])
        self.processes = Processes()


class Injection(threading.Thread):
    """The life of one target. `status`, `reason`, `code` and `left` are its end; `met` tells whether a packet matched while it held."""

    def __init__(self, item: dict[str, Any], node: Node) -> None:
        super().__init__(name=item["key"])
        self.item, self.node, self.job, self.outside = item, node, node.job, node.outside
        self.key, self.lease = item["key"], float(self.job["lease_seconds"])
        self.deadline = time.monotonic() + item["deadline"] - time.time()
        self.status, self.reason, self.code = "not-applied", "", NOT_APPLIED
        self.left: list[str] = []
        self.fault: Fault | None = None
        self.found: Found | None = None
        self.matched, self.met = 0, False
        self.waited_for = {node.ready, node.armed}

    def run(self) -> None:
        """Apply, hold, revert; whatever happens, revert and say how it ended."""
        try:
            self._live()
            self.status, self.code = "passed", DONE
        except Problem as problem:
            self.status, self.reason, self.code = problem.status, problem.reason, problem.code
        except (CommandFailed, OSError, ValueError) as failure:
            self.reason = str(failure)
        except Exception:  # noqa: BLE001 - the one place where a bug must still revert and report
            import traceback  # noqa: PLC0415 - takes a while to import, and is hardly ever needed

            self.reason, self.code = traceback.format_exc(limit=-3), BUG
        finally:
            self._arrive(self.node.ready, self.node.armed)
            self._revert()
            if self.found:
                self.found.close()
            emit("finished", self.key, status=self.status, reason=self.reason)

    def _arrive(self, *countdowns: Countdown) -> None:
        for countdown in self.waited_for & set(countdowns):
            countdown.arrive()
        self.waited_for -= set(countdowns)

    def _revert(self) -> None:
        if self.fault is None:
            return
        begin = time.monotonic()
        self.left = self.fault.revert()
        self.code = RESIDUE if self.left else self.code
        emit("reverted", self.key, left=self.left, seconds=round(time.monotonic() - begin, 3))

    def _live(self) -> None:
        self.node.rehearsals.begin([self.job["programs"][number] for number in self.item["programs"][:1]])
        self._enter()
        seen, others = self.node.sweeper.sweep(self.namespace)
        device = self._device(seen.devices)
        self._refuse(others)
        addresses = self._resolve()
        self.fault = self._choose(device, addresses, seen)
        self.fault.stand_by()
        self._wait_for_start()
        self._arm(self.fault)
        self._hold(self.fault)

    def _enter(self) -> None:
        try:
            found = self.found = self.node.processes.locate(self.item["find"], node=self.item["kind"] == "node")
        except HostNetwork:
            raise Problem("refused", "the pod lives in its node's network namespace (hostNetwork): the fault would hit the node") from None
        except (Absent, OSError) as error:
            raise Problem("not-applied", f"no network namespace: {error}", NO_NAMESPACE) from None
        enter(found.namespace)
        status = os.fstat(found.namespace)
        self.namespace = (status.st_dev, status.st_ino)

    def _device(self, names: list[str]) -> str:
        if self.item["device"] == "default-route":
            routes = listed(["ip", "-j", "route", "show", "default"]) + listed(["ip", "-6", "-j", "route", "show", "default"])
            found = sorted({route["dev"] for route in routes if "dev" in route})
        else:
            found = fnmatch.filter(names, self.item["device"])
        if len(found) != 1 or not DEVICE_NAME.match(found[0]):
            matched = f"matches {len(found)} devices" if found else "is not there"
            raise Problem("not-applied", f"device {self.item['device']} {matched}; the namespace has {', '.join(names)}")
        return str(found[0])

    def _refuse(self, others: list[tuple[str, str]]) -> None:
        if others:
            runs, remedies = ", ".join(sorted({run for run, _ in others})), "; ".join(remedy for _, remedy in others)
            raise Problem("refused", f"run {runs} left something here, or is still at work; to remove it: {self.job['cleanup']} ({remedies})")

    def _resolve(self) -> dict[str, list[str]]:
        names = sorted({name for number in self.item["programs"] for wanted in self.job["programs"][number]["hosts"] for name in wanted["names"]})
        found = resolve(names, self.found.name_files()) if names and self.found else {}
        empty = [name for name in names if not found.get(name)]
        if empty:
            text = f"{', '.join(empty)} does not resolve in the target's namespace; a filter without addresses would mean everything"
            raise Problem("not-applied", text)
        return found

    def _choose(self, device: str, found: dict[str, list[str]], seen: Seen) -> Fault:
        """The first alternative that fits the device and that the rehearsal does not disprove, applied."""
        rejected, foreign = [], seen.foreign_root(device)
        for number in self.item["programs"]:
            program = self.job["programs"][number]
            addresses = [sorted({address for name in wanted["names"] for address in found[name]}) for wanted in program["hosts"]]
            if program["needs_root"] and foreign:
                rejected.append(f"{program['engine']}: {device} has a root qdisc that is not ours to replace ({foreign})")
                continue
            result = self.node.rehearsals.result(program, addresses)
            emit("rehearsed", self.key, engine=program["engine"], **result)
            if result["rehearsed"] == "disproved":
                rejected.append(f"{program['engine']}: the rehearsal disproved it: {result['detail']}")
                continue
            fault = self.fault = Fault(program, device, self.lease, addresses, seen.qdiscs(device))
            fault.apply()
            emit("applied", self.key, engine=program["engine"], device=device, fidelity=program["fidelity"], rejected=rejected, addresses=found)
            return fault
        refused = foreign and all("not ours to replace" in reason for reason in rejected)
        raise Problem("refused" if refused else "not-applied", "; ".join(rejected))

    def _wait_for_start(self) -> None:
        """One start for all: when every target of this node is ready, and then at the word of the stream or at the agreed time."""
        self._arrive(self.node.ready)
        latest = self.item.get("latest_start") or time.time() + self.deadline - time.monotonic()
        if not self.job["serial"]:
            self.node.ready.wait(min(latest - time.time(), self.deadline - time.monotonic()))
        latest = min(latest, time.time() + self.deadline - time.monotonic())
        begun = self.outside.wait_for_start(self.item.get("not_before"), latest)
        if self.outside.stopped.is_set():
            raise Problem("interrupted", self.outside.why)
        if not begun:
            raise Problem("not-applied", "it could not start before its latest start")

    def _arm(self, fault: Fault) -> None:
        fault.arm(self._lease_left())
        self._arrive(self.node.armed)
        if not self.job["serial"]:
            self.node.armed.wait(TOGETHER_SECONDS)  # what reads waits for what arms, so that all begin close together
        if missing := fault.missing(armed=True):
            raise Problem("not-in-effect", missing)
        self.matched = fault.matched()
        emit("armed", self.key, lease_seconds=self.lease, at=round(fault.at, 6), counters=fault.counters())

    def _lease_left(self) -> float:
        return float(min(self.lease, self.deadline - time.monotonic()))

    def _hold(self, fault: Fault) -> None:
        """Renew well before the lease ends, read everything back every few seconds, until the time is over or somebody says stop."""
        begin = time.monotonic()
        end = min(begin + self.item["hold_seconds"], self.deadline)
        renewal, sample = begin + self.lease / 3, begin + SAMPLE_SECONDS
        while (now := time.monotonic()) < end:
            if now >= renewal:
                renewal = now + self.lease / 3
                self._renew(fault)
            if now >= sample:
                sample = now + SAMPLE_SECONDS
                self._sample(fault, "holding")
            if self.outside.pause(min(renewal, sample, end, now + 0.25) - time.monotonic()):
                self._sample(fault, "measured")
                raise Problem("interrupted", self.outside.why)
        self._sample(fault, "measured")
        if time.monotonic() - begin < self.item["hold_seconds"] - 0.5:
            raise Problem("not-in-effect", "the deadline came before the hold was over")

    def _renew(self, fault: Fault) -> None:
        if (left := self._lease_left()) <= 0:
            return
        try:
            fault.step(fault.program["renew"], left)
        except CommandFailed as failure:
            state = fault.missing(armed=True)
            raise Problem("lapsed", f"the lease ended before it was renewed: {state or failure}") from None

    def _sample(self, fault: Fault, event: str) -> None:
        if missing := fault.missing(armed=True):
            lapsed = "lease" in missing
            raise Problem("lapsed" if lapsed else "not-in-effect", missing)
        self.met = fault.matched() > self.matched
        emit(event, self.key, at=round(fault.at, 6), counters=fault.counters())


