"""What is refused, what is chosen instead, and that a broken tool is never taken for a working one."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from two_ends import ADDRESSES, NAMES, Running, ip, job_for, state, within
from wire import UdpFlow, send_paced

from chaos_modules.model.impairment import Chance, Direction, Impairment, TokenBucket
from chaos_modules.model.quantities import Percentage, Rate, Size
from chaos_modules.model.traffic import TrafficFilter, TrafficRule

FOREIGN_ROOT = ("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "1gbit", "burst", "1mb", "limit", "1mb")
HALF = Chance(percentage=Percentage.parse("50%"))
MEGABIT = Impairment(rate=TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("256kb")))
pytestmark = pytest.mark.usefixtures("ends")


@pytest.fixture
def foreign_root(ends: tuple[str, str]) -> None:
    within(ends[0], *FOREIGN_ROOT)


@pytest.mark.usefixtures("foreign_root")
def test_a_foreign_root_is_refused_and_stays() -> None:
    before = state(NAMES[0])
    with Running(job_for(MEGABIT)) as running:
        assert running.end() == 14
    assert running.events[-1]["status"] == "refused"
    assert "tbf" in running.events[-1]["reason"]
    assert state(NAMES[0]) == before


@pytest.mark.usefixtures("foreign_root")
def test_what_needs_no_root_leaves_a_foreign_one_alone() -> None:
    before = state(NAMES[0])
    with Running(job_for(Impairment(duplicate=HALF))) as running:
        running.until("armed")
        assert state(NAMES[0])["qdiscs"] == before["qdiscs"]
        assert running.stop() == 0
    assert state(NAMES[0]) == before


@pytest.mark.usefixtures("foreign_root")
def test_loss_beside_a_foreign_root_is_visible_to_the_sender_and_says_so() -> None:
    with Running(job_for(Impairment(loss=HALF))) as running:
        applied = running.until("applied")
        assert applied["engine"] == "nft-drop"
        assert applied["fidelity"] == "sender-visible"
        assert "blackhole" in applied["rejected"][0]
        running.until("armed")
        flow = UdpFlow(*NAMES, ADDRESSES[1], 9000)
        send_paced([flow], 500, 1)
        exchange = flow.finish()
        assert running.stop() == 0
    told, lost = sum(exchange.errors.values()), exchange.sent - exchange.distinct
    assert told > 0
    assert lost - told in (0, 1), "only the first packet, which may wait for ARP, can be lost untold"


def test_the_nodes_own_namespace_is_refused() -> None:
    before = state(NAMES[0])
    job = job_for(MEGABIT)
    job["injections"][0]["find"]["host_netns"] = f"/run/netns/{NAMES[0]}"
    with Running(job) as running:
        assert running.end() == 14
    assert "hostNetwork" in running.events[-1]["reason"]
    assert state(NAMES[0]) == before


@pytest.mark.parametrize(
    ("device", "code", "told"),
    [("eth1", 10, "is not there"), ("*", 10, "matches"), ("eth*", 0, ""), ("default-route", 0, "")],
)  # fmt: skip
def test_the_device(device: str, code: int, told: str) -> None:
    within(NAMES[0], "ip", "route", "add", "default", "via", ADDRESSES[1])
    with Running(job_for(Impairment(duplicate=HALF), device=device, hold=0.1)) as running:
        assert running.end() == code
    assert told in running.events[-1]["reason"]


def test_no_such_namespace() -> None:
    job = job_for(MEGABIT)
    job["injections"][0]["find"]["netns"] = "/run/netns/squall-test-none"
    with Running(job) as running:
        assert running.end() == 13


def with_host(name: str, addresses: list[str], folder: Path) -> dict[str, object]:
    folder.mkdir()
    (folder / "hosts").write_text("".join(f"{address} {name}\n" for address in addresses))
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    traffic = TrafficFilter(include=(TrafficRule(hosts=("api.test",)),))
    job = job_for(Impairment(duplicate=Chance(percentage=Percentage.parse("100%"))), traffic)
    job["injections"][0]["find"]["etc"] = str(folder)
    return job


def test_host_names_are_resolved_as_the_target_sees_them(tmp_path: Path) -> None:
    ip("-n", NAMES[1], "addr", "add", "10.77.0.9/24", "dev", "eth0")
    with Running(with_host("api.test", [ADDRESSES[1], "fd77::2"], tmp_path / "etc")) as running:
        assert sorted(running.until("applied")["addresses"]["api.test"]) == sorted([ADDRESSES[1], "fd77::2"])
        running.until("armed")
        ends = ((ADDRESSES[1], 9000), ("10.77.0.9", 9001), ("fd77::2", 9002))
        flows = [UdpFlow(*NAMES, address, port).meet() for address, port in ends]
        send_paced(flows, 200, 0.5)
        assert [flow.finish().copies for flow in flows] == [100, 0, 100]
        assert running.stop() == 0


def test_a_name_without_addresses_never_means_everything(tmp_path: Path) -> None:
    before = state(NAMES[0])
    with Running(with_host("other.test", [ADDRESSES[1]], tmp_path / "etc")) as running:
        assert running.end() == 10
    assert "api.test does not resolve" in running.events[-1]["reason"]
    assert state(NAMES[0]) == before


def test_a_name_server_that_is_silent_has_no_addresses(tmp_path: Path) -> None:
    within(NAMES[1], "nft", "-f", "-", text="table inet mute { chain i { type filter hook input priority 0; udp dport 53 drop\n }\n}\n")
    job = with_host("other.test", [ADDRESSES[1]], tmp_path / "etc")
    (tmp_path / "etc" / "resolv.conf").write_text(f"nameserver {ADDRESSES[1]}\noptions timeout:30 attempts:5\n")
    with Running(job) as running:
        assert running.end() == 10
    assert "api.test does not resolve" in running.events[-1]["reason"]


def lying(tmp_path: Path, tool: str, condition: str, *, where: str = "target") -> str:
    """A PATH in which a tool does nothing, successfully, where a condition on its input, or on a line of a batch, holds."""
    real = shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    script = folder / tool
    here = f'[ "$(/sbin/ip netns identify)" = {NAMES[0]} ] &&' if where == "target" else ""
    script.write_text(f"""#!/bin/sh
