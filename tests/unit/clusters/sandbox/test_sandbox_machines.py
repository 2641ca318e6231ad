"""Virtual machines in a sandbox file: mistakes, places, names, and how a target among them is found."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos_modules.clusters.sandbox import network
from chaos_modules.clusters.sandbox.cards import copy
from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.clusters.sandbox.description import describe
from chaos_modules.clusters.sandbox.layout import hosts_file, lay_out
from chaos_modules.clusters.sandbox.peers import flow_setups, server_setups
from chaos_modules.model.errors import ClusterProblem
from chaos_modules.model.target import Target

DB = {"name": "db", "namespace": "vms", "labels": {"app": "db"}, "serve": {"tcp": [5432], "udp": [9]}}
TARGET = Target(kind="vm", namespace="vms", name="db", node="one")


def farm(*machines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    pods = [{"name": "client", "node": "two", "serve": {"udp": [9]}}, {"name": "near"}]
    return {"nodes": ["one", "two"], "pods": pods, "virtual_machines": list(machines or (DB,)), **changes}


@pytest.mark.parametrize(("data", "place", "words"), [
    (farm(DB, DB), ("virtual_machines", 1, "name"), "listed twice"),
    (farm({"name": "client"}), ("virtual_machines", 0, "name"), "default/client is listed twice"),
    (farm(pods=[{"name": "virt-launcher-db", "namespace": "vms"}]), ("virtual_machines", 0, "name"), "vms/virt-launcher-db is listed twice"),
    (farm({"name": "db", "node": "three"}), ("virtual_machines", 0, "node"), "nodes: one, two"),
    (farm({"name": "db", "phase": "Running"}), ("virtual_machines", 0, "phase"), "Extra inputs"),
    (farm(traffic=[{"from": "client", "to": "vms/db", "http": 80}]), ("traffic", 0, "http"), "vms/db does not serve tcp port 80"),
    (farm(traffic=[{"from": "client", "to": "vms/dc", "udp": 9}]), ("traffic", 0, "to"), "no pod vms/dc and no such virtual machine"),
])  # fmt: skip
def test_a_mistake_is_reported_where_it_is(data: dict[str, Any], place: tuple[str | int, ...], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        describe(data)
    assert words in {error["loc"]: error["msg"] for error in caught.value.errors()}[place]


def test_a_machine_has_the_addresses_of_the_pod_around_it() -> None:
    layout = lay_out(describe(farm()))
    inside, launcher = layout.machines["vms/db"], layout.pods["vms/virt-launcher-db"]
    assert (inside.netns, launcher.netns) == ("squall-vm.vms.db", "squall.vms.virt-launcher-db")
    assert inside.addresses == launcher.addresses == ("10.244.1.3", "fd00:5c::1:3")
    assert inside.link_address != launcher.outer_link_address
    assert layout.machine_places() == [(inside, launcher)]
    assert inside not in layout.residents()


def test_traffic_and_names_are_the_machines() -> None:
    description = describe(farm(traffic=[{"from": "vms/db", "to": "client", "udp": 9}]))
    layout = lay_out(description)
    [flow] = flow_setups(description, layout)
    assert (flow.sender, flow.sender_netns, flow.source) == ("vms/db", "/run/netns/squall-vm.vms.db", "10.244.1.3")
    assert [(one.netns, one.tcp) for one in server_setups(description, layout)][-1] == ("/run/netns/squall-vm.vms.db", [5432])
    names = hosts_file(description, layout)
    assert "10.244.1.3 db db.vms" in names
    assert "launcher" not in names


def test_the_snapshot_shows_the_pod_around_it(tmp_path: Path) -> None:
    sandbox = Sandbox(describe(farm()), "farm.yaml", tmp_path)
    pod = next(pod for pod in sandbox.snapshot().pods if pod.namespace == "vms")
    assert (pod.name, pod.node, pod.phase, pod.owners) == ("virt-launcher-db", "one", "Running", (("virtualmachineinstance", "db"),))
    assert dict(pod.labels) == {"app": "db", "kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": "db"}
    assert [container.name for container in pod.containers] == ["compute"]
    assert pod.addresses == ("10.244.1.3", "fd00:5c::1:3")
    assert "vms" in sandbox.snapshot().namespaces


def test_a_target_is_found_in_the_pod_around_it(tmp_path: Path) -> None:
    sandbox = Sandbox(describe(farm()), "farm.yaml", tmp_path)
    assert TARGET.path == "vm/vms/db"
    assert TARGET.reversed and not Target(kind="pod", namespace="vms", name="virt-launcher-db", node="one").reversed
    assert sandbox.locate(TARGET)["netns"] == "/run/netns/squall.vms.virt-launcher-db"
    with pytest.raises(ClusterProblem, match="vm/vms/dc has no network namespace"):
        sandbox.locate(Target(kind="vm", namespace="vms", name="dc", node="one"))


def test_without_taps_there_are_no_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TUN_DEVICE", tmp_path / "tun")
    with pytest.raises(ClusterProblem, match="tun is not there") as caught:
        network.require_taps()
    assert "--device /dev/net/tun" in caught.value.remedy


def pipe() -> tuple[FileIO, FileIO]:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    return FileIO(reading), FileIO(writing, "w")


def test_a_card_copies_frames_and_survives_a_device_that_is_down() -> None:
    (card, outside), (inside, guest) = pipe(), pipe()
    outside.write(b"frame")
    copy(card, guest)
    assert inside.read(99) == b"frame"
    inside.close()
    outside.write(b"lost")
    copy(card, guest)  # a pipe that nobody reads refuses it, as a device that is down does
    for file in (card, outside, guest):
        file.close()
