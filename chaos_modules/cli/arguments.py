"""The commands and their options (argparse only, so that `--help` loads nothing else)."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from ..model.errors import BadInput

DEFAULT_CONFIG = "config/config.yaml"
DEFAULT_SANDBOX = "config/sandbox.yaml"
SUMMARIES = {
    "run": "run the scenarios (the default command)",
    "plan": "what `run` would do, target by target; writes nothing but --save",
    "check": "whether it can happen there: cluster, permissions, nodes, targets; what is in the way, and what mends it",
    "validate": "check configuration and scenario files; touches nothing",
    "list": "scenario types and faults",
    "explain": "a fault, a scenario type, the configuration, or one field of them",
    "schema": "JSON Schema of a scenario type or of the configuration",
    "report": "show a run's record again, and write its reports anew",
    "cleanup": "remove what killed runs left",
    "completion": "completion script for bash, zsh or fish",
}
EXAMPLES = {
    "run": ("run_chaos.py --config config/config.yaml --sandbox", "run_chaos.py run scenarios/harness/pod-network-loss.yaml --sandbox"),
    "plan": ("run_chaos.py plan --sandbox", "run_chaos.py plan --sandbox --seed 42 --save plan.json"),
    "check": ("run_chaos.py check", "run_chaos.py check scenarios/harness/pod-network-loss.yaml --format short"),
    "validate": ("run_chaos.py validate", "run_chaos.py validate scenarios/harness/*.yaml config/config.yaml"),
    "list": ("run_chaos.py list", "run_chaos.py list --format json"),
    "explain": ("run_chaos.py explain pod-network-duplication", "run_chaos.py explain config.squall.lease_seconds"),
    "schema": ("run_chaos.py schema pod_network_fault_scenarios", "run_chaos.py schema config"),
    "report": ("run_chaos.py report runs/0badcafe", "run_chaos.py report runs/0badcafe --junit a.xml", "run_chaos.py report runs/0badcafe --send"),
    "cleanup": ("run_chaos.py cleanup --audit", "run_chaos.py cleanup --run 0badcafe", "run_chaos.py cleanup --sandbox"),
    "completion": ("run_chaos.py completion bash", "squall completion zsh > _squall"),
}


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are BadInput like any other, with exit 255."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving with argparse's status 2."""
        raise BadInput(message, self.prog, f"see {self.prog} --help")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Longer options than usual stand beside their meaning, so that all of a command fit on a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=33)


def _command(commands: argparse._SubParsersAction[Parser], name: str) -> Parser:
    examples = "\n".join(f"  {line}" for line in EXAMPLES[name])
    parser: Parser = commands.add_parser(
        name, help=SUMMARIES[name], usage=argparse.SUPPRESS, allow_abbrev=True,
        description=f"Examples:\n{examples}\n\n{SUMMARIES[name][0].upper()}{SUMMARIES[name][1:]}.",
        formatter_class=_Help,
    )  # fmt: skip
    return parser


def _reading(parser: Parser) -> None:
    parser.add_argument("-c", "--config", metavar="FILE", help=f"configuration (default {DEFAULT_CONFIG})")
    parser.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[], dest="assignments", help="set a field, e.g. squall.lease_seconds=5"
    )
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (default auto)")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="say more; -vv everything")


def _connecting(parser: Parser) -> None:
    parser.add_argument("--kubeconfig", metavar="FILE", help="how to reach the cluster (default: kraken.kubeconfig_path, else KUBECONFIG)")
    parser.add_argument("--context", metavar="NAME", help="context of the kubeconfig (default: current)")


def _choosing(parser: Parser) -> None:
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="scenario files, not the configured ones")
    parser.add_argument("--type", metavar="TYPE", help="scenario type of the SCENARIO files, e.g. pod_network_fault_scenarios")
    parser.add_argument("--sandbox", action="store_true", help="on this machine: pods are network namespaces")
    parser.add_argument("--sandbox-file", metavar="FILE", help=f"describes the sandbox (default {DEFAULT_SANDBOX})")
    parser.add_argument("--seed", metavar="N", help="repeat an earlier choice of targets, e.g. 42")
    parser.add_argument("--enforce-limits", action="store_true", help="make the blast radius limits errors")
    _connecting(parser)
    parser.add_argument("--require-context", metavar="NAME", help="refuse any other cluster context")


def _run(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _command(commands, "run")
    _choosing(parser)
    _reading(parser)
    parser.add_argument("--plan", metavar="FILE", dest="saved_plan", help="execute exactly this saved plan")
    parser.add_argument("--allow-drift", action="store_true", help="run even if the saved plan no longer fits")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--format", choices=("table", "json", "jsonl"), default="table", help="what standard output gets")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the final report there")
    parser.add_argument("-d", "--debug", metavar="TEXT", help="any text: like -vv (krkn)")
    _run_reports(parser)


