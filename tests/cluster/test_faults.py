"""Every kind of fault on a real cluster: what the peers count, who else is touched, and what is left."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from real_cluster import CARRIERS, SHOP, Cluster, Ended, Object
from shop import Shop

HOLD = 8
MARGIN = 0.4
LINK_HEADERS = 42
# As krkn writes it: the node with netem keeps everybody else away.
TOLERANT = {"squall": {"injector": {"taints": ["squall-test/netem=true:NoSchedule"]}}}


def fault(kind: str, labels: str, **tunables: Any) -> Object:
    """One scenario on the shop's pods."""
    workload = {"kind": "pod", "namespace": SHOP, "labels": labels}
    return {"id": f"pod-network-{kind}", "workload": workload, "POD_AFFECTED_PERCENTAGE": 100, "TOTAL_CHAOS_DURATION": HOLD, **tunables}


def windows(ended: Ended) -> dict[str, tuple[float, float]]:
    """When each target was under its fault, without the moments at both ends."""
    return {one["target"].rpartition("/")[2]: (one["started"] + MARGIN, one["ended"] - MARGIN) for one in ended.targets}


def counted(shop: Shop, ended: Ended, pod: str) -> dict[str, Object]:
    """The flows from and to one target, over its own window."""
    return {name: facts for name, facts in shop.counts(*windows(ended)[pod]).items() if pod in name.split(":")[0].split(">")}


def untouched(shop: Shop, ended: Ended, *hit: str) -> None:
    """Nobody else lost a packet or got one twice, in all of the run."""
    everything = windows(ended).values()
    others = {
        name: facts for name, facts in shop.counts(min(start for start, _ in everything) - MARGIN, max(end for _, end in everything)).items()
        if not any(part in hit for part in name.split(":")[0].split(">"))
    }
    assert len(others) >= 6, "there must be somebody to look at"
    wrong = {name: facts for name, facts in others.items() if facts["received"] != facts["sent"] or facts["distinct"] != facts["sent"]}
    assert not wrong


def nothing_left(cluster: Cluster) -> None:
    assert cluster.left() == []
    assert cluster.traces() == []


def near(share: float, wanted: float, samples: int) -> None:
    """Within five standard errors: a right share fails once in two million."""
    assert samples > 100
    assert abs(share - wanted) < 5 * sqrt(wanted * (1 - wanted) / samples), f"{share} of {samples} instead of {wanted}"


def injector_pods(cluster: Cluster, ended: Ended) -> list[str]:
    """The nodes on which a pod of this run was started, as the cluster tells it."""
    run = ended.result["run_id"]
    started = [event for event in cluster.get("events", "-n", CARRIERS) if event["reason"] == "Started"]
    made = [event for event in started if f"squall-{run}-" in event["involvedObject"]["name"]]
    return [str(event["source"].get("host") or event.get("reportingInstance")) for event in made]


