"""What a thread reads from a slow stream, handed over so that its reader can look up now and then, and leave at any time.

A read time-out cannot serve for that: a response in the middle of which a read timed out is broken. So the thread blocks, and leaving
shuts its socket down.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from .api import ApiProblem

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

TICK_SECONDS = 1.0
_FAREWELL_SECONDS = 0.2
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    problem: Exception | None


class Feed(Generic[T]):
    """A thread that produces, and the iterator of what it produces. `produce` gets the feed and puts into it until it is left."""

    def __init__(self, produce: Callable[[Feed[T]], None], name: str) -> None:
        self._produce = produce
        self._queue: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._left = threading.Event()
        self._response: BaseHTTPResponse | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def items(self, ended: Callable[[], bool]) -> Generator[T | None, None, None]:
        """What is produced, as it comes; None about once a second while nothing comes. Raises the producer's ApiProblem."""
        self._thread.start()
        try:
            while not ended():
                try:
                    item = self._queue.get(timeout=TICK_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if isinstance(item, _End):
                    if item.problem:
                        raise item.problem
                    return
                yield item
        finally:
            self._leave()

    def put(self, item: T) -> None:
        """Hand something over (producer)."""
        self._queue.put(item)

    def pause(self, seconds: float) -> bool:
        """Sleep; true at once when the reader has left (producer)."""
        return self._left.wait(seconds)

    @contextmanager
    def reading(self, response: BaseHTTPResponse) -> Iterator[None]:
        """While this response is read (producer)."""
        self._response = response
        try:
            if self._left.is_set():
                self._shut_down(response)
            yield
        finally:
            self._response = None
            response.close()

    def _run(self) -> None:
        end = _End(RuntimeError(f"the thread {self._thread.name} broke"))
        try:
            self._produce(self)
            end = _End(None)
        except ApiProblem as problem:
            end = _End(problem)
        except (ValueError, AttributeError):  # what a TLS socket says when it is shut down under its reader
            if not self._left.is_set():
                raise
        finally:
            self._queue.put(end)

    def _leave(self) -> None:
        self._left.set()
        response = self._response
        if response:
            self._shut_down(response)
        self._thread.join(_FAREWELL_SECONDS)

    @staticmethod
    def _shut_down(response: BaseHTTPResponse) -> None:
        try:
            response.shutdown()
        except (ValueError, RuntimeError, OSError):
            return  # it has ended in the meantime


def lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines of a text that comes in arbitrary parts; what follows the last line break is a line too."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