def _run_reports(parser: Parser) -> None:
    parser.add_argument("--junit", metavar="FILE", help="JUnit XML; - for standard output")
    parser.add_argument("--html", metavar="FILE", help="the report as a page; - likewise")
    parser.add_argument("--summary", metavar="FILE", help="the report as Markdown; - likewise")
    parser.add_argument("--junit-testcase", metavar="TEXT", help="the run as one test case (krkn)")
    parser.add_argument("--junit-testcase-path", metavar="DIR", help="the folder for that (krkn)")
    parser.add_argument("--junit-testcase-version", metavar="TEXT", help="its TestVersion (krkn)")
    parser.add_argument("--halt-on", metavar="QUERY", action="append", default=[], help="end the faults once it has a result")


def parser() -> Parser:
    """The whole command line."""
    whole = Parser(
        prog="run_chaos.py", usage=argparse.SUPPRESS, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Examples:\n  run_chaos.py --config config/config.yaml --sandbox\n"
        "  run_chaos.py plan scenarios/harness/pod-network-loss.yaml --sandbox\n\n"
        "Network chaos for Kubernetes whose faults are proven at the packets and end by themselves.",
    )  # fmt: skip
    whole.add_argument("--version", action="version", version=f"squall {__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND")
    _run(commands)
    plan = _command(commands, "plan")
    _choosing(plan)
    _reading(plan)
    plan.add_argument("--format", choices=("table", "json"), default="table", help="what standard output gets")
    plan.add_argument("--save", metavar="FILE", help="write the plan, for `run --plan`")
    plan.add_argument("--show-origin", action="store_true", help="where each setting comes from")
    _check(commands)
    validate = _command(commands, "validate")
    validate.add_argument("files", nargs="*", metavar="FILE", help="configuration and scenario files (default: the configuration)")
    validate.add_argument("--type", metavar="TYPE", help="scenario type of the files, e.g. pod_network_fault_scenarios")
    _reading(validate)
    _discovery(commands)
    _report(commands)
    _cleanup(commands)
    return whole


def _check(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _command(commands, "check")
    _choosing(parser)
    _reading(parser)
    parser.add_argument("--pre", action="store_true", help="the cluster alone, without the configuration's scenarios")
    parser.add_argument("--ignore", metavar="NAME", action="append", default=[], help="let this check only warn, e.g. image")
    parser.add_argument("--format", choices=("table", "short", "json"), default="table", help="what standard output gets; short: problems only")


def _report(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _command(commands, "report")
    parser.add_argument("record", metavar="RUN_DIR", help="the folder that the run wrote")
    parser.add_argument("--junit", metavar="FILE", help="also write JUnit XML there; - for standard output")
    parser.add_argument("--html", metavar="FILE", help="also write the page there; - for standard output")
    parser.add_argument("--markdown", metavar="FILE", help="also write Markdown there; - for standard output")
    parser.add_argument("--format", choices=("table", "json", "jsonl"), default="table", help="what standard output gets")
    parser.add_argument("--exit-code", action="store_true", help="end with the run's exit code")
    parser.add_argument("--send", action="store_true", help="send it to Elasticsearch or OpenSearch, or what could not be sent before")
    _reading(parser)


def _cleanup(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _command(commands, "cleanup")
    parser.add_argument("--sandbox", action="store_true", help="what a sandbox on this machine left")
    parser.add_argument("--audit", action="store_true", help="only list it")
    parser.add_argument("--run", metavar="RUN_ID", help="of this run alone; by default every run's carriers are ended, those at work too")
    _connecting(parser)
    _reading(parser)


def _discovery(commands: argparse._SubParsersAction[Parser]) -> None:
    listing = _command(commands, "list")
    listing.add_argument("--format", choices=("table", "json"), default="table", help="what standard output gets")
    explain = _command(commands, "explain")
    explain.add_argument(
        "kind", metavar="TOPIC[.FIELD]", help="a fault, a scenario type or config; a field: pod-network-loss.CORRELATION"
    )
    schema = _command(commands, "schema")
    schema.add_argument("kind", metavar="TYPE", help="a scenario type, a fault, or config")
    completion = _command(commands, "completion")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with `run` where no command is named. Raises BadInput, with the nearest command for a misspelled one."""
    words = list(argv)
    if not words or (words[0] not in SUMMARIES and words[0] not in ("-h", "--help", "--version")):
        _refuse_misspelled(words[:1])
        words.insert(0, "run")
    return parser().parse_args(words)


def _refuse_misspelled(first: Sequence[str]) -> None:
    """A first word that is neither a flag nor a path can only have been meant as a command."""
    if first and not first[0].startswith("-") and not set(first[0]) & set("./\\"):
        near = difflib.get_close_matches(first[0], SUMMARIES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadInput(f"{first[0]!a} is not a command", "run_chaos.py", f"{hint}commands: {', '.join(SUMMARIES)}")
