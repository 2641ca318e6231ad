"""What the watch saw last of one pod, and the place where its carrier waits for the next look."""

from __future__ import annotations

import threading
import time

from ..clusters.kubernetes.api import Change, Object
from ..clusters.kubernetes.pod_state import ended, stage

# The looks that a watch makes up for after a gap come together: all that one tells of its age is when the last look before them was.
TOGETHER_SECONDS = 1.0


class Sight:
    """Written by the thread that watches, read by the one of the carrier. `trouble` says why nothing more will be seen."""

    def __init__(self) -> None:
        self._changed, self._last = threading.Condition(), time.monotonic()
        self._before = self._last
        self.looks, self.pod, self.gone, self.trouble = 0, Object(), False, ""
        # When it was first seen to be over, and for how long it may have been running before it was first seen to run.
        self.over_since: float | None = None
        self.unseen_seconds: float | None = None

    def show(self, change: Change) -> None:
        """The watch saw this. Another pod of the same Job is none of ours: it is on its way out with its Job."""
        if self.pod and self.pod["metadata"].get("uid") != change.object["metadata"].get("uid"):
            return
        now = time.monotonic()
        self.pod, self.gone = change.object, change.type == "DELETED"
        if self.over_since is None and (self.gone or ended(self.pod)):
            self.over_since = now
        if now - self._last > TOGETHER_SECONDS:
            self._before = self._last
        if self.unseen_seconds is None and stage(self.pod) in ("running", "ended"):
            self.unseen_seconds = now - self._before
        self._last = now
        self.wake()

    def blind(self, why: str) -> None:
        """The watch is over before its time."""
        self.trouble = why
        self.wake()

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self._changed:
            self.looks += 1
            self._changed.notify_all()

    def wait(self, looks: int, seconds: float) -> int:
        """Until there were more looks than these, or the time is over; how many there were."""
        with self._changed:
            self._changed.wait_for(lambda: self.looks != looks, seconds)
            return self.looks
