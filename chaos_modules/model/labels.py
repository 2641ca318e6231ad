"""Kubernetes label selectors, read once when a scenario is loaded and applied when its targets are chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .wording import shown

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?{_NAME}"
_VALUE = rf"(?:{_NAME})?"
_EQUALITY = re.compile(rf"({_KEY})\s*(=|==|!=)\s*({_VALUE})")
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_PRESENCE = re.compile(rf"(!?)\s*({_KEY})")
_LONGEST = 4096
_COMMA = re.compile(r",(?![^()]*\))")
HINT = "write key=value, key!=value, key in (a, b), key notin (a, b), key or !key, separated by commas (e.g. app=web,tier!=cache)"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a selector. `wanted` says whether a matching label keeps the object or drops it; no values means any value."""

    key: str
    wanted: bool
    values: tuple[str, ...] = ()

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """As Kubernetes does it, an object without the key satisfies `!=`, `notin` and `!key`."""
        present = self.key in labels and (not self.values or labels[self.key] in self.values)
        return present is self.wanted


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """The terms of a label selector, all of which must hold. Raises ValueError, whose message shows how to write one."""
    if len(text) > _LONGEST:
        raise ValueError(f"a label selector of {len(text)} characters; at most {_LONGEST} are possible")
    return tuple(_requirement(part.strip(), text) for part in _COMMA.split(text))


def _requirement(term: str, text: str) -> Requirement:
    if match := _EQUALITY.fullmatch(term):
        return Requirement(match[1], match[2] != "!=", (match[3],))
    if match := _SET.fullmatch(term):
        values = tuple(value.strip() for value in match[3].split(","))
        if all(re.fullmatch(_VALUE, value) for value in values):
            return Requirement(match[1], match[2] == "in", values)
    elif match := _PRESENCE.fullmatch(term):
        return Requirement(match[2], not match[1])
    where = shown(text)
    raise ValueError(f"{shown(term)} in {where} is not a label selector; {HINT}" if term else f"{where} has an empty term; {HINT}")


def selects(requirements: tuple[Requirement, ...], labels: Mapping[str, str]) -> bool:
    """Whether an object with these labels is selected."""
    return all(requirement.accepts(labels) for requirement in requirements)
