"""What a request needs of RBAC, and what refusals say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos_modules.clusters.kubernetes.api import ApiProblem
from chaos_modules.clusters.kubernetes.backoff import Passing
from chaos_modules.clusters.kubernetes.refusal import Request, Who, created_by, permission, refusal

WHO = Who(name="kind-dev", user="user ann")


@pytest.mark.parametrize(
    ("method", "path", "query", "sentence", "rule", "role"),
    [
        ("GET", "/api/v1/namespaces/shop/pods", (), "list pods in namespace shop",
         '{apiGroups: [""], resources: ["pods"], verbs: ["list"]}', "a Role in namespace shop"),
        ("GET", "/api/v1/pods", (("watch", "true"),), "watch pods", '{apiGroups: [""], resources: ["pods"], verbs: ["watch"]}', "a ClusterRole"),
        ("GET", "/api/v1/pods", (("watch", "false"),), "list pods", '{apiGroups: [""], resources: ["pods"], verbs: ["list"]}', "a ClusterRole"),
        ("GET", "/api/v1/namespaces/shop/pods/a/log", (), "get pods/log in namespace shop",
         '{apiGroups: [""], resources: ["pods/log"], verbs: ["get"]}', "a Role in namespace shop"),
        ("GET", "/api/v1/namespaces/shop/pods/a/attach", (), "create and get pods/attach in namespace shop",
         '{apiGroups: [""], resources: ["pods/attach"], verbs: ["create", "get"]}', "a Role in namespace shop"),
        ("POST", "/apis/batch/v1/namespaces/shop/jobs", (), "create jobs.batch in namespace shop",
         '{apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}', "a Role in namespace shop"),
        ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web", (), "patch deployments.apps in namespace shop",
         '{apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]}', "a Role in namespace shop"),
        ("DELETE", "/apis/batch/v1/namespaces/shop/jobs/a", (), "delete jobs.batch in namespace shop",
         '{apiGroups: ["batch"], resources: ["jobs"], verbs: ["delete"]}', "a Role in namespace shop"),
        ("DELETE", "/apis/batch/v1/namespaces/shop/jobs", (), "deletecollection jobs.batch in namespace shop",
         '{apiGroups: ["batch"], resources: ["jobs"], verbs: ["deletecollection"]}', "a Role in namespace shop"),
        ("GET", "/api/v1/nodes/worker", (), "get nodes", '{apiGroups: [""], resources: ["nodes"], verbs: ["get"]}', "a ClusterRole"),
        ("GET", "/api/v1/namespaces/shop", (), "get namespaces", '{apiGroups: [""], resources: ["namespaces"], verbs: ["get"]}', "a ClusterRole"),
        ("GET", "/api/v1/namespaces/shop/status", (), "get namespaces/status",
         '{apiGroups: [""], resources: ["namespaces/status"], verbs: ["get"]}', "a ClusterRole"),
        ("GET", "/version", (), "get /version", '{nonResourceURLs: ["/version"], verbs: ["get"]}', "a ClusterRole"),
        ("GET", "/apis/apps/v1", (), "get /apis/apps/v1", '{nonResourceURLs: ["/apis/apps/v1"], verbs: ["get"]}', "a ClusterRole"),
        ("GET", "/api", (), "get /api", '{nonResourceURLs: ["/api"], verbs: ["get"]}', "a ClusterRole"),
    ],
)  # fmt: skip
def test_what_a_request_needs_of_rbac(method: str, path: str, query: Any, sentence: str, rule: str, role: str) -> None:
    needed = permission(Request(method=method, path=path, query=query))
    assert (str(needed), needed.rule, needed.role) == (sentence, rule, role)


def refused(status: int, message: str, who: Who = WHO, path: str = "/api/v1/namespaces/shop/pods", **headers: str) -> ApiProblem:
    body = json.dumps({"kind": "Status", "message": message, "reason": "Because"}).encode()
    return refusal(who, Request(method="GET", path=path), status, body, headers)


def test_a_missing_permission_names_user_verb_resource_and_the_rule() -> None:
    user = "system:serviceaccount:ci:chaos"
    problem = refused(403, f'pods is forbidden: User "{user}" cannot list resource "pods" in API group "" in the namespace "shop"')
    assert str(problem) == (
        "kind-dev: GET /api/v1/namespaces/shop/pods: system:serviceaccount:ci:chaos may not list pods in namespace shop\n"
        '  → add to a Role in namespace shop that is bound to system:serviceaccount:ci:chaos: {apiGroups: [""], resources: ["pods"], verbs: ["list"]}'
    )


def test_what_admission_refuses_is_not_taken_for_rbac() -> None:
    message = 'pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged (container "injector" must not set …)'
    problem = refused(403, message.replace("…", "privileged"))
    assert "violates PodSecurity" in problem.what
    assert "not RBAC" in problem.remedy
    assert "apiGroups" not in problem.remedy


def test_who_is_nobody_to_the_server_is_told_to_log_in() -> None:
    problem = refused(403, 'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "shop"')
    assert "takes user ann for system:anonymous" in problem.what
    assert "log in again" in problem.remedy


def test_expired_credentials_say_whose_and_how_to_log_in() -> None:
    problem = refused(401, "Unauthorized")
    assert problem.what == "the API server does not accept the credentials of user ann: Unauthorized"
    assert "kubectl --context kind-dev auth whoami" in problem.remedy
    assert "the plugin `aws`" in refused(401, "Unauthorized", Who(name="kind-dev", user="user ann", plugin="aws")).remedy


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass(status: int) -> None:
    problem = refused(status, "later", Retry_After="7")
    assert isinstance(problem, Passing)
    assert (problem.status, problem.reason, problem.after) == (status, "Because", None)
    after = refusal(WHO, Request(method="GET", path="/"), status, b"", {"Retry-After": "7"})
    assert isinstance(after, Passing)
    assert (after.after, after.what) == (7.0, f"the API server answers {status}: HTTP status {status}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_what_does_not_pass(status: int) -> None:
    assert not isinstance(refused(status, "no"), Passing)


def test_a_container_that_is_gone_does_not_come_back() -> None:
    assert not isinstance(refused(500, "container injector not found in pod a_shop"), Passing)


def test_what_a_server_says_is_shown_on_one_line_and_not_at_any_length() -> None:
    problem = refusal(WHO, Request(method="GET", path="/"), 400, b"\x1b[31mred\nand <html>" + b"x" * 9999, {})
    assert problem.what.startswith("\\x1b[31mred\\nand <html>xxx")
    assert len(problem.what) < 300


def test_the_path_of_what_a_post_makes() -> None:
    made = Request(method="POST", path="/apis/batch/v1/namespaces/shop/jobs", body={"metadata": {"name": "a"}})
    assert created_by(made) == "/apis/batch/v1/namespaces/shop/jobs/a"
    assert created_by(Request(method="POST", path="/x", body={"metadata": {"generateName": "a-"}})) == ""
    assert created_by(Request(method="PUT", path="/x", body={"metadata": {"name": "a"}})) == ""
