"""The first process of the netem kernel: prepares the machine, runs the command of a job file, writes its exit status, and switches off."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import tty
from pathlib import Path

MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
POWER_OFF = 0x4321FEDC
HIDDEN = (Path("/run"), Path("/tmp"))
LIBC = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path | str, kind: str = "", flags: int = 0, data: str = "") -> None:
    if LIBC.mount(source.encode(), os.fsencode(target), kind.encode(), flags, data.encode()):
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}")


def file_systems(writable: list[Path], visible: list[Path]) -> None:
    """The host's files are its root, read-only but for the writable folders; /run and /tmp are its own."""
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
    for folder, kind, data in (("/dev/pts", "devpts", "ptmxmode=666"), ("/dev/shm", "tmpfs", "mode=1777")):
        Path(folder).mkdir(exist_ok=True)
        mount(kind, folder, kind, data=data)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path("/dev", name).symlink_to(f"/proc/self/fd{target}")
    hidden = [folder for folder in visible if any(over in folder.parents for over in HIDDEN)]
    kept = {folder: os.open(folder, os.O_PATH) for folder in (*hidden, *writable)}
    mount("", "/", flags=MS_REMOUNT | MS_BIND | MS_RDONLY)
    for over in HIDDEN:
        mount("tmpfs", over, "tmpfs", data="mode=1777")
    for folder, descriptor in kept.items():
        folder.mkdir(parents=True, exist_ok=True)
        mount(f"/proc/self/fd/{descriptor}", folder, flags=MS_BIND)
        mount("", folder, flags=MS_REMOUNT | MS_BIND | (0 if folder in writable else MS_RDONLY))
        os.close(descriptor)


def pump(source: int, terminal: int) -> None:
    """All that comes out of the command goes to a console, which is a pipe of the launcher."""
    while data := os.read(source, 65536):
        while data:
            data = data[os.write(terminal, data) :]
    termios.tcdrain(terminal)


def run(argv: list[str], folder: str, environment: dict[str, str]) -> int:
    """The command's exit status; whatever it left behind is killed."""
    pumps, ends = [], []
    for number in (1, 2):
        terminal = os.open(f"/dev/tty{number}", os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal)
        source, end = os.pipe()
        ends.append(end)
        pumps.append(threading.Thread(target=pump, args=(source, terminal)))
    child = subprocess.Popen(argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=ends[0], stderr=ends[1], start_new_session=True)
    for end in ends:
        os.close(end)
    for thread in pumps:
        thread.start()
    while (ended := os.wait())[0] != child.pid:  # the first process also reaps the orphans
        pass
    child.returncode = os.waitstatus_to_exitcode(ended[1])
    os.kill(-1, signal.SIGKILL)
    for thread in pumps:
        thread.join()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def main(job_file: Path) -> None:
    job = json.loads(job_file.read_text())
    file_systems([job_file.parent, *map(Path, job["writable"])], [Path(folder) for folder in job["visible"]])
    os.environ["PATH"] = job["environment"]["PATH"]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        status = run(job["argv"], job["folder"], job["environment"])
    except OSError as error:
        Path("/dev/tty2").write_text(f"{job['argv'][0]}: {error}\n")
        status = 127
    (job_file.parent / "status").write_text(str(status))
    os.sync()
    LIBC.reboot(POWER_OFF)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
