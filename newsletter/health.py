"""Whether a daemon is well, for a monitor that asks by HTTP: `GET /healthz` answers JSON, with 200 or 503.

The server is the standard library's, in a thread of its own; it writes nothing and takes nothing but that address.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from newsletter.errors import ConfigError, NewsletterError, Problem

PATH = "/healthz"
_SECONDS = 10  # for a request to arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a daemon is. `problems` says in words what is not well, and is empty when all is."""

    last_tick: datetime | None = None
    oldest_due: datetime | None = None  # of what could go now and has not
    uncertain: int = 0  # messages that may have arrived or not
    alarms: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def answer(ask: Callable[[], Health]) -> tuple[HTTPStatus, bytes]:
    """The answer to a monitor. A daemon that cannot be asked is not well."""
    try:
        health = ask()
    except NewsletterError as error:
        health = Health(problems=(str(error),))
    told = {"status": "unwell" if health.problems else "ok", **asdict(health)}
    body = json.dumps(told, default=lambda value: value.isoformat(), indent=2) + "\n"
    return HTTPStatus.SERVICE_UNAVAILABLE if health.problems else HTTPStatus.OK, body.encode()


@contextmanager
def open_health(place: str, ask: Callable[[], Health]) -> Iterator[str]:
    """Answer at `host:port`, or at a port of the loopback interface, until the end of the `with`; gives the URL.

    ConfigError where nothing can listen there.
    """
    try:
        host, port = parse_place(place)
        server = http.server.ThreadingHTTPServer((host, port), _handler(ask))
    except (OSError, ValueError, OverflowError) as error:
        hint = "an address and a port such as 127.0.0.1:8025"
        raise ConfigError([Problem(key="--health", what=f"cannot listen at {place}: {error}", hint=hint)]) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}{PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def parse_place(text: str) -> tuple[str, int]:
    """The host and port of `host:port`; of a port alone, on the loopback interface. ValueError."""
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def _handler(ask: Callable[[], Health]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            """Called by the server for each request."""
            if self.path.partition("?")[0] != PATH:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            status, body = answer(ask)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            """Who answers."""
            return "newsletter"

        def log_message(self, *_: Any) -> None:
            """A monitor asks every minute: nothing to log."""

    return Handler
