"""`check`: exit codes, formats, and what is still looked at where something is in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_api import FakeApi

from chaos_modules.cli import check
from chaos_modules.cli.main import main
from chaos_modules.clusters.kubernetes.api import ApiProblem
from chaos_modules.clusters.kubernetes.cluster import Kubernetes
from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.model.errors import BadInput, ClusterProblem
from chaos_modules.model.workload import InjectionWorkload

PODS = "/api/v1/namespaces/squall/pods"
NODE = {
    "metadata": {"name": "worker-1"}, "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}], "images": [{"names": ["docker.io/library/squall-injector:1"]}],
        "nodeInfo": {"operatingSystem": "linux", "kubeletVersion": "v1.36.2"},
    },
}
TARGET = {
    "metadata": {"name": "web-0", "namespace": "shop", "uid": "1", "ownerReferences": [{"controller": True, "kind": "Deployment", "name": "web"}]},
    "spec": {"nodeName": "worker-1", "containers": [{"name": "web"}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "web", "containerID": "containerd://1", "state": {"running": {}}}]},
}
HOST_POD = {**TARGET, "metadata": {**TARGET["metadata"], "name": "web-1"}, "spec": {**TARGET["spec"], "hostNetwork": True}}
CONFIG = """
kraken: {chaos_scenarios: [{pod_network_fault_scenarios: [loss.yaml]}]}
"""
Told = Callable[..., dict[str, Any]]


class ClosingApi(FakeApi):
    """One that can be let go of."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def api(place: Path, monkeypatch: pytest.MonkeyPatch) -> ClosingApi:
    """The cluster that every command of the test finds: all is well there."""
    (place / "config.yaml").write_text(CONFIG, encoding="utf-8")
    served = ClosingApi()
    served.collections = {"/api/v1/nodes": [NODE], "/api/v1/namespaces/shop/pods": [TARGET]}
    served.answers["GET", "/version"] = {"gitVersion": "v1.36.2"}
    served.answers["POST", PODS] = {}
    served.answers["POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"] = {
        "status": {"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}], "incomplete": False}
    }
    workload = InjectionWorkload(namespace="squall", image="squall-injector:1")
    monkeypatch.setattr(check, "open_cluster", lambda *_: Kubernetes(served, workload))
    return served


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """The state (of several, the last) of every check of one command, by name, and what it saw."""

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        assert main(["check", "-c", "config.yaml", "--format", "json", *words], {}) == code
        document = json.loads(capsys.readouterr().out)
        assert document["passed"] is (code == 0)
        return {one["name"]: (one["state"], one["seen"]) for one in document["checks"]}

    return run


def states(found: dict[str, Any]) -> dict[str, str]:
    return {name: state for name, (state, _) in found.items()}


def test_all_is_well(api: ClosingApi, told: Told) -> None:
    found = told()
    assert {name for name, state in states(found).items() if state != "passed"} == {"prometheus"}
    assert found["targets"][1] == "pod-network-loss (loss.yaml:2:3): 1 of 1 are hit"
    assert api.closed
    assert [query for verb, path, query, _ in api.calls if (verb, path) == ("POST", PODS)] == [(("dryRun", "All"),)]


def test_a_scenario_without_target_is_a_check_and_no_crash(api: ClosingApi, told: Told) -> None:
    found = told("wrong.yaml", code=1)
    assert found["targets"][0] == "failed"
    assert "nearest: web" in found["targets"][1]
    assert (states(found)["api"], states(found)["pod-security"]) == ("passed", "passed")


def test_a_limit_that_is_enforced_is_a_check_too(api: ClosingApi, told: Told) -> None:
    found = told("--enforce-limits", code=1)
    assert (found["targets"][0], found["nodes"][0]) == ("skipped", "passed")
    assert told("--ignore", "targets", "--enforce-limits")["nodes"][0] == "passed"


def test_pods_in_their_nodes_network_are_told(api: ClosingApi, told: Told) -> None:
    api.collections["/api/v1/namespaces/shop/pods"] = [TARGET, HOST_POD]
    state, seen = told()["host-network"]
    assert (state, "shop/web-1 uses the node's own network" in seen) == ("warning", True)


@pytest.mark.parametrize("words", [["--pre"], ["--pre", "--set", "kraken.chaos_scenarios="]])
def test_without_a_scenario_the_cluster_alone(api: ClosingApi, told: Told, words: list[str]) -> None:
    found = told(*words)
    assert (states(found)["targets"], states(found)["host-network"], states(found)["nodes"]) == ("skipped", "skipped", "passed")
    assert "/api/v1/namespaces/shop/pods" not in api.asked("LIST")


def test_no_file_at_all_is_needed(api: ClosingApi, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "config.yaml").unlink()
    assert main(["check"], {}) == 0
    assert "√ api: " in capsys.readouterr().out


def test_targets_that_may_not_be_seen_do_not_hide_the_rest(api: ClosingApi, told: Told) -> None:
    api.collections["/api/v1/namespaces/shop/pods"] = ApiProblem("pods is forbidden", "fake", "add a rule", status=403)
    found = states(told(code=1))
    assert (found["nodes"], found["pod-security"], found["targets"]) == ("passed", "passed", "skipped")
    document = told("--ignore", "permissions")
    assert document["permissions"][0] in ("warning", "passed")


def test_services_that_may_not_be_looked_up_are_told_with_the_rules(api: ClosingApi, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "host.yaml").write_text((place / "loss.yaml").read_text(encoding="utf-8") + "  DESTINATION_HOSTS: api\n", encoding="utf-8")
    api.answers["GET", "/api/v1/namespaces/shop/services/api"] = ApiProblem("services is forbidden", "fake", "", status=403)
    assert main(["check", "-c", "config.yaml", "--format", "short", "host.yaml"], {}) == 0
    text = capsys.readouterr().out
    assert "‼ permissions: Service api in namespace shop may not be looked up" in text
    assert '- {apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"]}' in text


def test_nodes_that_may_not_be_seen(api: ClosingApi, told: Told) -> None:
    api.collections["/api/v1/nodes"] = ApiProblem("nodes is forbidden", "fake", "add a rule", status=403)
    found = states(told(code=1))
    assert (found["nodes"], found["pod-security"]) == ("skipped", "passed")


def test_a_server_that_does_not_answer(api: ClosingApi, told: Told) -> None:
    api.collections["/api/v1/nodes"] = ApiProblem("connection refused", "fake", "", status=0)
    assert states(told(code=1)) == {"api": "failed", "prometheus": "skipped"}
    assert api.closed


def test_a_cluster_that_cannot_be_opened(place: Path, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Kubernetes:
        raise ClusterProblem("there is no kubeconfig", "~/.kube/config", "set KUBECONFIG")

    monkeypatch.setattr(check, "open_cluster", refuse)
    assert told(code=1)["api"] == ("failed", "~/.kube/config: there is no kubeconfig")


def test_ignored_failures_warn(api: ClosingApi, told: Told) -> None:
    api.answers["POST", PODS] = ApiProblem("violates PodSecurity", "fake", "", status=403)
    assert told(code=1)["pod-security"][0] == "failed"
    assert told("--ignore", "pod-security")["pod-security"][0] == "warning"


def test_an_unknown_name_is_bad_input_and_nothing_is_asked(api: ClosingApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", "config.yaml", "--ignore", "pod-securty"], {}) == 255
    assert "did you mean pod-security?" in capsys.readouterr().err
    assert api.calls == []


def test_bad_input_is_bad_input(api: ClosingApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", "config.yaml", "absent.yaml"], {}) == 255
    assert "absent.yaml" in capsys.readouterr().err
    assert api.calls == []


def test_the_other_formats(api: ClosingApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", "config.yaml"], {}) == 0
    assert "√ api: the API server answers (v1.36.2)" in capsys.readouterr().out
    assert main(["check", "-c", "config.yaml", "--format", "short"], {}) == 0
    assert capsys.readouterr().out == "fake: 10 passed, 1 skipped\n"


@pytest.mark.parametrize(("problem", "state", "code"), [(None, "passed", 0), (ClusterProblem("nft is not installed", "", "install it"), "failed", 1)])
def test_the_sandbox_has_a_check_of_its_own(
    place: Path, told: Told, monkeypatch: pytest.MonkeyPatch, problem: ClusterProblem | None, state: str, code: int
) -> None:
    def preflight(*_: object) -> None:
        if problem:
            raise problem

    monkeypatch.setattr(Sandbox, "preflight", preflight)
    found = states(told("--sandbox-file", "sandbox.yaml", code=code))
    assert found == {"sandbox": state, "targets": "passed", "host-network": "passed", "prometheus": "skipped"}


def test_a_fault_that_cannot_be_is_bad_input(api: ClosingApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BadInput("no program can do that", "loss.yaml:2:3")

    monkeypatch.setattr(check, "planned", refuse)
    assert main(["check", "-c", "config.yaml"], {}) == 255
    assert api.closed
