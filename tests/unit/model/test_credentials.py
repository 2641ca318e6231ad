"""User and password in krkn's notations."""

from __future__ import annotations

import pytest

from chaos_modules.model.credentials import basic_auth


@pytest.mark.parametrize("value", [
    "admin,secretpassword", ["admin", "secretpassword"], ("admin", "secretpassword"), '("admin","secretpassword")', "('admin', 'secretpassword')",
    ' ["admin", "secretpassword"] ', '("admin","secretpassword",)',
])  # fmt: skip
def test_every_notation_of_krkn_means_the_same(value: object) -> None:
    assert basic_auth(value) == ("admin", "secretpassword")


@pytest.mark.parametrize(("value", "pair"), [
    ("admin,a,b", ("admin", "a,b")), ("admin,", ("admin", "")), ('("admin","a,\'b")', ("admin", "a,'b")), (["admin", 1234], ("admin", "1234")),
    ("admin, x", ("admin", " x")),
])  # fmt: skip
def test_a_password_keeps_its_characters(value: object, pair: tuple[str, str]) -> None:
    assert basic_auth(value) == pair


@pytest.mark.parametrize("value", [
    "s3cret", "(admin,s3cret)", '("s3cret")', ["s3cret"], ["a", "s3cret", "c"], ["a", True], {"s3cret": "x"}, None, 5, ["a", ["s3cret"]],
])  # fmt: skip
def test_anything_else_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(ValueError, match="write user,password") as refusal:
        basic_auth(value)
    assert "s3cret" not in str(refusal.value)
