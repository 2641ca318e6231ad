"""The object probe: the path of the API, what is found there, and what an answer of the API server means."""

from __future__ import annotations

from typing import Any

import pytest

from chaos_modules.model.condition import condition_of
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.observation import Sample
from chaos_modules.model.probe import ObjectProbe
from chaos_modules.observe.probes.asking_object import ask_object, path_of, resource_of

WEB: dict[str, Any] = {"spec": {"replicas": 3}, "status": {"readyReplicas": 2, "conditions": [{"type": "Available", "status": "False"}]}}


class Problem(ClusterProblem):
    """As the API's: with the status of HTTP."""

    def __init__(self, status: int) -> None:
        super().__init__("no", "cluster", "try")
        self.status = status


def probe(condition: str = "status.readyReplicas >= 2", **other: Any) -> ObjectProbe:
    path, comparison, value = condition_of(condition)
    whole = {"api_version": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web", **other}
    return ObjectProbe(path=path, comparison=comparison, value=value, **whole)


def ask(condition: str) -> Sample:
    return ask_object(probe(condition), {"/apis/apps/v1/namespaces/shop/deployments/web": WEB}.__getitem__)


@pytest.mark.parametrize(("kind", "plural"), [
    ("Pod", "pods"), ("Deployment", "deployments"), ("Ingress", "ingresses"), ("NetworkPolicy", "networkpolicies"),
    ("StorageClass", "storageclasses"),
    ("Endpoints", "endpoints"), ("EndpointSlice", "endpointslices"), ("Gateway", "gateways"), ("Prometheus", "prometheuses"),
    ("PodDisruptionBudget", "poddisruptionbudgets"), ("VirtualMachineInstance", "virtualmachineinstances"),
    ("NetworkAttachmentDefinition", "network-attachment-definitions"), ("SecurityContextConstraints", "securitycontextconstraints"),
])  # fmt: skip
def test_a_kind_has_the_plural_of_its_resource(kind: str, plural: str) -> None:
    assert resource_of(kind) == plural


@pytest.mark.parametrize(("other", "path"), [
    ({}, "/apis/apps/v1/namespaces/shop/deployments/web"),
    ({"api_version": "v1", "kind": "Service"}, "/api/v1/namespaces/shop/services/web"),
    ({"api_version": "v1", "kind": "Node", "namespace": "", "name": "one"}, "/api/v1/nodes/one"),
    ({"api_version": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "namespace": "", "name": "system:node"},
     "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode"),
    ({"name": "../../secrets/x"}, "/apis/apps/v1/namespaces/shop/deployments/..%2F..%2Fsecrets%2Fx"),
])  # fmt: skip
def test_the_path_is_the_apis(other: dict[str, str], path: str) -> None:
    assert path_of(probe(**other)) == path


@pytest.mark.parametrize(("condition", "good", "detail"), [
    ("status.readyReplicas >= 2", True, ""),
    ("status.readyReplicas >= 3", False, "status.readyReplicas is 2, expected >= 3"),
    ("status.conditions[type=Available].status == True", False, "status.conditions[type=Available].status is 'False', expected == True"),
    ("status.conditions[type=Available].status != True", True, ""),
    ("status.unavailableReplicas == 0", False, "it has no status.unavailableReplicas; Kubernetes leaves out many fields that are 0 or empty"),
    ("status.unavailableReplicas == null", True, ""),
    ("spec.replicas == null", False, "spec.replicas is 3, expected == null"),
    ("status.unavailableReplicas != null", False, "status.unavailableReplicas is null, expected != null"),
])  # fmt: skip
def test_the_condition_decides(condition: str, good: bool, detail: str) -> None:
    sample = ask(condition)
    assert (sample.good, sample.detail, sample.seconds) == (good, detail, None)


def answering(status: int) -> Sample:
    def read(_: str) -> dict[str, Any]:
        raise Problem(status)

    return ask_object(probe(), read)


def test_an_object_that_is_not_there_is_bad() -> None:
    assert (answering(404).good, answering(404).detail) == (False, "there is no Deployment shop/web")


@pytest.mark.parametrize("status", [401, 403])
def test_an_object_that_may_not_be_seen_is_unknown_with_the_rule_that_allows_it(status: int) -> None:
    sample = answering(status)
    assert sample.good is None
    rule = '{apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"]}'
    assert sample.detail == f"may not be seen (status {status}); add to your role: {rule}"


def test_a_silent_api_server_is_unknown() -> None:
    assert (answering(0).good, answering(500).good) == (None, None)
    assert answering(0).detail == "the API server could not be asked: no"


def test_an_error_without_a_status_is_unknown() -> None:
    def read(_: str) -> dict[str, Any]:
        raise ClusterProblem("there is none")

    assert ask_object(probe(), read).good is None
