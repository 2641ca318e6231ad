"""The carrier pods' settings: krkn's taints become tolerations."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from chaos_modules.loading import configuration
from chaos_modules.model.errors import BadInput
from chaos_modules.model.workload import EFFECTS, InjectionWorkload, Toleration, toleration_of

PATTERN = next(one.pattern for one in configuration.Taint.__metadata__)
LABEL = "[a-zA-Z0-9]([a-zA-Z0-9._-]{0,20}[a-zA-Z0-9])?"
KEYS, VALUES = some.from_regex(f"(({LABEL})/)?{LABEL}", fullmatch=True), some.from_regex(f"({LABEL})?", fullmatch=True)


@pytest.mark.parametrize(("taint", "toleration"), [
    ("dedicated=chaos:NoSchedule", Toleration(key="dedicated", operator="Equal", value="chaos", effect="NoSchedule")),
    ("dedicated:NoSchedule", Toleration(key="dedicated", operator="Exists", effect="NoSchedule")),
    ("dedicated=:NoExecute", Toleration(key="dedicated", operator="Equal", effect="NoExecute")),
    ("example.com/gpu:PreferNoSchedule", Toleration(key="example.com/gpu", operator="Exists", effect="PreferNoSchedule")),
])
def test_both_forms_of_krkn(taint: str, toleration: Toleration) -> None:
    assert toleration_of(taint) == toleration


@pytest.mark.parametrize("taint", [
    "", ":", "dedicated", "dedicated=chaos", "dedicated:", "dedicated:Sometimes", "dedicated:noschedule", "dedicated:NoSchedule ",
    ":NoSchedule", "=chaos:NoSchedule", "NoSchedule", "dedicated:NoSchedule:",
])
def test_what_is_no_taint_is_told_with_both_forms(taint: str) -> None:
    with pytest.raises(BadInput) as caught:
        toleration_of(taint)
    assert caught.value.what == f"{taint!a} is not a taint"
    assert caught.value.remedy == "write key=value:Effect or key:Effect; effects: NoSchedule, PreferNoSchedule, NoExecute"


@given(key=KEYS, value=some.none() | VALUES, effect=some.sampled_from(EFFECTS))
def test_there_and_back(key: str, value: str | None, effect: str) -> None:
    taint = f"{key}{'' if value is None else f'={value}'}:{effect}"
    found = toleration_of(taint)
    assert found == Toleration(key=key, operator="Exists" if value is None else "Equal", value=value or "", effect=effect)
    assert f"{found.key}{f'={found.value}' if found.operator == 'Equal' else ''}:{found.effect}" == taint
    assert re.search(PATTERN, taint)


@given(some.text() | some.from_regex(PATTERN) | some.builds("{}:{}".format, some.text(max_size=5), some.sampled_from(EFFECTS)))
def test_what_the_configuration_lets_through_is_understood(text: str) -> None:
    assume(re.fullmatch(PATTERN, text))
    assert toleration_of(text).effect in EFFECTS


def test_a_workload_asks_for_no_more_than_it_must() -> None:
    workload = InjectionWorkload(namespace="squall", image="i")
    assert (workload.security, workload.pull_policy, workload.tolerations, dict(workload.resources)) == ("capabilities", "IfNotPresent", (), {})
