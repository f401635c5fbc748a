"""The inbox at an address, until it is closed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import uvicorn

from newsletter.errors import ConfigError, Problem
from newsletter.web.inbox.guard import Guard
from newsletter.web.inbox.maildir import Inbox
from newsletter.web.inbox.pages import Pages

_SECONDS = 1  # for answers that are under way when it is closed


@contextmanager
def open_inbox(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8025,
    clock: Callable[[], datetime],
    smtp: str = "",
    faults: Sequence[str] = (),
) -> Iterator[str]:
    """Show the mails of a maildir until the end of the `with`; gives the address. Port 0 picks a free one.

    `smtp` is where mails come in and `faults` what goes wrong there, for those who look. ConfigError where nothing can
    listen.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        hint = "another mailbox may be running: name another port, or leave the page out with --no-web"
        raise ConfigError([Problem(key="--web", what=f"cannot listen at {host}:{port}: {why}", hint=hint)]) from error
    pages = Pages(Inbox(folder), clock=clock, smtp=smtp, faults=tuple(faults))
    server = uvicorn.Server(
        uvicorn.Config(
            Guard(pages.app(), host=host),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,  # the command's own
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS,
        )
    )
    # Signals are the command's: uvicorn takes them in a main thread only.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="inbox", daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
