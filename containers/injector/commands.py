"""Running tc, nft and ip, and reading back what the kernel has."""

from __future__ import annotations

import json
import os
import re
import subprocess

TYPE_CHECKING = False  # the module typing takes longer to import than all else here
if TYPE_CHECKING:
    from typing import Any

COMMAND_SECONDS = 10
ENVIRONMENT = {**os.environ, "LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"}


class CommandFailed(Exception):
    """A command that did not do its work: the command and what it said."""


def command(argv: list[str], text: str = "") -> str:
    """Run one program in this thread's namespace. Raises CommandFailed with the command and its stderr."""
    return _output(_started(argv), argv, text)


def together(*argvs: list[str]) -> list[str]:
    """What several programs print that only read, run at the same time. Raises CommandFailed of the first that failed."""
    running: list[subprocess.Popen[str]] = []
    try:
        for argv in argvs:
            running.append(_started(argv))
        return [_output(process, argv, "") for process, argv in zip(running, argvs, strict=True)]
    finally:
        for process in running:
            with process:
                process.kill()


def batch(lines: list[list[str]]) -> None:
    """Run lines of one tool in order, in one process, up to the first that fails. Raises CommandFailed with that line."""
    if len(lines) == 1:
        command(lines[0])
    else:
        command([lines[0][0], "-batch", "-"], "".join(f"{' '.join(line[1:])}\n" for line in lines))


class Waiting:
    """A program that has started and waits for its input, so that it does its work at once when that comes."""

    def __init__(self, argv: list[str]) -> None:
        self.argv, self.process = argv, _started(argv)

    def run(self, text: str) -> None:
        """Give it its input, and wait for its end. Raises CommandFailed."""
        _output(self.process, self.argv, text)

    def end(self) -> None:
        """It is not needed any more, or never was."""
        with self.process:
            self.process.kill()


def _started(argv: list[str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace", env=ENVIRONMENT,
        )  # fmt: skip
    except FileNotFoundError:
        raise CommandFailed(f"{argv[0]} is not installed (packages iproute2 and nftables)") from None
    except OSError as error:
        raise CommandFailed(f"`{' '.join(argv)}`: {error}") from None


def _output(process: subprocess.Popen[str], argv: list[str], text: str) -> str:
    with process:
        try:
            output, errors = process.communicate(text, timeout=COMMAND_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            process.kill()
            raise CommandFailed(f"`{_shown(argv, text)}`: {error}") from None
    if process.returncode != 0:
        if failing := re.search(r"^Command failed -:(\d+)\n?", errors, re.MULTILINE):
            argv, text = [argv[0], *text.splitlines()[int(failing.group(1)) - 1].split()], ""
            errors = errors.replace(failing.group(0), "")
        raise CommandFailed(f"`{_shown(argv, text)}` failed ({process.returncode}): {errors.strip()}{_hint(argv, errors)}")
    return output


def _shown(argv: list[str], text: str) -> str:
    return " ".join(argv) + (f"  <<< {text.strip()}" if text else "")


def _hint(argv: list[str], errors: str) -> str:
    """What to install where the kernel lacks a queueing discipline."""
    if "qdisc kind is unknown" not in errors:
        return ""
    kind = next((word for word in ("netem", "tbf", "htb", "blackhole", "pfifo") if word in argv), "the qdisc")
    package = "kernel-modules-extra (Fedora, RHEL), linux-modules-extra-$(uname -r) (Ubuntu) or a kernel with CONFIG_NET_SCH_" + kind.upper()
    return f" → this node's kernel has no {kind}: modprobe sch_{kind}, or install {package}"


def parsed(text: str) -> list[dict[str, Any]]:
    """What ip or tc prints as a JSON list; nothing printed is an empty one."""
    return list(json.loads(text)) if text.strip() else []


def listed(argv: list[str]) -> list[dict[str, Any]]:
    """What a command prints as a JSON list."""
    return parsed(command(argv))


def queues(device: str) -> list[str]:
    """The command that prints the queueing disciplines of a device, with their counters."""
    return ["tc", "-s", "-j", "qdisc", "show", "dev", device]


def qdiscs(device: str) -> list[dict[str, Any]]:
    """The queueing disciplines of a device, with their counters."""
    return listed(queues(device))
