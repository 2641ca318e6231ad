"""100,000 metric samples into a real node: `python tests/benchmarks/storage.py URL [COUNT]`. The node keeps nothing of it.

Reading and making the documents without sending them, the whole sending, sending the same again, and another run to a node that is warm by then.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
import uuid
from collections import deque
from dataclasses import replace
from pathlib import Path

import requests

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]

import records  # noqa: E402

from chaos_modules.cli.sending import send_run  # noqa: E402
from chaos_modules.model.observation_plan import Indices  # noqa: E402
from chaos_modules.model.probe import Connection  # noqa: E402
from chaos_modules.reports.krkn_documents import run_documents  # noqa: E402
from chaos_modules.reports.recorded import Recorded  # noqa: E402

QUERY = 'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!="POD", namespace=~"openshift-.*"}[2m])) * 100'


def recorded(folder: Path, count: int) -> Recorded:
    """A run with so many samples of fifty pods, labelled as those of a cluster are."""
    record = records.write_record(folder / "run")
    with (folder / "run" / "metrics.jsonl").open("w") as lines:
        for pod in range(50):
            labels = {"namespace": f"openshift-{pod % 7}", "pod": f"web-{pod}-7d9c8b6f5-x2x4q", "node": f"worker-{pod % 6}.example"}
            points = [[records.STARTED + number, number / 7] for number in range(count // 50)]
            lines.write(json.dumps({"metricName": "containerCPU", "query": QUERY, "labels": labels, "points": points}) + "\n")
    return record


def timed(what: str, count: int, begin: tuple[float, float]) -> None:
    """Wall clock, and what of it this process computed: the rest is the node, and whoever else uses the machine."""
    seconds, busy = time.monotonic() - begin[0], time.process_time() - begin[1]
    print(f"{what}: {seconds:.1f} s ({busy:.1f} s of them here), {count / seconds:,.0f} samples a second", flush=True)


def main(url: str, count: int) -> int:
    prefix = f"squall-benchmark-{uuid.uuid4().hex[:8]}"
    indices = Indices(telemetry=f"{prefix}-telemetry", metrics=f"{prefix}-metrics", alerts=f"{prefix}-alerts")
    with tempfile.TemporaryDirectory() as name:
        record = recorded(Path(name), count)
        begin = time.monotonic(), time.process_time()
        deque((document.lines for document in run_documents(record, indices)), maxlen=0)
        timed("documents made, not sent", count, begin)
        another = replace(record, result={**record.result, "run_uuid": "another"})
        for what, sent in (("sent", record), ("sent again", record), ("another run sent", another)):
            begin = time.monotonic(), time.process_time()
            problems = send_run(sent, Connection(url=url, timeout_seconds=60), indices, "", lambda: False)
            timed(what, count, begin)
            if problems:
                print(*problems, sep="\n")
                return 1
    requests.post(f"{url}/{indices.metrics}/_refresh", timeout=60)
    stored = requests.get(f"{url}/{indices.metrics}/_count", timeout=60).json()["count"]
    requests.delete(f"{url}/{indices.telemetry},{indices.metrics},{indices.alerts}", timeout=60)
    print(f"stored: {stored:,} of {2 * count:,}; peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0 if stored == 2 * count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000))
