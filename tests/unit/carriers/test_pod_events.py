"""What a carrier tells to whoever looks at its Job or at a target: Kubernetes events; and what it reads from a last word."""

from __future__ import annotations

from typing import Any

import pytest
from carrier_cluster import EVENTS, JOB, KEYS, RUNNING, Cluster, Launched, eventually, job, life, line, terminated

from chaos_modules.carriers.last_word import last_line, last_words
from chaos_modules.carriers.progress import Poster
from chaos_modules.clusters.kubernetes.api import ApiProblem, Object

WEB, OTHER = KEYS
TARGET_EVENTS = "/api/v1/namespaces/shop/events"


def lived(*logs: str, events: bool = False, document: Object | None = None, cluster: Cluster | None = None) -> Cluster:
    """A cluster in which an injector said these lines and its pod ended; everything was posted."""
    launched = Launched(document, cluster=cluster, events=events)
    launched.cluster.show(RUNNING)
    for _ in range(9):
        launched.cluster.log(*logs)
    launched.until("running")
    if not launched.carrier._progress.complete:
        launched.cluster.show(terminated(137, "OOMKilled"))
    launched.ended()
    launched.launcher.close()
    return launched.cluster


def reasons(cluster: Cluster, kind: str = "Job") -> list[str]:
    return [reason for about, reason, _ in cluster.posted() if about == kind]


def test_the_job_shows_each_step_of_a_fault() -> None:
    cluster = lived(*life(WEB), *life(OTHER))
    assert cluster.posted() == [
        ("Job", "FaultStarting", f"2 targets: {WEB}, {OTHER}"), ("Job", "FaultInEffect", "on 2 targets"),
        ("Job", "FaultReverted", "on 2 targets, nothing is left"),
    ]


def test_an_event_as_kubernetes_wants_it() -> None:
    cluster = lived(*life(WEB), document=job((WEB,)))
    path, body = next((path, body) for method, path, _, body in cluster.calls if method == "POST" and path.endswith("/events"))
    assert path == EVENTS
    assert body
    assert (body["apiVersion"], body["kind"], body["type"], body["count"]) == ("v1", "Event", "Normal", 1)
    assert body["involvedObject"] == {"apiVersion": "batch/v1", "kind": "Job", "namespace": "squall", "name": JOB, "uid": "job-uid"}
    assert (body["metadata"]["name"], body["metadata"]["namespace"]) == (f"{JOB}.faultstarting", "squall")
    assert body["metadata"]["labels"]["squall.chaos/run"] == "0badcafe"
    assert (body["source"], body["reportingComponent"]) == ({"component": "squall"}, "squall")
    assert body["firstTimestamp"] == body["lastTimestamp"]
    assert body["message"] == f"1 target: {WEB}"


def test_it_is_in_effect_only_when_every_target_is() -> None:
    refused = line("finished", OTHER, status="refused", reason="another run's leftovers")
    cluster = lived(*life(WEB), refused)
    assert reasons(cluster) == ["FaultStarting", "FaultFailed"]
    assert cluster.posted()[-1][2] == f"{OTHER}: refused: another run's leftovers"


@pytest.mark.parametrize(("lines", "words"), [
    ([line("armed", WEB, counters={})], f"{WEB}: exit status 137 (SIGKILL, OOMKilled)"),
    ([line("reverted", WEB, left=["tc qdisc del dev eth0 root"]), line("finished", WEB, status="passed", reason="")],
     f"{WEB}: something is left: tc qdisc del dev eth0 root"),
    ([line("finished", WEB, status="lapsed", reason="the lease ended")], f"{WEB}: lapsed: the lease ended"),
    ([line("last-word", WEB, status="passed", reason="residue: nft delete table")], f"{WEB}: passed: residue: nft delete table"),
])  # fmt: skip
def test_a_fault_that_failed_is_a_warning(lines: list[str], words: str) -> None:
    cluster = lived(*lines, document=job((WEB,)))
    assert cluster.posted()[-1] == ("Job", "FaultFailed", words)
    bodies = [body for _, path, _, body in cluster.calls if path == EVENTS and body]
    assert [body["type"] for body in bodies if body["reason"] != "FaultInEffect"] == ["Normal", "Warning"]


@pytest.mark.parametrize("status", ["passed", "interrupted", "no-traffic"])
def test_a_fault_that_ended_as_it_should_is_none(status: str) -> None:
    assert reasons(lived(*life(WEB, status), document=job((WEB,))))[-1] == "FaultReverted"


def test_long_messages_are_cut_where_kubernetes_would_refuse_them() -> None:
    keys = tuple(f"pod/shop/{'x' * 100}-{number}/egress" for number in range(20))
    messages = [message for _, _, message in lived(document=job(keys)).posted()]
    assert [len(message) for message in messages] == [1024, 1024]
    assert messages[0].endswith(" …")


