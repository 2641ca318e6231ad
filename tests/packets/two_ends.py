"""Two network namespaces joined by a pair of devices, and the injector run against the first of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos_modules.carriers.job import JobSettings, Window, build_job
from chaos_modules.kernel.compiler import compile_programs
from chaos_modules.kernel.wish import Wish
from chaos_modules.model.impairment import Direction, Impairment
from chaos_modules.model.plan import Injection
from chaos_modules.model.target import Target
from chaos_modules.model.traffic import TrafficFilter

INJECTOR = Path(__file__).parents[2] / "containers" / "injector" / "injector.py"
RUN = "0a1b2c3d"
NAMES = ("squall-test-a", "squall-test-b")
ADDRESSES = ("10.77.0.1", "10.77.0.2")


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def within(namespace: str, *argv: str, text: str | None = None) -> str:
    return subprocess.run(["ip", "netns", "exec", namespace, *argv], check=True, capture_output=True, text=True, input=text).stdout


@contextmanager
def two_ends() -> Iterator[tuple[str, str]]:
    """`squall-test-a` (10.77.0.1, fd77::1) and `squall-test-b` (10.77.0.2, fd77::2), each with one `eth0`."""
    for name in NAMES:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        ip("netns", "add", name)
    try:
        ip("-n", NAMES[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", NAMES[1])
        for number, name in enumerate(NAMES, 1):
            batch = f"addr add 10.77.0.{number}/24 dev eth0\naddr add fd77::{number}/64 dev eth0 nodad\nlink set eth0 up\nlink set lo up\n"
            subprocess.run(["ip", "-n", name, "-batch", "-"], check=True, input=batch, text=True)
        yield NAMES
    finally:
        for name in NAMES:
            ip("netns", "del", name)


def state(namespace: str) -> dict[str, Any]:
    """Everything that a fault could have left behind, without counters and handles that count up."""
    qdiscs = json.loads(within(namespace, "tc", "-j", "qdisc", "show"))
    tables = json.loads(within(namespace, "nft", "-j", "list", "ruleset"))["nftables"]
    links = json.loads(within(namespace, "ip", "-j", "link", "show"))
    shaped = [{key: value for key, value in item.items() if key in ("kind", "handle", "parent", "dev", "options")} for item in qdiscs]
    for item in shaped:
        item.get("options", {}).pop("direct_packets_stat", None)
    return {"qdiscs": shaped, "nft": [item for item in tables if "metainfo" not in item], "links": [link["ifname"] for link in links]}


def job_for(
    impairment: Impairment, traffic: TrafficFilter | None = None, direction: Direction = Direction.EGRESS, *, hold: float = 60.0, engine: str = "",
    run: str = RUN, **changes: Any,
) -> dict[str, Any]:
    """A job for the first end; `changes` replaces settings of the job, or keys of its only injection; `engine` leaves only such programs."""
    wish = Wish(
        impairment=impairment, traffic=traffic or TrafficFilter(), direction=direction,
        table=f"squall_{run}_{direction}", ifb=f"sq{run}",
    )  # fmt: skip
    programs = tuple(program for program in compile_programs(wish) if engine in program.engine)
    target = Target(kind="pod", namespace="test", name="a", node="here")
    injection = Injection(index=0, target=target, direction=str(direction), device="eth0", programs=programs)
    settings = JobSettings(run_id=run, lease_seconds=3, serial=False, stream=False, on_runner_loss="finish", cleanup="cleanup --sandbox")
    window = Window(hold_seconds=hold, deadline=time.time() + hold + 10)
    find = {"netns": f"/run/netns/{NAMES[0]}", "etc": "", "host_netns": "/proc/self/ns/net"}
    job = build_job(settings, [(injection, window)], lambda _: find)
    for key, value in changes.items():
        (job if key in job else job["injections"][0])[key] = value
    return job


class Running:
    """An injector at work; its events are read as they come."""

    def __init__(self, job: dict[str, Any], injector: Path = INJECTOR, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(injector)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SQUALL_JOB": json.dumps(job), **environment}, start_new_session=True,
        )  # fmt: skip
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def until(self, event: str) -> dict[str, Any]:
        """The next event of that name."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == event:
                return self.events[-1]
        raise AssertionError(f"no {event} in {self.events}; {self.process.stderr.read() if self.process.stderr else ''}")

    def say(self, word: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def stop(self) -> int:
        """Tell it to revert now; its exit status, after all of its events were read."""
        self.process.terminate()
        return self.end()

    def end(self) -> int:
        """Its exit status, after all of its events were read."""
        assert self.process.stdout
        self.events += [json.loads(line) for line in self.process.stdout]
        return self.process.wait(30)
