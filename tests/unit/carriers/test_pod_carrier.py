"""How a carrier in a pod begins, is heard, and comes to its end, whatever happens to its pod, its log and the API server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from carrier_cluster import (
    EVENTS,
    FORBIDDEN,
    JOB,
    JOBS,
    KEYS,
    NODE,
    POD,
    PODS,
    RUN,
    RUNNING,
    UNAVAILABLE,
    WORKLOAD,
    Cluster,
    Launched,
    eventually,
    job,
    life,
    line,
    pod,
    terminated,
    told,
    waiting,
)

from chaos_modules.carriers import pod_carrier, workload_pod
from chaos_modules.carriers.protocol import Said
from chaos_modules.clusters.kubernetes.api import ApiProblem, Object
from chaos_modules.model.errors import ClusterProblem

WEB, OTHER = KEYS
BY_NAME = ("fieldSelector", f"metadata.name={JOB}")


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Launched]]:
    """Launch one carrier; attempts follow each other quickly, and a busy machine's pod is not looked for. All are closed with the test."""
    monkeypatch.setattr(pod_carrier, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(pod_carrier, "FIRST_LOOK_SECONDS", 30.0)
    started: list[Launched] = []

    def begin(*arguments: Any, **options: Any) -> Launched:
        started.append(Launched(*arguments, **options))
        return started[-1]

    yield begin
    for launched in started:
        launched.cluster.answers[("DELETE", JOBS)] = {}
        launched.launcher.close()


def test_a_whole_life_in_its_order_and_with_the_requests_that_it_costs(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,)))
    cluster = launched.cluster
    cluster.show(pod(phase="Pending", node=""))
    heard = [launched.next()]
    for seen in (waiting("ContainerCreating"), RUNNING):
        cluster.show(seen)
        heard.append(launched.next())
    cluster.log(*life(WEB))
    heard += launched.rest()
    launched.launcher.close()
    assert told(heard) == ["created", "scheduled", "running", "applied web-0", "armed web-0", "reverted web-0", "finished web-0", "ended"]
    assert heard[-1] == Said(node=NODE, event=None, ended="its targets have finished")
    assert [said.fresh for said in heard if said.event and said.event["event"] != "carrier"] == [True] * 4
    assert launched.carrier.node == NODE
    asked = sorted((method, path) for method, path, _, _ in cluster.calls)
    assert asked == [
        ("DELETE", JOBS), ("LOG", f"{PODS}/{POD}/log"), ("POST", EVENTS), ("POST", EVENTS), ("POST", EVENTS), ("POST", JOBS), ("WATCH", PODS),
    ]
    assert cluster.withdrawn() == [("labelSelector", f"squall.chaos/run={RUN}")]


def test_it_has_ended_with_its_last_target_and_not_with_its_pod(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,)))
    launched.cluster.show(RUNNING)
    launched.cluster.log(*life(WEB), threading.Event())  # the log goes on
    assert launched.ended() == "its targets have finished"


def test_one_watch_serves_all_carriers(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,)))
    launched.launcher.launch("worker-2", job((OTHER,)), launched.heard.put)
    labels = {"batch.kubernetes.io/job-name": "squall-0badcafe-2"}
    launched.cluster.show({**RUNNING, "metadata": {**RUNNING["metadata"], "name": "other", "uid": "2", "labels": labels}})
    launched.cluster.log(*life(OTHER))
    heard = [said for said in launched.rest() if said.node == "worker-2"]
    assert told(heard)[-3:] == ["reverted web-1", "finished web-1", "ended"]
    assert launched.cluster.asked("WATCH") == [PODS]
    assert launched.cluster.asked("LOG") == [f"{PODS}/other/log"]


