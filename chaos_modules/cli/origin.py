"""Where each setting comes from: default, file, variable or flag (`plan --show-origin`)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from ..loading.configuration import Configuration

SECRETS = ("password", "token", "auth")


def is_secret(field: str) -> bool:
    """Whether the value of a field must never be shown or stored, going by its name."""
    return any(word in field for word in SECRETS)


def origins(configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """(field, value, origin) of every leaf of the configuration; secrets are hidden."""
    yield from _leaves(configuration, (), configuration)


def _leaves(section: BaseModel, path: tuple[str, ...], whole: Configuration) -> Iterator[tuple[str, str, str]]:
    for name in type(section).model_fields:
        value, here = getattr(section, name), (*path, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, here, whole)
        else:
            shown = "(hidden)" if value and is_secret(name) else repr(value)
            yield ".".join(here), shown, whole.origin(here)
