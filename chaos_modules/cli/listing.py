"""`list`: what can be asked for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from ..model.errors import EXIT_PASSED
from ..styles.registry import styles
from .output import say


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Print scenario types and the faults of each, a line about every one."""
    types: dict[str, dict[str, Any]] = {
        name: {"summary": style.summary, "faults": {fault: getattr(model, "summary", "") for fault, model in style.models().items()}}
        for name, style in styles().items()
    }
    if arguments.format == "json":
        print(json.dumps(types, indent=2))
        return EXIT_PASSED
    for name, facts in types.items():
        say(f"{name}: {facts['summary']}")
        for fault, summary in facts["faults"].items():
            say(f"  {fault:28}{summary}".rstrip())
    say("More about one: run_chaos.py explain FAULT")
    return EXIT_PASSED
