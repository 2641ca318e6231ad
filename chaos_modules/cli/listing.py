"""`list`: what can be asked for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from ..model.errors import EXIT_PASSED
from ..styles.registry import styles


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Print scenario types and the faults of each."""
    types = {name: {"summary": style.summary, "faults": sorted(style.models())} for name, style in styles().items()}
    if arguments.format == "json":
        print(json.dumps(types, indent=2))
        return EXIT_PASSED
    for name, facts in types.items():
        print(f"{name}: {facts['summary']}")
        for fault in facts["faults"]:
            print(f"  {fault}")
    print("More about one: run_chaos.py explain FAULT")
    return EXIT_PASSED
