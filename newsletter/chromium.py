"""Pictures of pages by a headless Chromium that never reaches the network.

    with open_browser(program) as browser:
        png = browser.photograph(page, View(width=640), images=images)

It is spoken to over a pair of pipes (`--remote-debugging-pipe`): JSON in both directions, a NUL after each message;
the methods are those of https://chromedevtools.github.io/devtools-protocol/. Whatever a page asks for is held back by
the browser and answered here (domain Fetch): the page itself, and images by the function that is handed over.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from newsletter.errors import NewsletterError

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
INSTALL = "install Chromium (on Debian: apt install chromium)"
TALLEST = 16_000  # pixels; Chromium draws at most 16,384 into one picture

_PAGE = "http://page.invalid/"  # RFC 2606: no such host can exist
_LAST_WORDS = 20  # lines
_CHUNK = 256 * 1024
_SECONDS_TO_END = 5
_Message = dict[str, Any]
_OPTIONS = (
    "--headless", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars", "--mute-audio",
    "--disable-background-networking", "--disable-breakpad", "--disable-component-update", "--disable-extensions",
    "--disable-quic", "--disable-sync", "--no-default-browser-check", "--no-first-run",
    # Nothing is asked of a server here, but a browser has business of its own: no name leads anywhere.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


class BrowserError(NewsletterError):
    """The browser does not start, ended, or took too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page is looked at with: a window so many CSS pixels wide, in dark colours, on a phone."""

    width: int
    dark: bool = False
    phone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What the address of an image gives."""

    content_type: str
    body: bytes


Images = Callable[[str], Image | None]


def find_chromium() -> str | None:
    """The path of a Chromium that can be started, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def nothing(_: str) -> Image | None:
    """Images as they are while a mail client does not load them."""
    return None


@contextmanager
def open_browser(program: str, *, seconds: float = 60) -> Iterator[Browser]:
    """A browser with a profile of its own that is gone at the end, as are all its processes.

    BrowserError, also out of what is done with it, when it does not start, ends by itself, or `seconds` are over.
    """
    # Not in TMPDIR: Chromium makes a socket in there, whose path has at most 104 bytes on some systems.
    with tempfile.TemporaryDirectory(prefix="newsletter-chromium-", dir="/tmp") as profile:
        process = _start(program, profile)
        browser = Browser(process)
        timer = threading.Timer(seconds, browser.give_up, [f"took longer than {seconds:g} seconds"])
        timer.start()
        try:
            browser.call("Browser.getVersion")
            yield browser
        finally:
            timer.cancel()
            browser.close()


def _start(program: str, profile: str) -> subprocess.Popen[bytes]:
    # Chromium reads from descriptor 3 and writes to 4, which only a shell can name without a race between threads.
    command = ["/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh", program, *_OPTIONS]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # it refuses to start its sandbox for root
    return subprocess.Popen(  # noqa: S603  # the program that was found, with our options
        [*command, f"--user-data-dir={profile}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": profile},  # what it leaves there goes with its profile
        start_new_session=True,  # so that it can be ended with all its children
    )


class Browser:
    """A running Chromium; `open_browser` makes one."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._calls = 0
        self._heard = bytearray()
        self._given_up = ""
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._listener = threading.Thread(target=self._listen, name="chromium", daemon=True)
        self._listener.start()

    def photograph(self, page: str, view: View, *, images: Images = nothing) -> bytes:
        """A PNG of the whole page, of at most TALLEST pixels; scripts in it do not run.

        `images` gives what the address of an image leads to, None where it shall look as if it was not loaded.
        BrowserError.
        """
        # A context has a cache of its own: what one picture shows must not appear in the next.
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        picture = _Tab(browser=self, session=session, page=page.encode(), images=images).photograph(view)
        self.call("Target.disposeBrowserContext", browserContextId=context)
        return picture

    def call(
        self,
        method: str,
        *,
        session: str = "",
        heard: Callable[[_Message], None] = lambda _: None,
        **parameters: object,
    ) -> _Message:
        """The result of a method; `heard` is told every event until it is there. BrowserError."""
        number = self.send(method, session=session, **parameters)
        while (message := self.receive()).get("id") != number:
            heard(message)
        if "error" in message:
            raise BrowserError(f"{method}: {message['error'].get('message')}")
        result: _Message = message["result"]
        return result

    def send(self, method: str, *, session: str = "", **parameters: object) -> int:
        """Call a method without waiting; the number that its result will have. BrowserError."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        assert self._process.stdin is not None  # noqa: S101  # a pipe, see _start
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\0")
            self._process.stdin.flush()
        except OSError as error:
            raise self._over() from error
        return self._calls

    def receive(self) -> _Message:
        """The next that it says: the result of a call or an event. BrowserError."""
        assert self._process.stdout is not None  # noqa: S101  # a pipe, see _start
        while (end := self._heard.find(b"\0")) < 0:
            chunk = os.read(self._process.stdout.fileno(), _CHUNK)
            if not chunk:
                raise self._over()
            self._heard += chunk
        message: _Message = json.loads(self._heard[:end])
        del self._heard[: end + 1]
        return message

    def give_up(self, reason: str) -> None:
        """End it at once, whatever it is doing."""
        self._given_up = reason
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it with all its processes, and wait until they have."""
        self.give_up(self._given_up or "was closed")
        self._process.wait()
        self._listener.join(_SECONDS_TO_END)  # every process of it holds the pipe that is listened to
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not read any more
                    pipe.close()

    def _over(self) -> BrowserError:
        """Why nothing more comes: our own reason, else what it complained of."""
        if self._given_up:
            return BrowserError(f"Chromium {self._given_up}")
        self._listener.join(_SECONDS_TO_END)
        words = next((line for line in self._last_words if "FATAL" in line), "".join(list(self._last_words)[-1:]))
        return BrowserError(f"Chromium ended: {words.strip() or 'without a word'}")

    def _listen(self) -> None:
        """Keep its last complaints; a full pipe would stop it."""
        assert self._process.stderr is not None  # noqa: S101  # a pipe, see _start
        with self._process.stderr as complaints:
            for line in complaints:
                self._last_words.append(line.decode(errors="replace"))


