"""From a container id to a network namespace, in folders that look like /proc under every runtime and kind of control group."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "containers" / "injector"))

import lookup
import namespaces
from lookup import Absent, Found, HostNetwork, Processes
from membership import Membership, membership

ID, OTHER, NODE, NESTED = "ab" * 32, "cd" * 32, "ef" * 32, "12" * 32
UID = "0a1b2c3d-0a1b-4a1b-8a1b-0a1b2c3d4e5f"
SLICE = UID.replace("-", "_")
STATIC = "0123456789abcdef0123456789abcdef"
SYSTEMD = f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SLICE}.slice"
SHAPES = {
    "containerd, systemd, version 2": f"0::/{SYSTEMD}/cri-containerd-{ID}.scope",
    "containerd, cgroupfs, version 2": f"0::/kubepods/besteffort/pod{UID}/{ID}",
    "containerd, guaranteed": f"0::/kubepods.slice/kubepods-pod{SLICE}.slice/cri-containerd-{ID}.scope",
    "containerd, seen from a group of its own": f"0::/../../kubepods-burstable-pod{SLICE}.slice/cri-containerd-{ID}.scope",
    "containerd, systemd names without systemd": f"0::/system.slice/containerd.service/kubepods-burstable-pod{SLICE}.slice:cri-containerd:{ID}",
    "containerd, version 1": f"9:name=systemd:/kubepods/burstable/pod{UID}/{ID}\n8:cpu,cpuacct:/kubepods/burstable/pod{UID}/{ID}\n1:misc:/",
    "containerd, both versions": f"5:memory:/{SYSTEMD}/cri-containerd-{ID}.scope\n1:name=systemd:/\n0::/system.slice/containerd.service",
    "CRI-O, systemd": f"0::/{SYSTEMD}/crio-{ID}.scope",
    "CRI-O with crun, a group below": f"0::/{SYSTEMD}/crio-{ID}.scope/container",
    "CRI-O, cgroupfs": f"0::/kubepods/burstable/pod{UID}/crio-{ID}",
    "docker, systemd": f"0::/{SYSTEMD}/docker-{ID}.scope",
    "docker, cgroupfs, version 1": f"3:pids:/kubepods/burstable/pod{UID}/{ID}\n2:devices:/kubepods/burstable/pod{UID}/{ID}",
    "kind: a node that is a container": f"0::/docker/{NODE}/kubelet.slice/{SYSTEMD.replace('kube', 'kubelet-kube')}/cri-containerd-{ID}.scope",
    "a static pod": f"0::/kubepods/burstable/pod{STATIC}/{ID}",
}  # fmt: skip
CONMON = f"0::/{SYSTEMD}/crio-conmon-{ID}.scope"
INSIDE = f"0::/{SYSTEMD}/cri-containerd-{ID}.scope"
HOST = "0::/init.scope"


class Tree:
    """A folder that looks like /proc. Namespaces are files; the node's is `host`."""

    def __init__(self, root: Path) -> None:
        self.root = root / "proc"
        self.namespaces = root / "namespaces"
        self.namespaces.mkdir()
        self.add(1, HOST, "host")

    def add(self, pid: int, groups: str, namespace: str, *, started: int = 100, command: str = "sh") -> None:
        folder = self.root / str(pid)
        (folder / "ns").mkdir(parents=True)
        (folder / "cgroup").write_text(groups + "\n")
        (folder / "stat").write_text(f"{pid} ({command}) S {' '.join(['0'] * 18)} {started} 0 0\n")
        (self.namespaces / namespace).touch()
        (folder / "ns" / "net").symlink_to(self.namespaces / namespace)

    def remove(self, pid: int) -> None:
        shutil.rmtree(self.root / str(pid))

    def processes(self) -> Processes:
        return Processes(str(self.root))

    def named(self, found: Found) -> str:
        """The namespace that was found, which is let go of."""
        name = Path(f"/proc/self/fd/{found.namespace}").readlink().name
        found.close()
        return name

    def find(self, container: str = ID, pod: str = UID) -> str:
        return self.named(self.processes().of_container(container, pod))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_container_is_found_by_its_id(shape: str, tree: Tree) -> None:
    tree.add(200, SHAPES[shape].replace(ID, OTHER).replace(UID, UID[::-1]).replace(SLICE, SLICE[::-1]), "another")
    tree.add(300, SHAPES[shape], "target")
    for prefix in ("", "containerd://", "cri-o://", "docker://"):
        assert tree.find(prefix + ID, "0" * 36) == "target"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_container_that_is_gone_is_found_by_its_pod(shape: str, tree: Tree) -> None:
    tree.add(300, SHAPES[shape].replace(ID, OTHER), "target")
    pod = STATIC if STATIC in SHAPES[shape] else UID
    assert tree.find(ID, pod) == "target"
    with pytest.raises(Absent, match=f"no process of container {ID} or pod {'0' * 36}: is it still running on this node"):
        tree.find(ID, "0" * 36)


