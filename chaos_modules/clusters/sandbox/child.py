"""A helper process of the sandbox: told things and asked things as JSON lines, gone when this end of its input closes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ...model.errors import ClusterProblem

_PACKAGE_ROOT = Path(__file__).parents[3]
_PATIENCE_SECONDS = 10.0


class Child:
    """A module of this package as a process; `name` is what the user reads, and its complaints go to a log in the state directory."""

    def __init__(self, name: str, module: str, state_directory: Path) -> None:
        self._name = name
        self._log = state_directory / f"{module.rpartition('.')[2]}.log"
        self._pending = b""
        path = os.pathsep.join(filter(None, (str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(state_directory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # a terminal's Ctrl-C is for the runner, which still needs the counts
                bufsize=0,
            )

    def ask(self, message: Any) -> dict[str, Any]:
        """The answer to one message. Raises ClusterProblem."""
        assert self._process.stdin is not None
        text = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while text:
                text = text[self._process.stdin.write(text) or 0 :]
        except (OSError, ValueError) as error:
            raise self.problem("has ended") from error
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def close(self) -> None:
        """End the process; it may be gone already."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise self.problem(f"has not answered for {_PATIENCE_SECONDS:.0f} s")
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise self.problem("has ended")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def problem(self, what: str) -> ClusterProblem:
        """What is wrong with it, and the last line of its log."""
        errors = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self._log.exists() else []
        detail = f"\n{errors[-1]}" if errors else ""
        remedy = "run it again; if it ends again, look whether the kernel killed it (dmesg)"
        return ClusterProblem(f"{self._name} {what}{detail}", "sandbox", remedy)
