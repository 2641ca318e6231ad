"""`cleanup`: remove what killed runs left, by our names alone."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..clusters.sandbox.cleanup import cleanup_sandbox, leftovers
from ..model.errors import EXIT_PASSED, EXIT_RESIDUE, BadInput


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Remove, or with --audit only list; exit 4 if anything is left."""
    if not arguments.sandbox:
        raise BadInput("this version has sandboxes only to clean up", "run_chaos.py cleanup", "add --sandbox")
    if not arguments.audit:
        for line in cleanup_sandbox():
            print(f"removed  {line}")
    left = leftovers()
    for line in left:
        print(f"left     {line}")
    print("nothing is left" if not left else f"{len(left)} things are left")
    return EXIT_RESIDUE if left else EXIT_PASSED
