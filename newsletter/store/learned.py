"""What was learned from the archive, as bytes: so that every process compares stories alike, today and tomorrow."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import learned


class Learned:
    """The table `learned`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def revision(self, name: str) -> int:
        """How often it was put; 0 when nothing is known."""
        with self._db.reading() as connection:
            return connection.execute(sa.select(learned.c.revision).where(learned.c.name == name)).scalar() or 0

    def get(self, name: str) -> tuple[int, bytes]:
        """The revision and the bytes; 0 and none when nothing is known."""
        with self._db.reading() as connection:
            query = sa.select(learned.c.revision, learned.c.data).where(learned.c.name == name)
            row = connection.execute(query).first()
        return (row.revision, row.data) if row else (0, b"")

    def put(self, name: str, data: bytes, *, after: int) -> bool:
        """Keep these bytes, unless somebody put others since revision `after`; whether they were kept."""
        row = {"revision": after + 1, "data": data}
        with self._db.writing() as connection:
            if after:
                found = (learned.c.name == name, learned.c.revision == after)
                return connection.execute(learned.update().where(*found).values(row)).rowcount == 1
            insert = self._db.insert(learned).values(name=name, **row).on_conflict_do_nothing()
            return connection.execute(insert.returning(learned.c.name)).first() is not None
