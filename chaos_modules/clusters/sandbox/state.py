"""Who owns the sandbox of this machine: one at a time, and a killed owner is told from a living one."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ...model import errors
from ...model.errors import ClusterProblem

STATE_DIRECTORY = Path("/run/squall-sandbox")
CLEANUP_COMMAND = f"{errors.CLEANUP_COMMAND} --sandbox"
_STATE_FILE = "state.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that runs a sandbox; `started` (clock ticks since boot) tells it from a later one with the same pid."""

    pid: int
    started: int
    source: str
    created: float

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return start_ticks(self.pid) == self.started


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when it is gone or only waits to be reaped."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The command in parentheses may hold anything; the state is field 3 and the start time field 22 (proc(5)).
    fields = status.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def read_owner(directory: Path) -> Owner | None:
    """The recorded owner; None when there is none, or when it was killed while writing."""
    try:
        return Owner(**json.loads((directory / _STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def claim(directory: Path, source: str) -> None:
    """Become the owner. Making the directory is the lock: it succeeds for one process only."""
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        raise _taken(directory) from None
    except OSError as error:
        raise ClusterProblem(f"the state directory {directory} cannot be made: {error.strerror}", "sandbox", "run it as root") from error
    pid = os.getpid()
    owner = Owner(pid=pid, started=start_ticks(pid) or 0, source=source, created=time.time())
    draft = directory / f"{_STATE_FILE}.new"
    draft.write_text(json.dumps(asdict(owner)), encoding="utf-8")
    draft.replace(directory / _STATE_FILE)


def refuse_if_owned(directory: Path) -> None:
    """Raise while another process that lives owns the sandbox."""
    owner = read_owner(directory)
    if owner is not None and owner.pid != os.getpid() and owner.alive:
        raise _taken(directory)


def refuse_if_taken(directory: Path) -> None:
    """Raise while a sandbox is up, or its remains are there."""
    if directory.exists():
        raise _taken(directory)


def _taken(directory: Path) -> ClusterProblem:
    owner = read_owner(directory)
    if owner is not None and owner.alive:
        what = f"a sandbox ({owner.source}) is already up on this machine, run by process {owner.pid}"
        return ClusterProblem(what, str(directory), f"wait until it ends, or end process {owner.pid}")
    return ClusterProblem("a killed run left its sandbox behind", str(directory), f"remove it: {CLEANUP_COMMAND}")
