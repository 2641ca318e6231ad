"""YAML text to plain Python data and the position of every key and value, safe with any input."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from ..model.errors import BadInput, BadInputs
from ..model.wording import shown

Location = tuple[str | int, ...]

DEEPEST = 50
MOST_NODES = 25_000
MOST_PROBLEMS = 50

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset(f"{_TAG}{name}" for name in ("str", "timestamp", "merge", "value"))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_KEY = re.compile(rf"[^{_CONTROL.pattern[1:-1]}]{{0,1000}}")
_HINTS = (
    ("'\\t'", "a tab where YAML expects spaces", "indent with spaces"),
    ("tab character", "a tab where YAML expects spaces", "indent with spaces"),
    ("mapping values are not allowed", "a colon that YAML cannot read here", "check the indentation, or quote a text with a colon"),
    ("expected ':'", "a line that is neither `key: value` nor a list item", "write a colon and a space after the key"),
    ("unexpected end of stream", "a quote or a bracket is still open at the end of the file", "close it"),
    ("expected ',' or", "a bracket or a comma is missing", "close the bracket"),
    ("block end", "a line whose indentation fits nothing above it", "align it with the lines that belong to the same block"),
    ("undefined alias", "an alias (*name) without its anchor (&name)", "define the anchor before it is used"),
    ("start any token", "a character that YAML reserves", "quote the text"),
)


@dataclass(frozen=True, slots=True)
class Tree:
    """Data, and `file:line:column` of every value and of every key."""

    data: Any
    values: Mapping[Location, str]
    keys: Mapping[Location, str]


def read(text: str, file: str) -> Tree:
    """The one document in `text`; `file` is how positions name it. Raises BadInput, or BadInputs with every problem found."""
    if control := _CONTROL.search(text):
        raise BadInput(f"the control character {shown(control[0])}", _position_in(text, control.start(), file), "remove it")
    try:
        _check_shape(text, file)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise _readable(error, file) from None
    except yaml.YAMLError as error:
        raise BadInput(f"not YAML ({error})", f"{file}:1:1", "correct the file") from None
    if node is None:
        raise BadInput("the file is empty", f"{file}:1:1", "write at least one entry; see the examples under scenarios/ and config/")
    builder = _Builder(file)
    data = builder.build(node, (), 0)
    if builder.problems:
        raise BadInputs(builder.problems) if len(builder.problems) > 1 else builder.problems[0]
    return Tree(data, builder.values, builder.keys)


def _position_in(text: str, offset: int, file: str) -> str:
    return f"{file}:{text.count(chr(10), 0, offset) + 1}:{offset - text.rfind(chr(10), 0, offset)}"


def _mark(mark: Any, file: str) -> str:
    return f"{file}:{mark.line + 1}:{mark.column + 1}"


def _readable(error: yaml.MarkedYAMLError, file: str) -> BadInput:
    mark = error.problem_mark or error.context_mark
    where = _mark(mark, file) if mark else f"{file}:1:1"
    problem = f"{error.context or ''} {error.problem or ''}".strip()
    for fragment, what, remedy in _HINTS:
        if fragment in problem:
            return BadInput(f"not YAML: {what}", where, remedy)
    return BadInput(f"not YAML: {problem}", where, "correct the line, or quote the text")


def _check_shape(text: str, file: str) -> None:
    """Depth, size and number of documents are checked on the flat stream of events, before anything recursive sees the text."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if count > 2 * MOST_NODES:
            raise _too_many(_mark(event.start_mark, file))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _too_deep(_mark(event.start_mark, file))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise BadInput("a second document begins", _mark(event.start_mark, file), "keep one document per file, without `---`")


def _too_many(where: str) -> BadInput:
    return BadInput(f"more than {MOST_NODES} values, aliases expanded", where, "write it without nested aliases, or split it")


def _too_deep(where: str) -> BadInput:
    return BadInput(f"nested deeper than {DEEPEST} levels", where, "flatten it; an alias must not contain itself")


