"""Tests that need netem. Where this machine's kernel lacks it, all that were selected run in one boot of a User-Mode Linux kernel that
has it, and each test's own reports become its reports here. Where there is no such kernel either, they are skipped and say so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "netem_kernel"))
import launch

HERE = Path(__file__).parent
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
# Set inside the kernel: the file that each report is appended to.
REPORTS = "SQUALL_NETEM_REPORTS"
SECONDS_PER_TEST = 120
NO_KERNEL = "netem: {}, and there is no netem kernel to run in; `make netem-kernel` builds one"


@cache
def native() -> str:
    """Why these tests cannot run on this machine's own kernel; empty where they can."""
    if os.geteuid():
        return "needs root"
    words = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    tried = subprocess.run(words, check=False, capture_output=True, text=True, env={**os.environ, "PATH": PATH})
    said = tried.stderr.strip().removeprefix("Error: ").rstrip(".")
    return f"this kernel has none ({said})" if tried.returncode else ""


def reason_to_skip() -> str:
    missing = [tool for tool in ("ip", "tc", "nft") if shutil.which(tool, path=PATH) is None]
    if missing:
        return f"netem: needs {', '.join(missing)}"
    why = native()
    return NO_KERNEL.format(why) if why and launch.find_kernel() is None else ""


def ours(items: list[pytest.Item]) -> list[pytest.Item]:
    return [item for item in items if item.path.is_relative_to(HERE)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = ours(items)
    reason = reason_to_skip() if mine else ""
    for item in mine:
        item.add_marker(pytest.mark.packets)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


class Kernel:
    """One boot, in which pytest runs the selected tests; their reports are read as they come."""

    def __init__(self, config: pytest.Config, nodes: list[str]) -> None:
        self.config = config
        self.seen: dict[str, list[pytest.TestReport]] = {node: [] for node in nodes}
        self.folder = tempfile.TemporaryDirectory(prefix="squall-netem-")
        place = Path(self.folder.name)
        (place / "reports").touch()
        self.output = (place / "output").open("w+", errors="replace")
        self.unread = (place / "reports").open()
        options = ["-p", "no:cacheprovider", "--rootdir=.", f"--tb={config.option.tbstyle}"]
        # Coverage of this process would measure the launcher too, and then the tests inside, which can write nowhere.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
        self.process = subprocess.Popen(
            [sys.executable, launch.__file__, "--writable", str(place), "--",
             sys.executable, "-m", "pytest", *options, *nodes],
            cwd=config.rootpath, env={**environment, REPORTS: str(place / "reports")}, stdout=self.output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def reports(self, item: pytest.Item) -> list[pytest.TestReport]:
        """All reports of one test; a failure where the kernel ended before it."""
        found, deadline, ended = self.seen[item.nodeid], time.monotonic() + SECONDS_PER_TEST, False
        while not any(report.when == "teardown" for report in found) and not ended:
            if time.monotonic() > deadline:
                self.process.terminate()
            time.sleep(0.02)
            ended = self.process.poll() is not None
            self._read()
        if any(report.when == "teardown" for report in found):
            return found
        self.output.seek(0)
        late = f", stopped after {SECONDS_PER_TEST} s," if time.monotonic() > deadline else ""
        text = f"The netem kernel{late} ended with status {self.process.returncode} before this test did.\n{self.output.read()[-8000:]}"
        return [*found, pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")]

    def _read(self) -> None:
        while (line := self.unread.readline()).endswith("\n"):
            report = self.config.hook.pytest_report_from_serializable(config=self.config, data=json.loads(line))
            if isinstance(report.longrepr, list):  # JSON has no tuples, and a skip's place and reason is one
                report.longrepr = tuple(report.longrepr)
            self.seen[report.nodeid].append(report)
        self.unread.seek(self.unread.tell() - len(line.encode()))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.output.close()
        self.unread.close()
        self.folder.cleanup()


KERNEL_KEY = pytest.StashKey[Kernel]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Instead of running a test here, report what it did inside; the first one boots the kernel for all of them."""
    if not ours([item]) or REPORTS in os.environ or not native() or item.get_closest_marker("skip"):
        return None
    if KERNEL_KEY not in item.session.stash:
        nodes = [each.nodeid for each in ours(item.session.items) if not each.get_closest_marker("skip")]
        item.session.stash[KERNEL_KEY] = Kernel(item.config, nodes)
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in item.session.stash[KERNEL_KEY].reports(item):
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_sessionfinish(session: pytest.Session) -> None:
    if KERNEL_KEY in session.stash:
        session.stash[KERNEL_KEY].close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REPORTS in os.environ:
        data = item.config.hook.pytest_report_to_serializable(config=item.config, report=report)
        with Path(os.environ[REPORTS]).open("a") as stream:
            stream.write(json.dumps(data) + "\n")
    return report