input=""; [ "$*" = "-f -" ] && input=$(cat)
if [ "$*" = "-batch -" ]; then if {here} true; then grep -vE '{condition}' | {real} "$@"; else exec {real} "$@"; fi; exit $?; fi
if {here} printf '%s %s' "$*" "$input" | grep -qE '{condition}'; then exit 0; fi
if [ "$*" = "-f -" ]; then printf '%s\\n' "$input" | {real} "$@"; else exec {real} "$@"; fi
""")
    script.chmod(stat.S_IRWXU)
    return f"{folder}:{os.environ['PATH']}"


SABOTAGE = {
    "nft does not arm": ("nft", "add element .* lease", 11, "not-in-effect", "the lease"),
    "nft makes no table": ("nft", "^-f - table netdev", 10, "not-applied", "No such file"),
    "tc replaces no root": ("tc", "replace", 10, "not-applied", "failed"),
    "tc adds no queue": ("tc", "tbf", 10, "not-applied", "is not on eth0"),
    "tc adds no class": ("tc", "class add", 10, "not-applied", "failed"),
    "nft does not renew": ("nft", "delete element", 11, "lapsed", "lease"),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_a_tool_that_does_nothing(name: str, tmp_path: Path) -> None:
    before = state(NAMES[0])
    tool, condition, code, status, told = SABOTAGE[name]
    with Running(job_for(MEGABIT, hold=8), PATH=lying(tmp_path, tool, condition)) as running:
        assert running.end() == code, running.events
    assert running.events[-1]["status"] == status
    assert told in running.events[-1]["reason"]
    assert state(NAMES[0]) == before


def test_the_rehearsal_disproves_what_works_nowhere(tmp_path: Path) -> None:
    """A kernel that takes the rule and does not copy, imitated by an nft that drops `dup` from the rule."""
    real = shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    script = tmp_path / "nft"
    script.write_text(f"""#!/bin/sh
if [ "$*" = "-f -" ]; then sed 's/dup to "[a-z0-9]*"//' | {real} "$@"; else exec {real} "$@"; fi
""")
    script.chmod(stat.S_IRWXU)
    before = state(NAMES[0])
    with Running(job_for(Impairment(duplicate=HALF)), PATH=f"{tmp_path}:{os.environ['PATH']}") as running:
        assert running.end() == 10
    assert "the rehearsal disproved it" in running.events[-1]["reason"]
    assert "frames were copied" in running.events[-1]["reason"]
    assert state(NAMES[0]) == before


def test_what_cannot_be_removed_is_residue_with_its_command(tmp_path: Path) -> None:
    with Running(job_for(MEGABIT, hold=0.2), PATH=lying(tmp_path, "nft", "delete table")) as running:
        assert running.end() == 12
    reverted = next(event for event in running.events if event["event"] == "reverted")
    assert reverted["left"][0].startswith("nft delete table netdev squall_")
    assert state(NAMES[0])["nft"]


@pytest.mark.parametrize("direction", list(Direction))
def test_a_table_deleted_by_somebody_else_is_noticed(direction: Direction) -> None:
    before = state(NAMES[0])
    with Running(job_for(MEGABIT, direction=direction)) as running:
        running.until("armed")
        table = next(item["table"]["name"] for item in state(NAMES[0])["nft"] if "table" in item)
        within(NAMES[0], "nft", "delete", "table", "netdev", table)
        assert running.end() == 11
    assert running.events[-1]["status"] in ("not-in-effect", "lapsed")
    assert state(NAMES[0]) == before


def test_both_directions_of_one_target_at_once() -> None:
    before = state(NAMES[0])
    job, other = job_for(MEGABIT, hold=1), job_for(MEGABIT, direction=Direction.INGRESS, hold=1)
    job["programs"] += other["programs"]
    job["injections"].append({**other["injections"][0], "programs": [len(job["programs"]) - 1]})
    with Running(job) as running:
        assert running.end() == 0, running.events
    assert json.dumps(state(NAMES[0])) == json.dumps(before)
    armed = [event["time"] for event in running.events if event["event"] == "armed"]
    assert max(armed) - min(armed) < 0.2
