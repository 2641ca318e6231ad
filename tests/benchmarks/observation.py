"""How long judging takes: an alert profile of 60 queries over a run of 20 windows, against a local Prometheus. Reported, never gated on."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "observation")]

from prometheus_server import PrometheusServer, openmetrics, until  # noqa: E402

from chaos_modules.model.observation import Phase, Window  # noqa: E402
from chaos_modules.model.probe import AlertRule, Connection  # noqa: E402
from chaos_modules.observe.alerts import alert_facts, observe_rules  # noqa: E402
from chaos_modules.observe.prometheus import Prometheus  # noqa: E402
from chaos_modules.verdict.alerts import findings, step_for, touches  # noqa: E402
from chaos_modules.verdict.resiliency import Span, score_of  # noqa: E402

QUERIES, WINDOWS, PODS, ROUNDS = 60, 20, 20, 5
START, SECONDS, SCRAPE = 1_700_000_000.0, 7200, 15
_SHAPES = (
    'rate(requests_total{{code="500"}}[1m]) > {n} / 100', "sum by (pod) (rate(requests_total[2m])) > {n} / 100", "max_over_time(latency[1m]) > {n}",
    "sum(rate(requests_total[1m])) / sum(rate(latency[1m])) > {n}", "latency - latency offset 1m > {n}", "latency > {n}",
)


def history() -> str:
    """Two hours of twenty pods, a sample every fifteen seconds; every sixth minute is bad."""
    times = [START + SCRAPE * n for n in range(SECONDS // SCRAPE + 1)]
    bad = [int(at - START) // 60 % 6 == 5 for at in times]
    columns = {"requests_total": accumulate(20.0 if worse else 0.1 for worse in bad), "latency": (99.0 if worse else 0.1 for worse in bad)}
    points = {name: list(zip(times, values, strict=True)) for name, values in columns.items()}
    return openmetrics({f'{name}{{pod="web-{pod}",code="500"}}': points[name] for name in points for pod in range(PODS)})


def windows() -> tuple[Window, ...]:
    """Fault windows of five minutes, one after the other with a minute between them."""
    each = SECONDS / WINDOWS
    return tuple(Window(scenario=n, phase=Phase.FAULT, start=START + n * each, end=START + (n + 1) * each - 60) for n in range(WINDOWS))


def judged(prometheus: Prometheus, rules: tuple[AlertRule, ...]) -> tuple[int, int, int, int]:
    """What a run does at its end: (alerts that fired, those of the windows together, findings, score)."""
    end, spans = START + SECONDS, windows()
    seen = observe_rules(prometheus, rules, start=START, end=end, step=step_for(spans))
    facts = alert_facts(rules, seen, start=START, end=end)
    assert not [fact.problem for fact in facts if fact.problem]
    score = score_of(rules, seen, [Span(name=str(one.scenario), start=one.start, end=one.end) for one in spans], start=START, end=end)
    touched = sum(touches(fact, window) for fact in facts for window in spans)
    return sum(fact.fired for fact in facts), touched, len(findings(facts, "fail", spans)), score.score if score else -1


def main() -> None:
    """Print the queries, the windows and the seconds; and our own processor time, as a busy machine has its share in the former."""
    rules = tuple(AlertRule(expr=_SHAPES[n % len(_SHAPES)].format(n=n), description=f"rule {n}", severity="error") for n in range(QUERIES))
    with ExitStack() as stack:
        server = stack.enter_context(PrometheusServer(Path(stack.enter_context(tempfile.TemporaryDirectory())), history=history()))
        prometheus = stack.enter_context(Prometheus(Connection(url=server.url)))
        until(lambda: prometheus.instant("latency", START), "the history")
        taken, busy = [], []
        for _ in range(ROUNDS):
            begin, before = time.monotonic(), time.process_time()
            fired, touched, found, score = judged(prometheus, rules)
            taken.append(time.monotonic() - begin)
            busy.append(time.process_time() - before)
    print(f"{QUERIES} queries x {WINDOWS} windows over {SECONDS // 3600} h of {PODS} pods at {SCRAPE} s, step {step_for(windows()):g} s: "
          f"{statistics.median(taken):.2f} s (median of {ROUNDS}; fastest {min(taken):.2f} s), of it {statistics.median(busy):.2f} s our own; "
          f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")  # fmt: skip
    print(f"{fired} alerts fired, {touched} times in a window, {found} findings, score {score}")


if __name__ == "__main__":
    main()
