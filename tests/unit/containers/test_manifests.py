"""The manifests that run Squall inside a cluster: least privilege for the runner, one pod template, and files that `validate` accepts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaos_modules import __version__
from chaos_modules.cli.main import main

FOLDER = Path(__file__).parents[3] / "containers" / "kubernetes"


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def test_the_runner_fits_a_restricted_namespace() -> None:
    pod = read("job.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert not {"hostPID", "hostNetwork", "hostIPC"} & pod.keys()
    assert {next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]} == {"configMap", "emptyDir"}


def test_the_runner_does_not_come_back_after_its_verdict() -> None:
    spec = read("job.yaml")["spec"]
    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")


def test_by_the_clock_it_is_the_same_pod() -> None:
    cron = read("cronjob/cronjob.yaml")["spec"]
    assert cron["jobTemplate"]["spec"] == read("job.yaml")["spec"]
    assert cron["concurrencyPolicy"] == "Forbid"


def test_the_image_is_that_of_this_version() -> None:
    assert read("kustomization.yaml")["images"] == [{"name": "squall-runner", "newTag": __version__}]


@pytest.mark.parametrize("name", ["config.yaml", "scenario.yaml"])
def test_the_shipped_files_are_valid_where_they_are_mounted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mounted = {one: (FOLDER / one).read_text().replace("/etc/squall/", f"{tmp_path}/") for one in ("config.yaml", "scenario.yaml")}
    for one, text in mounted.items():
        Path(one).write_text(text)
    assert main(["validate", *(["--config"] if name == "config.yaml" else []), name], {}) == 0
    Path("scenario.yaml").write_text(mounted["scenario.yaml"].replace("PERCENTAGE", "PERCENTAGES"))
    assert main(["validate", *(["--config"] if name == "config.yaml" else []), name], {}) == 255


def test_the_mount_points_are_those_of_the_configuration() -> None:
    (container,) = read("job.yaml")["spec"]["template"]["spec"]["containers"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    config = read("config.yaml")
    assert config["squall"]["record_directory"] in mounts
    assert Path(config["kraken"]["chaos_scenarios"][0]["pod_network_fault_scenarios"][0]).parent.as_posix() in mounts
    assert "/etc/squall/config.yaml" in container["args"]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is missing")
@pytest.mark.parametrize(("components", "kind", "other"), [("[]", "Job", "CronJob"), ("[cronjob]", "CronJob", "Job")])
def test_kustomize_renders_it(components: str, kind: str, other: str, tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    customized = copy / "kustomization.yaml"
    customized.write_text(customized.read_text().replace("components: []", f"components: {components}"))
    done = subprocess.run(["kubectl", "kustomize", str(copy)], capture_output=True, text=True, timeout=30, check=True)
    rendered = list(yaml.safe_load_all(done.stdout))
    kinds = [one["kind"] for one in rendered]
    assert kind in kinds
    assert other not in kinds
    (config,) = (one for one in rendered if one["kind"] == "ConfigMap")
    text = json.dumps(next(one for one in rendered if one["kind"] == kind))
    assert f'"configMap": {{"name": "{config["metadata"]["name"]}"}}' in text
    assert f'"squall-runner:{__version__}"' in text
