"""Real monitoring on loopback for tests: Prometheus, Alertmanager and node-exporter as processes; an exporter inside the test.

Everything is a context manager and ends with its block. Skip with `needs("prometheus")` where a program is not installed.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
import yaml

T = TypeVar("T")
PATIENCE_SECONDS = 30.0


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test, or with `pytestmark` a module, where a program is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    packages = "prometheus prometheus-alertmanager prometheus-node-exporter"
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed (apt-get install {packages})")


def until(look: Callable[[], T], what: str = "the condition", seconds: float = PATIENCE_SECONDS) -> T:
    """The first true answer of `look`."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"{what} did not come true within {seconds:g} s"
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Daemon:
    """A program that serves on loopback, with its output in a file. `ready` is a text in it, said when it serves."""

    def __init__(self, argv: Sequence[str], log: Path, ready: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        until(lambda: self._is_ready(ready), f"{argv[0]} being ready")

    def _is_ready(self, text: str) -> bool:
        said = self._log.read_text(errors="replace")
        assert self._process.poll() is None, f"it ended: {said[-2000:]}"
        return text in said

    def kill(self) -> None:
        """As a crash would."""
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        """SIGSTOP makes a server that accepts and never answers; SIGCONT ends that."""
        self._process.send_signal(number)


@dataclass
class PrometheusServer:
    """A Prometheus. `rules` is the content of `groups[0].rules`; `scrape` are addresses, and so is `alertmanagers`; `web` is a web configuration,
    `history` OpenMetrics text.

    History lies in the past: `promtool` writes it as blocks before the start.
    """

    directory: Path
    scrape: Sequence[str] = ()
    rules: Sequence[Mapping[str, Any]] = ()
    web: Mapping[str, Any] = field(default_factory=dict)
    history: str = ""
    alertmanagers: Sequence[str] = ()
    interval: str = "100ms"

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.history:
            write_history(self.directory, self.history)
        self.port = free_port()
        scheme = "https" if "tls_server_config" in self.web else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._daemon = self._started()
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.kill()

    def kill(self) -> None:
        """End it at once; the block may go on."""
        self._daemon.kill()

    def signal(self, number: int) -> None:
        """Send a signal to it."""
        self._daemon.signal(number)

    def _started(self) -> Daemon:
        arguments = [
            "prometheus", f"--config.file={self._configuration()}", f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.retention.time=100y",
        ]
        if self.web:
            web = self.directory / "web.yml"
            web.write_text(yaml.safe_dump(dict(self.web)))
            arguments.append(f"--web.config.file={web}")
        return Daemon(arguments, self.directory / "prometheus.log", "Server is ready to receive web requests")

    def _configuration(self) -> Path:
        rules, main = self.directory / "rules.yml", self.directory / "prometheus.yml"
        rules.write_text(yaml.safe_dump({"groups": [{"name": "tests", "rules": [dict(rule) for rule in self.rules]}]}))
        main.write_text(yaml.safe_dump({
            "global": {"scrape_interval": self.interval, "scrape_timeout": self.interval, "evaluation_interval": self.interval},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(self.alertmanagers)}]}]},
            "scrape_configs": [{"job_name": "tests", "static_configs": [{"targets": list(self.scrape)}]}],
        }))
        return main


def write_history(directory: Path, text: str) -> None:
    """OpenMetrics text (see `openmetrics`) as blocks of a Prometheus that has not started yet."""
    source = directory / "history.om"
    source.write_text(text)
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(directory / "data")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def openmetrics(series: Mapping[str, Iterable[tuple[float, float]]]) -> str:
    """`{'errors{pod="a"}': [(time, value), …]}` as gauges, with seconds since the epoch."""
    lines: list[str] = []
    for name in dict.fromkeys(one.partition("{")[0] for one in series):
        lines.append(f"# TYPE {name} gauge")
        lines += [f"{one} {value} {at:.3f}" for one, points in series.items() if one.partition("{")[0] == name for at, value in points]
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def node_exporter(directory: Path) -> Iterator[str]:
    """A real exporter of this machine; gives its address."""
    address = f"127.0.0.1:{free_port()}"
    daemon = Daemon(["prometheus-node-exporter", f"--web.listen-address={address}"], directory / "node-exporter.log", "Listening on")
    try:
        yield address
    finally:
        daemon.kill()


@contextmanager
def alertmanager(directory: Path) -> Iterator[str]:
    """A real Alertmanager that tells nobody; gives its address."""
    address, configuration = f"127.0.0.1:{free_port()}", directory / "alertmanager.yml"
    configuration.write_text(yaml.safe_dump({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}))
    daemon = Daemon(
        ["prometheus-alertmanager", f"--config.file={configuration}", f"--storage.path={directory / 'alertmanager'}",
         f"--web.listen-address={address}", "--cluster.listen-address="], directory / "alertmanager.log", "Listening on",
    )  # fmt: skip
    try:
        yield address
    finally:
        daemon.kill()


class Server(ThreadingHTTPServer):
    """A server inside the test."""

    daemon_threads = True

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://{self.address}"


class Handler(BaseHTTPRequestHandler):
    """Answers, and says nothing on standard error."""

    def answer(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


class Exporter(Server):
    """Gauges that the test sets: `exporter.gauges['errors{pod="a"}'] = 1`; `del` makes one stale."""

    def __init__(self, **gauges: float) -> None:
        super().__init__(("127.0.0.1", 0), _Metrics)
        self.gauges: dict[str, float] = dict(gauges)


class _Metrics(Handler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Exporter)
        lines = [f"{name} {value}" for name, value in dict(self.server.gauges).items()]
        self.answer(200, "\n".join([*lines, ""]).encode(), "text/plain; version=0.0.4")