@pytest.mark.parametrize(("seen", "words"), [
    (waiting("ErrImagePull", 'failed to pull "x": not found'), 'ErrImagePull: failed to pull "x": not found'),
    (waiting("ImagePullBackOff", 'Back-off pulling image "x"'), 'ImagePullBackOff: Back-off pulling image "x"'),
    (waiting("ErrImageNeverPull", "not present with pull policy of Never"), "ErrImageNeverPull: not present with pull policy of Never"),
    (waiting("InvalidImageName", "couldn't parse it"), "InvalidImageName: couldn't parse it"),
    (waiting("CreateContainerConfigError", 'secret "x" not found'), 'CreateContainerConfigError: secret "x" not found'),
    (waiting("CreateContainerError", "no such device"), "CreateContainerError: no such device"),
    (waiting("RunContainerError", "exec: python3"), "RunContainerError: exec: python3"),
    (pod(phase="Pending", node="", conditions=[
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes are available: 1 had untolerated taint"},
    ]), "Unschedulable: 0/2 nodes are available: 1 had untolerated taint"),
    (pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."), "Evicted: The node was low on resource: memory."),
    (pod(phase="Failed", reason="OutOfcpu"), "OutOfcpu"),
])  # fmt: skip
def test_what_never_will_run_is_told_at_once_and_taken_away(launch: Callable[..., Launched], seen: Object, words: str) -> None:
    launched = launch()
    launched.cluster.show(seen)
    heard = launched.rest()
    assert heard[-1].ended == words
    assert told(heard)[-1] == f"failed: {words}"
    assert launched.cluster.withdrawn() == [BY_NAME]
    assert launched.cluster.asked("LOG") == []


@pytest.mark.parametrize("seen", [
    waiting("ContainerCreating"), waiting("PodInitializing"), waiting("ErrImagePull", "dial tcp: i/o timeout"),
    pod(phase="Pending", node="", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
    pod(phase="Pending", conditions=[{"type": "PodScheduled", "status": "True"}]), pod(phase="Pending"),
])  # fmt: skip
def test_what_may_pass_is_waited_for(launch: Callable[..., Launched], seen: Object) -> None:
    launched = launch(job((WEB,)))
    launched.cluster.show(seen, RUNNING)
    launched.cluster.log(*life(WEB))
    assert launched.ended() == "its targets have finished"
    assert launched.cluster.withdrawn() == []


def test_the_first_words_of_a_failed_pull_are_not_lost(launch: Callable[..., Launched]) -> None:
    launched = launch()
    launched.cluster.show(waiting("ErrImagePull", "dial tcp: i/o timeout"))
    launched.until("scheduled")
    launched.cluster.show(waiting("ImagePullBackOff", "Back-off"))
    assert launched.ended() == "ImagePullBackOff: Back-off (dial tcp: i/o timeout)"


def test_a_job_that_may_not_make_its_pod_is_told_by_its_event(launch: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_carrier, "FIRST_LOOK_SECONDS", 0.05)
    cluster = Cluster()
    cluster.collections[EVENTS] = [{"message": 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'}]
    launched = launch(cluster=cluster)
    assert launched.ended() == 'FailedCreate: pods "x" is forbidden: violates PodSecurity "restricted:latest"'
    query = next(query for method, path, query, _ in cluster.calls if (method, path) == ("LIST", EVENTS))
    assert query == (("fieldSelector", f"involvedObject.kind=Job,involvedObject.name={JOB},reason=FailedCreate"),)
    assert cluster.withdrawn() == [BY_NAME]


@pytest.mark.parametrize("events", [[], ApiProblem("events is forbidden", "fake", "", status=403)])
def test_a_pod_that_is_late_is_waited_for(
    launch: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch, events: list[Object] | ApiProblem
) -> None:
    monkeypatch.setattr(pod_carrier, "FIRST_LOOK_SECONDS", 0.02)
    cluster = Cluster()
    cluster.collections[EVENTS] = events
    launched = launch(job((WEB,)), cluster=cluster)
    assert eventually(lambda: EVENTS in cluster.asked("LIST"))
    cluster.show(RUNNING)
    cluster.log(*life(WEB))
    assert launched.ended() == "its targets have finished"


def test_a_log_that_breaks_is_read_again_and_nothing_is_heard_twice(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,)))
    lines = life(WEB)
    launched.cluster.show(RUNNING)
    launched.cluster.log(*lines[:2], UNAVAILABLE)
    launched.cluster.log(UNAVAILABLE)
    launched.cluster.log(*lines[:2], lines[2][:20])  # cut in mid-line, politely
    launched.cluster.log(*lines)
    heard = launched.rest()
    assert told(heard)[-5:] == ["applied web-0", "armed web-0", "reverted web-0", "finished web-0", "ended"]
    assert [said.fresh for said in heard if said.event and said.event["event"] != "carrier"] == [True, True, False, False]


def test_garbage_in_the_log_is_told_to_the_log(launch: Callable[..., Launched], caplog: pytest.LogCaptureFixture) -> None:
    launched = launch(job((WEB,)))
    launched.cluster.show(RUNNING)
    launched.cluster.log("Traceback", "5", *life(WEB))
    assert launched.ended() == "its targets have finished"
    assert f"injector of {NODE} said: Traceback" in caplog.text


def test_a_log_opened_long_after_the_start_has_old_lines_first(launch: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_carrier, "PROMPT_SECONDS", 0.0)
    launched = launch(job((WEB,)))
    launched.cluster.show(RUNNING)
    launched.cluster.log(*life(WEB))
    assert {said.fresh for said in launched.rest()[:-1]} == {False}


@pytest.mark.parametrize("log", [[FORBIDDEN], [UNAVAILABLE] * 4])
def test_without_a_log_the_last_word_gives_the_verdict(launch: Callable[..., Launched], log: list[ApiProblem]) -> None:
    launched = launch()
    launched.cluster.show(RUNNING)
    launched.until("running")
    message = f"tn\n{OTHER}: not-applied: device eth9 is not there\n"
    launched.cluster.show(terminated(10, message=message))
    assert eventually(lambda: launched.carrier._sight.over_since)
    for problem in log:
        launched.cluster.log(problem)
    heard = launched.rest()
    words = [said for said in heard if said.event and said.event["event"] == "last-word"]
    assert [dict(said.event or {}) for said in words] == [
        {"time": 1767225601.0, "event": "last-word", "target": WEB, "status": "no-traffic", "reason": ""},
        {"time": 1767225601.0, "event": "last-word", "target": OTHER, "status": "not-applied", "reason": "device eth9 is not there"},
    ]
    assert not any(said.fresh for said in words)
    assert heard[-1].ended == "exit status 10"
    assert launched.cluster.withdrawn() == []  # it is over already


def test_the_last_word_is_asked_only_for_what_the_log_did_not_tell(launch: Callable[..., Launched]) -> None:
    launched = launch()
    launched.cluster.show(RUNNING)
    launched.cluster.log(*life(WEB), UNAVAILABLE)
    launched.until("finished")
    launched.cluster.show(terminated(11, message="pl\n"))
    for _ in range(100):
        launched.cluster.log(UNAVAILABLE)
    assert told(launched.rest())[:1] == ["last-word web-1"]


LOG = f"pp\n{line('armed', WEB)}\n"


@pytest.mark.parametrize(("message", "shown"), [
    ("", ""), ("Segmentation fault", "; its log ends: Segmentation fault"), ("ppp", "; its log ends: ppp"), (LOG, ""),
    (f"{LOG}MemoryError\n", "; its log ends: MemoryError"),
])  # fmt: skip
def test_a_message_of_somebody_else_is_no_last_word(launch: Callable[..., Launched], message: str, shown: str) -> None:
    launched = launch()
    launched.cluster.show(RUNNING)
    held = threading.Event()
    launched.cluster.log(held)
    launched.cluster.log()
    launched.until("running")
    launched.cluster.show(terminated(139, message=message))
    assert eventually(lambda: launched.carrier._sight.over_since)
    held.set()
    heard = launched.rest()
    assert heard[-1].ended == f"exit status 139 (SIGSEGV){shown}"
    assert told(heard) == [f"failed: {heard[-1].ended}"]


@pytest.mark.parametrize(("state", "words"), [
    (terminated(137, "OOMKilled"), "exit status 137 (SIGKILL, OOMKilled)"),
    (terminated(0, "Completed"), "exit status 0"),
    (terminated(128, "StartError", "failed to create containerd task"), "exit status 128 (StartError): failed to create containerd task"),
    ({**terminated(137), "status": {**terminated(137)["status"], "reason": "Evicted", "message": "low on memory"}},
     "exit status 137 (SIGKILL); Evicted: low on memory"),
    ({**terminated(143), "status": {**terminated(143)["status"], "conditions": [
        {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}]}},
     "exit status 143 (SIGTERM); EvictionByEvictionAPI: Eviction API: evicting"),
])  # fmt: skip
def test_a_pod_that_ends_in_mid_fault_says_how(launch: Callable[..., Launched], state: Object, words: str) -> None:
    launched = launch()
    launched.cluster.show(RUNNING)
    held = threading.Event()
    launched.cluster.log(line("armed", WEB, counters={}), held)
    launched.until("armed")
    launched.cluster.show(state)
    launched.cluster.log(line("armed", WEB, counters={}))
    assert eventually(lambda: launched.carrier._sight.over_since)
    held.set()
    assert launched.ended() == words


def test_a_pod_that_is_deleted_in_mid_fault(launch: Callable[..., Launched]) -> None:
    launched = launch()
    launched.cluster.show(RUNNING)
    held = threading.Event()
    launched.cluster.log(line("armed", WEB, counters={}), held)
    launched.until("armed")
    launched.cluster.remove(terminated(137))
    assert eventually(lambda: launched.carrier._sight.gone)
    held.set()
    heard = launched.rest()
    assert heard[-1].ended == "its pod was deleted; exit status 137 (SIGKILL)"
    assert told(heard) == ["failed: its pod was deleted; exit status 137 (SIGKILL)"]


def test_a_pod_that_is_gone_without_a_trace_takes_its_job_along(launch: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_carrier, "DRAIN_SECONDS", 0.05)
    launched = launch()
    launched.cluster.show(RUNNING)
    launched.cluster.log(line("armed", WEB, counters={}), threading.Event())  # a stream that nobody ends
    launched.until("armed")
    launched.cluster.remove()
    assert launched.ended() == "its pod was deleted"
    assert launched.cluster.withdrawn() == [BY_NAME]  # so that no other pod comes


def test_another_pod_of_the_job_is_not_taken_for_it(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,)))
    launched.cluster.show(RUNNING)
    held = threading.Event()
    launched.cluster.log(held, *life(WEB))
    launched.until("running")
    launched.cluster.remove({**RUNNING, "metadata": {**RUNNING["metadata"], "uid": "another"}})
    assert eventually(launched.cluster.changes[PODS].empty)
    held.set()
    assert launched.ended() == "its targets have finished"


