"""`cleanup`: remove what killed runs left, by our names alone."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable, Mapping

from ..engine.interruption import Interruption
from ..model.errors import EXIT_PASSED, EXIT_RESIDUE, BadInput
from ..model.wording import shown
from .output import say


def execute(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Remove, or with --audit only list; exit 4 if anything is left."""
    if arguments.sandbox:
        return _sandbox(arguments)
    from ..clusters.kubernetes.cleanup import cleanup_cluster  # noqa: PLC0415 - a sandbox needs none of it
    from .choosing import open_kubernetes  # noqa: PLC0415
    from .reading import read_configuration  # noqa: PLC0415

    if arguments.run and not re.fullmatch("[0-9a-f]{8}", arguments.run):
        raise BadInput(f"{shown(arguments.run)} is not a run id", "--run", "write its eight hexadecimal digits, e.g. --run 0badcafe")
    cluster = open_kubernetes(arguments, read_configuration(arguments, environment, optional=True), Interruption().wait)
    try:
        return _told(cleanup_cluster(cluster.api, cluster.workload, arguments.run or "", audit=arguments.audit))
    finally:
        cluster.close()


def _told(findings: Iterable[tuple[str, str]]) -> int:
    left = 0
    for state, what in findings:
        say(f"{state:8} {what}")
        left += state == "left"
    say("nothing is left" if not left else f"{left} things are left")
    return EXIT_RESIDUE if left else EXIT_PASSED


def _sandbox(arguments: argparse.Namespace) -> int:
    from ..clusters.sandbox.cleanup import cleanup_sandbox, leftovers  # noqa: PLC0415 - a cluster needs none of it

    if arguments.run:
        raise BadInput("a sandbox is removed as a whole", "--run", "leave it out")
    root = os.geteuid() == 0
    removed = cleanup_sandbox() if root and not arguments.audit else []
    code = _told([*(("removed", line) for line in removed), *(("left", line) for line in leftovers())])
    if not root:
        say("a sandbox without root ends with its run, whatever ends that; what root's runs left, root removes (sudo)")
    return code
