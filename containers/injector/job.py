"""The shape of a job, checked before anything of it is used: garbage ends the injector, and can never run anything but a fault's own lines."""

# ruff: noqa: PTH113, PTH123
# To import pathlib takes longer than all that is done with paths here.
from __future__ import annotations

import base64
import json
import os
import re
import zlib
from itertools import accumulate, pairwise

from shapes import WrongJob, flag, number, refuse, shaped, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shapes import Check, Shape

SCHEMA, LARGEST, LARGEST_UNPACKED = 1, 64 * 2**20, 8 * 2**20
RUN, HANDLE, HOST = r"[0-9a-f]{8}", r"([0-9a-f]{1,4}:[0-9a-f]{0,4})?", r"[A-Za-z0-9_.-]{1,253}"
WORD = r"%device%|%lease%|(?!-)[A-Za-z0-9_.:/@+-]{1,60}%?"
COMMANDS = {("tc", "qdisc"), ("tc", "class"), ("tc", "filter"), ("ip", "link")}


def step(program: Shape) -> Check:
    """A line of this program: tc or ip on the fault's devices, or nft on its table."""
    devices, table = {"%device%", program["ifb"]}, f"{program['family']} {program['table']}"
    alone = re.compile(rf"(add|delete) element {table} \w+ \{{[^;{{}}]*\}}|flush set {table} \w+|delete table {table}")

    def script(lines: list[str], where: str) -> None:
        depth = 0
        for line in lines:
            names = re.findall(r'\b(?:device|to|oifname) +("?)([^" ]+)', line)
            foreign = any(not quote or name not in devices for quote, name in names) or "%" in re.sub("%device%|%lease%", "", line)
            lowest = min(accumulate(((one == "{") - (one == "}") for one in line), initial=depth))
            inner = depth > 0 and lowest > 0 and not re.match(r"\s*(include|define|undefine|redefine)\b", line)
            frame = line == ("}" if depth else f"table {table} {{") or (not depth and alone.fullmatch(line))
            if foreign or not (inner or frame):
                refuse(line, where, "a line for the table and the devices of the fault")
            depth += line.count("{") - line.count("}")

    def check(value: Any, where: str) -> None:
        if isinstance(value, dict) and isinstance(value.get("nft"), str):
            return script(value["nft"].removesuffix("\n").split("\n"), where)
        words = value if isinstance(value, list) and all(isinstance(word, str) and re.fullmatch(WORD, word) for word in value) else []
        named = {word for before, word in pairwise(words) if before in ("dev", "name")}
        if tuple(words[:2]) not in COMMANDS or not named or not named <= devices:
            refuse(value, where, "a tc or ip line for the devices of the fault")
        return None

    return check


LETTERS = text(r"[\w+. @,-]{0,80}", "a word")
SHARE = number(0, 10**6, whole=True, none=True)
ADDRESS = text(r"[0-9a-fA-F.:]{0,45}", "an address")
EFFECT = {
    "loss": SHARE, "duplicate": SHARE, "corrupt": SHARE, "reorder": SHARE, "rate": number(0, 10**14, none=True), "burst": number(0, 2**40),
    "delay": number(0, 10**12, none=True), "jitter": number(0, 10**12), "independent": flag,
}  # fmt: skip
PROBE = {
    "source": ADDRESS, "destination": ADDRESS, "protocol": text("udp|tcp|sctp|icmp|ipv6-icmp", "a protocol"),
    "source_port": number(0, 65535, whole=True), "destination_port": number(0, 65535, whole=True),
    "count": number(0, 10**5, whole=True), "size": number(64, 9000, whole=True),
}  # fmt: skip
PATH = text(r"/[^\0]{1,4000}", "a path")
FINDS: tuple[Shape, ...] = (
    {"netns": PATH, "host_netns": PATH}, {"netns": PATH, "host_netns": PATH, "etc": text(r"(/[^\0]{1,4000})?", "a path")},
    {"container": text(r"([a-z0-9.+-]{1,30}://)?[0-9a-f]{64}", "a container id"), "pod": text(r"[0-9a-f-]{32,36}", "the uid of a pod")},
    {"host": flag},
)  # fmt: skip


