"""Documents and their lines."""

from __future__ import annotations

import json
import math

import pytest

from chaos_modules.storage.document import Document, document_id, finite, without_parameters


def test_an_id_depends_on_every_part_but_not_on_the_order_of_keys() -> None:
    one = document_id("uuid", "metric", "cpu", {"a": "1", "b": "2"}, 1.5)
    assert one == document_id("uuid", "metric", "cpu", {"b": "2", "a": "1"}, 1.5)
    others = [("other", "metric", "cpu", {}, 1.5), ("uuid", "metric", "cpu", {"a": "1"}, 1.5), ("uuid", "metric", "cpu", {"a": "1", "b": "2"}, 1.25)]
    assert len({one, *(document_id(*parts) for parts in others)}) == 4
    assert len(one) == 32


def test_two_lines_make_a_document_whatever_its_text() -> None:
    lines = Document(index="krkn-metrics", id="a", body={"query": "sum(up)\n\u2028"}).lines.split("\n")
    assert [json.loads(line) for line in lines[:2]] == [{"index": {"_index": "krkn-metrics", "_id": "a"}}, {"query": "sum(up)\n\u2028"}]
    assert lines[2:] == [""]


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        _ = Document(index="a", id="b", body={"value": math.nan}).lines
    assert finite({"a": [math.nan, 1.5, (math.inf,)], 3: -math.inf}) == {"a": [None, 1.5, [None]], "3": None}


def test_parameters_are_left_out_only_of_telemetry_that_has_some() -> None:
    whole = Document(index="a", id="b", body={"scenarios": [{"scenario": "x", "parameters": {"a": 1}}, {"scenario": "y"}]})
    bare = without_parameters(whole)
    assert bare
    assert bare.body == {"scenarios": [{"scenario": "x"}, {"scenario": "y"}]}
    assert without_parameters(bare) is None
    assert without_parameters(Document(index="a", id="b", body={"value": 1})) is None