@pytest.mark.parametrize(("groups", "expected"), [
    ("", Membership()), ("garbage", Membership()), ("0::/", Membership()), ("0::/user.slice/session-1.scope", Membership()),
    (f"0::/{SYSTEMD}", Membership(pod=UID)), (CONMON, Membership()), (f"0::/machine.slice/libpod-conmon-{ID}.scope", Membership()),
    (f"0::/docker/{ID}", Membership(ID, 0, "")), (f"0::/docker/{ID}/init.scope", Membership(ID, 1, "")), (INSIDE, Membership(ID, 0, UID)),
    (f"{INSIDE}/init.scope", Membership(ID, 1, UID)), (f"{INSIDE}/docker/{NESTED}", Membership(NESTED, 0, "")),
    (f"0::/docker/{NODE}/kubelet/kubepods/pod{UID}", Membership(pod=UID)), (f"0::/docker/{ID[1:]}", Membership()),
    (f"{INSIDE}/kubelet/kubepods/pod{UID[::-1]}/{NESTED}", Membership(NESTED, 0, UID[::-1])),
])  # fmt: skip
def test_whose_a_process_is(groups: str, expected: Membership) -> None:
    assert membership(groups) == expected


def test_the_monitor_of_a_container_is_not_the_container(tree: Tree) -> None:
    """It is older, has a lower number, the same id in its name, and lives in the node's namespace."""
    tree.add(200, CONMON, "host", started=1)
    tree.add(300, f"0::/{SYSTEMD}/crio-{ID}.scope", "target", started=2)
    assert tree.find() == "target"
    tree.remove(300)
    with pytest.raises(Absent):
        tree.find()


def test_a_container_in_the_container_is_not_the_container(tree: Tree) -> None:
    tree.add(200, f"{INSIDE}/docker/{NESTED}", "nested", started=1)
    tree.add(300, f"{INSIDE}/init.scope", "target", started=2)
    assert tree.find() == "target"
    assert tree.find(OTHER) == "target"
    assert tree.find(NESTED) == "nested"
    tree.remove(300)
    with pytest.raises(Absent):
        tree.find()


def test_the_container_itself_goes_before_what_is_below_it_and_old_goes_before_young(tree: Tree) -> None:
    tree.add(200, f"{INSIDE}/browser", "a sandbox of its own", started=1)
    tree.add(300, INSIDE, "another sandbox", started=30, command="a ) b) (c")
    tree.add(400, INSIDE, "target", started=20)
    assert tree.find() == "target"


def test_the_container_goes_before_its_pod(tree: Tree) -> None:
    tree.add(200, INSIDE.replace(ID, OTHER), "another container", started=1)
    tree.add(300, INSIDE, "target", started=2)
    assert tree.find() == "target"


def test_a_helper_of_the_pod_in_the_nodes_namespace_is_passed_over(tree: Tree) -> None:
    tree.add(200, f"0::/{SYSTEMD}", "host", started=1)
    tree.add(300, INSIDE.replace(ID, OTHER), "target", started=2)
    assert tree.find() == "target"


def test_a_pod_without_a_network_of_its_own_is_refused(tree: Tree) -> None:
    tree.add(300, INSIDE, "host")
    with pytest.raises(HostNetwork):
        tree.find()


def test_a_number_that_was_given_to_another_process(tree: Tree) -> None:
    tree.add(300, INSIDE, "target")
    processes = tree.processes()
    assert tree.named(processes.of_container(ID, UID)) == "target"
    tree.remove(300)
    tree.add(300, INSIDE.replace(ID, OTHER).replace(SLICE, SLICE[::-1]), "stranger")
    with pytest.raises(Absent):
        processes.of_container(ID, UID)


def test_a_container_that_restarted_since_the_first_look_is_looked_for_again(tree: Tree) -> None:
    tree.add(300, INSIDE, "target")
    processes = tree.processes()
    assert tree.named(processes.of_container(ID, UID)) == "target"
    tree.remove(300)
    tree.add(400, INSIDE.replace(ID, OTHER), "target")
    assert tree.named(processes.of_container(ID, UID)) == "target"


