"""The command probe: a program's exit status and what it says."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ...model.observation import Sample
from ...model.probe import CommandProbe
from ..network_namespace import Source
from ..not_asked import NotAsked

MOST_KEPT = 1 << 20
_PIECE = 1 << 16
# A child of the program may hold its output open after it has ended; this often it is looked whether it has.
_LOOK_SECONDS = 0.05
_SECRET = re.compile(r"^SQUALL_|TOKEN|PASSW|PWD$|SECRET|CREDENTIAL|(API|ACCESS|PRIVATE)_?KEY|(^|_)AUTH(_|$)", re.IGNORECASE)
_HARMLESS = {"PWD", "OLDPWD", "SSH_AUTH_SOCK"}


def environment_for(inherited: Mapping[str, str]) -> dict[str, str]:
    """What a probe's program gets of our environment: nothing of Squall's own, whose settings hold tokens and passwords, and nothing whose name looks
    like a secret. A program that needs one reads it from a file.
    """
    return {name: value for name, value in inherited.items() if name in _HARMLESS or not _SECRET.search(name)}


def ask_command(probe: CommandProbe, timeout: float, source: Source | None = None) -> Sample:
    """Run it once, without a shell, in a session of its own, with nothing on its input; past the time its process group is killed.

    Bad: another exit status, too late, or `output_contains` is not in the first MiB of its standard output. Unknown: it cannot be started.
    `seconds` is how long it ran. Of its arguments and output nothing is told: both may hold secrets.
    """
    asked, begun = time.time(), time.monotonic()
    try:
        process = _started(probe, source)
    except NotAsked as reason:
        return Sample(time=asked, good=None, detail=str(reason))
    output = _output(process, begun + timeout)
    if output is None:
        return Sample(time=asked, good=False, detail=f"it did not end within {timeout:g} s")
    seconds = time.monotonic() - begun
    wrong = _wrong(probe, process.returncode, output)
    return Sample(time=asked, good=not wrong, seconds=seconds, detail=wrong)


def _started(probe: CommandProbe, source: Source | None) -> subprocess.Popen[bytes]:
    """A child inherits the namespaces of the thread that starts it: from inside a pod that is a thread which is given up afterwards."""
    if source is None:
        return _start(probe)
    with ThreadPoolExecutor(1, "command-inside") as inside:
        inside.submit(source.move_in).result()
        return inside.submit(_start, probe).result()


def _start(probe: CommandProbe) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            probe.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, bufsize=0,
            env=environment_for(os.environ),
        )  # fmt: skip
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "an argument holds a NUL"
        raise NotAsked(f"{probe.argv[0]} cannot be started: {reason}") from None


def _output(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """All of it is read, one MiB is kept. None: it did not end in time, and its process group is no more."""
    kept = bytearray()
    assert process.stdout
    with process.stdout as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            ended = process.poll() is not None
            if not selector.select(0 if ended else min(left, _LOOK_SECONDS)):
                if ended:
                    return bytes(kept)
                continue
            piece = os.read(pipe.fileno(), _PIECE)
            kept += piece[: MOST_KEPT - len(kept)]
            if not piece:
                return bytes(kept) if _ended(process, deadline) else None
    _kill(process)
    return None


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _kill(process)
        return False
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The program and its children; it leads a process group of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wrong(probe: CommandProbe, status: int, output: bytes) -> str:
    if status != probe.expected_exit:
        ending = f"ended by {_signal_name(-status)}" if status < 0 else f"exit status {status}"
        return f"{ending}, expected {probe.expected_exit}"
    return "" if probe.output_contains.encode() in output else f"exit status {status}, without the expected text in its output"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