def test_a_log_that_is_over_again_and_again_ends_it_without_a_look(launch: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_carrier, "MOST_READINGS", 2)
    launched = launch()
    launched.cluster.show(RUNNING)
    launched.cluster.log(*life(WEB))
    launched.cluster.log(*life(WEB))
    assert launched.ended() == "its log ended, and nothing tells how it did"
    assert launched.cluster.withdrawn() == [BY_NAME]


def test_what_is_never_heard_of_ends_a_minute_after_its_deadline(launch: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_carrier, "FIRST_LOOK_SECONDS", 0.1)
    launched = launch(job(seconds=-59.8))
    assert launched.next().event
    assert launched.ended() == "nothing was heard of its end until 60 s after its deadline"
    assert launched.cluster.withdrawn() == [BY_NAME]


def test_a_silent_log_ends_a_minute_after_its_deadline(launch: Callable[..., Launched]) -> None:
    launched = launch(job(seconds=-59.5))
    launched.cluster.show(RUNNING)
    launched.cluster.log(line("armed", WEB, counters={}), threading.Event())
    assert launched.ended() == "nothing was heard of its end until 60 s after its deadline"


def test_pods_that_may_not_be_watched_end_what_does_not_run_yet(launch: Callable[..., Launched]) -> None:
    cluster = Cluster()
    cluster.collections[PODS] = ApiProblem("may not watch pods", "fake", "", status=403)
    launched = launch(cluster=cluster)
    assert launched.ended() == "its pod cannot be watched: may not watch pods"
    assert cluster.withdrawn() == [BY_NAME]


