"""Ticks of the daemon that die, as by `kill -9`, at a commit of one's choice."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, time

import sqlalchemy as sa

from newsletter.app import open_app
from newsletter.config import load_config
from newsletter.daemon import Daemon
from newsletter.store.db import is_writing
from tests.forks import fork
from tests.workspaces import Workspace


def tick(workspace: Workspace, dies_at: int = 0, *, at: datetime | None = None) -> str:
    """One tick, at noon today unless told, in a process killed just before its n-th writing commit (0: never).

    Whether it `crashed` or `finished`.
    """
    noon = datetime.combine(datetime.now(UTC).date(), time(12), UTC)
    process = fork(_tick, workspace, dies_at, at or noon)
    process.join()
    ended = process.exitcode
    process.close()
    assert ended in (0, -signal.SIGKILL), f"a tick failed: {ended}"
    return "crashed" if ended else "finished"


def _tick(workspace: Workspace, dies_at: int, now: datetime) -> None:
    commits = 0

    def count(connection: sa.Connection) -> None:
        nonlocal commits
        commits += is_writing(connection)
        if 0 < dies_at == commits:
            os.kill(os.getpid(), signal.SIGKILL)

    with open_app(load_config(workspace.folder, workspace.settings)) as app:
        sa.event.listen(app.store.db.engine, "commit", count)
        Daemon(app, clock=lambda: now).tick()
