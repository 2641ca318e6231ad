"""The Jobs and pods that carry the injector: what matters of them, and that hostile text is data there."""

from __future__ import annotations

import base64
import json
import random
import re
import zlib
from dataclasses import replace
from typing import Any

import pytest

from chaos_modules.clusters.kubernetes.api import Object
from chaos_modules.clusters.kubernetes.manifest import (
    LARGEST,
    LARGEST_PLAIN,
    image_warnings,
    job_manifest,
    job_text,
    labels,
    pod_manifest,
    probe_manifest,
    sweeper_manifest,
)  # fmt: skip
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.workload import InjectionWorkload, Toleration

WORKLOAD = InjectionWorkload(namespace="squall", image="registry.example/squall-injector:1.0")
NOW = 1_767_225_600.0  # the first second of 2026


def job(**changes: Any) -> Object:
    items = [{"key": f"pod/shop/web-{number}/egress", "deadline": NOW + 40.2 + number} for number in range(2)]
    return {"run": "0badcafe", "scenario": "pod-network-loss", "stream": False, "injections": items, "programs": [], **changes}


def made(workload: InjectionWorkload = WORKLOAD, node: str = "worker-1", **changes: Any) -> Object:
    return job_manifest(workload, node, "squall-0badcafe-1", job(**changes), NOW)


def spec_of(manifest: Object) -> Object:
    spec: Object = manifest["spec"]["template"]["spec"]
    return spec


def container_of(manifest: Object) -> Object:
    found: Object = spec_of(manifest)["containers"][0]
    return found


def test_a_job_runs_once_and_goes_by_itself() -> None:
    manifest = made()
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "Job")
    assert {key: value for key, value in manifest["spec"].items() if key != "template"} == {
        "completions": 1, "parallelism": 1, "backoffLimit": 0, "activeDeadlineSeconds": 42 + 30, "ttlSecondsAfterFinished": 300,
    }
    assert "ownerReferences" not in manifest["metadata"]
    assert job_manifest(WORKLOAD, "n", "n", job(), NOW + 500)["spec"]["activeDeadlineSeconds"] == 31  # a deadline of the past is none of its own


def test_it_is_found_again_by_its_labels() -> None:
    expected = {
        "app.kubernetes.io/name": "squall", "app.kubernetes.io/managed-by": "squall", "app.kubernetes.io/component": "injector",
        "squall.chaos/run": "0badcafe", "squall.chaos/scenario": "pod-network-loss",
    }  # fmt: skip
    manifest = made()
    assert manifest["metadata"]["labels"] == manifest["spec"]["template"]["metadata"]["labels"] == expected
    assert (manifest["metadata"]["namespace"], manifest["metadata"]["name"]) == ("squall", "squall-0badcafe-1")


def test_it_says_what_it_hits_and_until_when() -> None:
    annotations = made()["metadata"]["annotations"]
    assert annotations["squall.chaos/node"] == "worker-1"
    assert annotations["squall.chaos/targets"] == "pod/shop/web-0/egress, pod/shop/web-1/egress"
    assert annotations["squall.chaos/ends"] == "2026-01-01T00:00:42Z"
    many = made(injections=[{"key": f"pod/shop/{'x' * 60}-{number}/egress", "deadline": NOW + 9} for number in range(5000)])
    assert many["metadata"]["annotations"]["squall.chaos/targets"].endswith(" and 4980 more")
    assert len(many["metadata"]["annotations"]["squall.chaos/targets"]) < 2000


@pytest.mark.parametrize(("scenario", "value"), [
    ("pod-network-loss", "pod-network-loss"), ("Latency 50 ms, shop/web", "Latency-50-ms--shop-web"), ("ä", None), ("", None),
    ("-._x_.-", "x"), ("x" * 62 + "/y", "x" * 62), ("x" * 100, "x" * 63), ("a\nb: c", "a-b--c"),
])  # fmt: skip
def test_a_scenario_becomes_a_valid_label(scenario: str, value: str | None) -> None:
    found = labels("0badcafe", "injector", scenario).get("squall.chaos/scenario")
    assert found == value
    assert found is None or re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", found)


