"""What the documentation says is true: its files load, its commands parse, its links lead somewhere, its generated pages are current.

Conventions: ```yaml blocks say what they are after the language (`scenario`, `config`, `sandbox`, `tunables FAULT`, `example`);
```console lines that begin with `$ ` are commands, the others their output; every line of ```bash is a command.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from chaos_modules.cli.arguments import parse
from chaos_modules.cli.main import main
from chaos_modules.clusters.sandbox.description import FlowDescription, PodDescription, describe
from chaos_modules.faults import registry
from chaos_modules.loading.documents import load_yaml
from chaos_modules.loading.overrides import load_configuration
from chaos_modules.model import errors
from chaos_modules.model.outcome import Bystanders, Measurement, RunStatus, ScenarioOutcome, TargetOutcome, TargetStatus, Verdict
from chaos_modules.styles.registry import detect_type, styles

ROOT = Path(__file__).parents[3]
TYPE = "pod_network_fault_scenarios"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
SHIPPED = re.compile(r"(?:scenarios|config)/[\w./*-]+\.yaml")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(*languages: str) -> list[tuple[str, str, str]]:
    """(page and line, kind, text) of every fenced block in one of the languages."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match[1] in languages:
                found.append((f"{name_of(page)}:{text.count(chr(10), 0, match.start()) + 1}", match[2].strip(), match[3]))
    return found


def commands() -> Iterator[tuple[str, str]]:
    for where, _, text in blocks("console"):
        yield from ((where, line[2:]) for line in text.splitlines() if line.startswith("$ "))
    for where, _, text in blocks("bash"):
        yield from ((where, line) for line in text.splitlines() if line and not line.startswith("#"))


def check_yaml(kind: str, text: str, folder: Path) -> None:
    file = folder / "block.yaml"
    file.write_text(text, encoding="utf-8")
    if kind == "scenario":
        document = load_yaml(file)
        assert detect_type(document) == TYPE
        assert styles()[TYPE].translate(document)
    elif kind == "config":
        assert load_configuration(file, {}, {}, tuple(styles())).notices == ()
    elif kind == "sandbox":
        describe(load_yaml(file).data)
    elif kind.startswith("tunables "):
        entry = {"id": kind.split()[1], "workload": {"kind": "deployment", "namespace": "shop", "names": ["web"]}, **yaml.safe_load(text)}
        file.write_text(json.dumps(entry), encoding="utf-8")
        assert styles()[TYPE].translate(load_yaml(file))
    else:
        assert kind == "example", f"say after ```yaml what the block is, not {kind!r}"


@pytest.mark.parametrize(("where", "kind", "text"), [pytest.param(*block, id=block[0]) for block in blocks("yaml")])
def test_every_yaml_block_is_what_it_says(where: str, kind: str, text: str, tmp_path: Path) -> None:
    check_yaml(kind, text, tmp_path)


