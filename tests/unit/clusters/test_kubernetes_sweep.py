"""The look into the nodes' namespaces: what is found counts, what could not be looked at is told, and nothing stays behind."""

from __future__ import annotations

import logging
import queue
from typing import Any

import pytest
from fake_api import Answer
from swept_cluster import DONE, JOBS, LEFT, PODS, REMEDY, RUN, RUNNING, SWEPT, WORKLOAD, SweptCluster, found

from chaos_modules.clusters.kubernetes import sweep as sweeping
from chaos_modules.clusters.kubernetes.api import ApiProblem, Change, Object
from chaos_modules.clusters.kubernetes.sweep import Finding, Swept, sweep

HERE, THERE = "worker-1", "worker-2"
REFUSED = ApiProblem("the quota is exhausted", "fake", "", status=403, reason="Forbidden")
BROKEN = ApiProblem("the kubelet does not answer", "fake", "", status=500, reason="InternalError")


def swept(api: SweptCluster, *nodes: str, run: str = RUN, remove: bool = False) -> Swept:
    return sweep(api, WORKLOAD, nodes or (HERE,), run=run, remove=remove)


def finding(node: str = HERE, where: str = "node", **changes: Any) -> Finding:
    return Finding(node=node, where=where, remedy=REMEDY, **changes)


def waiting(reason: str, message: str = "") -> Object:
    return {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}


def changed(api: SweptCluster, *states: Object) -> None:
    """What becomes of the one sweeper's pod, once its Job is there; then the watch hears nothing more."""
    created: Any = api.answers["POST", JOBS]
    changes = api.changes[PODS] = queue.Queue()

    def create(query: Any, body: Object | None) -> Object:
        job: Object = created(query, body)
        for state in states:
            changes.put(Change(type="MODIFIED", object={**api.pods[-1], "status": state}))
        return job

    api.answers["POST", JOBS] = create


def logs_read(api: SweptCluster) -> int:
    return len(api.asked("LOG"))


def test_every_node_is_looked_at_and_what_is_found_is_told() -> None:
    api = SweptCluster()
    api.logs = {HERE: [found("node"), found("uid-1", removed=True), found("uid-2", reason="it is busy"), SWEPT]}
    api.states = {HERE: LEFT}
    assert swept(api, HERE, THERE) == Swept(findings=[finding(), finding(where="uid-1", removed=True), finding(where="uid-2", reason="it is busy")])
    jobs = [body for method, path, _, body in api.calls if (method, path) == ("POST", JOBS) and body]
    assert [job["metadata"]["annotations"]["squall.chaos/node"] for job in jobs] == [HERE, THERE]
    assert len({job["metadata"]["name"] for job in jobs}) == 2
    assert {job["metadata"]["labels"]["app.kubernetes.io/component"] for job in jobs} == {"sweeper"}


def test_where_nothing_is_nothing_is_found() -> None:
    assert swept(SweptCluster(), HERE, THERE) == Swept()


def test_without_nodes_no_pod_is_started() -> None:
    api = SweptCluster()
    assert sweep(api, WORKLOAD, (), run="", remove=True) == Swept()
    assert (api.asked("POST"), logs_read(api)) == ([], 0)


@pytest.mark.parametrize("run", [RUN, ""])
@pytest.mark.parametrize("remove", [True, False])
def test_the_sweeper_is_told_what_to_look_for(run: str, remove: bool) -> None:
    api = SweptCluster()
    swept(api, HERE, THERE, run=run, remove=remove)
    assert api.wishes() == {node: {"run": run, "remove": remove} for node in (HERE, THERE)}


@pytest.mark.parametrize(("one", "text"), [
    (finding(), f"worker-1, node: {REMEDY}"),
    (finding(reason="it is busy"), f"worker-1, node: {REMEDY} (it is busy)"),
    (Finding(node=HERE, where="uid-1", remedy="", reason="it could not be looked into"), "worker-1, uid-1: (it could not be looked into)"),
])
def test_a_finding_as_it_is_shown(one: Finding, text: str) -> None:
    assert str(one) == text


@pytest.mark.parametrize("line", [
    "SQUALL_SWEEP: OSError: [Errno 13] Permission denied", '{"event": "swept"', "5", "null", '"swept"', '["swept"]', "{}", '{"event": "found"}',
])
def test_garbage_in_the_log_is_told_and_what_was_found_before_counts(line: str) -> None:
    api = SweptCluster()
    api.logs = {HERE: [found(), line, SWEPT], THERE: [found("uid-1"), SWEPT]}
    assert swept(api, HERE, THERE) == Swept(findings=[finding(), finding(THERE, "uid-1")], problems=[f"node worker-1: its pod said: {line}"])


def test_garbage_is_cut() -> None:
    api = SweptCluster()
    api.logs = {HERE: ["x" * 1000]}
    assert swept(api).problems == [f"node worker-1: its pod said: {'x' * 300}"]


@pytest.mark.parametrize("line", ["", None, '{"event": "looked", "where": "node"}'])
def test_silence_and_what_a_newer_sweeper_tells_are_no_garbage(line: str | None) -> None:
    api = SweptCluster()
    api.logs = {HERE: [line, found(), line, SWEPT]}
    assert swept(api) == Swept(findings=[finding()])


