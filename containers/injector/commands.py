"""Running tc, nft and ip, and reading back what the kernel has."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

COMMAND_SECONDS = 10


class CommandFailed(Exception):
    """A command that did not do its work: the command and what it said."""


def command(argv: list[str], text: str = "") -> str:
    """Run one program in this thread's namespace. Raises CommandFailed with the command and its stderr."""
    shown = " ".join(argv) + (f"  <<< {text.strip()}" if text else "")
    environment = {**os.environ, "LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"}
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=COMMAND_SECONDS, env=environment, check=False)
    except FileNotFoundError:
        raise CommandFailed(f"{argv[0]} is not installed (packages iproute2 and nftables)") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(f"`{shown}`: {error}") from None
    if done.returncode != 0:
        raise CommandFailed(f"`{shown}` failed ({done.returncode}): {done.stderr.strip()}{_hint(argv, done.stderr)}")
    return done.stdout


def _hint(argv: list[str], errors: str) -> str:
    """What to install where the kernel lacks a queueing discipline."""
    if "qdisc kind is unknown" not in errors:
        return ""
    kind = next((word for word in ("netem", "tbf", "htb", "blackhole", "pfifo") if word in argv), "the qdisc")
    package = "kernel-modules-extra (Fedora, RHEL), linux-modules-extra-$(uname -r) (Ubuntu) or a kernel with CONFIG_NET_SCH_" + kind.upper()
    return f" → this node's kernel has no {kind}: modprobe sch_{kind}, or install {package}"


def listed(argv: list[str]) -> list[dict[str, Any]]:
    """What a command prints as a JSON list; nothing printed is an empty one."""
    text = command(argv)
    return list(json.loads(text)) if text.strip() else []


def qdiscs(device: str) -> list[dict[str, Any]]:
    """The queueing disciplines of a device, with their counters."""
    return listed(["tc", "-s", "-j", "qdisc", "show", "dev", device])