def test_a_watch_that_is_lost_does_not_end_a_log_that_is_heard(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,)))
    launched.cluster.show(RUNNING)
    held = threading.Event()
    launched.cluster.log(held, *life(WEB))
    launched.until("running")
    launched.cluster.changes[PODS].put(None)
    assert eventually(lambda: launched.carrier._sight.trouble)
    held.set()
    assert launched.ended() == "its targets have finished"


@pytest.mark.parametrize("problem", [
    ApiProblem('admission webhook "policy.example" denied the request: no hostPID', "fake", "ask", status=403, reason="Forbidden"),
    ApiProblem('namespaces "squall" not found', "fake", "make it", status=404, reason="NotFound"),
])  # fmt: skip
def test_a_refusal_of_the_job_is_told_in_the_servers_words(problem: ApiProblem) -> None:
    cluster = Cluster()
    cluster.answers[("POST", JOBS)] = problem
    with pytest.raises(ClusterProblem) as refused:
        Launched(cluster=cluster)
    assert refused.value.what == problem.what
    assert BY_NAME not in cluster.withdrawn()


@pytest.mark.parametrize("status", [0, 504])
def test_a_job_of_which_nobody_knows_whether_it_was_made_is_taken_away(status: int) -> None:
    cluster = Cluster()
    cluster.answers[("POST", JOBS)] = ApiProblem("no answer", "fake", "", status=status)
    with pytest.raises(ClusterProblem, match="no answer"):
        Launched(cluster=cluster)
    assert eventually(lambda: BY_NAME in cluster.withdrawn())


