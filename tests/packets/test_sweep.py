"""The sweeper in a node of namespaces: it finds and removes what is ours, of one run or of all, and touches nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from two_ends import INJECTOR, ip, state, within

NODE, FIRST, SECOND, EMPTY = PLACES = ("squall-test-node", "squall-test-pod1", "squall-test-pod2", "squall-test-gone")
ONE, TWO = "0a1b2c3d", "4e5f6a7b"
PIDS_OF_ITS_OWN = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
ROOT = "tc qdisc del dev eth0 root handle ca05:"


@pytest.fixture
def node() -> Iterator[None]:
    """A node and two pods that live, a pod of which only the name is left; each with an eth0, a table and a qdisc that are not ours."""
    for name in PLACES:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        ip("netns", "add", name)
    try:
        for name in PLACES:
            for device in ("eth0", "eth1"):
                ip("-n", name, "link", "add", device, "type", "veth", "peer", "name", f"peer{device}")
            within(name, "tc", "qdisc", "add", "dev", "eth1", "root", "handle", "ca06:", "htb")
            within(name, "nft", "-f", "-", text=f"table inet squall_{ONE} {{ chain other {{ }}\n}}\ntable netdev squally_{ONE}_egress {{ }}\n")
        yield
    finally:
        for name in PLACES:
            ip("netns", "del", name)


def plant(place: str, run: str, *, root: bool = False, ifb: bool = False) -> None:
    """What a killed injector of that run leaves."""
    steer = f'chain entry {{ type filter hook ingress device "eth0" priority 0; {f"fwd to sq{run}" if ifb else "counter"}\n }}'
    if ifb:
        ip("-n", place, "link", "add", f"sq{run}", "type", "ifb")
        ip("-n", place, "link", "set", f"sq{run}", "up")
        within(place, "tc", "qdisc", "replace", "dev", f"sq{run}", "root", "handle", "ca05:", "htb")
    if root:
        within(place, "tc", "qdisc", "replace", "dev", "eth0", "root", "handle", "ca05:", "htb")
    within(place, "nft", "-f", "-", text=f"table netdev squall_{run}_egress {{ {steer}\n}}\n")


def swept(run: str = "", *, remove: bool = False, **environment: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """(exit status, what was found, the last line) of the sweeper on a node whose processes are its own and one in each living pod."""
    wish = json.dumps({"run": run, "remove": remove})
    residents = "".join(f"ip netns exec {place} sleep 60 & until [ -n \"$(ip netns pids {place})\" ]; do :; done; " for place in (FIRST, SECOND))
    words = [*PIDS_OF_ITS_OWN, "sh", "-c", f'{residents} "$@"; exit $?', "sh", sys.executable, str(INJECTOR.parent / "sweep.py")]
    done = subprocess.run(
        ["ip", "netns", "exec", NODE, *words], env={**os.environ, "SQUALL_SWEEP": wish, **environment}, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=30,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert lines[-1]["event"] == "swept"
    assert lines[-1]["namespaces"] == 3
    assert lines[-1]["found"] == len(lines) - 1
    assert lines[-1]["left"] == sum(not line["removed"] for line in lines[:-1])
    return done.returncode, lines[:-1], lines[-1]


def told(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["run"], line["remedy"]) for line in lines]


@pytest.mark.usefixtures("node")
def test_nothing_of_ours_is_nothing_found() -> None:
    before = [state(place) for place in PLACES]
    for remove in (False, True):
        assert swept(remove=remove)[:2] == (0, [])
    assert [state(place) for place in PLACES] == before


@pytest.mark.usefixtures("node")
def test_an_audit_lists_all_of_it_and_removes_nothing() -> None:
    plant(NODE, ONE, root=True)
    plant(FIRST, TWO, root=True, ifb=True)
    plant(EMPTY, ONE, root=True)
    before = [state(place) for place in PLACES]
    code, found, _ = swept()
    assert code == 12
    assert told(found) == [
        (ONE, f"nft delete table netdev squall_{ONE}_egress"), ("", ROOT),
        (TWO, f"nft delete table netdev squall_{TWO}_egress"), ("", ROOT), (TWO, f"ip link del dev sq{TWO}"),
    ]  # fmt: skip
    inode = Path(f"/run/netns/{FIRST}").stat().st_ino
    assert [line["where"] for line in found] == ["node"] * 2 + [f"namespace {inode}"] * 3
    assert {(line["removed"], line["reason"]) for line in found} == {(False, "")}
    assert [state(place) for place in PLACES] == before


@pytest.mark.usefixtures("node")
def test_everything_is_removed_and_nothing_else() -> None:
    clean = [state(place) for place in PLACES[:3]]
    plant(NODE, ONE, root=True)
    plant(FIRST, TWO, root=True, ifb=True)
    plant(FIRST, ONE)
    plant(SECOND, ONE, ifb=True)
    assert [state(place) for place in PLACES[:3]] != clean
    code, found, last = swept(remove=True)
    assert (code, last["found"], last["left"]) == (0, 8, 0)
    assert {(line["removed"], line["reason"]) for line in found} == {(True, "")}
    assert [state(place) for place in PLACES[:3]] == clean
    assert swept()[:2] == (0, [])


@pytest.mark.usefixtures("node")
def test_one_run_is_removed_and_another_stays() -> None:
    clean = state(SECOND)
    plant(FIRST, TWO, root=True, ifb=True)
    others = state(FIRST)
    plant(FIRST, ONE, ifb=True)
    plant(SECOND, ONE, root=True)
    assert swept(ONE)[0] == 12
    code, found, last = swept(ONE, remove=True)
    assert (code, last["left"]) == (0, 0)
    assert told(found) == [
        (ONE, f"nft delete table netdev squall_{ONE}_egress"), (ONE, f"ip link del dev sq{ONE}"),
        (ONE, f"nft delete table netdev squall_{ONE}_egress"), ("", ROOT),
    ]  # fmt: skip
    assert (state(FIRST), state(SECOND)) == (others, clean)
    assert swept(ONE)[:2] == (0, [])
    assert swept(TWO)[0] == swept()[0] == 12
    assert len(swept(TWO, remove=True)[1]) == 3
    assert swept()[:2] == (0, [])


@pytest.mark.usefixtures("node")
def test_a_root_beside_which_nothing_names_a_run_is_told_and_left_to_a_sweep_of_all() -> None:
    within(FIRST, "tc", "qdisc", "replace", "dev", "eth0", "root", "handle", "ca05:", "htb")
    before = state(FIRST)
    code, found, _ = swept(ONE, remove=True)
    assert (code, told(found), found[0]["removed"]) == (12, [("", ROOT)], False)
    assert "a sweep of all runs" in found[0]["reason"]
    assert state(FIRST) == before
    assert swept(remove=True)[0] == 0
    assert swept()[:2] == (0, [])


@pytest.mark.usefixtures("node")
def test_what_a_tool_only_claims_to_have_removed_is_told(tmp_path: Path) -> None:
    plant(FIRST, ONE)
    (tmp_path / "nft").write_text(f'#!/bin/sh\n[ "$1" = delete ] || PATH={os.environ["PATH"]}:/usr/sbin:/sbin exec nft "$@"\n')
    (tmp_path / "nft").chmod(0o755)
    code, (line,), _ = swept(remove=True, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (code, line["removed"], line["reason"]) == (12, False, "it is still there")
    (tmp_path / "nft").write_text(f'#!/bin/sh\n[ "$1" = delete ] && exit 1; PATH={os.environ["PATH"]}:/usr/sbin:/sbin exec nft "$@"\n')
    code, (line,), _ = swept(remove=True, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (code, line["removed"]) == (12, False)
    assert line["reason"].startswith(f"`nft delete table netdev squall_{ONE}_egress` failed")
    (tmp_path / "tc").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "tc").chmod(0o755)
    code, found, last = swept(PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (code, last["left"]) == (12, 3), "a namespace that could not be looked into is not clean"
    assert all(line["reason"].startswith("it could not be looked into: `tc -s -j qdisc show` failed") for line in found)


WRONG = ["", "{}", "[]", '{"run": "x", "remove": true}', '{"run": "", "remove": 1}', '{"run": "", "remove": false, "all": 1}']


@pytest.mark.parametrize("wish", WRONG)
def test_a_wish_that_is_none(wish: str) -> None:
    done = sweeper(wish)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (70, "", 1)
    assert done.stderr.startswith("SQUALL_SWEEP: ")


def test_without_the_nodes_processes_nothing_is_called_clean() -> None:
    done = sweeper('{"run": "", "remove": false}', "unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    assert (done.returncode, done.stdout) == (70, "")
    assert "hostPID" in done.stderr


def sweeper(wish: str, *before: str) -> subprocess.CompletedProcess[str]:
    words = [*before, sys.executable, str(INJECTOR.parent / "sweep.py")]
    return subprocess.run(words, env={**os.environ, "SQUALL_SWEEP": wish}, capture_output=True, text=True, check=False, timeout=30)
