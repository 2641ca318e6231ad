"""Durations, rates, sizes and percentages: every form the scenario styles use, one canonical form.

Units follow tc(8): sizes are 1024-based, `…bit` rates are 1000-based, `…ibit` 1024-based, and `…bps` means *bytes* per second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from .errors import QuantityError

_NUMBER = re.compile(r"^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,2})?)\s*([a-z%]*)\s*$", re.IGNORECASE | re.ASCII)
_WHOLE_RANGE = re.compile(r"\s*([0-9]{1,3})\s*%?\s*(?:-\s*([0-9]{1,3})\s*%?\s*)?")
_LONGEST_TEXT = 40
Scalar = int | float | str


def _split(value: object, kind: str, hint: str) -> tuple[Fraction, str]:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise QuantityError(f"{_shown(value)} is not {kind}; {hint}")
    match = _NUMBER.match(str(value)) if len(str(value)) <= _LONGEST_TEXT else None
    if match is None:
        raise QuantityError(f"{_shown(value)} is not {kind}; {hint}")
    number = Fraction(match.group(1))
    if number < 0:
        raise QuantityError(f"{_shown(value)} is negative; {hint}")
    return number, match.group(2).lower()


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _scaled(value: object, units: dict[str, Fraction], bare: str | None, kind: str, hint: str) -> Fraction:
    number, unit = _split(value, kind, hint)
    if not unit:
        if number == 0:
            return Fraction(0)
        if bare is None:
            raise QuantityError(f"{_shown(value)} has no unit; {hint}")
        unit = bare
    if unit not in units:
        raise QuantityError(f"{_shown(value)} has an unknown unit {unit!r}; {hint}")
    return number * units[unit]


def _whole(amount: Fraction, value: object, kind: str, smallest: str) -> int:
    if amount.denominator != 1:
        raise QuantityError(f"{_shown(value)} is finer than {smallest}, the smallest step of {kind}")
    return int(amount)


def _canonical(amount: int, units: tuple[tuple[str, int], ...]) -> str:
    for name, size in units:
        if amount and amount % size == 0:
            return f"{amount // size}{name}"
    return f"{amount}{units[-1][0]}"


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time, in whole microseconds (the resolution of tc-netem(8) and of our clocks)."""

    microseconds: int
    UNITS: ClassVar[dict[str, Fraction]] = {
        "ns": Fraction(1, 1000), "us": Fraction(1), "usec": Fraction(1), "usecs": Fraction(1),
        "ms": Fraction(1000), "msec": Fraction(1000), "msecs": Fraction(1000),
        "s": Fraction(10**6), "sec": Fraction(10**6), "secs": Fraction(10**6),
        "m": Fraction(60 * 10**6), "min": Fraction(60 * 10**6), "h": Fraction(3600 * 10**6),
    }
    HINT: ClassVar[str] = "write a number and one of ns, us, ms, s, m, h (e.g. 100ms)"
    LONGEST: ClassVar[int] = 7 * 86400 * 10**6

    @classmethod
    def parse(cls, value: object, bare: str | None = None) -> Duration:
        """Read `100ms`, `1s`, `500us`, or a bare number in the unit `bare` of the style. Raises QuantityError."""
        amount = _scaled(value, cls.UNITS, bare, "a duration", cls.HINT)
        if amount > cls.LONGEST:
            raise QuantityError(f"{_shown(value)} is longer than 7 days; {cls.HINT}")
        return cls(_whole(amount, value, "a duration", "1us"))

    @classmethod
    def of_seconds(cls, seconds: float) -> Duration:
        """The duration of so many seconds, rounded to a microsecond."""
        return cls(round(seconds * 10**6))

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return self.microseconds / 10**6

    def __str__(self) -> str:
        return _canonical(self.microseconds, (("s", 10**6), ("ms", 1000), ("us", 1))) if self.microseconds else "0s"


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """A rate in whole bits per second, counted at layer 2 as tc does."""

    bits_per_second: int
    UNITS: ClassVar[dict[str, Fraction]] = {
        f"{prefix}{suffix}": Fraction(scale * factor)
        for suffix, factor in (("bit", 1), ("bps", 8))
        for prefix, scale in (
            ("", 1), ("k", 10**3), ("m", 10**6), ("g", 10**9), ("t", 10**12),
            ("ki", 2**10), ("mi", 2**20), ("gi", 2**30), ("ti", 2**40),
        )
    }
    HINT: ClassVar[str] = "write a number and one of bit, kbit, mbit, gbit, tbit (e.g. 1mbit; mbps means megabytes per second)"
    SMALLEST: ClassVar[int] = 8
    LARGEST: ClassVar[int] = 10**13

    @classmethod
    def parse(cls, value: object, bare: str | None = None) -> Rate:
        """Read `1mbit`, `512kbit`, `1mibit`, `1mbps`, or a bare number in the unit `bare` of the style. Raises QuantityError."""
        amount = _scaled(value, cls.UNITS, bare, "a rate", cls.HINT)
        if not cls.SMALLEST <= amount <= cls.LARGEST:
            raise QuantityError(f"{_shown(value)} is outside 8bit … 10tbit; {cls.HINT}")
        return cls(_whole(amount, value, "a rate", "1bit"))

    def __str__(self) -> str:
        units = (("tbit", 10**12), ("gbit", 10**9), ("mbit", 10**6), ("kbit", 1000), ("bit", 1))
        return _canonical(self.bits_per_second, units)


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """A number of bytes."""

    octets: int
    UNITS: ClassVar[dict[str, Fraction]] = {
        "b": Fraction(1), **{f"{prefix}{suffix}": Fraction(scale) for suffix in ("", "b", "ib")
                             for prefix, scale in (("k", 2**10), ("m", 2**20), ("g", 2**30))},
    }
    HINT: ClassVar[str] = "write a number and one of b, kb, mb, gb, 1024-based (e.g. 32kb)"
    LARGEST: ClassVar[int] = 2**31 - 1

    @classmethod
    def parse(cls, value: object, bare: str | None = "b") -> Size:
        """Read `32kb`, `2mb`, or a bare number in the unit `bare` (bytes). Raises QuantityError."""
        amount = _scaled(value, cls.UNITS, bare, "a size", cls.HINT)
        if not 1 <= amount <= cls.LARGEST:
            raise QuantityError(f"{_shown(value)} is outside 1b … 2gb; {cls.HINT}")
        return cls(_whole(amount, value, "a size", "1b"))

    def __str__(self) -> str:
        return _canonical(self.octets, (("gb", 2**30), ("mb", 2**20), ("kb", 2**10), ("b", 1)))


