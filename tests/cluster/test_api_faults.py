"""An API server that fails now and then: the run ends right, and what cannot end right says so in time."""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from faulty_api import Asked, Exchange, Fault, FaultyApi, Rule, always, first_of_each_kind, in_turn, never
from real_cluster import CARRIERS, SHOP, Cluster, Ended, Object, Shop

# What every run asks.
KINDS = {
    "GET pods", "GET nodes", "POST selfsubjectrulesreviews", "POST pods", "POST jobs", "WATCH pods", "GET pods/log", "POST events",
    "DELETE jobs",
}  # fmt: skip
LATENCY_SECONDS = 3.0


@dataclass(frozen=True)
class Told:
    """A run that is over, what its proxy was asked, and how long it took."""

    ended: Ended
    journal: list[Asked]
    seconds: float

    @property
    def faulty(self) -> list[Asked]:
        return [asked for asked in self.journal if asked.faulty]

    def answers(self, kind: str) -> list[int]:
        """The API server's own, in their order."""
        return [asked.status for asked in self.journal if asked.kind == kind]


@pytest.fixture(scope="module")
def upstream(cluster: Cluster) -> Iterator[int]:
    """A port where the API server needs no credentials."""
    argv = ["kubectl", f"--kubeconfig={cluster.kubeconfig}", "proxy", "--port=0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r":(\d+)$", process.stdout.readline().strip())
        assert found
        yield int(found[1])
        process.terminate()


def loss(pod: str = "web-a-0") -> Object:
    """Half of what one pod sends, for three seconds."""
    return {
        "id": "pod-network-loss", "APP_NAMESPACE": SHOP, "TARGET_PODS": pod, "NETWORK_PACKET_LOSS_PERCENTAGE": 50, "TOTAL_CHAOS_DURATION": 3,
    }  # fmt: skip


def run(cluster: Cluster, upstream: int, folder: Path, rule: Rule, pod: str = "web-a-0") -> Told:
    """Squall behind a proxy with this rule."""
    with FaultyApi(upstream, rule) as api:
        began = time.monotonic()
        ended = cluster.run(folder, [loss(pod)], KUBECONFIG=api.kubeconfig(folder))
        return Told(ended, api.journal, time.monotonic() - began)


def passed(told: Told) -> None:
    assert told.ended.code == 0, told.ended.err + told.ended.out
    assert [target["status"] for target in told.ended.targets] == ["passed"]
    assert "Traceback" not in told.ended.err


def nothing_left(cluster: Cluster) -> None:
    assert cluster.left() == []
    assert cluster.traces() == []


def test_the_same_run_through_a_proxy_that_breaks_nothing(cluster: Cluster, shop: Shop, upstream: int, tmp_path: Path) -> None:
    """The control of all the others."""
    told = run(cluster, upstream, tmp_path, never)
    passed(told)
    assert told.faulty == []
    assert {asked.kind for asked in told.journal} == KINDS
    assert [asked for asked in told.journal if asked.status not in (200, 201)] == []
    nothing_left(cluster)


def too_many(exchange: Exchange) -> None:
    exchange.refuse(429, "TooManyRequests", "too many requests, please try again later", Retry_After="1")


def fails(exchange: Exchange) -> None:
    exchange.refuse(500, "InternalError", "etcdserver: leader changed")


@pytest.mark.parametrize("fault", [too_many, fails, Exchange.reset, Exchange.lose_answer])
def test_the_first_request_of_each_kind_fails(cluster: Cluster, shop: Shop, upstream: int, tmp_path: Path, fault: Fault) -> None:
    told = run(cluster, upstream, tmp_path, first_of_each_kind(fault))
    passed(told)
    assert {asked.kind for asked in told.faulty} >= KINDS
    carried_out = fault is Exchange.lose_answer
    assert [asked.kind for asked in told.faulty if bool(asked.status) != carried_out] == []
    assert told.answers("POST jobs") == ([201, 409] if carried_out else [0, 201])
    assert len(pods_made(cluster, told)) == 1
    nothing_left(cluster)


def pods_made(cluster: Cluster, told: Told) -> list[str]:
    """What the Job controller did for the Jobs of this run; the events outlive them."""
    assert told.ended.folder
    jobs = f"squall-{told.ended.result['run_id']}-"
    events = cluster.get("events", "-n", CARRIERS, "--field-selector", "reason=SuccessfulCreate,involvedObject.kind=Job")
    return [event["message"] for event in events if event["involvedObject"]["name"].startswith(jobs)]


def test_a_list_whose_next_page_is_gone(cluster: Cluster, shop: Shop, upstream: int, tmp_path: Path) -> None:
    """Pages of two; the first that continues another is gone."""
    gone = in_turn("GET pods", lambda exchange: exchange.refuse(410, "Expired", "the provided continue parameter is too old"))

    def rule(asked: Asked) -> Fault | None:
        fault = gone(asked) if "continue=" in asked.path else None
        return fault or ((lambda exchange: exchange.rewritten("limit=500", "limit=2")) if "limit=500" in asked.path else None)

    told = run(cluster, upstream, tmp_path, rule)
    passed(told)
    pages = [("continue=" in asked.path, asked.status) for asked in told.journal if asked.path.startswith(f"/api/v1/namespaces/{SHOP}/pods?")]
    assert pages[:4] == [(False, 200), (True, 0), (False, 200), (True, 200)]
    assert len(pages) == 2 + (len(cluster.get("pods", "-n", SHOP)) + 1) // 2
    nothing_left(cluster)


def test_a_log_that_breaks_off_is_read_again_and_heard_once(cluster: Cluster, shop: Shop, upstream: int, tmp_path: Path) -> None:
    """It breaks off in mid-fault; then it ends there as if it were over."""
    cut = in_turn("GET pods/log", *(lambda exchange, cleanly=cleanly: exchange.until(b'"armed"', cleanly=cleanly) for cleanly in (False, True)))
    told = run(cluster, upstream, tmp_path, cut)
    passed(told)
    assert [(asked.faulty, asked.status) for asked in told.journal if asked.kind == "GET pods/log"] == [(True, 200), (True, 200), (False, 200)]
    heard = Counter(str(event) for event in told.ended.events)
    assert [event for event, count in heard.items() if count > 1] == []
    names = Counter(event["event"] for event in told.ended.events)
    assert (names["armed"], names["reverted"], names["finished"]) == (1, 1, 1)
    nothing_left(cluster)


@pytest.mark.parametrize(
    ("kind", "group", "words"),
    [
        ("GET nodes", "", ("list nodes", '{apiGroups: [""], resources: ["nodes"], verbs: ["list"]}')),
        ("POST jobs", "batch", (f"create jobs.batch in namespace {CARRIERS}", '{apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}')),
    ],
)
def test_a_resource_that_is_never_allowed(
    cluster: Cluster, shop: Shop, upstream: int, tmp_path: Path, kind: str, group: str, words: tuple[str, ...]
) -> None:
    resource, verb = kind.split()[1], words[0].split()[0]
    message = f'{resource} is forbidden: User "ann" cannot {verb} resource "{resource}" in API group "{group}"'

    def forbids(exchange: Exchange) -> None:
        exchange.refuse(403, "Forbidden", message)

    told = run(cluster, upstream, tmp_path, in_turn(kind, *[forbids] * 100))
    text = told.ended.err + told.ended.out
    assert told.ended.code == 1, text
    assert [word for word in ("ann", *words) if word not in text] == [], text
    assert "Traceback" not in text
    assert len(told.faulty) == 1
    nothing_left(cluster)


SLOW: dict[str, tuple[str, Rule]] = {
    "silent": ("web-a-1", in_turn("WATCH pods", *[Exchange.fall_silent] * 100)),
    "late": ("web-b-0", always(lambda exchange: exchange.slow(LATENCY_SECONDS))),
    "broken": ("web-a-2", always(fails)),
}


@pytest.fixture(scope="module")
def slow(cluster: Cluster, shop: Shop, upstream: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What takes long, all at once."""
    def one(name: str) -> Told:
        pod, rule = SLOW[name]
        return run(cluster, upstream, tmp_path_factory.mktemp(name), rule, pod)

    with ThreadPoolExecutor() as several:
        told = dict(zip(SLOW, several.map(one, SLOW), strict=True))
    nothing_left(cluster)
    return told


def test_watches_that_are_silent(slow: dict[str, Told]) -> None:
    """It is noticed, and a list shows a pod that is over meanwhile: its log still tells everything."""
    told = slow["silent"]
    passed(told)
    assert told.seconds < 45
    assert told.faulty
    assert set(told.answers("WATCH pods")) == {0}


def test_every_answer_takes_seconds(slow: dict[str, Told]) -> None:
    told = slow["late"]
    passed(told)
    assert len(told.faulty) == len(told.journal)
    assert told.seconds > 8 * LATENCY_SECONDS


def test_nothing_but_failures(slow: dict[str, Told]) -> None:
    told = slow["broken"]
    text = told.ended.err + told.ended.out
    assert told.ended.code == 1, text
    assert "the API server answers 500: etcdserver: leader changed (tried " in text
    assert "Traceback" not in text
    assert 5 < len(told.faulty) == len(told.journal)
    assert told.seconds < 40
