"""Any input at all either works or is refused with 255 and a message: never a traceback, never a bug report."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos_modules.cli.arguments import SUMMARIES
from chaos_modules.cli.main import main
from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.loading.configuration import Configuration
from chaos_modules.styles.registry import styles

from .test_hostile import NUMBERS, PLAN

ENTRY = {"id": "pod-network-loss", "workload": {"namespace": "shop", "labels": "app=web"}}
SANDBOX = {"nodes": ["n"], "pods": [{"name": "web-0", "namespace": "shop", "labels": {"app": "web"}}, {"name": "b"}]}
MODELS = styles()["pod_network_fault_scenarios"].models()
TUNABLES = sorted({field.alias or name for model in MODELS.values() for name, field in model.model_fields.items()})
POD_KEYS = ("name", "namespace", "labels", "owner", "serve", "node", "phase", "containers")
WORDS = st.sampled_from([
    *NUMBERS, "", " ", ",", "a,,b", "!80,443", "80,!443", "10.0.0.1|80", "fd00::/8", "0.0.0.0/0", "app=web", "app in (a, b)", "!app", "a:b:[c]",
    "pod", "both",
    "\x1b[2J", "../..", "%device%", "\0", "\udcff", "null", "~", "- a", "{", "*a", "&a x", "!!python/name:os.system", "<<", "? a", "1mbit",
    "100ms", "50%",
])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.integers(-(10**40), 10**40), st.floats(), st.text(max_size=8), WORDS)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | WORDS, inner, max_size=3),
    max_leaves=5)
few = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def place() -> Iterator[Path]:
    """One directory for all; nothing starts, since no cluster is ever reached."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        for name in ("start", "preflight"):
            patch.setattr(Sandbox, name, lambda *_: pytest.fail("something was touched"))
        patch.chdir(folder)
        patch.setattr("chaos_modules.cli.main._report", lambda _: pytest.fail("a bug"))
        yield Path(folder)


def survives(*words: str, **environment: str) -> int:
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        try:
            code = main(words, environment)
        except SystemExit as leaving:  # --help and --version
            code = int(leaving.code or 0)
    assert code in (0, 1, 255), told.getvalue()
    assert code != 255 or told.getvalue().startswith("error: ")
    assert all(one.isprintable() or one in "\n\t" for one in told.getvalue())
    return code


def write(name: str, data: Any) -> str:
    Path(name).write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8", errors="surrogateescape")
    return name


def sections() -> list[tuple[str, str]]:
    return [(name, inner) for name, field in Configuration.model_fields.items() for inner in getattr(field.annotation, "model_fields", {})]


@few
@given(st.dictionaries(st.sampled_from([*TUNABLES, "id", "workload"]) | WORDS, VALUES, max_size=3), st.sampled_from(sorted(MODELS)))
def test_scenarios(changes: dict[str, Any], fault: str) -> None:
    write("sandbox", SANDBOX)
    survives("plan", "--sandbox-file", "sandbox", "--type", "pod_network_fault_scenarios", write("a.yaml", [{**ENTRY, "id": fault, **changes}]))


@few
@given(VALUES)
def test_whole_scenarios(data: Any) -> None:
    survives("validate", write("a.yaml", data))
    survives("validate", "--type", "pod_network_fault_scenarios", "a.yaml")


@few
@given(st.text(alphabet="ab:-#&*!|>'\"%@`{}[],? \n\t\\<0~é\x00\u2028\x1b", max_size=60))
def test_texts(text: str) -> None:
    write("a.yaml", text)
    for words in (("validate",), ("validate", "--type", "pod_network_fault_scenarios"), ("plan", "--sandbox-file", "a.yaml")):
        survives(*words, "a.yaml")


@few
@given(st.sampled_from(sections()), VALUES, VALUES)
def test_configurations(where: tuple[str, str], value: Any, other: Any) -> None:
    write("a.yaml", [ENTRY])
    write("sandbox", SANDBOX)
    section, field = where
    for data in ({section: {field: value}}, {section: value}, {"kraken": {"chaos_scenarios": [{"pod_network_fault_scenarios": value}, other]}}):
        survives("plan", "--sandbox-file", "sandbox", "-c", write("config.yaml", data), "a.yaml")


@few
@given(st.sampled_from(sections()), WORDS | st.text(max_size=10), st.text(alphabet="_.ab\x1b\n[0", max_size=6))
def test_overrides(where: tuple[str, str], value: str, odd: str) -> None:
    write("a.yaml", [ENTRY])
    write("sandbox", SANDBOX)
    plan = ("plan", "--sandbox-file", "sandbox", "a.yaml")
    survives(*plan, "--set", f"{'.'.join(where)}={value}")
    survives(*plan, "--set", f"{odd}={value}")
    survives(*plan, **{f"SQUALL_SET__{'__'.join(where)}": value})
    survives(*plan, **{f"SQUALL_SET__{odd}": value})


@few
@given(st.sampled_from(["nodes", "pods", "traffic"]) | WORDS, VALUES, st.sampled_from(POD_KEYS))
def test_sandbox_files(key: str, value: Any, pod_key: str) -> None:
    write("a.yaml", [ENTRY])
    for data in ({**SANDBOX, key: value}, {**SANDBOX, "pods": [{**SANDBOX["pods"][0], pod_key: value}]}, value):
        survives("plan", "--sandbox-file", write("sandbox", data), "a.yaml")


@few
@given(st.sampled_from([("inputs", key) for key in PLAN["inputs"]] + [("plan", "seed"), ("plan", "run_id"), ("schema", "")]), VALUES)
def test_saved_plans(where: tuple[str, str], value: Any) -> None:
    write("a.yaml", [ENTRY])
    write("sandbox", SANDBOX)
    part, key = where
    survives("run", "--plan", write("plan.json", {**PLAN, part: {**PLAN[part], key: value} if key else value}))
    survives("run", "--plan", write("plan.json", value))


@few
@given(st.lists(st.sampled_from([
    *(name for name in SUMMARIES if name != "cleanup"), "--sandbox", "--set", "--type", "--seed", "-c", "--format", "json", "--color", "-v", "--",
    "-", "--save",
    "a.yaml", "config", "pod-network-loss", "bash", "--help", "--version", "--plan", "--yes", "@a",
]) | WORDS | st.text(max_size=5), max_size=5))
def test_arguments(words: list[str]) -> None:
    if "cleanup" not in words:
        survives(*words)