def find(value: Any, where: str) -> None:
    """Where the target's network namespace is: exactly one of the known ways, and nothing beside it."""
    way = next((one for one in FINDS if isinstance(value, dict) and value.keys() == one.keys()), None)
    if way is None or value.get("host") is False:
        refuse(value, where, " or ".join(f"{{{', '.join(one)}}}" for one in FINDS))
    shaped(value, way, where)


TIME = number(0, 10**11, none=True)
INJECTION = {
    "key": text(r"[\w./:@-]{1,600}", "a key"), "kind": text(r"[a-z]{1,20}", "a kind of target"), "find": find,
    "device": text(r"[A-Za-z0-9_.:*?\[\]!-]{1,60}", "a device"), "programs": [number(0, 10**4, whole=True)], "hold_seconds": number(),
    "deadline": number(0, 10**11), "not_before": TIME, "latest_start": TIME,
}  # fmt: skip
JOB = {
    "run": text(RUN, "a run id"), "lease_seconds": number(0.1, 3600), "serial": flag, "stream": flag, "cleanup": text(r"(?s).*", "a text"),
    "on_runner_loss": text("finish|stop", "finish or stop"), "injections": [INJECTION], "programs": [{}],
}  # fmt: skip


def _program(program: Shape, run: str) -> Shape:
    """The shape of one program, which depends on the names that it uses."""
    line, device = step(program), text(f"%device%|{re.escape(program['ifb']) or '%device%'}", "a device of the fault")
    handle = text(HANDLE, "a handle")
    qdisc = {"device": device, "kind": LETTERS, "handle": handle, "parent": handle, "options": [[lambda *_: None]]}
    return {
        "table": text(rf"squall_{run}_(egress|ingress)", "a table of this run"), "ifb": text(rf"(sq{run})?", "a device of this run"),
        "engine": LETTERS, "direction": text("egress|ingress", "a direction"), "fidelity": LETTERS, "effect": EFFECT, "probe": PROBE, "arm": line,
        "renew": line, "disarm": line, "setup": [line], "flush": [line], "teardown": [line], "rules": number(0, 10**5, whole=True),
        "needs_root": flag, "queue_device": device, "leaf": handle, "qdiscs": [qdisc],
        "hosts": [{"names": [text(HOST, "a host name")], "set_v4": text(r"\w{1,60}", "a set"), "set_v6": text(r"\w{1,60}", "a set")}],
    }  # fmt: skip


def _unpacked(packed: str) -> str:
    """The text behind base64 and zlib, never more of it than LARGEST_UNPACKED."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(base64.b64decode(packed, validate=True), LARGEST_UNPACKED).decode()
    except (zlib.error, ValueError) as error:
        raise WrongJob(f"job: what follows z: is not base64 of zlib of text: {error}") from None
    if not unpacking.eof or unpacking.unused_data:
        raise WrongJob(f"job: what follows z: is not one whole document of at most {LARGEST_UNPACKED} bytes")
    return text


def read() -> Shape:
    """The job of SQUALL_JOB: JSON, packed JSON after `z:`, or a file after `@`. Raises ValueError, OSError or KeyError."""
    source = os.environ["SQUALL_JOB"]
    if source.startswith("@"):
        if not os.path.isfile(source[1:]):
            raise FileNotFoundError(f"{source[1:]} is not a file")
        with open(source[1:], encoding="utf-8") as file:
            source = file.read(LARGEST)
    elif source.startswith("z:"):
        source = _unpacked(source[2:])
    try:
        job: Shape = json.loads(source)
    except RecursionError:
        raise WrongJob("job: nested too deeply") from None
    schema = job.get("schema") if isinstance(job, dict) else None
    if schema != SCHEMA:
        raise WrongJob(f"schema {ascii(schema)[:80]} is not {SCHEMA}, the only one this injector speaks")
    shaped(job, JOB, "job")
    for index, program in enumerate(job["programs"]):
        family = text("netdev|inet|bridge", "a family of tables")
        shaped(program, {"family": family, "table": text(r"\w{1,60}", "a table"), "ifb": text(r"\w{0,15}", "a device")}, f"job.programs[{index}]")
        shaped(program, _program(program, job["run"]), f"job.programs[{index}]")
    if not job["injections"]:
        raise WrongJob("job.injections: there is none")
    for index, injection in enumerate(job["injections"]):
        shaped(injection["programs"], [number(0, len(job["programs"]) - 1, whole=True)], f"job.injections[{index}].programs")
    return job
