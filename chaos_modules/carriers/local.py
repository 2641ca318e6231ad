"""The injector as a process on this machine, for the sandbox."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..model.errors import ClusterProblem
from .lines import event_in
from .protocol import Pace, Said

INJECTOR = Path(__file__).resolve().parents[2] / "containers" / "injector" / "injector.py"
_LARGEST_VARIABLE = 100 * 1024
_log = logging.getLogger(__name__)


class LocalLauncher:
    """Starts injectors in sessions of their own, so that a terminal's Ctrl-C reaches the runner alone."""

    pace = Pace(start_seconds=20.0)
    stream = True

    def launch(self, node: str, job: Mapping[str, Any], hear: Callable[[Said], None]) -> LocalCarrier:
        """Start one injector. Raises ClusterProblem."""
        if not INJECTOR.is_file():
            raise ClusterProblem("the injector is not there", str(INJECTOR), "run Squall from a clone of its repository")
        text = json.dumps(job)
        path = ""
        if len(text) > _LARGEST_VARIABLE:
            descriptor, path = tempfile.mkstemp(prefix="squall-job-", suffix=".json")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        environment = {**os.environ, "SQUALL_JOB": f"@{path}" if path else text, "SQUALL_TERMINATION_LOG": os.devnull}
        process = subprocess.Popen(
            [sys.executable, str(INJECTOR)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", errors="replace", env=environment, start_new_session=True,
        )  # fmt: skip
        _log.info("injector of %s: process %s with %s targets", node, process.pid, len(job["injections"]))
        return LocalCarrier(node, process, hear, path)

    def close(self) -> None:
        """Processes end by themselves."""


class LocalCarrier:
    """One injector process; a thread reads what it says until it ends."""

    def __init__(self, node: str, process: subprocess.Popen[str], hear: Callable[[Said], None], path: str) -> None:
        self._node, self._process, self._hear, self._path = node, process, hear, path
        threading.Thread(target=self._read, name=f"injector {node}", daemon=True).start()

    @property
    def node(self) -> str:
        """The node whose targets it has."""
        return self._node

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout and self._process.stderr
        for line in self._process.stdout:
            event = event_in(line)
            if event is None:
                _log.warning("injector of %s said: %s", self._node, line.rstrip())
            else:
                self._hear(Said(node=self._node, event=event))
        complaint = self._process.stderr.read().strip()
        code = self._process.wait()
        self._close()
        if self._path:
            Path(self._path).unlink(missing_ok=True)
        if complaint:
            _log.warning("injector of %s complained: %s", self._node, complaint)
        ended = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        self._hear(Said(node=self._node, event=None, ended=f"{ended}{': ' if complaint else ''}{complaint[-400:]}"))

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                assert pipe
                pipe.close()
            except OSError:
                _log.debug("injector of %s ended before it read its last word", self._node)

    def say(self, word: str) -> None:
        """`start`, `beat` or `stop`; silently nothing once it has ended."""
        try:
            assert self._process.stdin
            self._process.stdin.write(f"{word}\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            _log.debug("injector of %s no longer listens", self._node)

    def end(self) -> None:
        """Make it revert and leave (SIGTERM); harmless once it has ended."""
        self._process.terminate()

