"""Configuration and scenario files. Everything that can be wrong in them is told before anything is done; nothing here knows of a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.planning import check_programs
from ..loading.documents import Document, load_yaml
from ..model.errors import BadInput, BadInputs
from ..model.request import ImpairmentRequest
from ..model.wording import shown
from ..styles.registry import detect_type, styles
from .arguments import DEFAULT_CONFIG

if TYPE_CHECKING:
    from ..loading.configuration import Configuration


def read_configuration(arguments: argparse.Namespace, environment: Mapping[str, str], *, optional: bool) -> Configuration:
    """The configuration with `--set` and the environment applied; without the default file where it is `optional`. Raises BadInput."""
    from ..loading.overrides import load_configuration  # noqa: PLC0415 - a scenario file alone is checked without it

    path = arguments.config or DEFAULT_CONFIG
    absent = optional and not arguments.config and not Path(path).exists()
    overrides = dict(_assignment(text) for text in arguments.assignments)
    if getattr(arguments, "seed", None) is not None:
        overrides["squall.seed"] = arguments.seed
    return load_configuration(None if absent else path, overrides, environment, tuple(styles()))


def _assignment(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"{shown(text)} sets nothing", "--set", "write --set squall.lease_seconds=5")
    return path.strip(), value


def translate(pairs: Sequence[tuple[str, Document]]) -> tuple[ImpairmentRequest, ...]:
    """Every entry of every file as a request, in order. Raises BadInputs with the problems of all files."""
    requests: list[ImpairmentRequest] = []
    wrong: list[BadInput] = []
    for kind, document in pairs:
        try:
            translated = styles()[kind].translate(document)
            requests += translated
            for request in translated:
                check_programs(request)
        except BadInputs as error:
            wrong += error.problems
        except BadInput as error:
            wrong.append(error)
    if wrong:
        raise BadInputs(wrong)
    return tuple(requests)


def scenario_type(name: str | None, document: Document) -> str:
    """The type given by `--type`, or the one type that accepts the file. Raises BadInput."""
    if name is None:
        return detect_type(document)
    if name not in styles():
        from ..loading.scenarios import unknown_type  # noqa: PLC0415 - the same

        raise unknown_type(name, tuple(styles()), "--type", [document.file])
    return name


def scenario_documents(arguments: argparse.Namespace, configuration: Configuration) -> list[tuple[str, Document]]:
    """(type, document) of the files named on the command line, else of the configuration's. Raises BadInput."""
    if arguments.scenarios:
        documents = [load_yaml(path) for path in arguments.scenarios]
        return [(scenario_type(arguments.type, document), document) for document in documents]
    from ..loading.scenarios import load_scenarios  # noqa: PLC0415 - the same

    return [(file.type, document) for file, document in load_scenarios(configuration)]


def read_scenarios(arguments: argparse.Namespace, documents: Sequence[tuple[str, Document]]) -> tuple[ImpairmentRequest, ...]:
    """What the documents ask for. Raises BadInput; no scenario at all is one."""
    requests = translate(documents)
    if not requests:
        where = arguments.config or DEFAULT_CONFIG
        raise BadInput("there is no scenario to run", where, "name a SCENARIO file, or list some under kraken.chaos_scenarios")
    return requests
