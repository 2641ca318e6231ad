"""Conditions on Kubernetes objects: how they are written, what they find, how they compare."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos_modules.model.condition import condition_of, found_at, holds

WEB: dict[str, Any] = {
    "metadata": {"annotations": {"example.org/owner": "7"}},
    "spec": {"replicas": 3, "paused": False, "template": {"spec": {"containers": [{"name": "app", "image": "shop:2"}]}}},
    "status": {"readyReplicas": 2, "conditions": [{"type": "Progressing", "status": "Unknown"}, {"type": "Available", "status": "True"}]},
}


@pytest.mark.parametrize(("text", "parts"), [
    ("status.readyReplicas >= 2", ("status.readyReplicas", ">=", 2.0)),
    ("status.phase==Running", ("status.phase", "==", "Running")),
    ("status.phase != 'null'", ("status.phase", "!=", "null")),
    ('status.count == "3"', ("status.count", "==", "3")),
    ("a.b < -1.5e3", ("a.b", "<", -1500.0)),
    ("spec.paused == false", ("spec.paused", "==", False)),
    ("spec.paused == null", ("spec.paused", "==", None)),
    ("spec.words == two words", ("spec.words", "==", "two words")),
    ("status.conditions[type=Available].status == True", ("status.conditions[type=Available].status", "==", True)),
    ('metadata.annotations["example.org/owner"] == 7', ('metadata.annotations["example.org/owner"]', "==", 7.0)),
])  # fmt: skip
def test_a_condition_is_a_path_a_comparison_and_a_value(text: str, parts: object) -> None:
    assert condition_of(text) == parts


@pytest.mark.parametrize("text", [
    "", "status", "status.a ==", "== 3", "a === 3", "a == ==", "a..b == 1", ".a == 1", "a. == 1", "a[ == 1", "a b == 1", "a =< 1", "a[1 == 2",
])  # fmt: skip
def test_what_is_none_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a path, a comparison \(== != >= <= > <\) and a value, such as 'status.readyReplicas >= 2'"):
        condition_of(text)


@pytest.mark.parametrize("value", ["true", "Running", "null", "1e999", "'2'"])
def test_only_numbers_are_more_or_less(value: str) -> None:
    with pytest.raises(ValueError, match="compares numbers only"):
        condition_of(f"status.a >= {value}")


@given(st.text(alphabet="ab.[]=<>!'\" 01", max_size=40))
def test_whatever_is_written_is_understood_or_refused(text: str) -> None:
    try:
        path, comparison, value = condition_of(text)
    except ValueError:
        return
    assert path in text and comparison in text
    try:
        holds(found_at(path, WEB), comparison, value)
    except LookupError:
        pass


@pytest.mark.parametrize(("path", "value"), [
    ("status.readyReplicas", 2), ("status.conditions[type=Available].status", "True"), ("status.conditions[1].type", "Available"),
    ("status.conditions.0.status", "Unknown"), ("spec.template.spec.containers[name=app].image", "shop:2"),
    ('metadata.annotations["example.org/owner"]', "7"), ("spec.template.spec.containers[name='app'].image", "shop:2"),
])  # fmt: skip
def test_a_path_leads_to_its_value(path: str, value: object) -> None:
    assert found_at(path, WEB) == value


@pytest.mark.parametrize(("path", "missing"), [
    ("status.unavailableReplicas", "status.unavailableReplicas"), ("status.conditions[type=Ready].status", "status.conditions[type=Ready]"),
    ("status.conditions[9].type", "status.conditions[9]"), ("status.readyReplicas.x", "status.readyReplicas.x"), ("spec[0].x", "spec[0]"),
    ("status.conditions.type", "status.conditions.type"),
])  # fmt: skip
def test_what_is_missing_is_named_up_to_where_the_path_ends(path: str, missing: str) -> None:
    with pytest.raises(LookupError) as told:
        found_at(path, WEB)
    assert told.value.args[0] == f"it has no {missing}"


@pytest.mark.parametrize(("actual", "comparison", "wanted", "expected"), [
    ("True", "==", True, True), ("False", "==", True, False), ("Unknown", "==", True, False), (True, "!=", False, True), (False, "==", False, True),
    (2, "==", 2.0, True), ("2", "==", 2.0, True), ("two", "==", 2.0, False), ("two", "!=", 2.0, True), (None, "==", None, True),
    (0, "==", None, False), (2, ">=", 2.0, True), (2, ">", 2.0, False), ("10", ">", 9.0, True), ("10m", ">", 9.0, False), ("10m", "<=", 9.0, False),
    (None, "<", 3.0, False), (True, ">=", 1.0, False), ([], "==", "", False), ({}, "!=", "", True), (1, "==", True, False), ("2", "==", "2", True),
])  # fmt: skip
def test_values_compare_as_kubernetes_writes_them(actual: object, comparison: str, wanted: Any, expected: bool) -> None:
    assert holds(actual, comparison, wanted) is expected
