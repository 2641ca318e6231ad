"""`completion`: a script for the shell, made from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..model.errors import EXIT_PASSED
from .arguments import parser


def execute(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    """Print the script."""
    import shtab  # noqa: PLC0415 - only this command needs it

    whole = parser()
    whole.prog = "squall"
    for action in whole._actions:
        for command in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            for option in command._actions:
                if option.metavar in ("FILE", "SCENARIO"):
                    option.complete = shtab.FILE
    print(shtab.complete(whole, shell=arguments.shell))
    return EXIT_PASSED
