"""`make image-load`: which program takes an archive into which cluster. The programs are stubs that print how they were called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

LOAD = Path(__file__).parents[3] / "containers" / "load.sh"


def load(tmp_path: Path, context: str, *programs: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load image.tar where kubectl's context is that and those programs are installed."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    for name, text in (("kubectl", f"echo {context}"), *((program, 'echo "${0##*/} $*"') for program in programs)):
        (bin_folder / name).write_text(f"#!{bin_folder / 'sh'}\n{text}\n")
        (bin_folder / name).chmod(0o755)
    (tmp_path / "image.tar").touch()
    return subprocess.run(
        [str(bin_folder / "sh"), str(LOAD), "image.tar"], cwd=tmp_path, env={"PATH": str(bin_folder), **environment},
        capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("context", "program", "called"),
    [
        ("kind-test", "kind", "kind load image-archive image.tar --name test"),
        ("k3d-one-two", "k3d", "k3d image import image.tar --cluster one-two"),
        ("minikube", "minikube", "minikube image load image.tar"),
        ("default", "k3s", "k3s ctr images import image.tar"),
    ],
)
def test_the_context_and_the_programs_tell_the_cluster(tmp_path: Path, context: str, program: str, called: str) -> None:
    done = load(tmp_path, context, program)
    assert (done.returncode, done.stdout.strip()) == (0, called)


def test_a_cluster_can_be_named(tmp_path: Path) -> None:
    assert load(tmp_path, "kind-test", "ctr", CLUSTER="containerd").stdout.strip() == "ctr --namespace k8s.io images import image.tar"


def test_a_command_of_ones_own_comes_first(tmp_path: Path) -> None:
    assert load(tmp_path, "kind-test", IMAGE_LOAD="echo mine %s now").stdout.strip() == "mine image.tar now"


def test_what_fails_is_told(tmp_path: Path) -> None:
    done = load(tmp_path, "kind-test", IMAGE_LOAD="exit 3 # %s")
    assert done.returncode == 3


def test_no_cluster_that_fits_is_explained_in_one_line(tmp_path: Path) -> None:
    done = load(tmp_path, "admin", CLUSTER="openshift")
    assert done.returncode == 1
    assert "IMAGE_LOAD='command %s'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
