"""An API server that fails now and then: the run ends right, and what cannot end right says so in time."""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from faulty_api import Asked, Exchange, Fault, FaultyApi, Rule, always, first_of_each_kind, in_turn, never
from real_cluster import CARRIERS, SHOP, Cluster, Ended, Object
from shop import Shop

# What every run asks.
KINDS = {
    "GET pods", "GET nodes", "POST selfsubjectrulesreviews", "POST pods", "POST jobs", "WATCH pods", "GET pods/log", "POST events",
    "DELETE jobs",
}  # fmt: skip
LATENCY_SECONDS = 5.0
FIRSTS = ("too many", "failing", "reset", "lost answer")


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


def loss(pod: str) -> Object:
    """Half of what one pod sends, for three seconds."""
    return {
        "id": "pod-network-loss", "APP_NAMESPACE": SHOP, "TARGET_PODS": pod, "NETWORK_PACKET_LOSS_PERCENTAGE": 50, "TOTAL_CHAOS_DURATION": 3,
    }  # fmt: skip


def too_many(exchange: Exchange) -> None:
    exchange.refuse(429, "TooManyRequests", "too many requests, please try again later", Retry_After="1")


def fails(exchange: Exchange) -> None:
    exchange.refuse(500, "InternalError", "etcdserver: leader changed")


def page_is_gone() -> Rule:
    """Pages of two; the first that continues another is gone."""
    gone = in_turn("GET pods", lambda exchange: exchange.refuse(410, "Expired", "the provided continue parameter is too old"))

    def rule(asked: Asked) -> Fault | None:
        fault = gone(asked) if "continue=" in asked.path else None
        return fault or ((lambda exchange: exchange.rewritten("limit=500", "limit=2")) if "limit=500" in asked.path else None)

    return rule


def broken_log() -> Rule:
    """It breaks off in mid-fault; then it ends there as if it were over."""
    return in_turn("GET pods/log", *(lambda exchange, cleanly=cleanly: exchange.until(b'"armed"', cleanly=cleanly) for cleanly in (False, True)))


def forbidden(kind: str, group: str) -> Rule:
    """In the words of RBAC."""
    method, resource = kind.split()
    verb = {"GET": "list", "POST": "create"}[method]
    message = f'{resource} is forbidden: User "ann" cannot {verb} resource "{resource}" in API group "{group}"'
    return in_turn(kind, *[lambda exchange: exchange.refuse(403, "Forbidden", message)] * 100)


def rules() -> dict[str, dict[str, Rule]]:
    """What breaks, by the pod on which it is tried: one after another on the same."""
    return {
        "web-a-0": {
            "nothing": never, "too many": first_of_each_kind(too_many), "no nodes": forbidden("GET nodes", ""), "page is gone": page_is_gone(),
        },
        "web-a-1": {
            "failing": first_of_each_kind(fails), "reset": first_of_each_kind(Exchange.reset), "no jobs": forbidden("POST jobs", "batch"),
        },
        "web-b-0": {"lost answer": first_of_each_kind(Exchange.lose_answer), "broken log": broken_log()},
        "web-b-1": {"silent watches": in_turn("WATCH pods", *[Exchange.fall_silent] * 100)},
        "web-b-2": {"late": always(lambda exchange: exchange.slow(LATENCY_SECONDS))},
        "web-a-2": {"nothing but failures": always(fails)},
    }  # fmt: skip


