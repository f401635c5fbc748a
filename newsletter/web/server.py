"""The server around the pages: uvicorn, in a thread of its own, until the end of a `with`."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from newsletter.errors import ConfigError, Problem
from newsletter.health import parse_place
from newsletter.web.app import build
from newsletter.web.site import Site

_AT_ONCE = 500  # requests; a server that takes more answers none in time
_IDLE_SECONDS = 10
_LAST_SECONDS = 10  # for what is being answered when the server ends


def listen(place: str) -> socket.socket:
    """A socket at `host:port`, or at a port of the loopback interface. ConfigError where nothing can listen there."""
    try:
        host, port = parse_place(place)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), port), family=family, backlog=1024)
    except (OSError, ValueError, OverflowError) as error:
        hint = "an address and a port such as 127.0.0.1:8000"
        raise ConfigError([Problem(key="--listen", what=f"cannot listen at {place}: {error}", hint=hint)]) from error


@contextmanager
def open_server(site: Site, listener: socket.socket) -> Iterator[str]:
    """Serve a site at a socket until the end of the `with`, which closes it; gives its address on this machine."""
    server = uvicorn.Server(
        uvicorn.Config(
            build(site),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,  # paths have tokens in them
            proxy_headers=False,  # `safety.client_address` says whom to believe
            server_header=False,
            limit_concurrency=_AT_ONCE,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_LAST_SECONDS,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web", daemon=True)
    thread.start()
    host, port = listener.getsockname()[:2]
    try:
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()
        site.close()
        listener.close()