def test_the_scheduler_places_it_on_the_node() -> None:
    spec = spec_of(made())
    assert "nodeName" not in spec
    assert spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] == [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["worker-1"]}]},
    ]


def test_it_has_the_rights_that_it_needs_and_no_more() -> None:
    spec, rights = spec_of(made()), container_of(made())["securityContext"]
    assert (spec["hostPID"], spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (True, False, False)
    assert "hostNetwork" not in spec and "privileged" not in rights
    assert rights["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE"]}
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["seccompProfile"] == rights["appArmorProfile"] == {"type": "Unconfined"}
    assert rights["seLinuxOptions"] == {"type": "spc_t"}
    annotations = made()["spec"]["template"]["metadata"]["annotations"]
    assert annotations["container.apparmor.security.beta.kubernetes.io/injector"] == "unconfined"
    assert (spec["volumes"], container_of(made())["volumeMounts"]) == ([{"name": "tmp", "emptyDir": {}}], [{"name": "tmp", "mountPath": "/tmp"}])


def test_privileged_when_asked() -> None:
    rights = container_of(made(replace(WORKLOAD, security="privileged")))["securityContext"]
    assert rights["privileged"] is True
    assert "capabilities" not in rights


def test_it_ends_gracefully_and_once() -> None:
    spec = spec_of(made())
    assert (spec["restartPolicy"], spec["terminationGracePeriodSeconds"]) == ("Never", 30)
    assert container_of(made())["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_only_a_stream_opens_its_input() -> None:
    assert container_of(made(stream=True))["stdin"] is True
    assert "stdin" not in container_of(made())


def test_what_the_user_configured_and_nothing_where_nothing_was() -> None:
    rich = replace(
        WORKLOAD, pull_policy="Never", pull_secrets=("one", "two"), service_account="injector", priority_class="system-node-critical",
        node_selector={"pool": "chaos"}, resources={"requests": {"cpu": "10m"}, "limits": {"memory": "64Mi"}},
        tolerations=(
            Toleration(key="dedicated", value="db", effect="NoSchedule"), Toleration(operator="Exists"),
            Toleration(key="gone", operator="Exists", effect="NoExecute", seconds=0),
        ),
    )  # fmt: skip
    spec, container = spec_of(made(rich)), container_of(made(rich))
    assert spec["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert (spec["serviceAccountName"], spec["priorityClassName"]) == ("injector", "system-node-critical")
    assert spec["nodeSelector"] == {"pool": "chaos"}
    assert spec["tolerations"] == [
        {"key": "dedicated", "operator": "Equal", "value": "db", "effect": "NoSchedule"}, {"operator": "Exists"},
        {"key": "gone", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0},
    ]
    assert (container["image"], container["imagePullPolicy"]) == ("registry.example/squall-injector:1.0", "Never")
    assert container["resources"] == {"requests": {"cpu": "10m"}, "limits": {"memory": "64Mi"}}
    absent = ("imagePullSecrets", "serviceAccountName", "priorityClassName", "nodeSelector", "tolerations")
    assert not set(absent) & set(spec_of(made()))
    assert "resources" not in container_of(made())


HOSTILE = ('worker-1"}]},"hostNetwork":true', "a\n- b: c", "$(KUBERNETES_SERVICE_HOST)", "$$", "'; rm -rf / #", "{{ x }}")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_data_and_nothing_else(text: str) -> None:
    """The same keys everywhere as with harmless text, and the text itself only as a value."""
    hostile = made(node=text, scenario=f"x{text}", cleanup=text)
    assert _shape(hostile) == _shape(made(scenario="x", cleanup="y"))
    terms = spec_of(hostile)["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchFields"][0]["values"] == [text]
    variable = container_of(hostile)["env"][0]["value"]
    assert "$" not in variable  # Kubernetes would expand it
    assert json.loads(variable)["cleanup"] == text


def _shape(value: Any) -> Any:
    """The keys of a document, without its texts."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else type(value)


def test_a_small_job_is_readable_and_a_long_one_is_compressed() -> None:
    small, long = job(), job(programs=[{"rules": "x" * LARGEST_PLAIN}])
    assert json.loads(job_text(small, "n")) == small
    text = job_text(long, "n")
    assert text.startswith("z:")
    assert json.loads(zlib.decompress(base64.b64decode(text[2:]))) == long
    assert len(text) < LARGEST_PLAIN


def test_a_job_that_no_environment_takes_is_refused_before_anything_is_asked() -> None:

    noise = "".join(random.Random(1).choices("0123456789abcdef", k=4 * LARGEST))
    with pytest.raises(ClusterProblem) as refused:
        made(programs=[{"rules": noise}])
    assert "the 2 targets on it make a job of" in refused.value.what
    assert refused.value.where == "node worker-1"
    assert "a smaller percentage" in refused.value.remedy
    assert LARGEST + len("SQUALL_JOB=") < 128 * 1024


def test_a_sweeper_gets_everywhere_and_does_not_stay() -> None:
    manifest = sweeper_manifest(replace(WORKLOAD, tolerations=(Toleration(key="a"),)), "n1", "squall-sweep-1", "cafecafe", run="", remove=True)
    container = container_of(manifest)
    assert container["command"] == ["python3", "/opt/squall/sweep.py"]
    assert container["env"][0]["name"] == "SQUALL_SWEEP"
    assert json.loads(container["env"][0]["value"]) == {"run": "", "remove": True}
    assert spec_of(manifest)["tolerations"] == [{"operator": "Exists"}]
    assert manifest["spec"]["activeDeadlineSeconds"] == 120
    metadata = manifest["spec"]["template"]["metadata"]
    assert (metadata["labels"]["squall.chaos/run"], metadata["labels"]["app.kubernetes.io/component"]) == ("cafecafe", "sweeper")
    assert metadata["annotations"]["squall.chaos/node"] == "n1"
    assert container["securityContext"] == container_of(made())["securityContext"]


def test_a_probe_has_no_right_at_all() -> None:
    pod = probe_manifest(WORKLOAD, "n1", "squall-0badcafe-probe", "0badcafe")
    spec, container = pod["spec"], pod["spec"]["containers"][0]
    assert (pod["kind"], pod["metadata"]["name"], pod["metadata"]["namespace"]) == ("Pod", "squall-0badcafe-probe", "squall")
    assert not {"hostPID", "hostNetwork", "hostIPC"} & set(spec)
    assert container["command"] == ["python3", "--version"]
    rights = container["securityContext"]
    assert (rights["runAsNonRoot"], rights["allowPrivilegeEscalation"]) == (True, False)
    assert (rights["capabilities"], rights["seccompProfile"]) == ({"drop": ["ALL"]}, {"type": "RuntimeDefault"})
    assert not {"seLinuxOptions", "appArmorProfile", "privileged"} & set(rights)
    assert "unconfined" not in json.dumps(pod)
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "probe"


def test_a_dry_run_sees_the_pod_that_the_job_would_make() -> None:
    template = made()["spec"]["template"]
    pod = pod_manifest(WORKLOAD, "squall-0badcafe-dry-run", template)
    assert pod["spec"] == template["spec"]
    assert pod["metadata"] == {**template["metadata"], "name": "squall-0badcafe-dry-run", "namespace": "squall"}


@pytest.mark.parametrize(("image", "policy", "words"), [
    ("squall-injector", "IfNotPresent", "has no tag, which means latest: each node may have another one"),
    ("host:5000/squall-injector", "Never", "has no tag"),
    ("squall-injector:latest", "IfNotPresent", "has the tag latest"),
    ("squall-injector:latest", "Always", "it may be another one at the next run"),
])  # fmt: skip
def test_an_image_that_may_surprise_is_named(image: str, policy: str, words: str) -> None:
    assert words in image_warnings(image, policy)[0]


@pytest.mark.parametrize("image", ["squall-injector:1.0", "host:5000/a/b:1", "a@sha256:00", "a:latest@sha256:00", "host:5000/a:1"])
def test_an_image_that_is_what_it_is_surprises_nobody(image: str) -> None:
    assert not image_warnings(image, "IfNotPresent")
