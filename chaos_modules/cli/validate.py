"""`validate`: syntax and meaning of files, without any cluster."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..loading.documents import Document, load_yaml
from ..loading.observation import observation_plan
from ..model.errors import EXIT_PASSED, BadInput, BadInputs
from .arguments import DEFAULT_CONFIG
from .output import say
from .reading import read_configuration, scenario_type, translate


def execute(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Check every file and tell all problems at once."""
    problems: list[BadInput] = []
    for path in arguments.files or [arguments.config or DEFAULT_CONFIG]:
        try:
            say(f"ok  {path}: {_check(path, arguments, environment)}")
        except BadInputs as error:
            problems += error.problems
        except BadInput as error:
            problems.append(error)
    if problems:
        raise BadInputs(problems)
    return EXIT_PASSED


def _check(path: str, arguments: argparse.Namespace, environment: Mapping[str, str]) -> str:
    document = load_yaml(path)
    if arguments.type is None and _is_configuration(document):
        given = argparse.Namespace(**{**vars(arguments), "config": path})
        configuration = read_configuration(given, environment, optional=False)
        observation_plan(configuration)
        requests = translate([(file.type, load_yaml(file.path)) for file in configuration.scenarios])
        return f"configuration with {len(configuration.scenarios)} scenario files, {len(requests)} scenarios"
    kind = scenario_type(arguments.type, document)
    return f"{kind}, {len(translate([(kind, document)]))} scenarios"


def _is_configuration(document: Document) -> bool:
    return isinstance(document.data, dict) and bool({"kraken", "squall", "tunings"} & set(document.data))
