"""Ticks of the daemon that die, as by `kill -9`, at a commit of one's choice.

`python -m tests.crashing` reads lines `WORKSPACE N` and answers each with `crashed` or `finished`: one tick of the
daemon in that workspace, killed just before its N-th writing commit (0: never). Every tick runs in a forked child, so
that what it did to its memory dies with it, and the parent stays free of threads and connections.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, time
from pathlib import Path

import sqlalchemy as sa

import newsletter.mail.smtp
import newsletter.render.mjml
from newsletter.app import open_app
from newsletter.config import load_config
from newsletter.daemon import Daemon

IMPORTED = (newsletter.mail.smtp, newsletter.render.mjml)  # once here, not in every child


def tick(workspace: Path, *, dies_at: int) -> None:
    """One tick at noon today; SIGKILL to ourselves just before writing commit number `dies_at`."""
    commits = 0

    def count(connection: sa.Connection) -> None:
        nonlocal commits
        commits += "newsletter_writes" in connection.get_execution_options()
        if 0 < dies_at == commits:
            os.kill(os.getpid(), signal.SIGKILL)

    noon = datetime.combine(datetime.now(UTC).date(), time(12), UTC)
    with open_app(load_config(workspace)) as app:
        sa.event.listen(app.store.db.engine, "commit", count)
        Daemon(app, clock=lambda: noon).tick()


def main() -> None:
    """One child for each line of the standard input."""
    for line in sys.stdin:
        workspace, number = line.rsplit(maxsplit=1)
        child = os.fork()
        if child == 0:
            tick(Path(workspace), dies_at=int(number))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        print("crashed" if status else "finished", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
