"""How each source is doing, and what its server said last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import sources, validators


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server last said about an address; `digest` is the SHA-256 of the body, in hex."""

    etag: str = ""
    last_modified: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source did on its last attempts; `failures` counts those in a row."""

    name: str
    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    error: str


class Sources:
    """The tables `sources` and `validators`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def mark(self, name: str, *, error: str, now: datetime) -> None:
        """Remember how an attempt ended; an empty `error` is a success."""
        good = not error
        insert = self._db.insert(sources).values(
            name=name, tried_at=now, succeeded_at=now if good else None, failures=0 if good else 1, error=error
        )
        kept = insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "tried_at": kept.tried_at,
                "succeeded_at": sa.func.coalesce(kept.succeeded_at, sources.c.succeeded_at),
                "failures": sa.case((kept.failures == 0, 0), else_=sources.c.failures + 1),
                "error": kept.error,
            },
        )
        with self._db.writing() as connection:
            connection.execute(statement)

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
