"""Files to data: positions of values, keys and what is not there; YAML's traps; JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from chaos_modules.loading import nodes
from chaos_modules.loading.documents import Document, load_yaml
from chaos_modules.loading.nodes import read
from chaos_modules.model.errors import BadInput, BadInputs


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def _either_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers give the same data at the same positions."""
    monkeypatch.setattr(nodes, "_LOADER", getattr(yaml, request.param))


def test_positions_of_values_keys_and_their_nearest_ancestors(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("top:\n  é: [one, two]\n  null:x: 1\n", encoding="utf-8")
    document = load_yaml(str(file))
    assert document.data == {"top": {"é": ["one", "two"], "null:x": 1}}
    assert document.position(("top", "é", 1)) == f"{file}:2:12"
    assert document.position(("top", "é"), key=True) == f"{file}:2:3"
    assert document.position(("top", "é", 1, "deeper", 3)) == f"{file}:2:12"
    assert document.position(("top", "missing"), key=True) == f"{file}:1:1"
    assert document.position(("missing",)) == f"{file}:1:1"
    assert Document("b.yaml", {}).position(("x",)) == "b.yaml:1:1"


@pytest.mark.parametrize(("text", "data"), [
    ("on: off\nno: yes\n", {"on": False, "no": True}),
    ("a: 010\nb: 22:30\nc: 1_000\nd: 0x1F\ne: 2024-01-01\nf: =\n",
     {"a": "010", "b": "22:30", "c": "1_000", "d": "0x1F", "e": "2024-01-01", "f": "="}),
    ("a: 1\nb: -1.5\nc: ~\nd:\ne: .5\nf: 1.0e+2\n", {"a": 1, "b": -1.5, "c": None, "d": None, "e": 0.5, "f": 100.0}),
    ("a: .inf\nb: .nan\nc: 1.0e+999\n", {"a": ".inf", "b": ".nan", "c": "1.0e+999"}),
    (f"a: {'9' * 5000}\n", {"a": "9" * 5000}),
    ("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
    ("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n", {"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}),
    ("a: &x {k: 1}\nb: &y {<<: *x, l: 2}\nc: {<<: [*y, *x]}\n", {"a": {"k": 1}, "b": {"l": 2, "k": 1}, "c": {"l": 2, "k": 1}}),
    ("a: !!str 5\nb: !!int '6'\nc: !!bool x\n", {"a": "5", "b": 6, "c": "x"}),
    ('{"a": "\\/\\n", "b": [true, null, 1.5]}', {"a": "/\n", "b": [True, None, 1.5]}),
    ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
])
def test_data_is_what_was_meant(text: str, data: object) -> None:
    assert read(text, "f").data == data


def test_json_may_be_indented_with_tabs_and_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'\xef\xbb\xbf{\n\t"a": 1,\n\t"b": [2]\n}\n')
    document = load_yaml(file)
    assert document.data == {"a": 1, "b": [2]}
    assert document.position(("b", 0)) == f"{file}:3:8"


def test_every_problem_of_a_file_is_found_at_once() -> None:
    with pytest.raises(BadInputs) as caught:
        read("a: 1\na: 2\nb: !x 3\n4: 5\n", "f")
    assert [problem.where for problem in caught.value.problems] == ["f:2:1", "f:3:4", "f:4:1"]


def test_an_unusual_parser_message_is_still_shown() -> None:
    with pytest.raises(BadInput, match=r"^f:1:1: not YAML: ") as caught:
        read("%YAML 9.9\n---\na: 1\n", "f")
    assert caught.value.remedy


def test_a_replaced_value_has_its_origin_as_its_position() -> None:
    tree = read("a: {b: {c: 1, d: 2}}\n", "f")
    document = Document("f", tree.data, tree.values, tree.keys).replaced(("a", "b"), {"e": 3}, "--set a.b")
    assert document.data == {"a": {"b": {"e": 3}}}
    assert document.position(("a", "b", "c")) == "--set a.b"
    assert document.position(("a",)) == "f:1:4"
    assert document.replaced(("x", "y"), 1, "VARIABLE").data["x"] == {"y": 1}
    assert tree.data == {"a": {"b": {"c": 1, "d": 2}}}


class _Part(BaseModel):
    b: int
    c: float = 0


def test_a_part_is_validated_with_the_users_own_spelling() -> None:
    tree = read("- x: 1\n- B: two\n", "f")
    document = Document("f", tree.data, tree.values, tree.keys)
    assert document.validated(_Part, data={"b": 1}) == _Part(b=1)
    with pytest.raises(BadInputs) as caught:
        document.validated(_Part, (1,), data={"b": "two", "c": "three"}, spelled={"b": "B"})
    assert [str(problem).splitlines()[0] for problem in caught.value.problems] == [
        "f:2:3: c: 'three' is not a number", "f:2:6: B: 'two' is not a whole number",
    ]
    with pytest.raises(BadInputs, match="f:1:3: b: required, but missing"):
        document.validated(_Part, (0,))
