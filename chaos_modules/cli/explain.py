"""`explain`: a scenario type, a fault, the configuration, or one field of them, from the models that read them."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import cleandoc

from ..model.errors import EXIT_PASSED, BadInput
from ..model.wording import CLOSELY, choices
from ..styles.registry import Style, styles
from .description import IN_THE_FILE, FieldDescription, configuration_fields, described
from .output import say

_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Topic:
    """A fault or the configuration: a heading, and its fields."""

    name: str
    heading: str
    fields: tuple[FieldDescription, ...]


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Print what is asked for."""
    name, *path = arguments.kind.split(".")
    lines = _scenario_type(styles()[name]) if name in styles() and not path else _topic(_find(name), path)
    say("\n".join(lines))
    return EXIT_PASSED


def _find(name: str) -> Topic:
    """The topic. Raises BadInput with the nearest name."""
    if name == "config":
        return Topic(name, "config: the configuration file, config/config.yaml", configuration_fields())
    models = {fault: model for style in styles().values() for fault, model in style.models().items()}
    if name not in models:
        known = ["config", *styles(), *models]
        raise BadInput(f"there is no scenario type or fault {name}", "run_chaos.py", choices(name, known, CLOSELY))
    model = models[name]
    heading = f"{name}: {getattr(model, 'summary', '')}\n{cleandoc(model.__doc__ or '')}".strip()
    return Topic(name, heading, described(model, name))


def _scenario_type(style: Style) -> Iterator[str]:
    """What a file of this type holds."""
    yield f"{style.type_name}: {style.summary}"
    yield f"    {cleandoc(style.__doc__ or '')}".rstrip()
    for name, model in style.models().items():
        yield f"  {name:28}{getattr(model, 'summary', '')}"
    yield "More about one: run_chaos.py explain FAULT"


def _topic(topic: Topic, path: list[str]) -> Iterator[str]:
    fields, here = topic.fields, topic.name
    for number, part in enumerate(path):
        found = next((field for field in fields if field.name.lower() == part.lower()), None)
        if found is None:
            raise BadInput(f"{here} has no field {part}", "run_chaos.py", choices(part, [field.name for field in fields]))
        here, fields = found.path, found.fields
        if number == len(path) - 1:
            yield from _one(found)
    if not path:
        yield topic.heading
    for field in fields:
        yield ""
        yield from _section(field) if topic.name == "config" and not path else _one(field)
    if not path and topic.name != "config":
        yield f"\nAll of them are set {IN_THE_FILE}, in upper or in lower case."


def _section(field: FieldDescription) -> Iterator[str]:
    """A section of the configuration in short."""
    yield f"{field.name}"
    yield from _wrapped(field.meaning)
    yield from _wrapped(f"fields: {', '.join(below.name for below in field.fields)}")
    yield f"    more:   run_chaos.py explain {field.path}"


def _one(field: FieldDescription) -> Iterator[str]:
    """All of a field. What is below it follows, or is named."""
    written = field.allowed.startswith("write")
    unit = f" in {field.unit}" if field.unit and not written else ""
    default = "required" if field.default == "required" else f"default {field.default}" if field.default else "no default"
    yield f"{field.name}  ({field.kind}{unit}, {default})" if not field.fields else f"{field.name}  ({field.kind})"
    yield from _wrapped(field.meaning)
    bare = f"; a number alone means {field.unit}" if field.unit and written else ""
    facts = {
        "allowed:": field.allowed + bare, "example:": f"{field.name}: {field.example}" if field.example else "",
        "override:": field.override if not field.fields else "", "source:": field.source,
        "below:": ", ".join(below.path for below in field.fields),
    }  # fmt: skip
    for name, text in facts.items():
        if text:
            yield textwrap.fill(text, _WIDTH, initial_indent=f"    {name:10}", subsequent_indent=" " * 14, break_on_hyphens=False)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")
