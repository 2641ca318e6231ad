"""Errors say what, where and what to do, and carry the exit code of the process."""

from __future__ import annotations

from chaos_modules.model.errors import BadInput, BadInputs, ClusterProblem, NoTarget, Refused, Residue


def test_three_facts() -> None:
    assert str(BadInput("what")) == "what"
    assert str(BadInput("what", "where")) == "where: what"
    assert str(BadInput("what", "where", "remedy")) == "where: what\n  → remedy"
    assert str(BadInputs([BadInput("a", "x"), BadInput("b", "y")])) == "x: a\ny: b"


def test_exit_codes() -> None:
    assert [kind("").exit_code for kind in (BadInput, NoTarget, Refused, ClusterProblem, Residue)] == [255, 1, 1, 1, 4]
