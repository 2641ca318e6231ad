"""What all targets of a job hear and say: the runner's words, the common start, events on standard output."""

from __future__ import annotations

import json
import os
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOOK_SECONDS = 0.25


class Outside:
    """What is said to all targets: start, stop, and when the runner last said anything."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.stopped, self.started, self.why = threading.Event(), threading.Event(), ""
        self.lease, self.last_beat = float(job["lease_seconds"]), time.monotonic()
        self.has_stream = bool(job["stream"])
        self.needs_beat = self.has_stream and job["on_runner_loss"] == "stop"
        # In a pod the parent is the container runtime's shim; a lost runner is told by its stream.
        carried = any("netns" not in one["find"] for one in job.get("injections", ()))
        self.parent = os.getppid() if carried else 0

    def stop(self, why: str) -> None:
        """End every fault now."""
        self.why = self.why or why
        self.stopped.set()
        self.started.set()

    def listen(self) -> None:
        """Read the stream until it closes; a closed stream ends nothing by itself, missing beats do."""
        for line in sys.stdin:
            self.last_beat = time.monotonic()
            if line.strip() == "start":
                self.started.set()
            elif line.strip() == "stop":
                self.stop("stopped by the runner")

    def pause(self, seconds: float) -> bool:
        """Wait; true as soon as the faults must end."""
        if self.needs_beat and time.monotonic() - self.last_beat > self.lease:
            self.stop("the runner is lost: no word from it for one lease")
        if self.parent and os.getppid() != self.parent:
            self.stop("the container runtime has lost this container, and will kill it")
        return self.stopped.wait(max(0.0, seconds))

    def wait_for_start(self, not_before: float | None, latest: float) -> bool:
        """Until the agreed time or, without one, until the stream says start; false at the latest time, or as soon as somebody says stop."""
        while not self.pause(0) and (now := time.time()) <= latest:
            if not_before is None:
                if self.started.wait(min(LOOK_SECONDS, latest - now) if self.has_stream else 0) or not self.has_stream:
                    return not self.stopped.is_set()
            elif now >= not_before:
                return True
            else:
                self.stopped.wait(min(LOOK_SECONDS, not_before - now))
        return False


class Countdown:
    """Lets targets begin together: each arrives once, ready or failed."""

    def __init__(self, count: int) -> None:
        self.left, self.condition = count, threading.Condition()

    def arrive(self) -> None:
        """One more is ready, or never will be."""
        with self.condition:
            self.left -= 1
            self.condition.notify_all()

    def wait(self, seconds: float) -> None:
        """Until all have arrived, or the time is over."""
        with self.condition:
            self.condition.wait_for(lambda: self.left <= 0, max(0.0, seconds))


_output = threading.Lock()


def emit(event: str, target: str, **facts: object) -> None:
    """One line to whoever listens; nobody listening is no reason to stop."""
    line = json.dumps({"time": round(time.time(), 6), "event": event, "target": target, **facts})
    with _output:
        try:
            os.write(1, line.encode() + b"\n")
        except OSError:
            pass
