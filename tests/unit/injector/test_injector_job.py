"""The injector believes nothing: a job that is not exactly a fault's own lines ends it with 70 and one line on standard error."""

from __future__ import annotations

import base64
import json
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[3] / "containers" / "injector"))

import injector
import job as jobs

from chaos_modules.carriers.job import JobSettings, Window, build_job
from chaos_modules.kernel.compiler import Wish, compile_programs
from chaos_modules.model.impairment import Direction
from chaos_modules.model.plan import Injection
from chaos_modules.model.target import Target
from chaos_modules.styles.registry import styles

RUN = "0badcafe"
ENTRY = {"id": "", "workload": {"namespace": "shop", "labels": "app=web"}, "DIRECTION": "both", "DESTINATION_HOSTS": "a.b,c",
    "EXCLUDE_IPS": "10.0.0.0/8"}


class Text:
    """A scenario that stands in no file."""

    def __init__(self, data: Any) -> None:
        self.data, self.file = data, "a.yaml"

    def position(self, *_: object, **__: object) -> str:
        return "a.yaml:1:1"

    def validated(self, model: Any, *_: object, data: Any = None, **__: object) -> Any:
        return model.model_validate(data)


def programs(fault: str, **tunables: str) -> list[Any]:
    style = styles()["pod_network_fault_scenarios"]
    (request,) = style.translate(Text({**ENTRY, "id": fault, **tunables}))  # type: ignore[arg-type]
    wishes = [
        Wish(impairment=request.impairment, traffic=request.traffic, direction=direction, table=f"squall_{RUN}_{direction}", ifb=f"sq{RUN}")
        for direction in Direction
    ]
    return [(wish.direction, compile_programs(wish)) for wish in wishes]


def document(fault: str, **tunables: str) -> dict[str, Any]:
    target = Target(kind="pod", namespace="shop", name="web-0", node="n")
    window = Window(hold_seconds=1, deadline=2e9)
    injections = [
        (Injection(index=number, target=target, direction=str(direction), device="eth0", programs=alternatives), window)
        for number, (direction, alternatives) in enumerate(programs(fault, **tunables))
    ]
    settings = JobSettings(run_id=RUN, lease_seconds=10, serial=False, stream=True, on_runner_loss="stop", cleanup="clean up")
    return build_job(settings, injections, lambda _: {"netns": "/no/such", "etc": "", "host_netns": "/proc/self/ns/net"})


@pytest.fixture(scope="module")
def outcome() -> Iterator[Callable[[Any], int]]:
    """The exit status of `main` for a job, whose targets end at once."""

    def lived(self: Any) -> None:
        self.status, self.code = "passed", 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(injector.Injection, "run", lived)
        patch.setattr(injector.signal, "signal", lambda *_: None)
        patch.setattr(injector.sys, "stdin", iter(()))
        patch.setenv("SQUALL_TERMINATION_LOG", "/dev/null")

        def run(job: Any) -> int:
            text = job if isinstance(job, str) else json.dumps(job)
            patch.setattr(jobs.os, "environ", {"SQUALL_JOB": text, "SQUALL_TERMINATION_LOG": "/dev/null"})
            return injector.main()

        yield run


@pytest.mark.parametrize("fault", styles()["pod_network_fault_scenarios"].models())
def test_every_fault_is_a_job_that_is_believed(fault: str, outcome: Callable[[Any], int]) -> None:
    assert outcome(document(fault)) == 0
    assert outcome(document(fault, DESTINATION_PORTS="!80", PROTOCOLS="tcp,udp", DESTINATION_IPS="10.0.0.1|90,fd00::/8")) == 0


