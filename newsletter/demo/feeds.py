"""Sample feeds over HTTP on the loopback interface, in the shapes of the three sources of the example.

    /api/daily_papers?date=2026-11-20   Hugging Face Daily Papers: a JSON array; empty on any day but today
    /rss/cs.CL+cs.CV+cs.LG              arXiv announcements: RSS 2.0
    /feed.xml                           a blog: Atom

The files in `data/` say `{day-2}` where a date belongs (`{mail-day-0}` in the form of RFC 5322), so that what is
served is always news.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

_DATA = Path(__file__).with_name("data")
_DAY = re.compile(r"\{(mail-)?day-(\d+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one address gives."""

    status: HTTPStatus
    content_type: str
    body: bytes

    @property
    def etag(self) -> str:
        """A strong validator: it changes when a byte does."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


@contextmanager
def serve(now: datetime) -> Iterator[str]:
    """Serve the feeds as of `now` on a free port of 127.0.0.1; give their base URL, without a slash at its end.

    ValueError when `now` has no zone.
    """
    if now.tzinfo is None:
        raise ValueError(f"today is unknown without a time zone: {now.isoformat()}")
    today = now.astimezone(UTC).date()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, answer=partial(answer, today=today))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo feeds")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answer(target: str, *, today: date) -> Answer:
    """What a request for this target (path and query) gives on this day (UTC)."""
    parts = urlsplit(target)
    if parts.path == "/api/daily_papers":
        return _daily_papers(parse_qs(parts.query), today)
    if parts.path.startswith("/rss/"):
        return _file("arxiv.xml", "application/rss+xml; charset=utf-8", today)
    if parts.path == "/feed.xml":
        return _file("feed.xml", "application/atom+xml; charset=utf-8", today)
    return Answer(status=HTTPStatus.NOT_FOUND, content_type="text/plain", body=b"not found\n")


def _daily_papers(query: dict[str, list[str]], today: date) -> Answer:
    try:
        day = date.fromisoformat(query.get("date", [today.isoformat()])[-1])
    except ValueError:
        return _json({"error": "date: must be YYYY-MM-DD"}, HTTPStatus.BAD_REQUEST)
    if day > today:
        return _json({"error": f"date: {day} is in the future"}, HTTPStatus.BAD_REQUEST)
    if day < today:
        return _json([])
    return _file("daily_papers.json", "application/json; charset=utf-8", today)


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    return Answer(status=status, content_type="application/json; charset=utf-8", body=json.dumps(value).encode())


def _file(name: str, content_type: str, today: date) -> Answer:
    text = (_DATA / name).read_text("utf-8")
    return Answer(status=HTTPStatus.OK, content_type=content_type, body=_dated(text, today).encode())


def _dated(text: str, today: date) -> str:
    def day(match: re.Match[str]) -> str:
        then = today - timedelta(days=int(match[2]))
        return _mail_day(then) if match[1] else then.isoformat()

    return _DAY.sub(day, text)


def _mail_day(day: date) -> str:
    """`Fri, 20 Nov 2026`, the date part of RFC 5322, in English whatever the locale."""
    return format_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))[:16]


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD, and conditional requests by ETag (RFC 9110 section 13.1.2)."""

    timeout = 10.0  # seconds for a request to arrive; a silent client must not keep its thread

    def __init__(self, request: Any, client: Any, server: BaseServer, *, answer: Callable[[str], Answer]) -> None:
        self._answer = answer
        super().__init__(request, client, server)

    def do_GET(self) -> None:
        """Answer in full."""
        self._send(self._answer(self.path), with_body=True)

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._send(self._answer(self.path), with_body=False)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (named by http.server)
        """Keep the terminal for the demonstration."""

    def _send(self, found: Answer, *, with_body: bool) -> None:
        unchanged = found.status == HTTPStatus.OK and found.etag in self.headers.get("If-None-Match", "")
        self.send_response(HTTPStatus.NOT_MODIFIED if unchanged else found.status)
        self.send_header("ETag", found.etag)
        if not unchanged:
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        if with_body and not unchanged:
            self.wfile.write(found.body)
