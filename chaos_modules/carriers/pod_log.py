"""The log of an injector's pod: read to its end however often it breaks, each of its lines heard once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..clusters.kubernetes.api import Api
from ..clusters.kubernetes.manifest import CONTAINER
from .lines import event_in

QUERY = (("container", CONTAINER), ("follow", "true"), ("timestamps", "false"))
# What was written before the log was opened arrives at once; later lines arrive as they are written.
SETTLED_SECONDS = 2.0
_log = logging.getLogger(__name__)


class PodLog:
    """The events of one pod. `prompt`: it was opened so soon after the start that not even its first lines are old."""

    def __init__(self, api: Api, path: str, node: str, *, prompt: bool) -> None:
        self._api, self._path, self._node, self._prompt = api, path, node, prompt
        # Not a count of lines: a kubelet that rotated the log begins in its middle.
        self._heard: set[int] = set()
        self._readings = 0
        self.last_line = time.monotonic()

    def events(self, ended: Callable[[], bool]) -> Iterator[tuple[dict[str, Any], bool]]:
        """What has not been heard yet, and whether it is fresh. Raises ApiProblem when the log breaks or cannot be read."""
        self._readings += 1
        began = None
        for line in self._api.lines(self._path, QUERY, ended):
            if line is None or hash(line) in self._heard:
                continue
            self.last_line = time.monotonic()
            began = began or self.last_line
            self._heard.add(hash(line))
            event = event_in(line)
            if event is None:
                _log.warning("injector of %s said: %s", self._node, line.rstrip())
            else:
                yield event, self._readings == 1 and (self._prompt or self.last_line - began > SETTLED_SECONDS)
