"""Checks of plain data against a shape, for the job: standard library only."""

from __future__ import annotations

import math
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Check = Callable[[Any, str], None]
    Shape = dict[str, Any]

LONGEST = 365 * 86400


class WrongJob(ValueError):
    """What is wrong with the job, and where in it."""


def refuse(value: object, where: str, wanted: str) -> None:
    """Raise WrongJob."""
    raise WrongJob(f"{where}: {ascii(value)[:80]} is not {wanted}")


def text(pattern: str, wanted: str) -> Check:
    """A text that is one of a few forms, as a whole."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            refuse(value, where, wanted)

    return check


def number(least: float = 0, most: float = LONGEST, *, whole: bool = False, none: bool = False) -> Check:
    """A finite number, never a boolean."""

    def check(value: Any, where: str) -> None:
        kinds = (int,) if whole else (int, float)
        if not (value is None and none) and (type(value) not in kinds or not math.isfinite(value) or not least <= value <= most):
            refuse(value, where, f"a{' whole' if whole else ''} number from {least:g} to {most:g}")

    return check


def flag(value: Any, where: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        refuse(value, where, "true or false")


def shaped(value: Any, shape: Any, where: str) -> None:
    """A value against a shape: a check, a mapping that must have these keys, or a list whose every item has the shape of its one."""
    if callable(shape):
        shape(value, where)
    elif isinstance(shape, dict):
        if not isinstance(value, dict) or shape.keys() - value.keys():
            missing = f" with {', '.join(sorted(shape.keys() - value.keys()))}" if isinstance(value, dict) else ""
            refuse(value, where, f"a mapping{missing}")
        for key, part in shape.items():
            shaped(value[key], part, f"{where}.{key}")
    elif not isinstance(value, list):
        refuse(value, where, "a list")
    else:
        for index, item in enumerate(value):
            shaped(item, shape[0], f"{where}[{index}]")