TAKEN = ApiProblem("already exists", "fake", "", status=409, reason="AlreadyExists")


def test_a_job_that_was_made_by_a_lost_first_attempt_is_ours(launch: Callable[..., Launched]) -> None:
    cluster = Cluster()

    def conflict(query: Any, body: Object | None) -> Object:
        cluster.collections[JOBS] = [{**(body or {}), "metadata": {"name": JOB, "namespace": "squall", "uid": "first"}}]
        raise TAKEN

    cluster.answers[("POST", JOBS)] = conflict
    launched = launch(job((WEB,)), cluster=cluster)
    cluster.show(RUNNING)
    cluster.log(*life(WEB))
    assert launched.ended() == "its targets have finished"


@pytest.mark.parametrize("found", [[], ApiProblem("may not list jobs", "fake", "", status=403), [
    {"metadata": {"name": JOB}, "spec": {"template": {"spec": {"containers": [{"env": [{"value": "{}"}]}]}}}},
]])  # fmt: skip
def test_a_job_of_the_same_run_by_somebody_else_is_a_conflict(found: list[Object] | ApiProblem) -> None:
    cluster = Cluster()
    cluster.answers[("POST", JOBS)] = TAKEN
    cluster.collections[JOBS] = found
    with pytest.raises(ClusterProblem) as refused:
        Launched(cluster=cluster)
    assert str(refused.value) == f"namespace squall: job {JOB} is already there: run {RUN} was started before\n  → squall cleanup --run {RUN}"


def test_the_pace_without_and_with_a_stream(launch: Callable[..., Launched]) -> None:
    without, streamed = launch().launcher, launch(job(stream=True), loss="stop").launcher
    assert (without.stream, without.pace.together_seconds) == (False, workload_pod.TOGETHER_SECONDS)
    assert (streamed.stream, streamed.pace.together_seconds) == (True, None)
    assert without.pace.start_seconds == streamed.pace.start_seconds == workload_pod.START_SECONDS


def test_a_pod_that_runs_is_told_to_end_directly_and_is_heard_to_its_end(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,)))
    launched.cluster.show(RUNNING)
    held = threading.Event()
    launched.cluster.log(held, *life(WEB, "interrupted"))
    launched.until("running")
    for word in ("start", "beat"):
        launched.carrier.say(word)
    launched.carrier.say("stop")
    launched.carrier.say("stop")
    assert eventually(lambda: launched.cluster.asked("DELETE"))
    held.set()
    assert launched.ended() == "its targets have finished"
    launched.carrier.end()
    assert launched.cluster.asked("DELETE") == [f"{PODS}/{POD}"]
    assert launched.cluster.asked("ATTACH") == []


def test_where_pods_may_not_be_deleted_their_job_is(launch: Callable[..., Launched], caplog: pytest.LogCaptureFixture) -> None:
    launched = launch()
    launched.cluster.answers[("DELETE", f"{PODS}/{POD}")] = ApiProblem("may not delete pods", "fake", "", status=403)
    launched.cluster.show(RUNNING)
    launched.cluster.log(threading.Event())
    launched.until("running")
    launched.carrier.end()
    assert eventually(lambda: launched.cluster.withdrawn() == [BY_NAME])
    assert "may not delete pods" in caplog.text


def test_what_is_told_to_end_before_its_pod_is_there_never_begins(launch: Callable[..., Launched]) -> None:
    launched = launch()
    launched.until("created")
    launched.carrier.end()
    assert launched.ended() == "it was told to end before its pod was there"
    assert launched.cluster.withdrawn() == [BY_NAME]


def test_an_end_that_failed_can_be_asked_for_again(launch: Callable[..., Launched]) -> None:
    launched = launch()
    launched.cluster.answers[("DELETE", JOBS)] = UNAVAILABLE
    launched.carrier.end()
    assert eventually(lambda: launched.cluster.withdrawn() and not launched.carrier._told)
    launched.cluster.answers[("DELETE", JOBS)] = {}
    launched.carrier.end()
    assert launched.ended() == "it was told to end before its pod was there"