@pytest.mark.parametrize(("end", "problems"), [
    ([], ["node worker-1: its pod ended without a last word"]),
    ([BROKEN], ["node worker-1: the kubelet does not answer"]),
    ([SWEPT], []),
])
def test_only_the_last_line_tells_that_this_was_all(end: list[Any], problems: list[str]) -> None:
    api = SweptCluster()
    api.logs = {HERE: [found(), *end]}
    assert swept(api, HERE, THERE) == Swept(findings=[finding()], problems=problems)


@pytest.mark.parametrize(("state", "words"), [
    (waiting("ImagePullBackOff", "Back-off pulling image"), "ImagePullBackOff: Back-off pulling image"),
    ({"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"}, "Evicted: the node was low on memory"),
    ({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "too many pods"}]},
     "Unschedulable: too many pods"),
])  # fmt: skip
def test_a_pod_that_never_runs_is_told_at_once_in_the_cluster_s_words(state: Object, words: str) -> None:
    api = SweptCluster()
    api.states, api.logs = {HERE: state}, {THERE: [found(), SWEPT]}
    api.changes[PODS] = queue.Queue()
    assert swept(api, HERE, THERE) == Swept(findings=[finding(THERE)], problems=[f"node worker-1: {words}"])
    assert logs_read(api) == 1


@pytest.mark.parametrize("state", [{"phase": "Pending"}, waiting("ContainerCreating"), waiting("ErrImagePull", "i/o timeout"), RUNNING])
def test_a_pod_that_takes_its_time_is_waited_for(state: Object) -> None:
    api = SweptCluster()
    api.states, api.logs = {HERE: state}, {HERE: [found(), SWEPT]}
    changed(api, RUNNING, DONE)
    assert swept(api) == Swept(findings=[finding()])


def test_a_pod_is_read_once() -> None:
    api = SweptCluster()
    api.states, api.logs = {HERE: DONE, THERE: RUNNING}, {HERE: [found(), SWEPT]}
    changes = api.changes[PODS] = queue.Queue()
    created: Any = api.answers["POST", JOBS]

    def create(query: Any, body: Object | None) -> Object:
        job: Object = created(query, body)
        changes.put(Change(type="MODIFIED", object={**api.pods[-1], "status": DONE}))
        return job

    api.answers["POST", JOBS] = create
    assert swept(api, HERE, THERE) == Swept(findings=[finding()])
    assert logs_read(api) == 2


def test_a_pod_that_never_ends_is_told_when_patience_is_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "PATIENCE_SECONDS", 0.3)
    api = SweptCluster()
    api.states, api.logs = dict.fromkeys(("b", "a"), RUNNING), {HERE: [found(), SWEPT]}
    api.changes[PODS] = queue.Queue()
    told = swept(api, "b", HERE, "a")
    assert told == Swept(findings=[finding()], problems=[f"node {name}: its pod did not end within 0 s" for name in ("a", "b")])


@pytest.mark.parametrize("way", ["well", "refused at once", "refused the second time", "the pods may not be watched", "a pod without a word"])
def test_the_jobs_are_deleted_whatever_happens(way: str) -> None:
    api = SweptCluster()
    created: Any = api.answers["POST", JOBS]

    def create(query: Any, body: Object | None) -> Object:
        if way == "refused at once" or (way == "refused the second time" and api.jobs):
            raise REFUSED
        job: Object = created(query, body)
        return job

    api.answers["POST", JOBS] = create
    if way == "the pods may not be watched":
        api.collections[PODS] = REFUSED
    if way == "a pod without a word":
        api.logs[HERE] = []
    if way in ("well", "a pod without a word"):
        assert len(swept(api, HERE, THERE).problems) == (way != "well")
    else:
        with pytest.raises(ApiProblem, match="the quota is exhausted"):
            swept(api, HERE, THERE)
    [selector] = api.deleted()
    assert selector.startswith("squall.chaos/run=")
    assert api.jobs == []


def test_only_its_own_jobs_are_deleted() -> None:
    api = SweptCluster()
    api.jobs.append({"metadata": {"name": "a carrier", "labels": {"squall.chaos/run": RUN}}})
    swept(api)
    assert [job["metadata"]["name"] for job in api.jobs] == ["a carrier"]


def test_jobs_that_cannot_be_deleted_hide_nothing_that_was_found(caplog: pytest.LogCaptureFixture) -> None:
    api = SweptCluster()
    api.logs = {HERE: [found(), SWEPT], THERE: []}
    api.answers["DELETE", JOBS] = BROKEN
    with caplog.at_level(logging.WARNING):
        assert swept(api, HERE, THERE) == Swept(findings=[finding()], problems=["node worker-2: its pod ended without a last word"])
    assert caplog.messages == ["the sweepers' Jobs are not deleted, and go by themselves within 420 s: the kubelet does not answer"]


def test_jobs_that_cannot_be_deleted_do_not_hide_why_they_were_not_started() -> None:
    api = SweptCluster()
    refusals: dict[tuple[str, str], Answer] = {("POST", JOBS): REFUSED, ("DELETE", JOBS): BROKEN}
    api.answers |= refusals
    with pytest.raises(ApiProblem, match="the quota is exhausted"):
        swept(api)


def test_jobs_that_are_deleted_need_no_remark(caplog: pytest.LogCaptureFixture) -> None:
    swept(SweptCluster())
    assert caplog.messages == []
