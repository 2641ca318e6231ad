"""Findings of pydantic in our own words."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chaos_modules.loading.documents import Document
from chaos_modules.loading.validation import annotation_at, dotted, keys_at, problems
from chaos_modules.model.errors import BadInputs


class _Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    colour: _Colour = _Colour.RED


class _Outer(BaseModel):
    inner: Annotated[_Inner | None, Field()] = None
    many: tuple[_Inner, ...] = ()
    named: dict[str, _Inner] = {}
    ports: list[int] = []
    day: date | None = None


@pytest.mark.parametrize(("data", "message"), [
    ({"inner": {"colour": "gren"}}, "inner.colour: 'gren' is not one of its values\n  → did you mean green? valid: red, green"),
    ({"inner": {"color": 1}}, "inner.color: unknown key\n  → did you mean colour? valid: colour"),
    ({"many": [{}, {"x": 1}]}, "many[1].x: unknown key\n  → valid: colour"),
    ({"named": {"a": {"x": 1}}}, "named.a.x: unknown key\n  → valid: colour"),
    ({"named": []}, "named: [] is not a mapping\n  → write `key: value` lines below it"),
    ({"ports": 80}, "ports: 80 is not a list\n  → write one `- item` per line, or [item, item]"),
    ({"day": "x"}, "day: 'x': Input should be a valid date or datetime, input is too short\n  → correct the value"),
])
def test_wording(data: dict[str, object], message: str) -> None:
    with pytest.raises(BadInputs) as caught:
        Document("f", data).validated(_Outer)
    assert str(caught.value) == f"f:1:1: {message}"


def test_a_finding_about_the_whole_has_no_path() -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(7)
    [problem] = problems(caught.value, _Outer, lambda location, key: "here", at=(), spelled={})
    assert str(problem).startswith("here: 7 is not a mapping")


def test_a_location_reads_like_the_file() -> None:
    assert dotted(("kraken", "chaos_scenarios", 0, "x", 1)) == "kraken.chaos_scenarios[0].x[1]"


def test_nothing_lies_below_a_scalar() -> None:
    assert annotation_at(_Outer, ("ports", 0, "x")) is None
    assert annotation_at(_Outer, ("nowhere", "x")) is None
    assert keys_at(_Outer, ("day",)) == []
    assert keys_at(_Outer, ("many", 3)) == ["colour"]
