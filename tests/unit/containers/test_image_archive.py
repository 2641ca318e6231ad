"""Images built without a container tool: what is in the archive, that it is the same each time, and that it starts what the Containerfile says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from chaos_modules import __version__
from chaos_modules.model.workload import INJECTOR_IMAGE

sys.path.insert(0, str(Path(__file__).parents[3] / "containers"))

import archive as images

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A root file system in small."""
    made = tmp_path / "root"
    (made / "usr/bin").mkdir(parents=True)
    (made / "tmp").mkdir()
    (made / "tmp").chmod(0o1777)
    (made / "bin").symlink_to("usr/bin")
    (made / "usr/bin/tool").write_text("tool")
    (made / "usr/bin/tool").chmod(0o4755)
    (made / "etc").write_text("text")
    (made / "etc").chmod(0o600)
    return made


def archived(tmp_path: Path, *folders: Path, name: str = "image.tar") -> Path:
    result = tmp_path / name
    words = ["--containerfile", str(ROOT / "containers/injector/Containerfile"), "--reference", INJECTOR_IMAGE, "--architecture", "amd64"]
    assert images.main([*words, str(result), *map(str, folders)]) == 0
    return result


def files(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {entry.name: opened.extractfile(entry).read() for entry in opened}  # type: ignore[union-attr]


def blob(found: dict[str, bytes], described: dict[str, Any]) -> bytes:
    content = found["blobs/sha256/" + described["digest"].removeprefix("sha256:")]
    assert len(content) == described["size"]
    return content


def test_the_name_leads_to_the_layers(tmp_path: Path, folder: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    found = files(archived(tmp_path, folder, code))
    (listed,) = json.loads(found["index.json"])["manifests"]
    manifest = json.loads(blob(found, listed))
    config = json.loads(blob(found, manifest["config"]))
    layers = [blob(found, layer) for layer in manifest["layers"]]
    assert listed["annotations"]["io.containerd.image.name"] == f"docker.io/library/squall-injector:{__version__}"
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(gzip.decompress(layer)).hexdigest()}" for layer in layers]
    assert len(layers) == 2
    assert (config["architecture"], config["os"]) == ("amd64", "linux")
    (for_docker,) = json.loads(found["manifest.json"])
    assert for_docker["RepoTags"] == [INJECTOR_IMAGE]
    assert [found[path] for path in for_docker["Layers"]] == layers


def test_every_blob_has_the_name_of_its_content(tmp_path: Path, folder: Path) -> None:
    blobs = {name.rpartition("/")[2]: content for name, content in files(archived(tmp_path, folder)).items() if name.startswith("blobs/")}
    assert len(blobs) == 3
    assert {name: hashlib.sha256(content).hexdigest() for name, content in blobs.items()} == {name: name for name in blobs}


def test_a_layer_keeps_links_and_programs_and_forgets_its_builder(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(images.layer(folder))) as layer:
        entries = {entry.name: entry for entry in layer}
    assert list(entries) == ["bin", "etc", "tmp", "usr", "usr/bin", "usr/bin/tool"]
    assert entries["bin"].linkname == "usr/bin"
    assert {name: oct(entry.mode) for name, entry in entries.items() if not entry.issym()} == {
        "etc": "0o644", "tmp": "0o1777", "usr": "0o755", "usr/bin": "0o755", "usr/bin/tool": "0o755",
    }  # fmt: skip
    assert {(entry.uid, entry.gid, entry.mtime, entry.uname) for entry in entries.values()} == {(0, 0, 0, "")}


def test_the_same_content_gives_the_same_archive_and_another_does_not(tmp_path: Path, folder: Path) -> None:
    first = archived(tmp_path, folder, name="first.tar").read_bytes()
    os.utime(folder / "etc", (1, 1))
    (folder / "etc").chmod(0o640)
    assert archived(tmp_path, folder, name="second.tar").read_bytes() == first
    (folder / "etc").write_text("changed")
    assert archived(tmp_path, folder, name="third.tar").read_bytes() != first


def test_the_images_start_what_their_containerfiles_say() -> None:
    injector, runner = (
        images.settings((ROOT / "containers" / name / "Containerfile").read_text(), {"VERSION": __version__}) for name in ("injector", "runner")
    )
    assert injector["Entrypoint"] == ["python3", "-BEsS", "/opt/squall/injector.py"]
    assert injector["User"] == "0"
    assert injector["Labels"]["org.opencontainers.image.version"] == __version__
    assert (runner["WorkingDir"], runner["Entrypoint"]) == ("/opt/squall", ["python3", "run_chaos.py"])
    assert runner["User"] == "65532:65532"
    assert "PYTHONPATH=/opt/squall/lib" in runner["Env"]


def test_only_the_last_stage_counts() -> None:
    text = 'FROM a AS build\nUSER 1\nRUN make\n\nFROM scratch\n# remark\nARG VERSION\nENV A=1 \\\n    B="$VERSION 2"\nENTRYPOINT ["x"]\n'
    assert images.settings(text, {"VERSION": "7"}) == {"Env": ["A=1", "B=7 2"], "Entrypoint": ["x"]}


def test_an_instruction_that_cannot_be_followed_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "Containerfile"
    recipe.write_text("FROM scratch\nRUN make\n")
    words = ["--containerfile", str(recipe), "--reference", "a:1", "--architecture", "amd64", str(tmp_path / "image.tar"), str(tmp_path)]
    assert images.main(words) == 1
    assert f"{recipe}: RUN in the last stage" in capsys.readouterr().err
    assert not (tmp_path / "image.tar").exists()
