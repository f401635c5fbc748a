"""What all workers know of each way for mail: how fast it may go, how much of today is left, whether it can be used.

What is decided is the business of whoever sends (`mail.budget`); here it happens to one worker at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TypeVar

import sqlalchemy as sa

from newsletter.model import Lane
from newsletter.store.db import Database
from newsletter.store.schema import lanes

T = TypeVar("T")


class Lanes:
    """The table `lanes`: one row for each way, made when it is first asked for."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def change(self, name: str, decide: Callable[[Lane], tuple[Lane, T]], /) -> T:
        """Let `decide` say what the lane is from now on, and give back what else it says.

        However many workers ask, each sees what the one before it left. What was decided survives `kill -9`; after a
        loss of power a second of it may be forgotten.
        """
        with self._db.writing(durable=False) as connection:
            row = self._held(connection, name)
            if row is None:
                new = self._db.insert(lanes).values(name=name).on_conflict_do_nothing()
                connection.execute(new)
                row = self._held(connection, name)
            known = _lane(row)
            lane, answer = decide(known)
            if lane != known:
                connection.execute(lanes.update().where(lanes.c.name == name).values(asdict(lane)))
        return answer

    def list(self) -> Mapping[str, Lane]:
        """Every lane there is, by name."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(lanes).order_by(lanes.c.name)).mappings().all()
        return {row["name"]: _lane(row) for row in rows}

    def _held(self, connection: sa.Connection, name: str) -> sa.RowMapping | None:
        # PostgreSQL locks the row until the end of the transaction; on SQLite the write lock is held already.
        query = sa.select(lanes).where(lanes.c.name == name).with_for_update()
        return connection.execute(query).mappings().first()


def _lane(row: sa.RowMapping | None) -> Lane:
    return Lane(**{key: value for key, value in row.items() if key != "name"}) if row else Lane()
