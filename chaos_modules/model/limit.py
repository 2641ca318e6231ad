"""A number that must stay on one side of another one: `<= 0.01`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TEXT = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Limit:
    """What holds for a good value."""

    comparison: str
    value: float

    def holds(self, value: float) -> bool:
        """Whether a value keeps the limit; NaN keeps none."""
        return not math.isnan(value) and _COMPARE[self.comparison](value, self.value)

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.comparison} {self.value:g}"


def limit_of(text: str) -> Limit:
    """`<= 0.01` and the like. Raises ValueError."""
    found = _TEXT.fullmatch(text)
    if not found or not math.isfinite(float(found[2])):
        raise ValueError("it is no limit; write a comparison and a number, such as '<= 0.01'")
    return Limit(found[1], float(found[2]))
