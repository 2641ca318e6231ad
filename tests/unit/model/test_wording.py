"""Did you mean …?"""

from __future__ import annotations

from chaos_modules.model.wording import choices, nearest, shown


def test_the_nearest_word_whatever_its_case() -> None:
    assert nearest("LEASE_SECOND", ["lease_seconds", "seed"]) == "lease_seconds"
    assert nearest("lease", ["lease_seconds", "seed"]) == "lease_seconds"
    assert nearest("xyz", ["lease_seconds"]) == ""
    assert nearest("a", ["abcdef"]) == ""


def test_choices_are_listed_up_to_a_limit() -> None:
    assert choices("egres", ["egress", "ingress"]) == "did you mean egress? valid: egress, ingress"
    assert choices("x", []) == ""
    assert choices("zz", [f"name-{number}" for number in range(50)]).endswith(", …")


def test_values_are_short_and_printable() -> None:
    assert shown("é\n") == r"'\xe9\n'"
    assert len(shown("a" * 1000)) == 41
