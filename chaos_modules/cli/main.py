"""The entry point: parse, dispatch, and turn every failure into a message and an exit code."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import __version__
from ..model.errors import EXIT_FAILED, EXIT_INTERRUPTED, BadInput, SquallError
from .arguments import parse
from .output import tell

_MODULES = {"list": "listing"}


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command; the exit code. Expected failures are told on standard error, a bug leaves a report file."""
    try:
        arguments = parse(argv)
        name = _MODULES.get(arguments.command, arguments.command)
        command = importlib.import_module(f"chaos_modules.cli.{name}")
        return int(command.execute(arguments, environment))
    except SquallError as error:
        tell(f"error: {error}")
        _annotate(error, environment)
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted; nothing was touched")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone, as with `| head`; the interpreter must not complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - the one handler of the process: a bug is reported, never shown raw
        tell(f"error: Squall itself failed: {type(error).__name__}: {error}\n  → please report it with {_report(argv)}")
        return EXIT_FAILED


def _annotate(error: SquallError, environment: Mapping[str, str]) -> None:
    """On GitHub, every wrong input at its line of the file."""
    from ..reports.github import input_annotations, on_github  # noqa: PLC0415 - only there

    if isinstance(error, BadInput) and on_github(environment):
        print("\n".join(input_annotations(error, environment)), file=sys.stderr)


def _report(argv: Sequence[str]) -> Path:
    """A private file with what is needed to find the bug; only the command's first word of the arguments, which may hold secrets."""
    descriptor, path = tempfile.mkstemp(prefix="squall-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"squall {__version__}, Python {sys.version}, command {' '.join(argv[:1])}\n\n{traceback.format_exc()}")
    return Path(path)


def console() -> None:
    """The console script."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.exit(main(sys.argv[1:], os.environ))
