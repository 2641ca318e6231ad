"""What all targets of a job hear and say: the runner's words, the common start, events on standard output."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any


class Outside:
    """What is said to all targets: start, stop, and when the runner last said anything."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.stopped, self.started, self.why = threading.Event(), threading.Event(), ""
        self.lease, self.last_beat = float(job["lease_seconds"]), time.monotonic()
        self.needs_beat = bool(job["stream"]) and job["on_runner_loss"] == "stop"

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
        return self.stopped.wait(max(0.0, seconds))


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
