"""What killed runs left in a cluster: carriers first, then what is in the namespaces; what could not be seen to is never called removed."""

from __future__ import annotations

from typing import Any

import pytest
from swept_cluster import (
    DONE,
    JOBS,
    LEFT,
    NODES,
    OTHER_RUN,
    PODS,
    REMEDY,
    RUN,
    RUNNING,
    SWEPT,
    WORKLOAD,
    SweptCluster,
    found,
    node,
    ours,
    selected,
)

from chaos_modules.clusters.kubernetes import cleanup
from chaos_modules.clusters.kubernetes.api import ApiProblem, Listed, Object, Query
from chaos_modules.clusters.kubernetes.cleanup import cleanup_cluster

JOB, OTHER_JOB = f"squall-{RUN}-1", f"squall-{OTHER_RUN}-1"
FORBIDDEN = ApiProblem("ann may not delete it", "fake", "", status=403, reason="Forbidden")
Told = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "GONE_SECONDS", 0.0)
    monkeypatch.setattr(cleanup, "LOOK_SECONDS", 0.0)


class Lingering(SweptCluster):
    """The pods of the injectors change with every look at them: `looks` has what is seen, the last of which stays."""

    looks: list[list[Object]] = [[]]

    def list(self, path: str, query: Query = ()) -> Listed:
        if path == PODS and "component=injector" in dict(query)["labelSelector"]:
            self.pods[:] = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return super().list(path, query)


def cleaned(api: SweptCluster, run: str = "", *, audit: bool = False) -> Told:
    return list(cleanup_cluster(api, WORKLOAD, run, audit=audit))


def with_carriers(*nodes: Object) -> SweptCluster:
    """A cluster in which one run is at work, and another has ended."""
    api = SweptCluster(*(nodes or (node("worker-1"),)))
    api.jobs += [ours(JOB, status={"active": 1}), ours(OTHER_JOB, run=OTHER_RUN, status={"succeeded": 1})]
    return api


def removed_by(api: SweptCluster) -> list[str]:
    """The selectors of all deletions but that of the sweepers started for this, which have a label of their own."""
    return [selector for selector in api.deleted() if "," in selector]


@pytest.mark.parametrize("audit", [True, False])
def test_where_nothing_is_left_nothing_is_told(audit: bool) -> None:
    assert cleaned(SweptCluster(node("worker-1")), audit=audit) == []


def test_an_audit_lists_everything_and_removes_nothing() -> None:
    api = with_carriers()
    api.jobs.append(ours("squall-sweep-00000000-0", "sweeper", "00000000"))
    api.pods += [ours(f"{JOB}-x", status=RUNNING), ours(f"squall-{RUN}-probe", "probe")]
    api.logs = {"worker-1": [found(), SWEPT]}
    before = api.names(JOBS)
    assert cleaned(api, audit=True) == [
        ("left", f"job squall/{JOB} of run {RUN} (at work)"),
        ("left", f"job squall/{OTHER_JOB} of run {OTHER_RUN} (ended)"),
        ("left", f"worker-1, node: {REMEDY}"),
    ]
    assert (api.names(JOBS), removed_by(api)) == (before, [])
    assert api.asked("DELETE") == [JOBS]  # the sweeper's own
    assert api.wishes() == {"worker-1": {"run": "", "remove": False}}


def test_what_an_audit_lists_is_removed_without_it() -> None:
    api = with_carriers()
    api.jobs.append(ours("squall-sweep-00000000-0", "sweeper", "00000000"))
    api.logs = {"worker-1": [found(removed=True), found("uid-1", reason="it is busy"), SWEPT]}
    assert cleaned(api) == [
        ("removed", f"job squall/{JOB} of run {RUN} (at work)"),
        ("removed", f"job squall/{OTHER_JOB} of run {OTHER_RUN} (ended)"),
        ("removed", f"worker-1, node: {REMEDY}"),
        ("left", f"worker-1, uid-1: {REMEDY} (it is busy)"),
    ]
    assert (api.names(JOBS), len(removed_by(api))) == (set(), 1)
    assert api.wishes() == {"worker-1": {"run": "", "remove": True}}