JOB = document("pod-network-rate-limit")
NFT = next(step["nft"] for step in JOB["programs"][0]["setup"] if isinstance(step, dict))
STRANGE = {
    "a shell": [["sh", "-c", "id"]],
    "another program": [["nft", "flush", "ruleset"]],
    "a path": [["/bin/tc", "qdisc", "add", "dev", "%device%"]],
    "a batch": [["tc", "-batch", "/etc/passwd"]],
    "ip netns": [["ip", "netns", "exec", "x", "sh"]],
    "another device": [["tc", "qdisc", "del", "dev", "eth1", "root"]],
    "no device": [["tc", "qdisc", "show"]],
    "two devices": [["ip", "link", "set", "dev", "%device%", "name", "eth9"]],
    "a placeholder": [["tc", "qdisc", "add", "dev", "%device%", "%other%"]],
    "a substitution": [["tc", "qdisc", "add", "dev", "%device%", "$(id)"]],
    "an option": [["tc", "qdisc", "add", "dev", "%device%", "-force"]],
    "no words": [[]],
    "numbers": [[1, 2]],
    "a text": ["tc qdisc"],
    "flush": [{"nft": "flush ruleset\n"}],
    "an include": [{"nft": NFT.replace("{\n", '{\n  include "/etc/passwd"\n', 1)}],
    "a definition": [{"nft": "define x = 1\n"}],
    "after the table": [{"nft": f"{NFT}flush ruleset\n"}],
    "after the table, indented": [{"nft": f"{NFT}  flush ruleset\n"}],
    "the table closed early": [{"nft": NFT.replace("{\n", "{\n  }\n  flush ruleset\n", 1)}],
    "a second statement": [{"nft": f"flush set netdev squall_{RUN}_egress lease; flush ruleset\n"}],
    "another table": [{"nft": NFT.replace(RUN, "ffffffff")}],
    "another family": [{"nft": NFT.replace("netdev", "inet")}],
    "a hook elsewhere": [{"nft": NFT.replace('"%device%"', '"eth1"')}],
    "a hook on a bare name": [{"nft": NFT.replace('"%device%"', "eth1")}],
    "another placeholder": [{"nft": NFT.replace("%device%", "%other%")}],
}


@pytest.mark.parametrize("place", ["setup", "arm", "renew", "disarm", "flush", "teardown"])
@pytest.mark.parametrize("name", STRANGE)
def test_nothing_strange_is_ever_run(name: str, place: str, outcome: Callable[[Any], int], capsys: pytest.CaptureFixture[str]) -> None:
    job = deepcopy(JOB)
    job["programs"][0][place] = STRANGE[name] if isinstance(job["programs"][0][place], list) and place not in ("arm", "renew",
        "disarm") else STRANGE[name][0]
    assert outcome(job) == 70
    said = capsys.readouterr().err
    assert said.startswith(f"SQUALL_JOB: WrongJob: job.programs[0].{place}")
    assert said.count("\n") == 1


CHANGES = {
    "run": ("run", "../../etc"), "lease": ("lease_seconds", float("inf")), "no targets": ("injections", []), "stream": ("stream", 1),
    "loss": ("on_runner_loss", "never"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_job_must_be(name: str, outcome: Callable[[Any], int]) -> None:
    key, value = CHANGES[name]
    assert outcome({**JOB, key: value}) == 70


@pytest.mark.parametrize(("key", "value"), [
    ("table", "squall_ffffffff_egress"), ("table", "filter"), ("ifb", "eth0"), ("leaf", "x"), ("queue_device", "eth1"), ("rules", -1),
        ("needs_root", 1),
    ("hosts", [{"names": ["a b"], "set_v4": "a", "set_v6": "b"}]), ("hosts", [{"names": ["a"], "set_v4": "a }; flush ruleset", "set_v6": "b"}]),
    ("effect", {}), ("probe", {}), ("probe", None), ("qdiscs", [5]), ("direction", "sideways"),
])
def test_what_a_program_must_be(key: str, value: Any, outcome: Callable[[Any], int]) -> None:
    job = deepcopy(JOB)
    job["programs"][0][key] = value
    assert outcome(job) == 70


@pytest.mark.parametrize(("key", "value"), [
    ("programs", [99]), ("programs", [-1]), ("programs", [True]), ("device", "eth0; id"), ("device", ""), ("find", {}), ("find", {"netns": "x",
        "host_netns": "/"}),
    ("hold_seconds", float("nan")), ("deadline", "soon"), ("key", "a\nb"), ("kind", 5), ("not_before", "now"),
])
def test_what_an_injection_must_be(key: str, value: Any, outcome: Callable[[Any], int]) -> None:
    job = deepcopy(JOB)
    job["injections"][0][key] = value
    assert outcome(job) == 70


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, "nul\0", "\udcff", "@/dev/zero", "@/", "@", "", '{"schema": true}',
    '{"schema": "\\u001b[2J"}', "@a\nb"])
