"""Looks into every network namespace of this node for what carries our name, and removes it when told so.

In: JSON in the environment variable SQUALL_SWEEP: `run` (empty: of all runs) and `remove`. Out: JSON lines on stdout, one for each thing found and a
last one with the sums. Exit status 0: nothing is left, 12: something is, 70: it could not look. A namespace in which no process lives has no traffic
and is not looked into.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from commands import CommandFailed, command
from lookup import Absent, Processes
from membership import of_process, pids
from namespaces import enter
from ours import Seen
from shapes import flag, refuse, shaped, text

CLEAN, LEFT, BUG = 0, 12, 70
WISH = {"run": text("([0-9a-f]{8})?", "a run id or empty"), "remove": flag}
# What steers goes before what it steers to.
ORDER = ("nft", "tc", "ip")


@dataclass
class Thing:
    """Something of ours in one namespace; `reason` tells why it is left."""

    run: str
    remedy: str
    removed: bool = False
    reason: str = ""


@dataclass
class Namespace:
    """A network namespace held open, and the processes that live in it."""

    descriptor: int
    inode: int
    residents: list[int]

    def where(self, root: str) -> str:
        """The pod that it belongs to, or else the container, or else its number."""
        owners = [of_process(f"{root}/{pid}") for pid in self.residents]
        named = [one.pod for one in owners if one.pod] or [one.container for one in owners if one.container]
        return named[0] if named else f"namespace {self.inode}"


def namespaces(root: str) -> list[Namespace]:
    """Every network namespace in which a process lives, once. Raises OSError where one may not be opened."""
    found: dict[tuple[int, int], Namespace] = {}
    for pid in pids(root):
        try:
            descriptor = os.open(f"{root}/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        status = os.fstat(descriptor)
        known = found.setdefault((status.st_dev, status.st_ino), Namespace(descriptor, status.st_ino, []))
        known.residents.append(pid)
        if known.descriptor != descriptor:
            os.close(descriptor)
    return list(found.values())


def of_run(run: str) -> list[Thing]:
    """What of one run, or of all, is in this thread's namespace. A root qdisc names no run: it is the run's whose tables alone are here."""
    found = [Thing(*one) for one in Seen().ours()]
    runs = {thing.run for thing in found} - {""}
    if run and runs - {run}:
        found = [thing for thing in found if thing.run]
    if run and not runs:
        for thing in found:
            thing.reason = "it does not tell its run, and nothing beside it does: only a sweep of all runs removes it"
    return sorted((thing for thing in found if thing.run in (run, "") or not run), key=lambda thing: ORDER.index(thing.remedy.split()[0]))


def sweep(run: str, *, remove: bool) -> list[Thing]:
    """What is found in this thread's namespace; removed and looked for again if that is wished. Raises CommandFailed."""
    found = of_run(run)
    for thing in found if remove else []:
        if not thing.reason:
            try:
                command(thing.remedy.split())
            except CommandFailed as failure:
                thing.reason = str(failure)
    still = {thing.remedy for thing in of_run("")} if remove and found else {thing.remedy for thing in found}
    for thing in found:
        thing.removed = thing.remedy not in still
        thing.reason = "" if thing.removed else thing.reason or ("it is still there" if remove else "")
    return found


def swept(run: str, root: str, *, remove: bool) -> Iterator[dict[str, object]]:
    """The report, line by line."""
    host = Processes(root).locate({"host": True}, node=True)
    inode, counted, left = os.fstat(host.namespace).st_ino, 0, 0
    host.close()
    places = namespaces(root)
    for place in places:
        try:
            enter(place.descriptor)
            things = sweep(run, remove=remove)
        except (CommandFailed, OSError, ValueError) as failure:
            things = [Thing("", "", reason=f"it could not be looked into: {failure}")]
        os.close(place.descriptor)
        where = "node" if place.inode == inode else place.where(root) if things else ""
        for thing in things:
            yield {"event": "found", "where": where, **vars(thing)}
        counted, left = counted + len(things), left + sum(not thing.removed for thing in things)
    yield {"event": "swept", "namespaces": len(places), "found": counted, "left": left}


def main() -> int:
    """Sweep once."""
    try:
        wish = json.loads(os.environ["SQUALL_SWEEP"])
        shaped(wish, WISH, "sweep")
        if wish.keys() != WISH.keys():
            refuse(wish, "sweep", f"a mapping of {' and '.join(WISH)} alone")
        line: dict[str, object] = {}
        for line in swept(wish["run"], "/proc", remove=wish["remove"]):
            print(json.dumps({"time": round(time.time(), 6), **line}), flush=True)
    except (KeyError, ValueError, RecursionError, OSError, Absent) as error:
        print(f"SQUALL_SWEEP: {type(error).__name__}: {ascii(str(error))[1:-1]}", file=sys.stderr)
        return BUG
    return LEFT if line["left"] else CLEAN


if __name__ == "__main__":
    sys.exit(main())