def test_injectors_revert_before_anybody_sweeps() -> None:
    """The sweeper would remove under the hands of an injector that is still at work."""
    api = with_carriers()
    cleaned(api)
    steps = [(method, path) for method, path, _, _ in api.calls]
    order = [steps.index(step) for step in (("LIST", JOBS), ("DELETE", JOBS))]
    waited = next(
        number for number, (method, path, query, _) in enumerate(api.calls)
        if (method, path) == ("LIST", PODS) and "component=injector" in dict(query)["labelSelector"]
    )  # fmt: skip
    order += [waited, steps.index(("LIST", NODES)), steps.index(("POST", JOBS))]
    assert order == sorted(order)


def test_nothing_is_called_removed_before_it_is() -> None:
    api = with_carriers()
    api.answers["DELETE", JOBS] = FORBIDDEN
    told: Told = []
    with pytest.raises(ApiProblem, match="ann may not delete it"):
        told.extend(cleanup_cluster(api, WORKLOAD, "", audit=False))
    assert told == []
    assert api.asked("POST") == []


@pytest.mark.parametrize("audit", [True, False])
def test_one_run_is_cleaned_and_another_goes_on(audit: bool) -> None:
    api = with_carriers()
    api.pods.append(ours(f"{OTHER_JOB}-x", run=OTHER_RUN, status=RUNNING))
    [told] = cleaned(api, RUN, audit=audit)
    assert told == ("left" if audit else "removed", f"job squall/{JOB} of run {RUN} (at work)")
    assert api.names(JOBS) == ({JOB, OTHER_JOB} if audit else {OTHER_JOB})
    assert api.wishes() == {"worker-1": {"run": RUN, "remove": not audit}}


def test_only_what_is_ours_is_touched() -> None:
    api = SweptCluster(node("worker-1"))
    foreign = {"metadata": {"name": "foreign", "namespace": "squall", "labels": {"squall.chaos/run": RUN}}}
    api.jobs.append(foreign)
    api.pods.append({**foreign, "spec": {}, "status": RUNNING})
    assert (cleaned(api), cleaned(api, RUN)) == ([], [])
    assert api.names(JOBS) == {"foreign"}


@pytest.mark.parametrize("status", [RUNNING, {"phase": "Pending"}, {}])
def test_a_pod_that_stays_is_left(status: Object) -> None:
    api = with_carriers()
    api.pods += [ours(f"{JOB}-x", spec={"nodeName": "worker-9"}, status=status), ours(f"{OTHER_JOB}-x", run=OTHER_RUN, status=status)]
    assert cleaned(api)[2:] == [("left", f"pod squall/{JOB}-x on worker-9"), ("left", f"pod squall/{OTHER_JOB}-x on no node")]
    assert len(cleaned(api, OTHER_RUN)) == 1


@pytest.mark.parametrize(("component", "status"), [
    ("injector", DONE), ("injector", LEFT), ("injector", {"phase": "Failed", "reason": "Evicted"}), ("injector", {"phase": "Succeeded"}),
    ("sweeper", DONE), ("sweeper", RUNNING),
])
def test_a_pod_that_holds_no_fault_any_more_may_linger(component: str, status: Object) -> None:
    """Such as that of an earlier look, which the cluster has not taken away yet."""
    api = with_carriers()
    api.pods.append(ours(f"{JOB}-x", component, status=status))
    assert [state for state, _ in cleaned(api)] == ["removed", "removed"]


def test_pods_are_waited_for_until_they_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "GONE_SECONDS", 60.0)
    api = Lingering(node("worker-1"))
    one, two = ours(f"{JOB}-x", status=RUNNING), ours(f"{JOB}-y", status=RUNNING)
    api.looks = [[one, two], [one, two], [{**one, "status": DONE}, two], [{**one, "status": DONE}]]
    assert cleaned(api) == []
    assert len(api.looks) == 1


