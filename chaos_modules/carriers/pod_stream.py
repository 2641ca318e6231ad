"""The runner's words to an injector in a pod, through its standard input."""

from __future__ import annotations

import logging
import threading

from ..clusters.kubernetes.api import Api, ApiProblem, Channel
from ..clusters.kubernetes.manifest import CONTAINER

QUERY = (("container", CONTAINER), ("stdin", "true"), ("stdout", "false"), ("stderr", "false"))
PAUSE_SECONDS = 0.5
_log = logging.getLogger(__name__)


class PodStream:
    """Says words in their order from a thread of its own, so that nobody waits for the network; connects anew as often as it must."""

    def __init__(self, api: Api, node: str) -> None:
        self._api, self._node, self._path = api, node, ""
        self._changed, self._words, self._closed = threading.Condition(), list[str](), threading.Event()
        self._channel: Channel | None = None

    def say(self, word: str) -> None:
        """Remember a word; one that still waits to be said is not said twice."""
        with self._changed:
            if word not in self._words:
                self._words.append(word)
                self._changed.notify_all()

    def open(self, pod: str) -> None:
        """The pod (its path in the API) runs: from now on it can listen."""
        self._path = f"{pod}/attach"
        threading.Thread(target=self._talk, name=f"stream to {self._node}", daemon=True).start()

    def close(self) -> None:
        """Nobody listens any more."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()

    def _talk(self) -> None:
        while word := self._next():
            while not self._closed.is_set() and not self._said(word):
                self._closed.wait(PAUSE_SECONDS)
            with self._changed:
                self._words.remove(word)
        self._hang_up()

    def _next(self) -> str:
        """The next word; empty once it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._words or self._closed.is_set())
            return "" if self._closed.is_set() else self._words[0]

    def _said(self, word: str) -> bool:
        try:
            self._channel = self._channel or self._api.attach(self._path, QUERY)
            self._channel.send(f"{word}\n")
        except ApiProblem as problem:
            _log.info("injector of %s cannot be told %s yet: %s", self._node, word, problem.what)
            self._hang_up()
            return False
        return True

    def _hang_up(self) -> None:
        if self._channel:
            self._channel.close()
            self._channel = None
