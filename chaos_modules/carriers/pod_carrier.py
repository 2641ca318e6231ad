"""One injector in a pod: waited for, listened to, and ended, by one thread that always comes to an end itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..clusters.kubernetes import pod_state
from ..clusters.kubernetes.api import ApiProblem, Change, Object
from .last_word import last_line, last_words
from .pod_log import PodLog
from .pod_stream import PodStream
from .progress import Progress
from .protocol import Said
from .sight import Sight
from .site import Site

# The Job controller makes a pod within a fraction of a second; when it has not, it may have been refused, which only an event tells.
FIRST_LOOK_SECONDS, LONGEST_PATIENCE_SECONDS = 2.0, 30.0
RETRY_SECONDS = 1.0
# A log that is opened within this time of the last look has no line old enough to be mistaken for a wrong clock.
PROMPT_SECONDS = 8.0
# A log whose pod is over comes to its end soon, or is on a node that nobody reaches.
DRAIN_SECONDS = 5.0
MOST_FAILURES, MOST_READINGS = 3, 10
SILENCE_SECONDS = 60.0
DONE = "its targets have finished"
_log = logging.getLogger(__name__)


class PodCarrier:
    """The pod of one Job on one node."""

    def __init__(self, site: Site, name: str, node: str, job: Mapping[str, Any], hear: Callable[[Said], None]) -> None:
        self._site, self._name, self._node, self._job, self._hear = site, name, node, job, hear
        self._sight, self._stage = Sight(), ""
        self._stream = PodStream(site.api, node) if job["stream"] else None
        self._last = max(item["deadline"] for item in job["injections"]) + SILENCE_SECONDS
        self._readable, self._told, self._withdrawn, self._over = True, False, False, threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"injector {node}", daemon=True)

    @property
    def node(self) -> str:
        """The node whose targets it has."""
        return self._node

    def begin(self, created: Object) -> None:
        """The API server took the Job."""
        self._progress = Progress(self._site.poster, created, self._job, target_events=self._site.target_events, clock=self._site.clock)
        self._thread.start()

    def look(self, change: Change) -> None:
        """The watch saw its pod."""
        self._sight.show(change)

    def blind(self, why: str) -> None:
        """The watch will not see its pod any more."""
        self._sight.blind(why)

    def say(self, word: str) -> None:
        """`start`, `beat` or `stop`; silently nothing once it has ended. Where there is no stream yet, or never, `stop` is `end`."""
        if self._stream:
            self._stream.say(word)
        if word == "stop" and not (self._stream and self._stage == "running"):
            self.end()

    def end(self) -> None:
        """Make it revert and leave; harmless once it has ended. Returns at once."""
        if not self._told and not self._over.is_set():
            self._told = True
            threading.Thread(target=self._end, name=f"end of injector {self._node}", daemon=True).start()

    def close(self, seconds: float) -> None:
        """The run is over: let go of it, whatever it does, for so long at most."""
        self._sight.wake()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _end(self) -> None:
        pod = self._sight.pod
        # A pod that runs is told directly: the way to it from its Job leads through two controllers.
        done = bool(pod) and pod_state.stage(pod) == "running" and self._site.delete(pod["metadata"]["name"])
        if not done:
            done = self._withdrawn = self._site.withdraw(self._name)
        self._told = done
        self._sight.wake()

    def _live(self) -> None:
        how = "the thread that listened to it broke"
        try:
            self._show("created")
            how = self._never_ran() or self._listen()
        finally:
            self._leave(how)

    def _never_ran(self) -> str:
        """Wait for the container to run; or why it never will."""
        looks, pull, patience = 0, "", FIRST_LOOK_SECONDS
        while not (why := self._hopeless()):
            pod = self._sight.pod
            if pod:
                self._show(pod_state.stage(pod))
                pull = pod_state.pulling(pod) or pull
                if (why := pod_state.failure(pod, pull)) or self._stage in ("running", "ended"):
                    return why
            before, looks = looks, self._sight.wait(looks, patience)
            if looks == before and not pod:
                if why := self._site.not_created(self._name):
                    return why
                patience = min(2 * patience, LONGEST_PATIENCE_SECONDS)
        return why

    def _listen(self) -> str:
        """Hear it to its end, however often the log breaks; how it ended."""
        log = self._open()
        readings = failures = 0
        while True:
            looks, over = self._sight.looks, pod_state.ended(self._sight.pod)
            whole = self._readable and self._read(log)
            if self._progress.complete:
                return DONE
            # One reading from after the end is enough. Without a look that shows the end, a log that is over again and again tells as much.
            readings, failures = (readings + 1 if whole else 0), (failures + 1 if over and not whole else 0)
            if over and (whole or failures == MOST_FAILURES or not self._readable):
                return pod_state.ending(self._sight.pod)
            if why := self._hopeless() if readings < MOST_READINGS else "its log ended, and nothing tells how it did":
                return why
            self._sight.wait(looks, RETRY_SECONDS)

    def _open(self) -> PodLog:
        self._progress.started()
        pod = f"{self._site.pods}/{self._sight.pod['metadata']['name']}"
        if self._stream:
            self._stream.open(pod)
        return PodLog(self._site.api, f"{pod}/log", self._node, prompt=(self._sight.unseen_seconds or 0.0) < PROMPT_SECONDS)

    def _read(self, log: PodLog) -> bool:
        """One reading, until every target has finished or the log is over; false when it broke."""
        def enough() -> bool:
            drained = self._sight.over_since is not None and time.monotonic() - max(self._sight.over_since, log.last_line) > DRAIN_SECONDS
            return drained or self._site.closed.is_set() or self._site.clock() > self._last

        try:
            for event, fresh in log.events(enough):
                self._tell(event, fresh=fresh)
                if self._progress.complete:
                    return True
        except ApiProblem as problem:
            _log.info("the log of the injector of %s broke off: %s", self._node, problem.what)
            self._readable = problem.status not in (401, 403)
            return False
        return not enough()

    def _hopeless(self) -> str:
        """Why nothing more is to be waited for; empty while something is."""
        if self._sight.gone:
            return "; ".join(one for one in ("its pod was deleted", pod_state.ending(self._sight.pod)) if one)
        if self._withdrawn and not self._sight.pod:
            return "it was told to end before its pod was there"
        if self._sight.trouble and not (self._stage == "running" and self._readable):
            return f"its pod cannot be watched: {self._sight.trouble}"
        if self._site.closed.is_set():
            return "the run was over"
        late = self._site.clock() > self._last
        return f"nothing was heard of its end until {SILENCE_SECONDS:.0f} s after its deadline" if late else ""

    def _leave(self, how: str) -> None:
        """Take away what could still begin, tell the last word where the log did not, and how it ended."""
        self._over.set()
        if self._stream:
            self._stream.close()
        if not self._progress.complete:
            if not pod_state.ran(self._sight.pod) and not self._withdrawn:
                self._site.withdraw(self._name)
            how += self._last_words()
        self._show("ended" if self._progress.complete else f"failed: {how}")
        self._progress.ended(how)
        self._hear(Said(node=self._node, event=None, ended=how))

    def _last_words(self) -> str:
        """Tell them; or what the log ended with, if that stands there in their place."""
        (message, when), keys = pod_state.last_words(self._sight.pod), [item["key"] for item in self._job["injections"]]
        for key, status, reason in last_words(message, keys):
            if key not in self._progress.finished:
                event = {"time": when or self._site.clock(), "event": "last-word", "target": key, "status": status, "reason": reason}
                self._tell(event, fresh=False)
        line = last_line(message, keys) if pod_state.started(self._sight.pod) else ""
        return f"; its log ends: {line}" if line else ""

    def _show(self, state: str) -> None:
        """How far the pod is, for the record and the screen; the runner's own clock tells nothing about the node's."""
        if state != self._stage:
            self._stage = state
            event = {"time": self._site.clock(), "event": "carrier", "target": f"node/{self._node}", "state": state}
            self._hear(Said(node=self._node, event=event, fresh=False))

    def _tell(self, event: Mapping[str, Any], *, fresh: bool) -> None:
        self._progress.heard(event)
        self._hear(Said(node=self._node, event=event, fresh=fresh))
