"""Runs a command as root under a User-Mode Linux kernel that has netem: an ordinary process, no privileges needed.

    python3 launch.py [--memory 1G] [--timeout SECONDS] [--writable DIR]... -- COMMAND...

The host's files are visible and read-only, but for the writable folders; /run, /tmp and the network are the kernel's own. Standard
output, standard error and the exit status are the command's. 125: the kernel crashed or ran out of time, and its console is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
NO_STATUS = 125
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def find_kernel() -> Path | None:
    """The first that is there: the one named by SQUALL_NETEM_KERNEL, the one that `make netem-kernel` built, one beside the repository."""
    named = os.environ.get("SQUALL_NETEM_KERNEL")
    built = REPOSITORY / ".netem-kernel" / "linux"
    beside = REPOSITORY.parent / "shared" / "tools" / "netem-kernel" / "linux.uml"
    candidates = [Path(named).absolute()] if named else []
    return next((path for path in (*candidates, built, beside) if path.is_file() and os.access(path, os.X_OK)), None)


def memory_folder(memory: str, fallback: Path) -> str:
    """Where the kernel's memory file goes: /dev/shm is small in many containers, and a full one kills the kernel."""
    needed = int(memory[:-1]) * UNITS[memory[-1]]
    shm = Path("/dev/shm")
    fits = shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > needed and not os.statvfs(shm).f_flag & os.ST_NOEXEC
    return str(shm if fits else fallback)


def arguments(kernel: Path, place: Path, memory: str, output: int, error: int) -> list[str]:
    """The kernel's process: it dies with us."""
    return [
        "setpriv", "--pdeathsig", "KILL", str(kernel), f"mem={memory}", "seccomp=on", "rootfstype=hostfs", "rootflags=/", "rw", "quiet",
        f"uml_dir={place}/", "umid=uml", f"init={place}/init", "console=tty0", "con=null", "con0=null,fd:2", f"con1=null,fd:{output}",
        f"con2=null,fd:{error}",
    ]  # fmt: skip


def prepare(place: Path, argv: list[str], writable: list[Path]) -> None:
    """The files of one boot: its first process, and what that is to do."""
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin", "TMPDIR": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    visible = {str(Path(folder).resolve()) for folder in (REPOSITORY, sys.base_prefix, sys.prefix, Path.cwd())}
    job = {
        "argv": argv, "folder": str(Path.cwd()), "environment": environment,
        "visible": sorted(visible), "writable": [str(path) for path in writable],
    }  # fmt: skip
    (place / "job").write_text(json.dumps(job))
    (place / "init").write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, '-I', '-S', str(HERE / 'inside.py'), str(place / 'job')])}\n")
    (place / "init").chmod(0o755)


def forward(source: int, target: BinaryIO) -> None:
    with open(source, "rb", buffering=0) as stream:
        while data := stream.read(65536):
            with suppress(BrokenPipeError):
                target.write(data)
                target.flush()


def run(kernel: Path, argv: list[str], *, memory: str = "1G", timeout: float | None = None, writable: list[Path]) -> int:
    """The exit status of the command, or NO_STATUS."""
    with tempfile.TemporaryDirectory(prefix="netem-kernel-") as folder:
        place = Path(folder).resolve()
        prepare(place, argv, writable)
        (output, its_output), (error, its_error) = os.pipe(), os.pipe()
        with (place / "console").open("wb") as console:
            process = subprocess.Popen(
                arguments(kernel, place, memory, its_output, its_error), cwd=place, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": memory_folder(memory, place)},
                pass_fds=(its_output, its_error), start_new_session=True,
            )  # fmt: skip
        os.close(its_output)
        os.close(its_error)

        def kill(*_: object) -> None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, kill)
        threads = [threading.Thread(target=forward, args=pair) for pair in ((output, sys.stdout.buffer), (error, sys.stderr.buffer))]
        for thread in threads:
            thread.start()
        end = "the kernel ended without an exit status"
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            end = f"the kernel ran longer than {timeout:g} s"
        kill()
        process.wait()
        for thread in threads:
            thread.join()
        status = place / "status"
        if status.exists():
            return int(status.read_text())
        print((place / "console").read_text(errors="replace")[-4000:], f"netem-kernel: {end}", sep="\n", file=sys.stderr)
        return NO_STATUS


def memory_size(text: str) -> str:
    if not text[:-1].isdigit() or text[-1:].upper() not in UNITS:
        raise argparse.ArgumentTypeError(f"{text}: write it like 512M or 1G")
    return text.upper()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", default="1G", type=memory_size)
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--writable", action="append", default=[], type=lambda text: Path(text).resolve(strict=True), metavar="DIR")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    kernel = find_kernel()
    if kernel is None:
        parser.error("there is no netem kernel; `make netem-kernel` builds one")
    return run(kernel, options.command, memory=options.memory, timeout=options.timeout, writable=options.writable)


if __name__ == "__main__":
    sys.exit(main())