@pytest.mark.parametrize(("where", "line"), [pytest.param(*one, id=f"{one[0]} {number}") for number, one in enumerate(commands())])
def test_every_command_parses_and_names_shipped_files_that_exist(where: str, line: str) -> None:
    match = re.search(r"(?:^|[ /])(?:run_chaos\.py|squall)(?= |$)(.*)", line)
    if match:
        lexer = shlex.shlex(match[1], posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        end = next((number for number, word in enumerate(words) if set(word) & set("|>&;")), len(words))
        parse(words[: end - 1] if words[end : end + 1] == [">"] and words[end - 1] == "2" else words[:end])
    for path in SHIPPED.findall(line):
        assert list(ROOT.glob(path)), f"{where}: {path} is not shipped"


def test_there_are_commands_and_blocks() -> None:
    assert len(list(commands())) > 20
    assert {kind.split()[0] for _, kind, _ in blocks("yaml")} == {"scenario", "config", "sandbox", "tunables", "example"}


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: headings in lower case without punctuation, and explicit ids."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = [re.sub(r"[^\w\- ]", "", heading.lower().strip()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return {*headings, *re.findall(r'<a id="([^"]+)">', text)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_anchors_resolve(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if not link.startswith(("http://", "https://")):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{name_of(page)}: {link}"
            assert not anchor or anchor in anchors(target), f"{name_of(page)}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_is_an_island(page: Path) -> None:
    linked = {(other.parent / link.partition("#")[0]).resolve() for other in PAGES for link in LINK.findall(other.read_text(encoding="utf-8"))}
    assert page == ROOT / "README.md" or page in linked


def load_module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where pydantic looks for the names of a model's annotations
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    for path, text in load_module("squall_docs_generate", ROOT / "docs" / "generate.py").pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{name_of(path)} is not current: make docs"


def test_readme_is_short_and_its_exit_codes_are_all_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")} - {errors.EXIT_BUG}
    told = {int(code) for row in re.findall(r"^\| (\d[\d / ]*) \|", text, re.MULTILINE) for code in row.split("/")}
    assert told == codes


def words_in(page: str) -> set[str]:
    return set(re.findall(r"`\"?([\w-]+)\"?`", (ROOT / "docs" / page).read_text(encoding="utf-8")))


def test_record_page_names_every_field_and_status() -> None:
    shapes = (TargetOutcome, ScenarioOutcome, Measurement, Verdict, Bystanders)
    wanted = {item.name for shape in shapes for item in fields(shape)} | {str(one) for kind in (TargetStatus, RunStatus) for one in kind}
    assert wanted <= words_in("reference/record.md")


def test_sandbox_page_names_every_key() -> None:
    wanted = {field.alias or name for model in (PodDescription, FlowDescription) for name, field in model.model_fields.items()}
    assert wanted | {"nodes", "pods", "traffic"} <= words_in("reference/sandbox-file.md")


def test_injector_page_names_every_key_event_and_status() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "containers" / "injector").glob("*.py"))
    job = (ROOT / "chaos_modules" / "carriers" / "job.py").read_text(encoding="utf-8")
    events = set(re.findall(r'emit\("(\w+)"', sources)) | {"holding", "measured"}
    keys = set(re.findall(r'"(\w+)":', job.partition('"""The job document')[2]))
    assert events | keys <= words_in("reference/injector.md")


def test_troubleshooting_has_an_anchor_for_every_status_that_is_not_good() -> None:
    known = anchors(ROOT / "docs" / "troubleshooting.md")
    assert {str(status) for status in TargetStatus if status is not TargetStatus.PASSED} <= known


@pytest.fixture
def worked_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """CONTRIBUTING's fault as a module of the faults package, registered for one test; the scenario that uses it."""
    found = {kind: text for where, kind, text in blocks("python", "yaml") if where.startswith("CONTRIBUTING.md") and kind in ("fault", "example")}
    module, scenario = tmp_path / "blackhole.py", tmp_path / "blackhole.yaml"
    module.write_text(found["fault"], encoding="utf-8")
    scenario.write_text(found["example"], encoding="utf-8")
    monkeypatch.chdir(ROOT)
    registry.faults()
    monkeypatch.setattr(registry, "_FAULTS", dict(registry._FAULTS))
    load_module("chaos_modules.faults.blackhole_of_contributing", module)
    registry.faults.cache_clear()
    yield scenario
    registry.faults.cache_clear()
    sys.modules.pop("chaos_modules.faults.blackhole_of_contributing", None)


def test_the_fault_of_contributing_can_be_explained_and_planned(worked_example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "pod-network-blackhole.SPARED_PERCENTAGE"], {}) == errors.EXIT_PASSED
    assert "still passes" in capsys.readouterr().out
    assert main(["plan", "--sandbox", "--seed", "1", str(worked_example)], {}) == errors.EXIT_PASSED
    shown = capsys.readouterr().out
    assert "pod-network-blackhole: loss 95%" in shown
    assert "blackhole" in shown and "950000" in shown


def test_every_cell_of_the_matrix_is_a_test() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (ROOT / "docs" / "reference" / "matrix.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / "packets" / file).read_text(encoding="utf-8"), f"{file}::{test}"
