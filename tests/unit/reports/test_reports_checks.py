"""The screen and the document of `check`."""

from __future__ import annotations

import pytest

from chaos_modules.model.check import Check, failed, passed, skipped, warning
from chaos_modules.reports.checks import checks_document, checks_screen
from chaos_modules.reports.style import Style

CHECKS = [
    passed("api", "the API server answers (v1.36.2)"),
    failed("permissions", "not allowed: create jobs", "add these rules:\n- {verbs: [create]}"),
    warning("leftovers", "run 11111111 has a carrier on node worker-1", "clean up --run 11111111"),
    skipped("targets", "no scenario to look at", "name one"),
]
SCREEN = """\
Cluster
-------
√ api: the API server answers (v1.36.2)
× permissions: not allowed: create jobs
    fix:   add these rules:
           - {verbs: [create]}
    more:  docs/troubleshooting.md#check-permissions

Carrier pods
------------
‼ leftovers: run 11111111 has a carrier on node worker-1
    fix:   clean up --run 11111111
    more:  docs/troubleshooting.md#check-leftovers

Targets
-------
· targets: no scenario to look at

prod: 1 passed, 1 warning, 1 failed, 1 skipped
"""


def screen(checks: list[Check], colour: bool = False, encoding: str = "utf-8", short: bool = False) -> str:
    return checks_screen(checks, "prod", Style(colour, encoding), short=short)


def test_the_whole_screen() -> None:
    assert screen(CHECKS) == SCREEN


def test_short_shows_problems_only_and_counts_all() -> None:
    text = screen(CHECKS, short=True)
    assert "× permissions" in text
    assert "‼ leftovers" in text
    assert not {"√", "·"} & set(text)
    assert text.endswith("\nprod: 1 passed, 1 warning, 1 failed, 1 skipped\n")
    assert screen(CHECKS[:1], short=True) == "prod: 1 passed\n"


def test_ascii_has_stand_ins() -> None:
    text = screen(CHECKS, encoding="ascii")
    assert text.isascii()
    assert [line[:2] for line in text.splitlines() if ": " in line and line[:1] in "+x!-"] == ["+ ", "x ", "! ", "- "]


def test_colour_paints_the_symbol_alone_and_says_nothing_by_itself() -> None:
    text = screen(CHECKS, colour=True)
    assert "\x1b[32m√\x1b[0m api: the API" in text
    assert "\x1b[31m×\x1b[0m permissions: not" in text
    for code in ("\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"):
        text = text.replace(code, "")
    assert text == SCREEN


@pytest.mark.parametrize("seen", ["a\x1b[2Jb", "a\u202eb", "a\rb"])
def test_what_a_cluster_says_reaches_no_terminal_raw(seen: str) -> None:
    text = screen([failed("pod-security", seen, seen)], colour=False)
    assert not {"\x1b", "\u202e", "\r"} & set(text)


def test_lines_of_a_long_answer_stand_below_each_other() -> None:
    assert "× api: one\n           two\n    fix:   mend\n" in screen([failed("api", "one\ntwo", "mend")])


def test_the_document_holds_everything() -> None:
    document = checks_document(CHECKS, "prod")
    assert (document["cluster"], document["passed"], len(document["checks"])) == ("prod", False, 4)
    assert document["checks"][2] == {
        "name": "leftovers", "group": "Carrier pods", "state": "warning", "seen": "run 11111111 has a carrier on node worker-1",
        "remedy": "clean up --run 11111111", "more": "docs/troubleshooting.md#check-leftovers",
    }
    assert checks_document(CHECKS[2:], "prod")["passed"] is True