def test_without_jobs_the_pods_are_waited_for_all_the_same() -> None:
    """The run itself may have deleted its Jobs just before it was killed."""
    api = SweptCluster(node("worker-1"))
    api.pods.append(ours(f"{JOB}-x", status=RUNNING))
    assert cleaned(api) == [("left", f"pod squall/{JOB}-x on no node")]


def test_leftover_sweepers_and_probes_go_without_a_word() -> None:
    api = SweptCluster(node("worker-1"))
    api.jobs.append(ours("squall-sweep-00000000-0", "sweeper", "00000000", status={"active": 1}))
    api.pods += [ours(f"squall-{RUN}-probe", "probe"), ours(f"squall-{OTHER_RUN}-probe", "probe", OTHER_RUN)]
    api.answers |= {("DELETE", f"{PODS}/squall-{run}-probe"): {} for run in (RUN, OTHER_RUN)}
    assert cleaned(api) == []
    assert api.names(JOBS) == set()
    assert [path for path in api.asked("DELETE") if path != JOBS] == [f"{PODS}/squall-{run}-probe" for run in (RUN, OTHER_RUN)]


def test_those_of_another_run_stay() -> None:
    api = SweptCluster(node("worker-1"))
    api.jobs.append(ours("squall-sweep-00000000-0", "sweeper", "00000000"))
    api.pods.append(ours(f"squall-{OTHER_RUN}-probe", "probe", OTHER_RUN))
    assert cleaned(api, RUN) == []
    assert api.names(JOBS) == {"squall-sweep-00000000-0"}
    assert f"{PODS}/squall-{OTHER_RUN}-probe" not in api.asked("DELETE")


def test_a_probe_that_went_meanwhile_is_gone() -> None:
    api = SweptCluster(node("worker-1"))
    api.pods.append(ours(f"squall-{RUN}-probe", "probe"))
    assert cleaned(api) == []
    api.answers["DELETE", f"{PODS}/squall-{RUN}-probe"] = FORBIDDEN
    with pytest.raises(ApiProblem, match="ann may not delete it"):
        cleaned(api)


def test_where_nobody_can_look_something_may_be_left() -> None:
    api = SweptCluster(node("away", "Unknown"), node("worker-1"), node("sick", "False"), node("new", None), node("windows", "True", "windows"))
    assert cleaned(api) == [("left", f"perhaps something on node {name}: not Ready, so that nobody can look") for name in ("away", "sick", "new")]
    assert list(api.wishes()) == ["worker-1"]


def test_windows_has_nothing_of_ours_ready_or_not() -> None:
    api = SweptCluster(node("windows", "False", "windows"), node("win", "True", "windows"))
    assert (cleaned(api), api.asked("POST")) == ([], [])


@pytest.mark.parametrize("log", [[], ["Permission denied"]])
def test_a_look_that_failed_may_have_missed_something(log: list[Any]) -> None:
    api = SweptCluster(node("worker-1"), node("worker-2"))
    api.logs = {"worker-1": log, "worker-2": [found(removed=True), SWEPT]}
    why = f"its pod said: {log[0]}" if log else "its pod ended without a last word"
    assert cleaned(api) == [("removed", f"worker-2, node: {REMEDY}"), ("left", f"perhaps something on node worker-1: {why}")]


def test_the_fake_selects_as_kubernetes_does() -> None:
    one = ours(JOB)
    assert selected(one, [("labelSelector", f"app.kubernetes.io/name=squall,squall.chaos/run={RUN}")])
    assert selected(one, [("labelSelector", "squall.chaos/run")])
    assert not selected(one, [("labelSelector", f"squall.chaos/run={OTHER_RUN}")])
    assert not selected(one, [("labelSelector", "squall.chaos/scenario")])
