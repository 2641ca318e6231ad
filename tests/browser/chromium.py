"""A headless Chromium behind two pipes: no port, no driver, nothing but the standard library."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--hide-scrollbars", "--remote-debugging-pipe",
)
PATIENCE = 60.0


class Page:
    """One tab. Everything that it asks of a network and everything that it says on its console is kept."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self.browser, self.session = browser, session
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log", "Security"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command to this tab; its answer."""
        return self.browser.call(method, session=self.session, **parameters)

    def hear(self, message: dict[str, Any]) -> None:
        """An event of this tab."""
        method, facts = message["method"], message["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(f"{facts['entry']['level']}: {facts['entry']['text']}")
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(f"console.{facts['type']}: {facts['args']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(f"exception: {facts['exceptionDetails']}")

    def prepare(self, *, width: int = 1280, height: int = 900, dark: bool = False, media: str = "", scripts: bool = True) -> None:
        """The window, the colour scheme, the medium, and whether scripts run; before `open`."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def open(self, path: Path) -> None:
        """Show a file, and wait until it is loaded and painted."""
        loaded = self.browser.expect(self.session, "Page.loadEventFired")
        self.call("Page.navigate", url=path.as_uri())
        self.browser.wait(loaded, f"{path} to be loaded")
        self.call("Page.captureScreenshot", format="png", clip={"x": 0, "y": 0, "width": 8, "height": 8, "scale": 1})

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON; works where the page's own scripts are off."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """The text of each element, with white space as a reader sees it."""
        each = "e => e.textContent.replace(/\\s+/g, ' ').trim()"
        found: list[str] = self.evaluate(f"Array.from(document.querySelectorAll({json.dumps(selector)}), {each})")
        return found

    def rows(self, selector: str) -> list[list[str]]:
        """The texts of the cells of each row."""
        cells = "e => Array.from(e.cells, c => c.textContent.replace(/\\s+/g, ' ').trim())"
        found: list[list[str]] = self.evaluate(f"Array.from(document.querySelectorAll({json.dumps(selector)}), {cells})")
        return found

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """A picture of the page, or of the window."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])


class Chromium:
    """The process, and the protocol: JSON messages with a zero byte after each."""

    def __init__(self, process: subprocess.Popen[bytes], write: int, read: int) -> None:
        self._process, self._write, self._read = process, write, read
        self._buffer, self._number = b"", 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._heard: list[dict[str, Any]] = []
        self._pages: dict[str, Page] = {}

    def page(self) -> Page:
        """A new tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._pages[session] = Page(self, session)
        return self._pages[session]

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises AssertionError where it fails."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        self.wait(lambda: number in self._answers, method)
        answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer}"
        result: dict[str, Any] = answer["result"]
        return result

    def expect(self, session: str, method: str) -> Callable[[], bool]:
        """Whether an event has come since now."""
        since = len(self._heard)
        return lambda: any(one["method"] == method and one.get("sessionId") == session for one in self._heard[since:])

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Read messages until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"Chromium: nothing came within {PATIENCE:.0f} s while waiting for {what}"
            part = os.read(self._read, 1 << 20)
            assert part, f"Chromium ended while waiting for {what}"
            self._take(part)

    def _take(self, part: bytes) -> None:
        *messages, self._buffer = (self._buffer + part).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
                continue
            self._heard.append(message)
            if message.get("sessionId") in self._pages:
                self._pages[message["sessionId"]].hear(message)

    def close(self) -> None:
        """End the browser and all of its processes."""
        os.close(self._write)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._read)


def program() -> str | None:
    """Where Chromium is, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium(folder: Path) -> Iterator[Chromium]:
    """A browser whose profile is in `folder`; it is gone afterwards."""
    found = program()
    assert found, "Chromium is not installed"
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()

    def place() -> None:
        first, second = os.dup(from_us), os.dup(to_us)
        os.dup2(first, 3)
        os.dup2(second, 4)

    with (folder / "chromium.log").open("wb") as log:
        command = [found, *FLAGS, f"--user-data-dir={folder / 'profile'}"]
        # The browser reads descriptor 3 and writes 4, whatever these are here. No test has threads.
        process = subprocess.Popen(
            command, preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,  # noqa: PLW1509
            env={**os.environ, "HOME": str(folder)},
        )
    os.close(from_us)
    os.close(to_us)
    browser = Chromium(process, to_browser, from_browser)
    try:
        yield browser
    finally:
        browser.close()
