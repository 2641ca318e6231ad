"""krkn-lib's own models as the oracle, in an environment of their own: krkn-lib pins other versions than Squall needs."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REQUIRED = ("krkn-lib==7.0.3", "PyYAML==6.0.3")
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "squall-tests" / REQUIRED[0].replace("==", "-")
_ROUND_TRIP = """
import json, sys
from krkn_lib.models.telemetry import ChaosRunTelemetry, ScenarioTelemetry
document = json.load(sys.stdin)
run = ChaosRunTelemetry(json_dict=document)
scenarios = [json.loads(ScenarioTelemetry(json_object=one).to_json()) for one in document["scenarios"]]
print(json.dumps({"run": json.loads(run.to_json()), "scenarios": scenarios}))
"""


class NotInstalled(Exception):
    """The oracle cannot be had, and why."""


def oracle_python() -> Path:
    """The interpreter that has krkn-lib, installed without its 80 dependencies: its telemetry needs PyYAML alone. Made once. Raises NotInstalled."""
    python = _CACHE / "bin" / "python"
    _CACHE.parent.mkdir(parents=True, exist_ok=True)
    with (_CACHE.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_CACHE / "installed").exists():
            _run(sys.executable, "-m", "venv", "--clear", str(_CACHE))
            _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *REQUIRED)
            (_CACHE / "installed").touch()
    return python


def _run(*argv: str) -> None:
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=180)
    except subprocess.CalledProcessError as error:
        raise NotInstalled(f"{argv[2]} failed: {(error.stderr.strip().splitlines() or ['no reason'])[-1]}") from None
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{argv[2]} did not end within 180 s") from None


def round_trip(python: Path, document: dict[str, Any]) -> dict[str, Any]:
    """`run` and `scenarios` as krkn-lib reads the document and writes it again. Raises CalledProcessError where it cannot read it."""
    done = subprocess.run(
        [str(python), "-c", _ROUND_TRIP], input=json.dumps(document), capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    return dict(json.loads(done.stdout))