def test_no_document_at_all(text: str, outcome: Callable[[Any], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(text) == 70
    said = capsys.readouterr().err
    assert said.startswith("SQUALL_JOB: ")
    assert said.count("\n") == 1
    assert said.rstrip().isprintable()


def packed(text: bytes) -> str:
    return "z:" + base64.b64encode(zlib.compress(text)).decode()


def test_a_packed_job_is_the_same_job(outcome: Callable[[Any], int]) -> None:
    text = packed(json.dumps(JOB).encode())
    assert len(text) < len(json.dumps(JOB)) / 2
    assert outcome(text) == 0


def test_a_job_that_unpacks_to_too_much_is_refused_without_unpacking_it(outcome: Callable[[Any], int], capsys: pytest.CaptureFixture[str]) -> None:
    bomb = packed(b" " * (256 * 2**20))
    tracemalloc.start()
    assert outcome(bomb) == 70
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * jobs.LARGEST_UNPACKED
    assert capsys.readouterr().err.startswith("SQUALL_JOB: WrongJob: job: what follows z: is not one whole document of at most 8388608 bytes")


WHOLE = packed(json.dumps(JOB).encode())


@pytest.mark.parametrize("text", [
    "z:", "z:!", "z:\udcff", "z:ä", "z:AAAA", WHOLE[:-8], WHOLE[:40], WHOLE.replace("z:", "z: "), packed(b"\xff"), packed(b""), packed(b"[]"),
    "z:" + base64.b64encode(zlib.compress(json.dumps(JOB).encode()) + b"more").decode(), packed(b"z:" + WHOLE.encode()), packed(b"@/etc/passwd"),
])  # fmt: skip
def test_a_packed_job_that_is_none(text: str, outcome: Callable[[Any], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(text) == 70
    said = capsys.readouterr().err
    assert said.startswith("SQUALL_JOB: ")
    assert (said.count("\n"), said.rstrip().isprintable()) == (1, True)


HASH, UID = "0123456789abcdef" * 4, "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
NETNS = {"netns": "/run/netns/a", "host_netns": "/proc/1/ns/net"}
FOUND = [
    NETNS, {**NETNS, "etc": ""}, {**NETNS, "etc": "/var/etc"}, {"host": True}, {"container": HASH, "pod": UID},
    {"container": f"containerd://{HASH}", "pod": UID}, {"container": f"cri-o://{HASH}", "pod": UID.replace("-", "")},
]  # fmt: skip
LOST: list[Any] = [
    {}, [], "host", None, {"host": False}, {"host": 1}, {"host": True, **NETNS}, {"host": True, "container": HASH, "pod": UID}, {"netns": "/a"},
    {**NETNS, "etc": "etc"}, {**NETNS, "etc": None}, {**NETNS, "more": ""}, {"container": HASH}, {"pod": UID}, {"container": HASH, "pod": ""},
    {"container": HASH[1:], "pod": UID}, {"container": HASH.upper(), "pod": UID}, {"container": f"../{HASH}", "pod": UID},
    {"container": f"docker:/{HASH}", "pod": UID}, {"container": HASH, "pod": "../../1"}, {"container": HASH, "pod": UID, "netns": "/a"},
    {"container": HASH + "\n", "pod": UID}, {"container": HASH, "pod": UID + "\n"},
]  # fmt: skip


@pytest.mark.parametrize("find", FOUND)
def test_the_ways_to_find_a_target(find: Any, outcome: Callable[[Any], int]) -> None:
    assert outcome({**JOB, "injections": [{**JOB["injections"][0], "find": find}]}) == 0


@pytest.mark.parametrize("find", LOST)
def test_no_other_way_to_find_a_target(find: Any, outcome: Callable[[Any], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome({**JOB, "injections": [{**JOB["injections"][0], "find": find}]}) == 70
    assert capsys.readouterr().err.startswith("SQUALL_JOB: WrongJob: job.injections[0].find")


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from paths(part, (*at, key))


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(["%device%", "a; b", "\x1b[2J", "../..",
    "\udcff", "9" * 99])
GARBAGE = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(paths(JOB), key=str)), GARBAGE, st.booleans())
def test_any_part_may_be_garbage(outcome: Callable[[Any], int], capsys: pytest.CaptureFixture[str], path: tuple[Any, ...], value: Any,
    missing: bool) -> None:
    job: Any = deepcopy(JOB)
    part = job
    for step in path[:-1]:
        part = part[step]
    if not path:
        job = value
    elif missing:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    code = outcome(job)
    said = capsys.readouterr().err
    assert (code, said.count("\n")) in ((0, 0), (70, 1))
