"""The page while one works on it: written again whenever a file changes, and served so that it reloads itself.

The server is the standard library's, on the loopback interface. It gives the files of a preview to whoever asks for
them by that address, and nothing else: a site whose name leads to this machine (DNS rebinding) reads no links that are
signed for a subscriber.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from newsletter.preview.page import INDEX
from newsletter.preview.pictures import VIEWS
from newsletter.render.environment import bundled_templates

Stamps = Mapping[Path, tuple[int, int]]

_TYPES = {
    INDEX: "text/html; charset=utf-8",
    "issue.html": "text/html; charset=utf-8",
    "issue.txt": "text/plain; charset=utf-8",
    "issue.eml": "message/rfc822",
    "issue.json": "application/json",
    **dict.fromkeys(VIEWS, "image/png"),
}
_SECONDS = 10  # for a request to arrive


def watch(show: Callable[[], object], places: Iterable[Path], *, over: Callable[[], bool]) -> None:
    """Call `show` now, and again when a file at or below `places` has changed, until it is `over`.

    `over` is asked after each look at the files, and takes the time that is to pass until the next.
    """
    places = tuple(places)
    seen: Stamps | None = None
    while True:
        found = stamps(places)
        if found != seen:
            seen = found  # from before: what changes while it is shown is seen the next time
            show()
        if over():
            return


def stamps(places: Iterable[Path]) -> Stamps:
    """The time of the last change, in nanoseconds, and the size of each file at or below `places`."""
    found = {}
    for place in places:
        for path in (place, *place.rglob("*")):
            if path.is_file():
                try:
                    status = path.stat()
                except FileNotFoundError:  # gone since, as are the files that editors write beside the real one
                    continue
                found[path] = (status.st_mtime_ns, status.st_size)
    return found


@contextmanager
def open_server(folder: Path, version: Callable[[], int], *, port: int = 0) -> Iterator[str]:
    """Serve the preview in `folder` on the loopback interface until the end of the `with`; gives the address.

    A page that has another `version` loads itself again. OSError for a port that is taken.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _handler(folder, version))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="preview", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(folder: Path, version: Callable[[], int]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            """Called by the server for each request."""
            port = self.connection.getsockname()[1]
            if self.headers.get("Host") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
                self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
                return
            name = self.path.partition("?")[0].removeprefix("/") or INDEX
            if name == "version":
                self._give(str(version()).encode(), "text/plain")
            elif name == "reload.js":
                self._give((bundled_templates() / "preview" / name).read_bytes(), "text/javascript")
            elif name in _TYPES and (folder / name).is_file():
                self._give((folder / name).read_bytes(), _TYPES[name])
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _give(self, body: bytes, content_type: str) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            if self.path.startswith("/issue."):  # what an issue contains must not act for this server
                self.send_header("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox")
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            """Who answers."""
            return "newsletter"

        def log_message(self, *_: Any) -> None:
            """The page asks every second: nothing to log."""

    return Handler
