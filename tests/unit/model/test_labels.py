"""Label selectors as Kubernetes reads them."""

from __future__ import annotations

import pytest

from chaos_modules.model.labels import parse_selector, selects

LABELS = {"app": "web", "tier": "front", "example.com/team": "a"}


@pytest.mark.parametrize(("selector", "expected"), [
    ("app=web", True), ("app==web", True), ("app = web", True), ("app=db", False), ("app!=db", True), ("app!=web", False),
    ("absent!=x", True), ("absent=x", False), ("app=", False), ("tier in (front, back)", True), ("tier in (back)", False),
    ("tier notin (back)", True), ("tier notin (front)", False), ("absent notin (x)", True), ("app", True), ("absent", False),
    ("!absent", True), ("!app", False), ("app=web,tier in (front,back),!absent", True), ("app=web,tier=back", False),
    ("example.com/team=a", True),
])
def test_selection(selector: str, expected: bool) -> None:
    assert selects(parse_selector(selector), LABELS) is expected


@pytest.mark.parametrize("selector", ["", ",", "app=web,", "a b", "app=we b", "tier in front", "tier in (a", "tier in (a b)", "-a=b", "a=-b"])
def test_a_malformed_selector_is_never_everything(selector: str) -> None:
    with pytest.raises(ValueError, match="write key=value"):
        parse_selector(selector)
