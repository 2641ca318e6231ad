"""Writes the generated pages of docs/reference from the code that they describe; a test fails while they are not current."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from inspect import cleandoc
from pathlib import Path

from describe import faults_page, fields_table, page, sections, sentence, table, values

from chaos_modules.cli.arguments import EXAMPLES, SUMMARIES, parser
from chaos_modules.cli.description import configuration_fields
from chaos_modules.cli.schema import kinds, schema_of
from chaos_modules.loading.configuration import Configuration
from chaos_modules.loading.documents import Document
from chaos_modules.loading.gates import idle_collections, refused_gates
from chaos_modules.model import errors

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
EXIT_CODES = {
    "EXIT_PASSED": "every fault was in effect for its whole hold and was reverted, at least one target of each scenario met traffic, "
    "and no measurement contradicts the request",
    "EXIT_FAILED": "a scenario failed: no target, refused, not applied, not in effect, lapsed, out of tolerance, or no traffic; `check` failed; "
    "the system was not healthy before the fault; Cerberus said no-go; something that gates the run could not be told; or the run broke",
    "EXIT_ALERTS": "alerts of the profile over the run, critical alerts after a scenario, a probe in its fault or recovery window, or `halt_on`",
    "EXIT_HEALTH": "a health check with `exit_on_failure` failed",
    "EXIT_RESIDUE": "something of Squall's is left; outranks all others",
    "EXIT_BUG": "the injector's own status for a bug in it; a run never ends with it",
    "EXIT_INTERRUPTED": "interrupted (SIGINT); reverted and reported",
    "EXIT_TERMINATED": "terminated (SIGTERM or SIGHUP); reverted and reported",
    "EXIT_BAD_INPUT": "bad input: scenario, configuration, flag or unknown scenario type; nothing was touched",
}


def configuration_page() -> str:
    """Every section and field, as `explain` tells them."""
    blocks: list[Iterable[str] | str] = [
        "The shipped file is `config/config.yaml`. Each field can also be set by `--set squall.lease_seconds=5` or by the variable "
        "`SQUALL_SET__squall__lease_seconds=5`; the flag wins over the variable, and the variable over the file. Null and empty text mean the "
        "default. An unknown key is an error in `squall:` and a notice in krkn's sections. The terminal shows the same with "
        "`run_chaos.py explain config`, and editors with [the schema](schemas/config.json).",
        "This version acts on `kraken.kubeconfig_path`, `kraken.chaos_scenarios`, `tunings`, `performance_monitoring`, `cerberus`, `health_checks`, "
        "`elastic`, `resiliency`, `telemetry.run_tag` and `squall`. The rest is read, checked, and kept for krkn's sake.",
        *_gates(),
    ]
    fields = configuration_fields()
    for section in sections(fields):
        path = section.path.partition(".")[2]
        blocks += [f"## {path}\n\n{section.meaning}", fields_table("Field", section.fields)]
    return page("Configuration", *blocks, values(fields))


def _gates() -> list[str]:
    """What is refused and what is noticed, asked of the code itself with everything switched on."""
    everything = Configuration.model_validate({
        "kraken": {"publish_kraken_status": True, "signal_state": "PAUSE"},
        "kubevirt_checks": {"namespace": "vms"}, "triggers": {"conditions": [1]}, "telemetry": {"enabled": True, "api_url": "http://localhost"},
    })  # fmt: skip
    document = Document("", {})
    refused = [problem.what.partition(":")[0] for problem in refused_gates(everything, document)]
    noticed = [notice.split(": ")[1] for notice in idle_collections(everything, document)]
    return [
        "## What this version does not evaluate",
        "Switching on one of these gates is an error (exit 255), never a silent pass: " + ", ".join(f"`{name}`" for name in refused) + ".",
        "These would only collect or serve something; they are noticed and change no verdict: " + ", ".join(f"`{name}`" for name in noticed) + ".",
    ]


def exit_codes_page() -> str:
    """The codes of model/errors.py; a code without a meaning here stops the generator."""
    codes = {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    if set(codes) != set(EXIT_CODES):
        raise SystemExit(f"docs/generate.py: EXIT_CODES and model/errors.py differ in {sorted(set(codes) ^ set(EXIT_CODES))}")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SquallError)]
    named = [kind for kind in kinds if kind not in (errors.SquallError, errors.BadInputs)]
    return page(
        "Exit codes",
        "`result.json` carries every reason, whichever of them decided the code. Residue (4) outranks an interruption (130, 143), which outranks "
        "a failure (1), which outranks health (3), which outranks alerts and objectives (2): the order of krkn.",
        table(("Code", "Meaning"), [(str(value), EXIT_CODES[name]) for name, value in sorted(codes.items(), key=lambda item: item[1])]),
        "## Errors\n\nAn error that ends a command is told on standard error: where, what, and after an arrow what to do next.",
        table(("Error", "Code", "Meaning"), [(kind.__name__, str(kind.exit_code), cleandoc(kind.__doc__ or "")) for kind in named]),
    )


def commands_page() -> str:
    """Every command with its options, from the parser itself."""
    blocks: list[Iterable[str] | str] = [
        "From a clone the program is `python run_chaos.py`; installed, the same is called `squall`. Without a command, `run` is meant. Standard "
        "output carries results, standard error everything else.",
    ]
    subparsers = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in subparsers.choices.items():
        examples = "\n".join(f"$ {line}" for line in EXAMPLES[name])
        blocks.append(f"## {name}\n\n{sentence(SUMMARIES[name])}\n\n```console\n{examples}\n```")
        rows = [_argument(action) for action in command._actions if action.dest != "help"]
        blocks.append(table(("Argument", "Meaning"), rows) if rows else "It has no options.")
    return page("Commands", *blocks)


def _argument(action: argparse.Action) -> tuple[str, str]:
    value = "" if action.nargs == 0 else str(action.metavar or "|".join(action.choices or ()))
    names = [f"{name} {value}".strip() for name in action.option_strings] or [f"{value}{'…' if action.nargs == '*' else ''}"]
    return ", ".join(f"`{name}`" for name in names), sentence(action.help) if action.help else "–"


def pages() -> dict[Path, str]:
    """Every generated page by its path."""
    return {
        REFERENCE / "faults.md": faults_page(),
        REFERENCE / "configuration.md": configuration_page(),
        REFERENCE / "exit-codes.md": exit_codes_page(),
        REFERENCE / "commands.md": commands_page(),
        **{REFERENCE / "schemas" / f"{kind}.json": json.dumps(schema_of(kind), indent=1) + "\n" for kind in kinds()},
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
