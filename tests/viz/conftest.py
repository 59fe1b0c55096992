"""A real browser, headless, for the pages that this library writes: driven over its own pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# The browser listens on descriptor 3 and answers on 4.
_START = "import os, sys; a, b = map(int, sys.argv[1:3]); os.dup2(a, 3); os.dup2(b, 4); os.execv(sys.argv[3], sys.argv[3:])"  # noqa: E501
_KEYS = {" ": ("Space", 32), "ArrowRight": ("ArrowRight", 39), "ArrowLeft": ("ArrowLeft", 37),
         "Home": ("Home", 36), "End": ("End", 35), "PageDown": ("PageDown", 34),
         "PageUp": ("PageUp", 33), "Escape": ("Escape", 27), "Enter": ("Enter", 13)}  # fmt: skip


class Browser:
    """One page at a time: what it asked the network for, and what its console complained about."""

    def __init__(self, program: str) -> None:
        self.folder = tempfile.mkdtemp(prefix="gradling-browser-")
        read, self._out = os.pipe()
        self._in, write = os.pipe()
        read, write = (_high(read), _high(write))
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--no-first-run", "--disable-background-networking", "--disable-extensions",
                 f"--user-data-dir={self.folder}", "--remote-debugging-pipe"]  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(read), str(write), program, *flags, "about:blank"],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read)
        os.close(write)
        self._rest = b""
        self._count = 0
        self._session: str | None = None
        self._target = ""
        self.requests: list[str] = []
        self.problems: list[str] = []

    def open(
        self, page: Path | str, *, dark: bool = False, scripts: bool = True, size: Any = (1200, 900)
    ) -> Browser:
        """Load a file, or a page given as text; forget what the page before did."""
        if self._target:
            self._ask("Target.closeTarget", targetId=self._target, session=False)
        if isinstance(page, str):
            file = Path(self.folder) / "page.html"
            file.write_text(page, encoding="utf-8")
            page = file
        self.requests, self.problems = [], []
        self._target = self._ask("Target.createTarget", url="about:blank", session=False)[
            "targetId"
        ]
        attached = self._ask(
            "Target.attachToTarget", targetId=self._target, flatten=True, session=False
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._ask(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self._ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        width, height = size
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self._ask("Page.navigate", url=page.resolve().as_uri())
        self._until("Page.loadEventFired")
        return self

    def js(self, expression: str) -> Any:
        """What an expression is in the page, as plain data.

        Raises:
            AssertionError: it threw.
        """
        done = self._ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def key(self, key: str) -> None:
        """Press and release a key."""
        code, number = _KEYS.get(key) or (f"Key{key.upper()}", ord(key.upper()))
        text = key if len(key) == 1 else ""
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        self._ask("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """``kind``: ``"mouseMoved"``, ``"mousePressed"``, ``"mouseReleased"``, ``"mouseWheel"``."""
        self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector: str) -> None:
        """Press the left button in the middle of an element."""
        quoted = json.dumps(selector)
        x, y = self.js(
            f"(()=>{{const e=document.querySelector({quoted});e.scrollIntoView({{block:'center'}});"
            "const b=e.getBoundingClientRect();return [b.x+b.width/2,b.y+b.height/2]})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def screenshot(self, path: str | os.PathLike[str], *, whole: bool = False) -> Path:
        """The page as PNG: what is visible, or ``whole``."""
        done = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(done["data"]))
        return Path(path)

    @property
    def outside(self) -> list[str]:
        """What was asked for beyond the page itself."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "about:"))]

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # it leads a group of its own
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, method: str, *, session: bool = True, **params: Any) -> Any:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _until(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._in, 1 << 16)
            assert data, "the browser ended"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if message.get("sessionId") == self._session:
            self._keep(message.get("method", ""), message.get("params", {}))
        return message

    def _keep(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.problems.append(str([arg.get("value") for arg in params["args"]]))


def _high(descriptor: int) -> int:
    """The same pipe under a number above those that the browser is going to get."""
    import fcntl

    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 20)
    os.close(descriptor)
    return moved


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium or Chrome is installed to open the page in (apt install chromium)")
    browser = Browser(program)
    yield browser
    browser.close()


@pytest.fixture
def browser(_browser: Browser) -> Browser:
    """A headless browser; skips where none is installed."""
    return _browser