def test_the_stream_carries_words_in_their_order_from_when_the_pod_runs(launch: Callable[..., Launched]) -> None:
    launched = launch(job((WEB,), stream=True), loss="stop")
    for word in ("beat", "start", "beat", "beat"):
        launched.carrier.say(word)
    launched.until("created")
    assert launched.cluster.asked("ATTACH") == []
    launched.cluster.show(RUNNING)
    held = threading.Event()
    launched.cluster.log(held, *life(WEB))
    assert eventually(lambda: launched.cluster.channel.sent == ["beat\n", "start\n"])
    launched.until("running")
    launched.carrier.say("stop")
    assert eventually(lambda: launched.cluster.channel.sent[-1] == "stop\n")
    held.set()
    assert launched.ended() == "its targets have finished"
    assert eventually(lambda: launched.cluster.channel.closed)
    attached = next(call for call in launched.cluster.calls if call[0] == "ATTACH")
    assert attached[1] == f"{PODS}/{POD}/attach"
    assert dict(attached[2]) == {"container": "injector", "stdin": "true", "stdout": "false", "stderr": "false"}
    assert launched.cluster.asked("DELETE") == []


def test_the_stream_connects_anew(launch: Callable[..., Launched]) -> None:
    cluster = Cluster()
    cluster.attaching = [UNAVAILABLE]
    launched = launch(job((WEB,), stream=True), cluster=cluster, loss="stop")
    cluster.show(RUNNING)
    held = threading.Event()
    cluster.log(held, *life(WEB))
    launched.carrier.say("start")
    assert cluster.attached.wait(5)
    assert eventually(lambda: cluster.channel.sent == ["start\n"])
    assert len(cluster.asked("ATTACH")) == 2
    held.set()
    assert launched.ended() == "its targets have finished"


def test_a_stream_before_its_pod_cannot_stop_it_so_its_job_goes(launch: Callable[..., Launched]) -> None:
    launched = launch(job(stream=True), loss="stop")
    launched.carrier.say("stop")
    assert launched.ended() == "it was told to end before its pod was there"


def test_close_takes_all_jobs_of_the_run_and_ends_who_still_listens() -> None:
    launched = Launched()
    launched.cluster.show(RUNNING)
    launched.cluster.log(threading.Event())
    launched.until("running")
    launched.launcher.close()
    assert launched.ended() == "the run was over"
    assert launched.cluster.withdrawn()[0] == ("labelSelector", f"squall.chaos/run={RUN}")
    launched.launcher.close()
    assert eventually(lambda: not [one for one in threading.enumerate() if NODE in one.name or "pods of the run" in one.name])


def test_close_names_what_is_left_and_the_command_against_it() -> None:
    launched = Launched()
    launched.cluster.answers[("DELETE", JOBS)] = UNAVAILABLE
    with pytest.raises(ClusterProblem) as left:
        launched.launcher.close()
    assert left.value.what == f"the Jobs of run {RUN} could not be deleted: the kubelet does not answer"
    assert (left.value.where, left.value.remedy) == ("namespace squall", f"squall cleanup --run {RUN}")
    assert launched.ended() == "the run was over"


def test_close_of_what_never_launched_asks_nothing() -> None:
    cluster = Cluster()
    workload_pod.PodLauncher(cluster, WORKLOAD, "finish").close()
    assert cluster.calls == []


def test_nothing_of_a_carrier_waits_for_a_slow_server(launch: Callable[..., Launched]) -> None:
    launched = launch()
    release = threading.Event()
    launched.cluster.answers[("DELETE", JOBS)] = lambda query, body: {"released": release.wait(60)}
    begin = time.monotonic()
    launched.carrier.say("stop")
    launched.carrier.end()
    assert time.monotonic() - begin < 30
    release.set()


def test_a_bug_in_the_thread_that_listens_still_ends_it(launch: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda arguments: logging.getLogger().info("as expected: %s", arguments.exc_value))
    monkeypatch.setattr(pod_carrier.PodCarrier, "_listen", lambda carrier: 1 // 0)
    launched = launch()
    launched.cluster.show(RUNNING)
    assert launched.ended() == "the thread that listened to it broke"
