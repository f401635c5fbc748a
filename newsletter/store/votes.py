"""Which stories readers like: a reader and a story, at most once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.revision import Part, renew
from newsletter.store.schema import votes

_KEYS_PER_QUERY = 500


class Votes:
    """The table `votes`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(self, newsletter: str, key: str, subscriber: int, *, now: datetime) -> None:
        """This reader likes it; harmless when that is known."""
        row = {"newsletter": newsletter, "key": key, "subscriber": subscriber, "at": now}
        with self._db.writing() as connection:
            connection.execute(self._db.insert(votes).values(row).on_conflict_do_nothing())
            renew(self._db, connection, Part.VOTES)

    def take_back(self, newsletter: str, keys: Collection[str], subscriber: int) -> None:
        """This reader does not, under any of its names."""
        mine = (votes.c.newsletter == newsletter) & (votes.c.subscriber == subscriber)
        with self._db.writing() as connection:
            connection.execute(votes.delete().where(mine, votes.c.key.in_(sorted(keys))))
            renew(self._db, connection, Part.VOTES)

    def has(self, newsletter: str, keys: Collection[str], subscriber: int) -> bool:
        """Whether this reader likes it."""
        return bool(self.of(newsletter, keys, subscriber))

    def of(self, newsletter: str, keys: Collection[str], subscriber: int) -> set[str]:
        """Those of some stories that this reader likes."""
        found: set[str] = set()
        wanted = sorted(keys)
        mine = (votes.c.newsletter == newsletter) & (votes.c.subscriber == subscriber)
        query = sa.select(votes.c.key).where(mine)
        with self._db.reading() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                some = votes.c.key.in_(wanted[start : start + _KEYS_PER_QUERY])
                found.update(connection.execute(query.where(some)).scalars())
        return found

    def counts(self, newsletter: str, keys: Collection[str]) -> Mapping[str, int]:
        """How many readers like each of some stories; those that nobody does are left out."""
        found: dict[str, int] = {}
        wanted = sorted(keys)
        query = sa.select(votes.c.key, sa.func.count()).where(votes.c.newsletter == newsletter).group_by(votes.c.key)
        with self._db.reading() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                some = votes.c.key.in_(wanted[start : start + _KEYS_PER_QUERY])
                found.update(connection.execute(query.where(some)).all())
        return found

    def liked(self, newsletter: str, *, since: datetime, limit: int) -> list[str]:
        """The stories that most readers have liked since a moment, the best liked first."""
        query = (
            sa.select(votes.c.key)
            .where(votes.c.newsletter == newsletter, votes.c.at >= since)
            .group_by(votes.c.key)
            .order_by(sa.func.count().desc(), votes.c.key)
            .limit(limit)
        )
        with self._db.reading() as connection:
            return list(connection.execute(query).scalars())