@dataclass(frozen=True, slots=True, order=True)
class Percentage:
    """A share between 0 % and 100 %, in whole parts per million."""

    millionths: int
    HINT: ClassVar[str] = "write a number from 0 to 100, with or without % (e.g. 10, 10.5, 10%)"

    @classmethod
    def parse(cls, value: object) -> Percentage:
        """Read `10`, `"10%"`, `10.5`. Raises QuantityError."""
        number, unit = _split(value, "a percentage", cls.HINT)
        if unit not in ("", "%"):
            raise QuantityError(f"{_shown(value)} has an unknown unit {unit!r}; {cls.HINT}")
        if number > 100:
            raise QuantityError(f"{_shown(value)} is more than 100 %; {cls.HINT}")
        return cls(_whole(number * 10**4, value, "a percentage", "0.0001%"))

    @property
    def fraction(self) -> float:
        """The share as a number from 0 to 1."""
        return self.millionths / 10**6

    def __str__(self) -> str:
        whole, rest = divmod(self.millionths, 10**4)
        return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


@dataclass(frozen=True, slots=True)
class PercentageRange:
    """Whole percentages `first` … `last` of which one is drawn with the run's seed; a single number is a range of one."""

    first: int
    last: int
    HINT: ClassVar[str] = "write a whole number from 0 to 100, or a range of them (e.g. 50 or 25-75)"

    @classmethod
    def parse(cls, value: object) -> PercentageRange:
        """Read `50`, `"50%"`, `"25-75"`. Raises QuantityError."""
        match = _WHOLE_RANGE.fullmatch(str(value)) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
        if match is None:
            raise QuantityError(f"{_shown(value)} is not a percentage of pods; {cls.HINT}")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last <= 100:
            raise QuantityError(f"{_shown(value)} is not within 0-100 in rising order; {cls.HINT}")
        return cls(first, last)

    def __str__(self) -> str:
        return f"{self.first}%" if self.first == self.last else f"{self.first}-{self.last}%"


NO_CHANCE = Percentage(0)
