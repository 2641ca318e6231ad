"""How large the HTML report is and how long it takes (CPU time), for 100 targets over an hour: `python tests/benchmarks/report_page.py`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from records import write_record  # noqa: E402

from chaos_modules.reports.html import report_page  # noqa: E402

MOST_BYTES, MOST_SECONDS = 3_000_000, 2.0


def main() -> int:
    """1 where it is too large or too slow."""
    with tempfile.TemporaryDirectory() as folder:
        recorded = write_record(
            Path(folder) / "record", passed=False, targets=100, seconds=3600.0, probes=6, panels=9, baseline=60.0, recovery=120.0, alerts=20,
            failed_targets=3,
        )
    points = sum(len(one["points"]) for panel in recorded.series for one in panel["series"])
    print(f"{len(recorded.events):,} events, {points:,} points in {len(recorded.series)} panels")
    start = time.process_time()
    size = len(report_page(recorded).encode())
    seconds = time.process_time() - start
    print(f"report.html: {size:,} bytes in {seconds:.2f} s (at most {MOST_BYTES:,} and {MOST_SECONDS:.0f} s)")
    return int(size > MOST_BYTES or seconds > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
