"""User and password as krkn's `health_checks` write them."""

from __future__ import annotations

import re

_TUPLE = re.compile(r"""\s*[(\[]\s*(["'])(.*?)\1\s*,\s*(["'])(.*?)\3\s*,?\s*[)\]]\s*""", re.DOTALL)
_HOW = 'write user,password or ["user", "password"]'


def basic_auth(value: object) -> tuple[str, str]:
    """(user, password) of `user,password`, of a list of the two, or of the text `("user","password")`: krkn's documentation shows the last,
    and its code sends the parentheses and quotes of it. A password may have commas. Raises ValueError, which does not repeat the value.
    """
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(one, (str, int)) and not isinstance(one, bool) for one in value):
        return str(value[0]), str(value[1])
    raise ValueError(f"it is not a user and a password; {_HOW}")


def _of_text(text: str) -> tuple[str, str]:
    quoted = _TUPLE.fullmatch(text)
    if quoted:
        return quoted[2], quoted[4]
    user, comma, password = text.partition(",")
    if not comma or user.startswith(("(", "[")):
        raise ValueError(f"it is not a user and a password; {_HOW}")
    return user, password