@dataclass(slots=True, kw_only=True)
class _Tab:
    """One page in it: everything that it asks for is answered here."""

    browser: Browser
    session: str
    page: bytes
    images: Images
    is_loaded: bool = False

    def photograph(self, view: View) -> bytes:
        """A PNG of the page from top to bottom."""
        self._call("Page.enable")
        self._call("Fetch.enable", patterns=[{"urlPattern": "*"}])
        self._call("Emulation.setScriptExecutionDisabled", value=True)
        colours = {"name": "prefers-color-scheme", "value": "dark" if view.dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[colours])
        window = {"width": view.width, "height": 800, "deviceScaleFactor": 1, "mobile": view.phone}
        self._call("Emulation.setDeviceMetricsOverride", **window)
        self._call("Page.navigate", url=_PAGE)
        while not self.is_loaded:
            self._hear(self.browser.receive())
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": view.width, "height": min(size["height"], TALLEST), "scale": 1}
        return base64.b64decode(self._call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"])

    def _call(self, method: str, **parameters: object) -> _Message:
        return self.browser.call(method, session=self.session, heard=self._hear, **parameters)

    def _hear(self, event: _Message) -> None:
        if event.get("sessionId") != self.session:
            return
        if event.get("method") == "Page.loadEventFired":
            self.is_loaded = True
        elif event.get("method") == "Fetch.requestPaused":
            self._answer(event["params"])

    def _answer(self, asked: Mapping[str, Any]) -> None:
        """Give the page itself and the images that there are; refuse everything else."""
        url = asked["request"]["url"]
        given = None
        if asked["resourceType"] == "Document" and url == _PAGE:
            given = Image(content_type="text/html; charset=utf-8", body=self.page)
        elif asked["resourceType"] == "Image":
            given = self.images(url)
        if given is None:
            refusal = {"requestId": asked["requestId"], "errorReason": "BlockedByClient"}
            self.browser.send("Fetch.failRequest", session=self.session, **refusal)
            return
        answer = {
            "requestId": asked["requestId"],
            "responseCode": 200,
            "responseHeaders": [{"name": "Content-Type", "value": given.content_type}],
            "body": base64.b64encode(given.body).decode(),
        }
        self.browser.send("Fetch.fulfillRequest", session=self.session, **answer)
