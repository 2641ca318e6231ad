"""A YAML or JSON file as data that knows where each part of it was written."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..model.errors import BadInput, BadInputs
from ..model.wording import one_line
from .nodes import Location, read
from .validation import problems

LARGEST = 1024 * 1024
Model = TypeVar("Model", bound=BaseModel)
_KINDS = (
    (stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"), (stat.S_ISBLK, "a block device"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (mappings, lists, text, numbers), and the position of every key and value as `file:line:column`, all of it printable."""

    file: str
    data: Any
    values: Mapping[Location, str] = field(default_factory=dict)
    keys: Mapping[Location, str] = field(default_factory=dict)

    def position(self, location: Location = (), *, key: bool = False) -> str:
        """Where the value at `location` was written, or with `key` its key; the nearest ancestor when it was not written at all."""
        for depth in range(len(location), 0, -1):
            part = location[:depth]
            where = (self.keys.get(part) if key else None) or self.values.get(part)
            if where:
                return where
        return self.values.get((), f"{self.file}:1:1")

    def at(self, location: Location) -> Any:
        """The data at `location`."""
        part = self.data
        for step in location:
            part = part[step]
        return part

    def replaced(self, location: tuple[str, ...], value: Any, origin: str) -> Document:
        """The same document with another value at `location`; `origin`, the flag or variable it came from, becomes its position."""
        values = {place: where for place, where in self.values.items() if place[: len(location)] != location}
        keys = {place: where for place, where in self.keys.items() if place[: len(location)] != location}
        values[location] = keys[location] = origin
        return Document(self.file, _replaced(self.data, location, value), values, keys)

    def validated(
        self, model: type[Model], at: Location = (), *, data: Mapping[str, Any] | None = None, spelled: Mapping[str, str] | None = None
    ) -> Model:
        """The part at `at` as `model`. `data` replaces that part when a style has renamed its keys; `spelled` leads back to the user's.

        Raises BadInputs with every problem of the part, each at its position.
        """
        try:
            return model.model_validate(self.at(at) if data is None else data)
        except ValidationError as error:
            raise BadInputs(problems(error, model, self.position, at=at, spelled=spelled or {})) from None


def _replaced(data: Any, location: tuple[str, ...], value: Any) -> Any:
    if not location:
        return value
    mapping = data if isinstance(data, dict) else {}
    return {**mapping, location[0]: _replaced(mapping.get(location[0]), location[1:], value)}


def load_yaml(path: Path | str) -> Document:
    """Read a file of at most 1 MiB. Raises BadInput (or BadInputs) for anything that is not one well-formed document of plain data."""
    file = one_line(str(path))
    text = read_text(path)
    if file.endswith(".json"):
        # Tabs are white space in JSON but not in YAML, and cannot occur inside a JSON string.
        text = text.replace("\t", " ")
    tree = read(text, file)
    return Document(file, tree.data, tree.values, tree.keys)


def read_text(path: Path | str, largest: int = LARGEST) -> str:
    """What a regular file of at most `largest` bytes says. Raises BadInput."""
    return _decoded(_content(str(path), largest), one_line(str(path)))


def _content(path: str, largest: int) -> bytes:
    where = f"{one_line(path)}:1:1"
    try:
        _check_kind(Path(path).stat().st_mode, where)
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            _check_kind(os.fstat(stream.fileno()).st_mode, where)
            content = stream.read(largest + 1)
    except FileNotFoundError:
        raise BadInput("no such file", where, "check the path; a relative path starts at the current directory") from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where, "check the path and its permissions") from None
    except ValueError:
        raise BadInput("not a path: it contains a NUL", where, "correct the path") from None
    if len(content) > largest:
        raise BadInput(f"larger than {largest // 2**20} MiB", where, "split it; a scenario or configuration file is a few kilobytes")
    return content


def _check_kind(mode: int, where: str) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "a special file")
        raise BadInput(f"is {kind}, not a file", where, "give the path of a YAML or JSON file")


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].decode("utf-8").split("\n")
        where = f"{file}:{len(lines)}:{len(lines[-1]) + 1}"
        raise BadInput(f"not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}", where, "save the file as UTF-8") from None
