"""`cleanup`: remove what killed runs left, by our names alone."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from ..clusters.sandbox.cleanup import cleanup_sandbox, leftovers
from ..model.errors import EXIT_PASSED, EXIT_RESIDUE, BadInput
from .output import say


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Remove, or with --audit only list; exit 4 if anything is left."""
    if not arguments.sandbox:
        raise BadInput("this version has sandboxes only to clean up", "run_chaos.py cleanup", "add --sandbox")
    root = os.geteuid() == 0
    if root and not arguments.audit:
        for line in cleanup_sandbox():
            say(f"removed  {line}")
    left = leftovers()
    for line in left:
        say(f"left     {line}")
    say("nothing is left" if not left else f"{len(left)} things are left")
    if not root:
        say("a sandbox without root ends with its run, whatever ends that; what root's runs left, root removes (sudo)")
    return EXIT_RESIDUE if left else EXIT_PASSED
