"""Finds and removes whatever a sandbox left on this machine, also after everything of it was killed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import network
from .layout import NETNS_DIRECTORY
from .state import STATE_DIRECTORY, refuse_if_owned, start_ticks

TRAFFIC_MODULE = f"{__package__}.traffic"
CARDS_MODULE = f"{__package__}.cards"
_INJECTOR = "injector.py"
_GRACE_SECONDS = 1.0
_USER_NAMESPACE = Path("/proc/self/ns/user")
# Where a state directory means the same one.
_MOUNT_NAMESPACE = Path("/proc/self/ns/mnt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A process in a sandbox's namespace, or one of its own outside; `ours` ones may be ended."""

    pid: int
    command: str
    netns: str
    ours: bool

    def __str__(self) -> str:
        place = f" in {self.netns}" if self.netns else ""
        return f"process {self.pid} ({self.command}){place}"


def residents(state_directory: Path = STATE_DIRECTORY) -> list[Resident]:
    """Processes that keep a sandbox's namespaces in use."""
    inodes = dict(_inodes())
    return [resident for process in Path("/proc").glob("[0-9]*") if (resident := _resident(process, inodes, state_directory))]


def leftovers(state_directory: Path = STATE_DIRECTORY) -> list[str]:
    """What of a sandbox is on this machine, one line each."""
    directory = [f"directory {state_directory}"] if state_directory.exists() else []
    return [str(resident) for resident in residents(state_directory)] + _named(network.ours()) + directory


def cleanup_sandbox(state_dir: Path = STATE_DIRECTORY) -> list[str]:
    """Remove everything of a sandbox whose owner is dead, or is the caller; returns what was removed, and what was left alone."""
    refuse_if_owned(state_dir)
    found = residents(state_dir)
    mine = [resident for resident in found if resident.ours]
    _end([resident.pid for resident in mine])
    names = network.ours()
    network.remove(names)
    directory = [f"directory {state_dir}"] if state_dir.exists() else []
    shutil.rmtree(state_dir, ignore_errors=True)
    strangers = [f"left alone, not ours: {resident}" for resident in found if not resident.ours]
    return [str(resident) for resident in mine] + _named(names) + directory + strangers


def _named(names: list[str]) -> list[str]:
    return [f"network namespace {name}" for name in names]


def _inodes() -> Iterator[tuple[int, str]]:
    for name in network.ours():
        try:
            yield (NETNS_DIRECTORY / name).stat().st_ino, name
        except OSError:
            continue


def _resident(process: Path, inodes: dict[int, str], state_directory: Path) -> Resident | None:
    try:
        words = process.joinpath("cmdline").read_text(encoding="utf-8", errors="replace").rstrip("\0").split("\0")
        if process.joinpath("ns", "user").stat().st_ino != _USER_NAMESPACE.stat().st_ino:
            return None  # of somebody's sandbox without root, which ends by itself
        # Of each thread: an injector's main thread stays where it was started, and one thread for each target enters it.
        same_mounts = process.joinpath("ns", "mnt").stat().st_ino == _MOUNT_NAMESPACE.stat().st_ino
        places = {task.joinpath("ns", "net").stat().st_ino for task in process.joinpath("task").iterdir()}
    except OSError:
        return None
    netns = ", ".join(sorted(inodes[place] for place in places & inodes.keys()))
    # The sockets of these processes are in the namespaces, they themselves are not: they are known by their command lines.
    child = same_mounts and not {TRAFFIC_MODULE, CARDS_MODULE}.isdisjoint(words) and str(state_directory) in words
    if int(process.name) == os.getpid() or not (netns or child):
        return None
    injector = any(Path(word).name == _INJECTOR for word in words)
    return Resident(pid=int(process.name), command=" ".join(words)[:120], netns=netns, ours=child or injector)


def _end(pids: list[int]) -> None:
    """SIGTERM, by which an injector reverts, then SIGKILL."""
    started = {pid: start_ticks(pid) for pid in pids}
    _signal(started, signal.SIGTERM)
    patience = time.monotonic() + _GRACE_SECONDS
    while _running(started) and time.monotonic() < patience:
        time.sleep(0.01)
    _signal(_running(started), signal.SIGKILL)


def _running(started: dict[int, int | None]) -> dict[int, int | None]:
    return {pid: ticks for pid, ticks in started.items() if ticks is not None and start_ticks(pid) == ticks}


def _signal(started: dict[int, int | None], number: signal.Signals) -> None:
    for pid in _running(started):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
