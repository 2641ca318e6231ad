"""config.yaml, then `SQUALL_SET__…` variables, then `--set` flags: each wins over the one before it (U5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..model.errors import BadInput, BadInputs
from ..model.wording import choices, one_line
from .configuration import Configuration
from .documents import Document, load_yaml
from .gates import idle_collections, refused_gates, unknown_keys
from .nodes import read
from .scenarios import scenario_files
from .validation import annotation_at, keys_at

_LONGEST_SHOWN = 200
VARIABLE_PREFIX = "SQUALL_SET__"


def load_configuration(
    path: Path | str | None, overrides: Mapping[str, str], environment: Mapping[str, str], known_types: Collection[str]
) -> Configuration:
    """Read config.yaml (None: all defaults), apply `overrides` (path → YAML text, from `--set`) and the environment's, check everything.

    `known_types` are the scenario types that can be run. Raises BadInput or BadInputs (exit 255).
    """
    document = load_yaml(path) if path is not None else Document("(no configuration file)", {})
    document = _overridden(document, overrides, environment)
    files, problems = scenario_files(document, known_types)
    try:
        configuration = document.validated(Configuration)
    except BadInputs as error:
        raise BadInputs(problems + error.problems) from None
    problems += refused_gates(configuration, document)
    if problems:
        raise BadInputs(problems)
    notices = unknown_keys(configuration, document) + idle_collections(configuration, document)
    return configuration.completed(tuple(files), tuple(notices), document.values)


def _assignments(overrides: Mapping[str, str], environment: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for name in sorted(environment):
        if name.startswith(VARIABLE_PREFIX):
            yield one_line(name), tuple(name.removeprefix(VARIABLE_PREFIX).split("__")), environment[name]
    for path, text in overrides.items():
        yield f"--set {one_line(path)[:_LONGEST_SHOWN]}", tuple(path.split(".")), text


def _overridden(document: Document, overrides: Mapping[str, str], environment: Mapping[str, str]) -> Document:
    problems: list[BadInput] = []
    for origin, path, text in _assignments(overrides, environment):
        try:
            _check_path(path, origin)
            document = document.replaced(path, _value(text, origin), origin)
        except BadInput as error:
            problems.append(error)
    if problems:
        raise BadInputs(problems)
    return document


def _check_path(path: tuple[str, ...], origin: str) -> None:
    for depth, part in enumerate(path):
        parent = annotation_at(Configuration, path[:depth])
        known = keys_at(Configuration, path[:depth])
        if isinstance(parent, type) and issubclass(parent, BaseModel):
            if part not in known:
                raise BadInput(f"{one_line(part)[:_LONGEST_SHOWN] or '(nothing)'} is not a field of the configuration", origin, choices(part, known))
        elif not str(parent).startswith("dict"):
            raise BadInput(f"{'.'.join(path[:depth])} has no fields below it", origin, "give it as a whole, e.g. [first, second]")


def _value(text: str, origin: str) -> Any:
    """A YAML scalar or flow collection; nothing at all means the default."""
    if not text.strip():
        return None
    try:
        return read(text, origin).data
    except BadInputs as error:
        raise BadInput(error.problems[0].what, origin, error.problems[0].remedy) from None
    except BadInput as error:
        raise BadInput(error.what, origin, "quote the value, e.g. '\"text: with a colon\"'") from None
