"""Which cluster a run is for, how its carriers are made, and what starts them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_api import FakeApi

from chaos_modules.carriers.local import LocalLauncher
from chaos_modules.carriers.workload_pod import PodLauncher
from chaos_modules.cli import choosing
from chaos_modules.cli.arguments import parse
from chaos_modules.clusters.kubernetes.cluster import Kubernetes
from chaos_modules.clusters.protocol import Cluster
from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.loading.configuration import Configuration, Squall
from chaos_modules.loading.overrides import load_configuration
from chaos_modules.model.errors import BadInput, BadInputs
from chaos_modules.model.workload import INJECTOR_IMAGE, InjectionWorkload, Toleration


class ClosingApi(FakeApi):
    """One that can be let go of."""

    closed = False

    def close(self) -> None:
        self.closed = True


def never(_: float) -> bool:
    return False


def words(*given: str) -> argparse.Namespace:
    return parse(["run", *given])


def configured(**settings: Any) -> Configuration:
    """As `--set` would: paths with `__` for dots."""
    texts = {name.replace("__", "."): yaml.safe_dump(value) for name, value in settings.items()}
    return load_configuration(None, texts, {}, ())


def kubeconfig(path: Path, *contexts: str) -> str:
    """A kubeconfig whose contexts, of which the first is chosen, tell which file it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": contexts[0], "users": [{"name": "ann", "user": {"token": "sesame"}}],
        "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": name, "context": {"cluster": "here", "user": "ann"}} for name in contexts],
    }), encoding="utf-8")  # fmt: skip
    return str(path)


