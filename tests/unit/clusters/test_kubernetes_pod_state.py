"""What a pod object says: how far it is, why it never will be, how it ended. Most of it is shown where it is used, by the carriers' tests."""

from __future__ import annotations

import pytest

from chaos_modules.clusters.kubernetes.api import Object
from chaos_modules.clusters.kubernetes.pod_state import ended, ending, failure, last_words, pulling, ran, stage


def pod(phase: str = "Pending", node: str = "n1", **state: Object) -> Object:
    return {"spec": {"nodeName": node}, "status": {"phase": phase, **({"containerStatuses": [{"state": state}]} if state else {})}}


def waiting(reason: str, message: str = "") -> Object:
    return pod(waiting={"reason": reason, "message": message})


@pytest.mark.parametrize(("seen", "expected"), [
    ({}, "created"), (pod(node=""), "created"), (pod(), "scheduled"), (waiting("ContainerCreating"), "scheduled"),
    (pod("Running", running={}), "running"), (pod("Succeeded", terminated={"exitCode": 0}), "ended"), (pod("Running", terminated={}), "ended"),
    (pod("Failed"), "ended"), ({"status": {"containerStatuses": [{"state": None}]}}, "created"),
])  # fmt: skip
def test_how_far_it_is(seen: Object, expected: str) -> None:
    assert stage(seen) == expected
    assert ended(seen) is (expected == "ended")


def test_a_pod_that_failed_before_its_container_ran_has_no_log() -> None:
    assert (ran(pod("Failed")), ran(pod("Failed", terminated={"exitCode": 1}))) == (False, True)
    assert (failure(pod("Failed")), failure(pod("Failed", terminated={"exitCode": 12}))) == ("Failed", "")


@pytest.mark.parametrize("message", [
    'failed to resolve reference "x:1": x:1: not found', "manifest unknown", "pull access denied", "unauthorized: authentication required",
    "dial tcp: lookup registry.example: no such host", "no match for platform in manifest",
])  # fmt: skip
def test_a_pull_that_cannot_succeed(message: str) -> None:
    assert failure(waiting("ErrImagePull", message)) == f"ErrImagePull: {message}"


@pytest.mark.parametrize("message", ["dial tcp 10.0.0.1:443: i/o timeout", "connection refused", "TLS handshake timeout", "502 Bad Gateway", ""])
def test_a_pull_that_may_succeed_yet(message: str) -> None:
    seen = waiting("ErrImagePull", message)
    assert (failure(seen), pulling(seen)) == ("", message)
    assert failure(waiting("ImagePullBackOff", "back-off"), pulling(seen)) == f"ImagePullBackOff: back-off{message and f' ({message})'}"
    assert failure(waiting("ImagePullBackOff", f"back-off: {message}"), pulling(seen)) == f"ImagePullBackOff: back-off: {message}"


def test_how_it_ended_and_its_last_words() -> None:
    seen = pod("Failed", terminated={"exitCode": 12, "reason": "Error", "message": "p\n", "finishedAt": "2026-01-01T00:00:01Z"})
    assert ending(seen) == "exit status 12"
    assert last_words(seen) == ("p\n", 1767225601.0)
    assert (ending(pod("Running", running={})), last_words(pod("Running", running={}))) == ("", ("", None))
