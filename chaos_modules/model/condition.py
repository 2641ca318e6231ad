"""What must hold of a Kubernetes object: `status.readyReplicas >= 2`, `status.conditions[type=Available].status == True`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Value = str | float | bool | None

_HOW = (
    "write a path, a comparison (== != >= <= > <) and a value, such as 'status.readyReplicas >= 2' or "
    "'status.conditions[type=Ready].status == True'"
)  # fmt: skip
_TEXT = re.compile(r"\s*(\S(?:[^=!<>\[]|\[[^\]]*\])*?)\s*(==|!=|>=|<=|>|<)\s*(.*?)\s*", re.DOTALL)
_STEP = re.compile(r"""(?:^|\.)([^.\[\]\s]+)|\[\s*(\d{1,9})\s*\]|\[\s*(["'])(.+?)\3\s*\]|\[\s*([^=\[\]"']+?)\s*==?\s*(["']?)(.*?)\6\s*\]""")
_INDEX = re.compile(r"\d{1,9}")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "none": None, "~": None}
_EQUAL: dict[str, Callable[[Any, Any], bool]] = {"==": operator.eq, "!=": operator.ne}
_ORDER: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def condition_of(text: str) -> tuple[str, str, Value]:
    """(path, comparison, value). A value in quotes is text; else true, false, null and numbers are what they look like, as in krkn's triggers.

    Raises ValueError, which says how to write it.
    """
    found = _TEXT.fullmatch(text)
    if not found or not found[3]:
        raise ValueError(f"it is no condition; {_HOW}")
    list(_steps(found[1]))
    value = _value(found[3])
    if found[2] in _ORDER and not isinstance(value, float):
        raise ValueError(f"{found[2]} compares numbers only; {_HOW}")
    return found[1], found[2], value


def _value(text: str) -> Value:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if text[0] in "=<>!":
        raise ValueError(f"it is no condition; {_HOW}")
    return float(text) if _NUMBER.fullmatch(text) and math.isfinite(float(text)) else text


def found_at(path: str, content: Any) -> Any:
    """What is at a path: names between dots, `0` or `[0]` an item of a list, `[type=Ready]` the item with that field, `["a.b/c"]` a name with dots.

    Raises LookupError with what is missing, ValueError for what is no path.
    """
    so_far, here = "", content
    for shown, step in _steps(path):
        so_far += shown
        try:
            here = step(here)
        except (LookupError, TypeError):
            raise LookupError(f"it has no {so_far}") from None
    return here


def _steps(path: str) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """(as written, how to go on from what was reached)."""
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if not found or (position == 0 and path[0] == "."):
            raise ValueError(f"{path[:60]!r} is no path; {_HOW}")
        name, index, _, quoted, field, _, wanted = found.groups()
        yield found[0], _named(name or quoted) if name or quoted else _numbered(int(index)) if index else _selected(field, wanted)
        position = found.end()


def _named(name: str) -> Callable[[Any], Any]:
    """A field; in a list, a number is an item."""
    return lambda here: here[int(name)] if isinstance(here, list) and _INDEX.fullmatch(name) else _mapping(here)[name]


def _numbered(index: int) -> Callable[[Any], Any]:
    return lambda here: _list(here)[index]


def _selected(field: str, wanted: str) -> Callable[[Any], Any]:
    def select(here: Any) -> Any:
        for item in _list(here):
            if isinstance(item, Mapping) and equal(item.get(field), _value(wanted) if wanted else ""):
                return item
        raise LookupError(wanted)

    return select


def _mapping(here: Any) -> Mapping[str, Any]:
    if not isinstance(here, Mapping):
        raise TypeError
    return here


def _list(here: Any) -> Sequence[Any]:
    if not isinstance(here, list):
        raise TypeError
    return here


def equal(actual: Any, wanted: Value) -> bool:
    """Kubernetes writes the status of a condition as the text "True", and some numbers as texts: they equal what they say."""
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return str(actual).lower() == str(wanted).lower()
    if isinstance(wanted, float) and (number := _number(actual)) is not None:
        return number == wanted
    return bool(actual == wanted)


def holds(actual: Any, comparison: str, wanted: Value) -> bool:
    """Whether what was found compares as it should; what is no number is neither more nor less than one."""
    if comparison in _EQUAL:
        return equal(actual, wanted) is (comparison == "==")
    number, limit = _number(actual), _number(wanted)
    return number is not None and limit is not None and _ORDER[comparison](number, limit)


def _number(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else None
