"""Applies, proves, holds, measures and reverts the kernel programs of one job, beside the targets, with nobody's help.

In: a JSON job in the environment variable SQUALL_JOB (packed after `z:`, or `@path`). Out: JSON lines on stdout, a last word in the termination
message, and an exit status. It decides two things only: which of the planned alternatives this node can do, and what the planned host names
resolve to.
One thread per target lives in the target's network namespace (setns(2) is per thread), held by descriptor. No lease is ever renewed past
the deadline, so the kernel ends every fault even if this process is killed at any line.
"""

# ruff: noqa: PTH123
# To import pathlib takes longer than all that is done with paths here.
from __future__ import annotations

import os
import signal
import sys
import threading

from injection import BUG, DONE, NO_NAMESPACE, NOT_APPLIED, NOT_IN_EFFECT, REFUSED, RESIDUE, Injection, Node
from job import read

LAST_WORD_BYTES = 4096
LETTERS = {"passed": "p", "interrupted": "i", "refused": "r", "lapsed": "l", "not-in-effect": "e", "not-applied": "n"}
NO_TRAFFIC, CUT = "t", b"\n(cut)\n"  # passed, and no packet matched the filter while it held
WORST_LAST = (DONE, NOT_APPLIED, NO_NAMESPACE, REFUSED, NOT_IN_EFFECT, BUG, RESIDUE)


def last_word(injections: list[Injection], path: str) -> None:
    """A letter per target, then a line for each that failed or left something, all within what a termination message may hold.

    It gives the verdict where the log cannot be read. Too many words are taken from the ends of the lines, so that every key stays as long as can be.
    """
    letters = "".join(_letter(one) for one in injections)
    lines = [_line(one) for one in injections if one.code != DONE]
    text = "\n".join([letters, *lines]).encode()
    if len(text) > LAST_WORD_BYTES:
        room = (LAST_WORD_BYTES - len(CUT) - len(letters)) // max(1, len(lines)) - 1
        shortened = [line.encode()[: max(0, room)].decode(errors="ignore") for line in lines]
        text = "\n".join([letters, *shortened]).encode()[: LAST_WORD_BYTES - len(CUT)] + CUT
    try:
        with open(path, "wb") as file:
            file.write(text)
    except OSError:
        pass


def _letter(one: Injection) -> str:
    return NO_TRAFFIC if one.status == "passed" and not one.met else LETTERS[one.status]


def _line(one: Injection) -> str:
    residue = f"residue: {'; '.join(one.left)}" if one.left else ""
    return " ".join(f"{one.key}: {one.status}: {residue}{' ' if residue and one.reason else ''}{one.reason}".split())


def main() -> int:
    """Run the job to its end."""
    try:
        job = read()
        node = Node(job)
        injections = [Injection(item, node) for item in job["injections"]]
    except (KeyError, ValueError, OSError) as error:
        print(f"SQUALL_JOB: {type(error).__name__}: {ascii(str(error))[1:-1]}", file=sys.stderr)
        return BUG
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: node.outside.stop("the injector was told to end"))
    if job["stream"]:
        threading.Thread(target=node.outside.listen, daemon=True).start()
    for injection in injections:
        injection.start()
        if job["serial"]:
            _join(injection)
    for injection in injections:
        _join(injection)
    last_word(injections, os.environ.get("SQUALL_TERMINATION_LOG", "/dev/termination-log"))
    return max((one.code for one in injections), key=WORST_LAST.index)


def _join(injection: Injection) -> None:
    while injection.is_alive():  # a plain join would keep the signal handlers waiting
        injection.join(0.2)


if __name__ == "__main__":
    sys.stdout.flush()
    code = main()
    os._exit(code)
