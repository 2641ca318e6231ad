"""An image without a registry or a container tool: an OCI archive made of folders, one layer each.

What the image starts is read from the last stage of its Containerfile, so that both ways of building agree. The same folders give the same
archive, byte for byte: names are sorted, all belongs to root, every time is zero. containerd, podman and docker load it.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import shlex
import stat
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KIND = "application/vnd.oci.image.{}"
KEYS = {"ENTRYPOINT": "Entrypoint", "CMD": "Cmd", "USER": "User", "WORKDIR": "WorkingDir", "ENV": "Env", "LABEL": "Labels"}


class WrongContainerfile(Exception):
    """An instruction that this file cannot follow."""


def settings(containerfile: str, arguments: dict[str, str]) -> dict[str, Any]:
    """The configuration of an image, from its Containerfile's last stage. Raises WrongContainerfile."""
    found: dict[str, Any] = {}
    for instruction, rest in _instructions(containerfile):
        text = rest
        for name, value in arguments.items():
            text = text.replace(f"${name}", value)
        if instruction in ("ENTRYPOINT", "CMD"):
            found[KEYS[instruction]] = json.loads(text)
        elif instruction == "ENV":
            found["Env"] = found.get("Env", []) + shlex.split(text)
        elif instruction == "LABEL":
            found["Labels"] = found.get("Labels", {}) | dict(pair.split("=", 1) for pair in shlex.split(text))
        elif instruction in KEYS:
            found[KEYS[instruction]] = text
        elif instruction not in ("ARG", "COPY"):
            raise WrongContainerfile(f"{instruction} in the last stage: only {', '.join(KEYS)}, ARG and COPY work without a container tool")
    return found


def _instructions(containerfile: str) -> Iterator[tuple[str, str]]:
    """The instructions of the last stage, each with its text."""
    stage: list[tuple[str, str]] = []
    for line in containerfile.replace("\\\n", " ").splitlines():
        instruction, _, text = line.strip().partition(" ")
        if instruction == "FROM":
            stage = []
        elif instruction and not instruction.startswith("#"):
            stage.append((instruction, text.strip()))
    return iter(stage)


def layer(folder: Path) -> bytes:
    """A folder as an uncompressed layer."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_impersonal)
    return content.getvalue()


def _impersonal(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same entry whoever built it, and when. Nothing keeps a set-user-id bit."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    if entry.isdir():
        entry.mode = 0o1777 if entry.mode & stat.S_ISVTX else 0o755
    elif entry.isreg() or entry.islnk():
        entry.mode = 0o755 if entry.mode & stat.S_IXUSR else 0o644
    return entry


class Image:
    """The files of an OCI layout."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": _document({"imageLayoutVersion": "1.0.0"})}

    def blob(self, content: bytes, kind: str) -> dict[str, Any]:
        """Add a blob and describe it."""
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = content
        return {"mediaType": KIND.format(kind), "digest": f"sha256:{digest}", "size": len(content)}

    def write(self, result: Path) -> None:
        """All files as one archive, which appears whole or not at all."""
        new = result.with_name(result.name + ".new")
        with tarfile.open(new, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, content in sorted(self.files.items()):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        new.replace(result)


def image(reference: str, architecture: str, configuration: dict[str, Any], folders: list[Path]) -> Image:
    """An image of that name whose layers are those folders, the first one lowest."""
    made, tars = Image(), [layer(folder) for folder in folders]
    layers = [made.blob(gzip.compress(tar, compresslevel=6, mtime=0), "layer.v1.tar+gzip") for tar in tars]
    identities = [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]
    platform = {"architecture": architecture, "os": "linux"}
    about = {**platform, "config": configuration, "rootfs": {"type": "layers", "diff_ids": identities}}
    config = made.blob(_document(about), "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": KIND.format("manifest.v1+json"), "config": config, "layers": layers}
    names = {"io.containerd.image.name": f"docker.io/library/{reference}", "org.opencontainers.image.ref.name": reference.rpartition(":")[2]}
    listed = {**made.blob(_document(manifest), "manifest.v1+json"), "platform": platform, "annotations": names}
    made.files["index.json"] = _document({"schemaVersion": 2, "mediaType": KIND.format("index.v1+json"), "manifests": [listed]})
    paths = [f"blobs/sha256/{one['digest'].removeprefix('sha256:')}" for one in (config, *layers)]
    made.files["manifest.json"] = _document([{"Config": paths[0], "RepoTags": [reference], "Layers": paths[1:]}])  # for an older docker
    return made


def _document(content: object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()


def main(words: list[str]) -> int:
    """Build the archive that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containerfile", type=Path, required=True)
    parser.add_argument("--reference", required=True, metavar="NAME:VERSION")
    parser.add_argument("--architecture", required=True, help="as Debian names it")
    parser.add_argument("result", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    given = parser.parse_args(words)
    try:
        configuration = settings(given.containerfile.read_text(), {"VERSION": given.reference.rpartition(":")[2]})
    except WrongContainerfile as error:
        print(f"{given.containerfile}: {error}", file=sys.stderr)
        return 1
    image(given.reference, {"armhf": "arm"}.get(given.architecture, given.architecture), configuration, given.folders).write(given.result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