def test_the_processes_are_looked_through_once_for_all_targets(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = []
    monkeypatch.setattr(lookup, "members", lambda root, real=lookup.members: scans.append(root) or real(root))
    for number in range(30):
        tree.add(300 + number, f"0::/kubepods/pod{number:036x}/{number:064x}", f"target {number}")
    processes = tree.processes()
    for number in range(30):
        assert tree.named(processes.of_container(f"{number:064x}", f"{number:036x}")) == f"target {number}"
    assert len(scans) == 1


def test_a_process_that_ends_while_it_is_looked_at(tree: Tree) -> None:
    tree.add(300, INSIDE, "target", started=2)
    (tree.root / "200" / "ns").mkdir(parents=True)
    (tree.root / "250").mkdir()
    (tree.root / "250" / "cgroup").write_text(INSIDE)
    assert tree.find() == "target"


def test_the_ways_to_find_a_target_lead_there(tree: Tree) -> None:
    tree.add(300, INSIDE, "target")
    netns: dict[str, Any] = {"netns": str(tree.namespaces / "target"), "host_netns": str(tree.namespaces / "host")}
    for find, node, expected in (
        ({"container": ID, "pod": UID}, False, "target"), (netns, False, "target"), ({"host": True}, True, "host"),
        ({**netns, "netns": netns["host_netns"]}, True, "host"),
    ):  # fmt: skip
        assert tree.named(tree.processes().locate(find, node=node)) == expected
    for find in ({"host": True}, {**netns, "netns": netns["host_netns"]}):
        with pytest.raises(HostNetwork):
            tree.processes().locate(find, node=False)


def test_without_the_nodes_processes_the_node_is_not_taken_for_found(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hostPID, process 1 is the injector itself, in the network namespace of its own pod."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(Absent, match="hostPID"):
        tree.processes().locate({"host": True}, node=True)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_stays_open(tree: Tree) -> None:
    tree.add(200, INSIDE, "host", started=1)
    tree.add(300, INSIDE, "target", started=2)
    before = open_files()
    for _ in range(3):
        tree.find()
    tree.remove(300)
    with pytest.raises(HostNetwork):
        tree.find()
    with pytest.raises(Absent):
        tree.find("f" * 64, "f" * 36)
    with pytest.raises(HostNetwork):
        tree.processes().locate({"host": True}, node=False)
    assert open_files() == before


def name_files_of(tree: Tree, pid: int) -> Path:
    etc = tree.root / str(pid) / "root" / "etc"
    etc.mkdir(parents=True)
    return etc


def test_the_name_service_files_are_the_targets_own(tree: Tree) -> None:
    tree.add(300, INSIDE, "target")
    etc = name_files_of(tree, 300)
    (etc / "hosts").write_text("10.0.0.1 db\n")
    (etc / "run").mkdir()
    (etc / "run" / "resolv").write_text("nameserver 10.0.0.53\n")
    (etc / "resolv.conf").symlink_to("/etc/../etc/run/resolv")
    found = tree.processes().of_container(ID, UID)
    assert found.name_files() == {"hosts": "10.0.0.1 db\n", "resolv.conf": "nameserver 10.0.0.53\n"}
    shutil.rmtree(etc.parent)
    assert found.name_files() == {}
    found.close()
    assert Found(-1).name_files() == {}


def test_links_in_a_target_never_lead_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the injector")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "hosts").symlink_to(tmp_path / "secret")
    (root / "etc" / "resolv.conf").symlink_to("../../secret")
    assert (root / "etc" / "resolv.conf").read_text() == "of the injector", "the control: the kernel would follow it"
    assert namespaces.name_files(str(root), "etc") == {}
    (root / "secret").write_text("of the target")
    assert namespaces.name_files(str(root), "etc") == {"resolv.conf": "of the target"}
    (root / "etc" / "hosts").unlink()
    (root / "etc" / "hosts").symlink_to("hosts")
    with pytest.raises(OSError, match="too many links"):
        namespaces.name_files(str(root), "etc")


def test_name_service_files_that_are_none(tmp_path: Path) -> None:
    hosts, resolver = tmp_path / "hosts", tmp_path / "resolv.conf"
    resolver.write_bytes(b"#" * namespaces.LARGEST_FILE)
    assert {name: len(text) for name, text in namespaces.name_files(str(tmp_path), "").items()} == {"resolv.conf": namespaces.LARGEST_FILE}
    resolver.write_bytes(b"#" * (namespaces.LARGEST_FILE + 1))
    with pytest.raises(OSError, match="has more than"):
        namespaces.name_files(str(tmp_path), "")
    os.mkfifo(hosts)
    before = open_files()
    with pytest.raises(OSError, match="hosts is not a file"):
        namespaces.name_files(str(tmp_path), "")
    hosts.unlink()
    hosts.mkdir()
    with pytest.raises(OSError, match="hosts is not a file"):
        namespaces.name_files(str(tmp_path), "")
    assert open_files() == before
