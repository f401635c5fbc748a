"""What programs asked under a key of their own, so that asking again does nothing twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.store.db import Database
from newsletter.store.schema import requests

LASTS = timedelta(hours=24)
_AT_WORK = timedelta(minutes=1)  # what is not answered by then, a process that ended has left behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A request that was made before. `status` is 0 while it is being done; `body` is empty once it was erased."""

    request: str
    status: int
    location: str
    body: str


class Requests:
    """The table `requests`. A key is known as a digest, together with whose it is."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def begin(self, key: str, *, operator: int, request: str, now: datetime) -> Kept | None:
        """Take a request on under a key; None where it is new and to be done, else what is known of the first.

        `request` is a digest of what is asked. Of several that ask at once one is to do it.
        """
        digest = _digest(operator, key)
        insert = self._db.insert(requests).values(key=digest, operator=operator, at=now, request=request)
        left = (requests.c.status == 0) & (requests.c.at < now - _AT_WORK)
        with self._db.writing() as connection:
            connection.execute(requests.delete().where((requests.c.at < now - LASTS) | left))
            if connection.execute(insert.on_conflict_do_nothing().returning(requests.c.key)).first():
                return None
            row = connection.execute(requests.select().where(requests.c.key == digest)).first()
        if row is None:  # refused, and dropped by another process in between
            return self.begin(key, operator=operator, request=request, now=now)
        return Kept(request=row.request, status=row.status, location=row.location, body=row.body)

    def finish(
        self, key: str, *, operator: int, status: int, location: str, body: str, subscriber: int | None = None
    ) -> None:
        """Keep what was answered; with the person it is about, whose erasure erases it too."""
        values = {"status": status, "location": location, "body": body, "subscriber": subscriber}
        with self._db.writing() as connection:
            connection.execute(requests.update().where(requests.c.key == _digest(operator, key)).values(values))

    def prune(self, *, now: datetime) -> None:
        """Forget what is older than a day."""
        with self._db.writing() as connection:
            connection.execute(requests.delete().where(requests.c.at < now - LASTS))

    def drop(self, key: str, *, operator: int) -> None:
        """Nothing came of it: the key may be used again."""
        with self._db.writing() as connection:
            connection.execute(requests.delete().where(requests.c.key == _digest(operator, key)))


def _digest(operator: int, key: str) -> str:
    return hashlib.sha256(f"{operator} {key}".encode()).hexdigest()