def test_targets_get_events_when_asked() -> None:
    cluster = Cluster()
    cluster.answers[("POST", TARGET_EVENTS)] = {}
    document = job()
    document["injections"].append({"key": "node//worker-1/egress", "kind": "node", "find": {"host": True}, "deadline": 1e10})
    document["injections"][1]["find"] = {"container": "containerd://0"}  # of a plan that does not know the pod's uid
    lived(*life(WEB), *life(OTHER), *life("node//worker-1/egress"), events=True, document=document, cluster=cluster)
    assert reasons(cluster, "Pod") == ["FaultStarting", "FaultInEffect", "FaultReverted"]
    bodies = [body for method, path, _, body in cluster.calls if path == TARGET_EVENTS and body]
    assert bodies[0]["involvedObject"] == {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "uid-0"}
    assert bodies[0]["metadata"]["name"] == f"{JOB}.0.faultstarting"
    assert reasons(cluster) == ["FaultStarting", "FaultInEffect", "FaultReverted"]


def test_targets_get_none_when_not_asked() -> None:
    assert reasons(lived(*life(WEB), *life(OTHER)), "Pod") == []


def test_a_target_that_was_lost_gets_a_warning() -> None:
    cluster = Cluster()
    cluster.answers[("POST", TARGET_EVENTS)] = {}
    lived(line("armed", WEB, counters={}), events=True, document=job((WEB,)), cluster=cluster)
    assert reasons(cluster, "Pod") == ["FaultStarting", "FaultInEffect", "FaultFailed"]


def test_events_that_are_refused_are_logged_and_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster()
    cluster.answers[("POST", EVENTS)] = ApiProblem("may not create events", "fake", "", status=403, reason="Forbidden")
    lived(*life(WEB), *life(OTHER), cluster=cluster)
    assert len(cluster.posted()) == 1
    assert "may not create events" in caplog.text


def test_events_that_fail_once_do_not_stop_the_others() -> None:
    cluster = Cluster()
    cluster.answers[("POST", EVENTS)] = ApiProblem("busy", "fake", "", status=503)
    lived(*life(WEB), *life(OTHER), cluster=cluster)
    assert len(cluster.posted()) == 3


def test_nobody_waits_for_events() -> None:
    cluster, posted = Cluster(), list[Any]()
    cluster.answers[("POST", EVENTS)] = lambda query, body: posted.append(body) or {}
    poster = Poster(cluster)
    poster.close(1)  # nothing was ever posted
    poster.post({"metadata": {"namespace": "squall", "name": "x"}})
    poster.close(5)
    assert eventually(lambda: len(posted) == 1)


@pytest.mark.parametrize(("message", "found"), [
    ("pt\n", [("passed", ""), ("no-traffic", "")]),
    ("ir", [("interrupted", ""), ("refused", "")]),
    (f"ln\n{WEB}: lapsed: the lease ended: twice\n{OTHER}: not-applied:", [("lapsed", "the lease ended: twice"), ("not-applied", "")]),
    (f"pe\n{WEB}: passed: residue: nft delete table\n{OTHER}: not-in-ef\n(cut)\n", [("passed", "residue: nft delete table"), ("not-in-effect", "")]),
    (f"pe\n{OTHER[:9]}\n(cut)\n", [("passed", ""), ("not-in-effect", "")]),
    ("", []), ("p", []), ("ppp", []), ("px", []), ("Segmentation fault", []),
    # The end of a log, cut in the middle of a line.
    (f"pp\n{line('holding', WEB)}\n", []), ("ee\nKilled\n", []), (f"{line('armed', WEB)}\n", []),
])  # fmt: skip
def test_last_words(message: str, found: list[tuple[str, str]]) -> None:
    assert [(status, reason) for _, status, reason in last_words(message, KEYS)] == found


@pytest.mark.parametrize(("message", "shown"), [
    ("Traceback (most recent call last):\n  File x\nImportError: no module named\tjob\n\n", "ImportError: no module named\\tjob"),
    (f"ee\n{line('armed', WEB)}\nKilled\n", "Killed"), ("x" * 300, "x" * 200),
    (f"warning: a library's\n{line('holding', WEB)}\n", ""), ("pt\n", ""), (f"le\n{WEB}: lapsed: the lease ended\n(cut)\n", ""), ("", ""), ("\n", ""),
])  # fmt: skip
def test_what_a_log_ended_with_where_there_is_no_last_word(message: str, shown: str) -> None:
    assert last_line(message, KEYS) == shown