@pytest.fixture(scope="module")
def told(cluster: Cluster, shop: Shop, upstream: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """All of that, at the same time for most of them take long; nothing is left by any."""
    folder = tmp_path_factory.mktemp("faulty")

    def tried(pod: str, on_pod: Mapping[str, Rule]) -> dict[str, Told]:
        return {name: run(cluster, upstream, folder / name.replace(" ", "-"), rule, pod) for name, rule in on_pod.items()}

    with ThreadPoolExecutor() as several:
        found = {name: one for many in several.map(tried, *zip(*rules().items(), strict=True)) for name, one in many.items()}
    assert cluster.left() == []
    assert cluster.traces() == []
    return found


def run(cluster: Cluster, upstream: int, folder: Path, rule: Rule, pod: str) -> Told:
    """Squall behind a proxy with this rule."""
    folder.mkdir()
    with FaultyApi(upstream, rule) as api:
        began = time.monotonic()
        ended = cluster.run(folder, [loss(pod)], KUBECONFIG=api.kubeconfig(folder))
        return Told(ended, api.journal, time.monotonic() - began)


def passed(one: Told) -> None:
    assert one.ended.code == 0, one.ended.err + one.ended.out
    assert [target["status"] for target in one.ended.targets] == ["passed"]
    assert "Traceback" not in one.ended.err


def failed(one: Told, *words: str) -> None:
    text = one.ended.err + one.ended.out
    assert one.ended.code == 1, text
    assert [word for word in words if word not in text] == [], text
    assert "Traceback" not in text


def test_through_a_proxy_that_breaks_nothing(told: dict[str, Told]) -> None:
    """The control of all the others."""
    one = told["nothing"]
    passed(one)
    assert one.faulty == []
    assert {asked.kind for asked in one.journal} == KINDS
    assert [asked for asked in one.journal if asked.status not in (200, 201)] == []


def test_a_run_of_one_target_takes_twelve_requests(told: dict[str, Told]) -> None:
    """But for the look why a pod is late, which a busy machine may need."""
    asked = Counter(asked.kind for asked in told["nothing"].journal if asked.kind != "GET events")
    assert asked == {**dict.fromkeys(KINDS, 1), "GET pods": 2, "POST events": 3}


@pytest.mark.parametrize("fault", FIRSTS)
def test_the_first_request_of_each_kind_fails(cluster: Cluster, told: dict[str, Told], fault: str) -> None:
    one, carried_out = told[fault], fault == "lost answer"
    passed(one)
    assert {asked.kind for asked in one.faulty} >= KINDS
    assert [asked for asked in one.faulty if bool(asked.status) != carried_out] == []
    # Where answers are lost, so is the first to the question for the Job that is already there.
    assert one.answers("POST jobs") == ([201, 409, 409] if carried_out else [0, 201])
    assert len(pods_made(cluster, one)) == 1


def pods_made(cluster: Cluster, one: Told) -> list[str]:
    """What the Job controller did for the Jobs of this run; the events outlive them."""
    events = cluster.get("events", "-n", CARRIERS, "--field-selector", "reason=SuccessfulCreate,involvedObject.kind=Job")
    return [event["message"] for event in events if event["involvedObject"]["name"].startswith(f"squall-{one.ended.result['run_id']}-")]


def test_a_list_whose_next_page_is_gone(cluster: Cluster, told: dict[str, Told]) -> None:
    one = told["page is gone"]
    passed(one)
    pages = [("continue=" in asked.path, asked.status) for asked in one.journal if asked.path.startswith(f"/api/v1/namespaces/{SHOP}/pods?")]
    assert pages[:4] == [(False, 200), (True, 0), (False, 200), (True, 200)]
    assert len(pages) == 2 + (len(cluster.get("pods", "-n", SHOP)) + 1) // 2


def test_a_log_that_breaks_off_is_read_again_and_heard_once(told: dict[str, Told]) -> None:
    one = told["broken log"]
    passed(one)
    assert [(asked.faulty, asked.status) for asked in one.journal if asked.kind == "GET pods/log"] == [(True, 200), (True, 200), (False, 200)]
    heard = Counter(str(event) for event in one.ended.events)
    assert [event for event, count in heard.items() if count > 1] == []
    names = Counter(event["event"] for event in one.ended.events)
    assert (names["armed"], names["reverted"], names["finished"]) == (1, 1, 1)


def test_watches_that_are_silent(told: dict[str, Told]) -> None:
    """It is noticed, and a list shows a pod that is over meanwhile: its log still tells everything."""
    one = told["silent watches"]
    passed(one)
    assert one.faulty
    assert set(one.answers("WATCH pods")) == {0}
    assert one.seconds < 45


def test_every_answer_takes_seconds(told: dict[str, Told]) -> None:
    one = told["late"]
    passed(one)
    assert len(one.faulty) == len(one.journal)
    assert one.seconds > 8 * LATENCY_SECONDS


def test_nothing_but_failures(told: dict[str, Told]) -> None:
    one = told["nothing but failures"]
    failed(one, "the API server answers 500: etcdserver: leader changed (tried ")
    assert 5 < len(one.faulty) == len(one.journal)
    assert one.seconds < 45


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no nodes", ("ann may not list nodes", '{apiGroups: [""], resources: ["nodes"], verbs: ["list"]}')),
        ("no jobs", (f"ann may not create jobs.batch in namespace {CARRIERS}", '{apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}')),
    ],
)
def test_a_resource_that_is_never_allowed(told: dict[str, Told], name: str, words: tuple[str, ...]) -> None:
    failed(told[name], *words)
    assert len(told[name].faulty) == 1
