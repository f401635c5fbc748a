"""Numbers that grow whenever something changes that public pages are made of: issues, votes, the archive.

Whoever keeps a page in memory compares them with those of when the page was made, in place of the page itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import public_revision


class Part(IntEnum):
    """What changes by itself: an issue comes, a reader votes, something is collected or filed."""

    ISSUES = 1
    VOTES = 2
    ARCHIVE = 3


class Revision:
    """The table `public_revision`, a row for each part."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def get(self) -> Mapping[Part, int]:
        """The number of each part as of now; 0 where nothing was public yet."""
        query = sa.select(public_revision.c.id, public_revision.c.number)
        with self._db.reading() as connection:
            known = dict(connection.execute(query).all())
        return {part: known.get(part.value, 0) for part in Part}


def renew(db: Database, connection: sa.Connection, part: Part) -> None:
    """The next number of a part, from when the transaction commits.

    The last statement of a transaction: others that change the same wait for its end.
    """
    insert = db.insert(public_revision).values(id=part.value, number=1)
    following = {"number": public_revision.c.number + 1}
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=following))
