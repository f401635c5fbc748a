"""How each source is doing, and what its server said last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import sources, validators

Rest = Callable[[int], timedelta]  # how long, after so many failures in a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server last said about an address; `digest` is the SHA-256 of the body, in hex."""

    etag: str = ""
    last_modified: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source did on its last attempts; `failures` counts those in a row.

    After a failure it is left alone until `rests_until`.
    """

    name: str
    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    rests_until: datetime | None
    error: str


class Sources:
    """The tables `sources` and `validators`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def mark(self, name: str, *, error: str = "", rest: Rest | None = None, now: datetime) -> None:
        """Remember how an attempt ended; an empty `error` is a success.

        After a failure `rest` says how long to leave the source alone, given how many there were in a row.
        """
        with self._db.writing() as connection:
            before = connection.execute(sa.select(sources.c.failures).where(sources.c.name == name)).scalar() or 0
            failures = before + 1 if error else 0
            row = {
                "tried_at": now,
                "failures": failures,
                "rests_until": now + rest(failures) if error and rest else None,
                "error": error,
                **({} if error else {"succeeded_at": now}),
            }
            insert = self._db.insert(sources).values(name=name, **row)
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=row))

    def resting(self, *, now: datetime) -> Mapping[str, Health]:
        """The sources that are to be left alone now, by name."""
        return {health.name: health for health in self.list() if health.rests_until and health.rests_until > now}

    def list(self) -> Sequence[Health]:
        """Every source ever tried, by name."""
        with self._db.reading() as connection:
            return [Health(**row) for row in connection.execute(sources.select().order_by(sources.c.name)).mappings()]

    def validators(self, address: str) -> Validators:
        """What the server last said about an address; empty when nothing is known."""
        columns = (validators.c.etag, validators.c.last_modified, validators.c.digest)
        with self._db.reading() as connection:
            row = connection.execute(sa.select(*columns).where(validators.c.address == address)).mappings().first()
        return Validators(**row) if row else Validators()

    def mark_validators(self, address: str, said: Validators) -> None:
        """Remember what a server said; call it after the entries of that answer are stored, never before."""
        values = {"etag": said.etag, "last_modified": said.last_modified, "digest": said.digest}
        insert = self._db.insert(validators).values(address=address, **values)
        with self._db.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["address"], set_=values))