def test_duplication_of_some_packets_on_two_nodes_at_once(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    hit = [f"web-{place}-{number}" for place in "ab" for number in range(3)]
    ended = cluster.run(tmp_path, [fault("duplication", "app=web,place!=n", NETWORK_PACKET_DUPLICATION_PERCENTAGE=50, DESTINATION_PORTS="9000")])
    assert ended.code == 0, ended.err + ended.out
    assert sorted(windows(ended)) == hit
    for name in hit:
        flows = counted(shop, ended, name)
        out = next(facts for flow, facts in flows.items() if flow.startswith(f"{name}>") and flow.endswith(":9000"))
        near(out["received"] / out["sent"] - 1, 0.5, out["sent"])
        assert out["distinct"] == out["sent"]
        rest = [facts for flow, facts in flows.items() if not (flow.startswith(f"{name}>") and flow.endswith(":9000"))]
        assert all(facts["received"] == facts["sent"] for facts in rest), "another port, or what comes in"
    untouched(shop, ended, *hit)
    assert sorted(injector_pods(cluster, ended)) == sorted(set(shop.places[place] for place in "ab"))
    scenario = ended.result["scenarios"][0]
    assert scenario["skew_seconds"] is not None
    nothing_left(cluster)


def test_loss_of_all_that_comes_in_one_target_after_the_other(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    serial = {"SEQUENCE": "serial", "POD_AFFECTED_PERCENTAGE": 67}
    ended = cluster.run(tmp_path, [fault("loss", "app=web,place=b", NETWORK_PACKET_LOSS_PERCENTAGE=20, DIRECTION="ingress", **serial)])
    assert ended.code == 0, ended.err + ended.out
    spans = windows(ended)
    assert len(spans) == 2
    (_, first_end), (second_start, _) = sorted(spans.values())
    assert first_end < second_start
    for name in spans:
        flows = counted(shop, ended, name)
        into = [facts for flow, facts in flows.items() if flow.split(":")[0].endswith(f">{name}")]
        near(1 - into[0]["received"] / into[0]["sent"], 0.2, into[0]["sent"])
        out = [facts for flow, facts in flows.items() if flow.startswith(f"{name}>")]
        assert all(facts["received"] == facts["sent"] for facts in out)
    untouched(shop, ended, *spans)
    nothing_left(cluster)


def test_a_rate_limit_holds_at_the_peer(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    shop.flow("web-a-0", "peer-b", 9001, rate=400, size=1000, seconds=40, name="web-a-0>flood")
    bucket = {"NETWORK_BANDWIDTH": "1mbit", "BURST": "4kb", "LIMIT": "20kb"}
    ended = cluster.run(tmp_path, [fault("rate-limit", "app=web", TARGET_PODS="web-a-0", DESTINATION_PORTS="9001", **bucket)])
    assert ended.code == 0, ended.err + ended.out
    start, end = windows(ended)["web-a-0"]
    facts, before = shop.counts(start + 1, end)["web-a-0>flood"], shop.counts(start - 3, start - 1)["web-a-0>flood"]
    bits = facts["bytes"] / 1000 * (1000 + LINK_HEADERS) * 8 / (end - start - 1)
    assert bits == pytest.approx(1e6, rel=0.08)
    assert before["bytes"] * 8 / 2 > 2.5e6, "without the limit it sends more than twice of it"
    assert shop.counts(start, end)["web-a-0>peer-b:9000"]["received"] == shop.counts(start, end)["web-a-0>peer-b:9000"]["sent"]
    untouched(shop, ended, "web-a-0")
    nothing_left(cluster)


@pytest.mark.parametrize("direction", ["egress", "ingress"])
def test_latency_with_jitter_where_the_kernel_has_netem(cluster: Cluster, shop: Shop, netem: str, tmp_path: Path, direction: str) -> None:
    item = fault("latency", "app=web,place=n", NETWORK_LATENCY=120, JITTER=20, DIRECTION=direction, DESTINATION_PORTS="9002")
    ended = cluster.run(tmp_path, [item], config=TOLERANT)
    assert ended.code == 0, ended.err + ended.out
    assert {one["node"] for one in ended.targets} == {netem}
    assert all("netem" in one["engine"] for one in ended.targets)
    for name, (start, end) in windows(ended).items():
        during, before = shop.counts(start, end - 1), shop.counts(start - 4, start - 1)
        flow = next(flow for flow in during if flow.startswith(f"{name}>") and flow.endswith(":9002"))
        added = during[flow]["median"] - before[flow]["median"]
        assert added == pytest.approx(0.12, abs=0.02)
        assert during[flow]["spread"] > 0.01, "half of the echoes lie in a band that the jitter makes 20 ms wide; without it, it is 1 ms"
        other = flow.replace(":9002", ":9001")
        assert during[other]["received"] == during[other]["sent"]
    untouched(shop, ended, *windows(ended))
    nothing_left(cluster)


def test_a_kernel_without_netem_says_so_and_nothing_passes(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    """The negative control of the latency: the same fault where it cannot be."""
    if not shop.netem:
        pytest.skip("which kernel has no netem is known only beside one that has it")
    ended = cluster.run(tmp_path, [fault("latency", "app=web,place=a", NETWORK_LATENCY=120)])
    if ended.code == 0:
        pytest.skip("this kernel has netem too")
    assert ended.code == 1
    assert "netem" in ended.targets[0]["reason"]
    nothing_left(cluster)