class _Builder:
    """Builds data from nodes and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[Location, str] = {}
        self.keys: dict[Location, str] = {}
        self.problems: list[BadInput] = []
        self._nodes = 0

    def build(self, node: yaml.Node, location: Location, depth: int) -> Any:
        """The data of a node; aliases are expanded, up to a limit."""
        where = self._counted(node)
        self.values[location] = where
        if depth > DEEPEST:
            raise _too_deep(where)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, location, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.build(child, (*location, index), depth + 1) for index, child in enumerate(node.value)]
        return self._scalar(node, where)

    def _counted(self, node: yaml.Node) -> str:
        self._nodes += 1
        where = _mark(node.start_mark, self.file)
        if self._nodes > MOST_NODES:
            raise _too_many(where)
        return where

    def _mapping(self, node: yaml.MappingNode, location: Location, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged = [pair for key, value in node.value if key.tag == f"{_TAG}merge" for pair in self._merged(value, depth)]
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                continue
            key, where = self._key(key_node), _mark(key_node.start_mark, self.file)
            if key in data:
                first = self.keys[(*location, key)]
                self._problem(f"{key}: given twice, first at {first}", where, "keep one of the two")
            else:
                self.keys[(*location, key)] = where
                data[key] = self.build(value_node, (*location, key), depth + 1)
        for key_node, value_node in merged:
            key = self._key(key_node)
            if key not in data:
                self.keys[(*location, key)] = _mark(key_node.start_mark, self.file)
                data[key] = self.build(value_node, (*location, key), depth + 1)
        return data

    def _merged(self, node: yaml.Node, depth: int) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """The pairs that a merge key (`<<: *name`) brings in; earlier ones win."""
        self._nodes += len(node.value)
        where = self._counted(node)
        if depth > DEEPEST:
            raise _too_deep(where)
        if isinstance(node, yaml.SequenceNode):
            for child in node.value:
                yield from self._merged(child, depth + 1)
        elif isinstance(node, yaml.MappingNode):
            yield from ((key, value) for key, value in node.value if key.tag != f"{_TAG}merge")
            for key, value in node.value:
                if key.tag == f"{_TAG}merge":
                    yield from self._merged(value, depth + 1)
        else:
            self._problem("a merge key (<<) with something that is not a mapping", where, "give it an alias of a mapping")

    def _key(self, node: yaml.Node) -> str:
        """A key is its text as written, so that `on` and `no` are keys like any other; numbers and null are mistakes."""
        if isinstance(node, yaml.ScalarNode) and node.tag in (*_TEXT_TAGS, f"{_TAG}bool") and _KEY.fullmatch(node.value):
            return str(node.value)
        text = shown(node.value) if isinstance(node, yaml.ScalarNode) else "a list or a mapping"
        self._problem(f"the key {text} is not text", _mark(node.start_mark, self.file), "put the key in quotes")
        return text

    def _problem(self, what: str, where: str, remedy: str) -> None:
        self.problems.append(BadInput(what, where, remedy))
        if len(self.problems) == MOST_PROBLEMS:
            self.problems.append(BadInput("there may be more", where, "correct these first"))
            raise BadInputs(self.problems)

    def _scalar(self, node: yaml.Node, where: str) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.ScalarNode) and node.tag in _TEXT_TAGS:
            if control := _CONTROL.search(node.value):
                self._problem(f"the control character {shown(control[0])} in a text", where, "remove it")
            return node.value
        if isinstance(node, yaml.ScalarNode) and kind in ("null", "bool", "int", "float"):
            return _value(kind, node.value)
        tag = (f"!!{kind}" if node.tag.startswith(_TAG) else node.tag)[:80]
        self._problem(f"the tag {tag} is not allowed", where, "remove the tag")
        return None


def _value(kind: str, text: str) -> Any:
    """YAML 1.1 without its traps: octal (`010`), sexagesimal (`22:30`) and `1_000` stay text, which is what was meant."""
    if kind == "null":
        return None
    if kind == "bool":
        return yaml.SafeLoader.bool_values.get(text.lower(), text)
    if re.fullmatch(r"[-+]?(0|[1-9]\d{0,29})", text):
        return int(text)
    if kind == "float" and re.fullmatch(r"[-+]?(\d+\.\d*|\.\d+)(e[-+]?\d+)?", text, re.IGNORECASE) and math.isfinite(float(text)):
        return float(text)
    return text
