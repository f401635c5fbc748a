"""A web server on the loopback interface whose pages are data."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Page:
    """What one address gives. `etag` makes it answer 304 to whoever knows it; `stalls` never answers."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/xml"
    etag: str = ""
    encoding: str = ""
    retry_after: str = ""
    stalls: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)  # further ones: Location, Cache-Control


@dataclass
class Site:
    """A running server: its address, its pages by path (the longest that the request begins with), what was asked."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)  # by the monotonic clock
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def open_site() -> Iterator[Site]:
    """A server on a free port, until the end of the `with`."""
    site = Site(url="")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.asked_at.append(time.monotonic())
            path = max((known for known in site.pages if self.path.startswith(known)), key=len, default="")
            page = site.pages.get(path, Page(status=404))
            if page.stalls:
                site.over.wait()
                return
            known = page.etag and self.headers.get("If-None-Match") == page.etag
            self.send_response(304 if known else page.status)
            body = b"" if known else page.body
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(body)))
            if page.retry_after:
                self.send_header("Retry-After", page.retry_after)
            if page.encoding:
                self.send_header("Content-Encoding", page.encoding)
            if page.etag:
                self.send_header("ETag", page.etag)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # whoever has had enough closes
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()
            thread.join()


def rss(*items: tuple[str, str]) -> bytes:
    """An RSS feed of (title, link) pairs."""
    told = "".join(
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid></item>" for title, link in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{told}</channel></rss>'.encode()
