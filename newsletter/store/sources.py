"""How each source is doing, and what its addresses answered last."""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import answers, sources

_NAMES_PER_QUERY = 500

# Until when to leave a source alone that failed so many times in a row (0: it did not).
Rest = Callable[[int], datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an address last answered; `digest` is the SHA-256 of the body, in hex, `hints` the document's, by codec.

    `moved_to` is where it said it had moved for good, on `moved_seen` days in a row, `moved_at` the last of them.
    """

    etag: str = ""
    last_modified: str = ""
    digest: str = ""
    hints: str = ""
    moved_to: str = ""
    moved_seen: int = 0
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt at a source ended; an empty `error` is a success.

    `size` (bytes) and `milliseconds` are what it cost, None where nothing was sent.
    """

    name: str
    error: str = ""
    rest: Rest = lambda _: None
    size: int | None = None
    milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source did on its last attempts; `failures` counts those in a row.

    It is left alone until `rests_until`: after a failure, or since it said that there is nothing new before. `size` is
    in bytes, and of the last answer that had a body.
    """

    name: str
    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    rests_until: datetime | None
    error: str
    size: int = 0
    milliseconds: int = 0


class Sources:
    """The tables `sources` and `answers`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def mark(self, attempts: Iterable[Attempt], *, now: datetime) -> None:
        """Remember how attempts ended that were made now."""
        by_name = {attempt.name: attempt for attempt in attempts}
        if not by_name:
            return
        with self._db.writing() as connection:
            known = self._health(connection, by_name)
            rows = [_row(attempt, known.get(name), now) for name, attempt in by_name.items()]
            insert = self._db.insert(sources)
            fresh = {name: insert.excluded[name] for name in rows[0] if name != "name"}
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=fresh), rows)

    def resting(self, *, now: datetime) -> Mapping[str, Health]:
        """The sources that are to be left alone now, by name."""
        return {health.name: health for health in self.list() if health.rests_until and health.rests_until > now}

    def list(self) -> Sequence[Health]:
        """Every source ever tried, by name."""
        with self._db.reading() as connection:
            return [Health(**row) for row in connection.execute(sources.select().order_by(sources.c.name)).mappings()]

    def _health(self, connection: sa.Connection, names: Collection[str]) -> dict[str, Health]:
        query = sources.select()
        return {
            row["name"]: Health(**row)
            for some in _portions(names)
            for row in connection.execute(query.where(sources.c.name.in_(some))).mappings()
        }

    def answered(self, addresses: Collection[str]) -> Mapping[str, Answered]:
        """What each of these addresses last answered; one of which nothing is known is not in it."""
        with self._db.reading() as connection:
            return {
                row["address"]: Answered(**{name: row[name] for name in _ANSWERED})
                for some in _portions(addresses)
                for row in connection.execute(answers.select().where(answers.c.address.in_(some))).mappings()
            }

    def remember(self, said: Mapping[str, Answered]) -> None:
        """Keep what addresses answered; call it after the entries of those answers are stored, never before."""
        if not said:
            return
        insert = self._db.insert(answers)
        upsert = insert.on_conflict_do_update(
            index_elements=["address"], set_={name: insert.excluded[name] for name in _ANSWERED}
        )
        rows = [
            {"address": address, **{name: getattr(answer, name) for name in _ANSWERED}}
            for address, answer in said.items()
        ]
        with self._db.writing() as connection:
            connection.execute(upsert, rows)


_ANSWERED = tuple(field.name for field in dataclasses.fields(Answered))


def _row(attempt: Attempt, known: Health | None, now: datetime) -> dict[str, object]:
    failures = (known.failures if known else 0) + 1 if attempt.error else 0
    return {
        "name": attempt.name,
        "tried_at": now,
        "succeeded_at": (known.succeeded_at if known else None) if attempt.error else now,
        "failures": failures,
        "rests_until": attempt.rest(failures),
        "error": attempt.error,
        "size": attempt.size if attempt.size is not None else known.size if known else 0,
        "milliseconds": (
            attempt.milliseconds if attempt.milliseconds is not None else known.milliseconds if known else 0
        ),
    }


def _portions(names: Collection[str]) -> Iterator[builtins.list[str]]:
    """The names in lists that fit a query."""
    whole = builtins.list(names)
    return (whole[start : start + _NAMES_PER_QUERY] for start in range(0, len(whole), _NAMES_PER_QUERY))
