"""Whose turn it is, over all processes on this database: to ask a domain, to collect."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import turns


class Turns:
    """The table `turns`: one row for each thing done by one at a time, free from an instant on."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def take(self, name: str, /, *, until: datetime, now: datetime) -> datetime | None:
        """Take the turn if it is free now, and hold it `until` it is passed on; else, from when on it may be.

        A turn whose holder died is free when its time is over. None means that it was taken.
        """
        with self._db.writing() as connection:
            insert = self._db.insert(turns).values(name=name, free_at=until)
            # One statement decides, whoever else runs it at the same time: the row is locked while it looks.
            taken = connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["name"], set_={"free_at": until}, where=turns.c.free_at <= now
                ).returning(turns.c.name)
            ).first()
            if taken:
                return None
            free_at: datetime = connection.execute(sa.select(turns.c.free_at).where(turns.c.name == name)).scalar_one()
            return free_at

    def pass_on(self, name: str, /, *, free_at: datetime) -> None:
        """Give the turn back, to be taken from an instant on."""
        with self._db.writing() as connection:
            connection.execute(turns.update().where(turns.c.name == name).values(free_at=free_at))