@pytest.fixture
def files(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig in each place where one may be."""
    monkeypatch.setenv("HOME", str(place / "home"))
    monkeypatch.setenv("KUBECONFIG", kubeconfig(place / "variable", "by-variable"))
    kubeconfig(place / "home" / ".kube" / "config", "standard")
    kubeconfig(place / "configured", "by-configuration", "second")
    kubeconfig(place / "flagged", "by-flag", "second")
    return place


@pytest.fixture
def opened() -> Iterator[Callable[..., Cluster]]:
    """Open a cluster that is let go of in the end."""
    clusters: list[Cluster] = []

    def open_one(arguments: argparse.Namespace, configuration: Configuration) -> Cluster:
        clusters.append(choosing.open_cluster(arguments, configuration, never))
        return clusters[-1]

    yield open_one
    for cluster in clusters:
        cluster.close()


@pytest.mark.parametrize(("given", "path", "name"), [
    (["--kubeconfig", "flagged"], "configured", "by-flag"),
    ([], "configured", "by-configuration"),
    (["--kubeconfig", "flagged"], "~/.kube/config", "by-flag"),
    ([], "~/.kube/config", "by-variable"),   # krkn's own configuration names the standard file, and means what kubectl means
    (["--kubeconfig", "~/.kube/config"], "configured", "standard"),
    ([], "", "by-variable"),
])
@pytest.mark.usefixtures("files")
def test_the_flag_then_the_configuration_then_the_variable(given: list[str], path: str, name: str, opened: Callable[..., Cluster]) -> None:
    assert opened(words(*given), configured(kraken__kubeconfig_path=path)).name == name


@pytest.mark.parametrize("path", ["", "~/.kube/config"])
@pytest.mark.usefixtures("files")
def test_without_the_variable_the_standard_file_holds(path: str, opened: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG")
    assert opened(words(), configured(kraken__kubeconfig_path=path)).name == "standard"


@pytest.mark.usefixtures("files")
def test_a_kubeconfig_that_is_named_and_not_there_is_not_passed_over() -> None:
    with pytest.raises(BadInput, match="this kubeconfig is not there"):
        choosing.open_cluster(words(), configured(kraken__kubeconfig_path="absent"), never)


@pytest.mark.usefixtures("files")
def test_the_context_is_the_one_given(opened: Callable[..., Cluster]) -> None:
    assert opened(words("--context", "second"), configured(kraken__kubeconfig_path="configured")).name == "second"
    with pytest.raises(BadInput, match="there is no context third"):
        opened(words("--context", "third"), configured(kraken__kubeconfig_path="configured"))


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("settings", "facts"), [
    ({}, (False, False, "squall")),
    ({"squall__on_runner_loss": "finish"}, (False, False, "squall")),
    ({"squall__on_runner_loss": "stop"}, (True, False, "squall")),
    ({"squall__target_events": True, "squall__namespace": "chaos"}, (False, True, "chaos")),
])
def test_the_cluster_knows_what_the_run_needs(settings: dict[str, Any], facts: Any, opened: Callable[..., Cluster]) -> None:
    cluster = opened(words(), configured(**settings))
    assert isinstance(cluster, Kubernetes)
    assert (cluster.stop, cluster.target_events, cluster.workload.namespace) == facts


@pytest.mark.usefixtures("files")
def test_the_required_context(opened: Callable[..., Cluster]) -> None:
    assert opened(words("--require-context", "by-variable"), configured()).name == "by-variable"
    with pytest.raises(BadInput) as caught:
        opened(words("--require-context", "production"), configured())
    assert (caught.value.what, caught.value.where) == ("the cluster is by-variable, not production", "--require-context")


def test_a_cluster_that_is_not_the_required_one_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    api = ClosingApi()
    cluster = Kubernetes(api, InjectionWorkload(namespace="squall", image="i"))
    monkeypatch.setattr(choosing, "open_kubernetes", lambda *_: cluster)
    assert choosing.open_cluster(words("--require-context", "fake"), configured(), never) is cluster
    assert api.closed is False
    with pytest.raises(BadInput, match="the cluster is fake, not production"):
        choosing.open_cluster(words("--require-context", "production"), configured(), never)
    assert api.closed is True


@pytest.mark.parametrize(("given", "settings", "path"), [
    (["--sandbox-file", "a.yaml"], {"squall__sandbox_file": "b.yaml"}, "a.yaml"),
    (["--sandbox"], {"squall__sandbox_file": "b.yaml"}, "b.yaml"),
    ([], {"squall__sandbox_file": "b.yaml"}, "b.yaml"),
    (["--sandbox"], {}, "config/sandbox.yaml"),
    ([], {}, None),
])
def test_what_describes_the_sandbox(given: list[str], settings: dict[str, Any], path: str | None) -> None:
    assert choosing.sandbox_file(words(*given), configured(**settings)) == path


@pytest.mark.usefixtures("files")
def test_a_sandbox_is_named_after_its_file(opened: Callable[..., Cluster], files: Path) -> None:
    cluster = opened(words("--sandbox-file", "sandbox.yaml", "--require-context", "sandbox (sandbox.yaml)"), configured())
    assert (type(cluster), cluster.name) == (Sandbox, "sandbox (sandbox.yaml)")
    (files / "sandbox.yaml").write_text("nodes: [worker-1]\npods: [{name: web-0, namespace: shop, lables: {}}]\n", encoding="utf-8")
    with pytest.raises(BadInputs, match=r"sandbox\.yaml:2:.*lables"):
        opened(words("--sandbox-file", "sandbox.yaml"), configured())


def test_the_carrier_pods_unless_configured() -> None:
    assert choosing.injection_workload(Squall()) == InjectionWorkload(
        namespace="squall", image=INJECTOR_IMAGE, resources={"requests": {}, "limits": {}}
    )


def test_the_carrier_pods_as_configured() -> None:
    injector = {
        "image": "registry.example/injector:2", "pull_policy": "Never", "pull_secrets": ["registry"], "service_account": "injector",
        "security": "privileged", "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "128Mi"}}, "node_selector": {"disk": "fast"},
        "tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 300}],
        "taints": ["dedicated=chaos:NoSchedule", "gpu:NoExecute"], "priority_class": "high",
    }
    assert choosing.injection_workload(configured(squall__injector=injector, squall__namespace="chaos").squall) == InjectionWorkload(
        namespace="chaos", image="registry.example/injector:2", pull_policy="Never", pull_secrets=("registry",), service_account="injector",
        security="privileged", resources={"requests": {"cpu": "10m"}, "limits": {"memory": "128Mi"}}, node_selector={"disk": "fast"},
        tolerations=(
            Toleration(operator="Exists"), Toleration(key="a", value="b", effect="NoExecute", seconds=300),
            Toleration(key="dedicated", value="chaos", effect="NoSchedule"), Toleration(key="gpu", operator="Exists", effect="NoExecute"),
        ),
        priority_class="high",
    )  # fmt: skip


@pytest.mark.parametrize("taint", ["dedicated", "dedicated=chaos:Sometimes", ":NoSchedule"])
def test_a_taint_that_is_none_is_told_by_the_configuration(taint: str) -> None:
    with pytest.raises(BadInputs, match=r"squall\.injector\.taints"):
        configured(squall__injector__taints=[taint])


@pytest.mark.parametrize(("settings", "stream", "loss"), [
    ({}, False, "finish"), ({"on_runner_loss": "finish"}, False, "finish"), ({"on_runner_loss": "stop"}, True, "stop"),
])
def test_a_cluster_s_injectors_are_pods(settings: dict[str, Any], stream: bool, loss: str) -> None:
    api = FakeApi()
    cluster = Kubernetes(api, InjectionWorkload(namespace="squall", image="i"))
    launcher, told, command = choosing.launcher_for(cluster, Squall(**settings))
    assert (type(launcher), launcher.stream, told, command) == (PodLauncher, stream, loss, "python run_chaos.py cleanup")
    assert api.calls == []


@pytest.mark.parametrize(("settings", "loss"), [({}, "stop"), ({"on_runner_loss": "stop"}, "stop"), ({"on_runner_loss": "finish"}, "finish")])
def test_a_sandbox_s_injectors_are_processes(settings: dict[str, Any], loss: str, opened: Callable[..., Cluster], place: Path) -> None:
    sandbox = opened(words("--sandbox-file", str(place / "sandbox.yaml")), configured())
    launcher, told, command = choosing.launcher_for(sandbox, Squall(**settings))
    assert (type(launcher), told, command) == (LocalLauncher, loss, "python run_chaos.py cleanup --sandbox")
