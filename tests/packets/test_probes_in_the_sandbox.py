"""Probes asked from inside pods of a real sandbox: by address and by name, under a fault, without root, and when the pod is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_shop import MARKS, shop

from chaos_modules.clusters.sandbox.cluster import Sandbox
from chaos_modules.model.observation import Sample
from chaos_modules.model.probe import CommandProbe, Connection, HttpProbe
from chaos_modules.model.target import Target
from chaos_modules.observe.network_namespace import Source
from chaos_modules.observe.probes.asking_command import ask_command
from chaos_modules.observe.probes.asking_http import ask_http

pytestmark = MARKS

WEB, WEB_V6 = "10.244.1.2", "[fd00:5c::1:2]"
NAMES = ("web", "web.shop", "web.shop.pod.sandbox", "front.shop", "front.shop.svc.cluster.local")
FETCH = "import sys, urllib.request; print(len(urllib.request.urlopen(sys.argv[1], timeout=5).read()))"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(shop(), "shop.yaml", tmp_path_factory.mktemp("sandbox") / "state") as started:
        yield started


@pytest.fixture
def client(sandbox: Sandbox) -> Source:
    return at(sandbox, "load/client")


def at(sandbox: Sandbox, path: str) -> Source:
    namespace, name = path.split("/")
    return Source.located(sandbox.locate(Target(kind="pod", namespace=namespace, name=name, node="")))


def fetch(source: Source | None, host: str, timeout: float = 10.0) -> Sample:
    return ask_http(HttpProbe(connection=Connection(url=f"http://{host}:8080/")), timeout, source)


def run(source: Source | None, *argv: str, contains: str = "") -> Sample:
    return ask_command(CommandProbe(argv=argv, output_contains=contains), 20.0, source)


def inside(netns: str, *argv: str) -> None:
    subprocess.run(["ip", "netns", "exec", netns, *argv], check=True, capture_output=True)


@pytest.mark.parametrize("host", [WEB, WEB_V6, *NAMES])
def test_a_request_from_inside_a_pod_reaches_another_one(client: Source, host: str) -> None:
    sample = fetch(client, host)
    assert (sample.good, sample.detail) == (True, "")
    assert sample.seconds is not None


@pytest.mark.parametrize("host", [WEB, WEB_V6, *NAMES])
def test_a_program_inside_a_pod_reaches_another_one(client: Source, host: str) -> None:
    sample = run(client, sys.executable, "-c", FETCH, f"http://{host}:8080/?bytes=300000", contains="300000")
    assert (sample.good, sample.detail) == (True, "")


@pytest.mark.parametrize("asking", ["request", "program"])
def test_without_a_source_the_same_is_out_of_reach(asking: str) -> None:
    """In a network of its own, so that no packet of this test can leave the machine; a thread's namespace is its own."""
    samples: list[Sample] = []

    def ask(alone: Source) -> None:
        with alone.entered():
            samples.append(fetch(None, WEB, 1.0) if asking == "request" else run(None, sys.executable, "-c", FETCH, f"http://{WEB}:8080/"))

    subprocess.run(["ip", "netns", "add", "squall-test-alone"], check=True)
    try:
        in_a_thread(lambda: ask(Source(Path("/run/netns/squall-test-alone"))))
    finally:
        subprocess.run(["ip", "netns", "del", "squall-test-alone"], check=True)
    assert [sample.good for sample in samples] == [False]


def in_a_thread(act: Callable[[], None]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def test_the_thread_that_asked_is_where_it_was_and_so_are_its_names(client: Source) -> None:
    here = [Path(f"/proc/thread-self/ns/{kind}") for kind in ("net", "mnt")]
    before = [*(place.readlink() for place in here), Path("/etc/hosts").read_text()]
    assert fetch(client, "web.shop").good
    assert run(client, "cat", "/etc/hosts", contains="web.shop.pod.sandbox").good
    assert fetch(client, "web-9.shop").good is None
    assert [*(place.readlink() for place in here), Path("/etc/hosts").read_text()] == before


def test_a_fault_in_the_pod_is_seen_by_its_probes_and_by_no_other(sandbox: Sandbox, client: Source) -> None:
    inside("squall.load.client", "nft", "table inet test { chain out { type filter hook output priority 0; tcp dport 8080 drop; }; }")
    try:
        assert fetch(client, WEB, 1.0).good is False
        assert run(client, sys.executable, "-c", FETCH, f"http://{WEB}:8080/").good is False
        assert fetch(at(sandbox, "default/exporter"), WEB).good
    finally:
        inside("squall.load.client", "nft", "delete table inet test")
    assert fetch(client, WEB).good


def test_a_port_where_nobody_listens_is_refused(client: Source) -> None:
    sample = ask_http(HttpProbe(connection=Connection(url="http://web.shop:81/")), 10.0, client)
    assert (sample.good, sample.detail) == (False, "connection refused")


def test_without_root_it_is_the_same() -> None:
    """A user namespace of its own, as the sandbox without root makes one; this file is then run as a program."""
    script = 'mount -t tmpfs tmpfs /run && exec "$@"'
    if subprocess.run(["unshare", "-Urnm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("the kernel, or this container, gives no user namespace")
    argv = ["unshare", "-Urnm", "--propagation", "private", "sh", "-c", script, "sh", sys.executable, __file__]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{REPOSITORY}:{Path(__file__).parent}"}
    done = subprocess.run(argv, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"request": [True, ""], "name": [True, ""], "program": [True, ""], "unknown": None}


def test_when_the_pod_is_gone_nothing_is_known(sandbox: Sandbox) -> None:
    """The last test: it takes a pod of the sandbox away."""
    gone = at(sandbox, "shop/web")
    assert fetch(gone, "localhost").good
    subprocess.run(["ip", "netns", "del", "squall.shop.web"], check=True)
    for sample in (fetch(gone, "localhost"), run(gone, "true")):
        assert sample.good is None
        assert sample.detail.startswith("there is no network namespace /run/netns/squall.shop.web: ")


def main() -> None:
    """What the test without root runs."""
    with Sandbox(shop(), "shop.yaml") as started:
        source = at(started, "load/client")
        found: dict[str, Any] = {"request": fetch(source, WEB), "name": fetch(source, "front.shop")}
        found["program"] = run(source, sys.executable, "-c", FETCH, "http://web.shop:8080/")
        told = {name: [sample.good, sample.detail] for name, sample in found.items()}
        print(json.dumps({**told, "unknown": fetch(Source(Path("/run/netns/squall.no.pod")), WEB).good}))


if __name__ == "__main__":
    main()
