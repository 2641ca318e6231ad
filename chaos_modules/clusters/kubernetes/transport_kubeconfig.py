"""Which kubeconfig, which context, and what it says; the official client makes credentials of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...model.errors import BadInput
from ...model.wording import choices, one_line

DEFAULT = "~/.kube/config"
_SECTIONS = ("contexts", "clusters", "users")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """The part of it that matters here. `files` as in KUBECONFIG; `proxy` and `plugin` (the command that logs in) may be empty.

    The plugin's arguments are left out: some hold secrets.
    """

    files: str
    context: str
    user: str
    proxy: str
    plugin: str


def find_kubeconfig(given: str | None, environment: Mapping[str, str]) -> list[Path]:
    """The files that are there: the one given, else those of KUBECONFIG, else the default one. Raises BadInput when the one given is not."""
    if given:
        path = Path(given).expanduser()
        if not path.is_file():
            raise BadInput("this kubeconfig is not there", one_line(given), "name one that is; without a name, KUBECONFIG and ~/.kube/config hold")
        return [path]
    named = [one for one in environment.get("KUBECONFIG", "").split(os.pathsep) if one] or [DEFAULT]
    return [path for path in (Path(one).expanduser() for one in named) if path.is_file()]


def read_kubeconfig(paths: list[Path], context: str | None) -> Kubeconfig:
    """Choose the context: the one given, else the first `current-context`, as kubectl does. Raises BadInput."""
    documents = [_document(path) for path in paths]
    files = os.pathsep.join(str(path) for path in paths)
    sections = {section: _merged(documents, section) for section in _SECTIONS}
    chosen = context or next((str(document["current-context"]) for document in documents if document.get("current-context")), "")
    where, contexts = one_line(files), sections["contexts"]
    if not chosen:
        raise BadInput("no context is chosen, and the kubeconfig has no current-context", where, choices("", contexts) or "it has no contexts at all")
    if chosen not in contexts:
        raise BadInput(f"there is no context {one_line(chosen)}", where, choices(chosen, contexts) or "it has no contexts at all")
    parts = _part(contexts[chosen], "context")
    cluster = _part(sections["clusters"].get(str(parts.get("cluster")), {}), "cluster")
    user = _part(sections["users"].get(str(parts.get("user")), {}), "user")
    if not cluster.get("server"):
        remedy = "look at it with `kubectl config view`"
        raise BadInput(f"context {one_line(chosen)} leads to no cluster with a server ({parts.get('cluster', 'no cluster')})", where, remedy)
    return Kubeconfig(
        files=files, context=chosen, user=str(parts.get("user", "nobody")), proxy=str(cluster.get("proxy-url") or ""),
        plugin=one_line(str(_part(user, "exec").get("command", ""))),
    )  # fmt: skip


def _document(path: Path) -> Mapping[str, Any]:
    where = one_line(str(path))
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise BadInput(f"the kubeconfig cannot be read: {error.strerror}", where, "make it readable for this user") from error
    except UnicodeDecodeError as error:
        raise BadInput("the kubeconfig is not text in UTF-8", where, "is it the right file?") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise BadInput(f"the kubeconfig is not YAML: {error.problem}", place, "is it the right file?") from error
    except yaml.YAMLError as error:
        raise BadInput(f"the kubeconfig is not YAML: {one_line(str(error))}", where, "is it the right file?") from error
    if not isinstance(document, dict) or not all(isinstance(document.get(section) or [], list) for section in _SECTIONS):
        raise BadInput("this is not a kubeconfig", where, f"it needs the lists {', '.join(_SECTIONS)}; is it the right file?")
    return document


def _merged(documents: list[Mapping[str, Any]], section: str) -> dict[str, Any]:
    """Entries by name; of two with the same name the first one holds."""
    merged: dict[str, Any] = {}
    for entry in (one for document in documents for one in document.get(section) or [] if isinstance(one, dict)):
        merged.setdefault(str(entry.get("name")), entry)
    return merged


def _part(entry: Any, name: str) -> Mapping[str, Any]:
    found = entry.get(name) if isinstance(entry, dict) else None
    return found if isinstance(found, dict) else {}
