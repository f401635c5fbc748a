"""The reports of every run, so that "why did no mail come?" has an answer later."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.codec import decode, encode
from newsletter.model import Run
from newsletter.store.db import Database
from newsletter.store.schema import runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run and when it ended."""

    run: Run
    ended_at: datetime


class Runs:
    """The table `runs`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(self, run: Run, *, now: datetime) -> None:
        """Keep a report. The issue itself is not in it: it stands in `issues`."""
        row = {"newsletter": run.slot.newsletter, "slot": run.slot.key, "ended_at": now, "report": encode(run)}
        with self._db.writing() as connection:
            connection.execute(runs.insert().values(row))

    def list(self, newsletter: str = "", *, slot: str = "", limit: int = 20) -> builtins.list[Ended]:
        """The last runs, newest first; of one newsletter or slot if named."""
        query = sa.select(runs.c.report, runs.c.ended_at).order_by(runs.c.id.desc()).limit(limit)
        if newsletter:
            query = query.where(runs.c.newsletter == newsletter)
        if slot:
            query = query.where(runs.c.slot == slot)
        with self._db.reading() as connection:
            return [Ended(run=decode(Run, report), ended_at=at) for report, at in connection.execute(query)]
