"""The archive: a row for each story that was collected, with its words and its vector, kept up with the entries.

    Entries.add notes the keys it changed in `unfiled` | file | bare, put | since -> an index in memory

Each step is a transaction that takes its work off the list it came from: whatever dies is taken up again by the next
call. Nothing here is a source: `refile` writes the whole of it anew from the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.entries import Entries, Seen
from newsletter.store.revision import Part, renew
from newsletter.store.schema import entries, stories, unfiled
from newsletter.store.words import Held, Words

_KEYS_PER_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What the archive keeps of a story at once."""

    key: str
    day: date
    sources: tuple[str, ...]
    held: Held
    digest: str  # of the text that is embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A story of the archive as an index needs it; no vector where this embedder has not made one yet."""

    id: int
    revision: int
    day: date
    topic: str
    sources: tuple[str, ...]
    vector: bytes | None


@dataclass(frozen=True, slots=True)
class Bare:
    """A story without a vector, as it was at a revision."""

    id: int
    revision: int


@dataclass(frozen=True, slots=True)
class Made:
    """What is made of a story once its text stands: its vector, and its topic ("" for none)."""

    vector: bytes
    topic: str


# What to keep of the stories of some keys, given everything that was told under each.
Describe = Callable[[Mapping[str, Sequence[Seen]]], Sequence[Filing]]


class Stories:
    """The tables `stories` and `unfiled`, and with them `words`."""

    def __init__(self, db: Database, entries: Entries) -> None:
        """On an open database and its entries."""
        self._db = db
        self._entries = entries
        self.words = Words(db)
        self._upsert = _upsert(db)

    def file(self, describe: Describe, *, most: int) -> int:
        """Write stories whose entries changed, after at most so many of the changes; how many changes there were.

        A key that no entry has any more has no story either.
        """
        with self._db.writing() as connection:
            self._alone(connection)
            changes = connection.execute(sa.select(unfiled).order_by(unfiled.c.id).limit(most)).all()
            if not changes:
                return 0
            keys = list(dict.fromkeys(key for _, key in changes))
            told = self._entries.of(keys, connection=connection)
            self._put(connection, describe(told))
            self._drop(connection, [key for key in keys if key not in told])
            done = unfiled.delete().where(unfiled.c.id == sa.bindparam("change"))
            connection.execute(done, [{"change": change} for change, _ in changes])
            renew(self._db, connection, Part.ARCHIVE)
        return len(changes)

    def waiting(self) -> bool:
        """Whether `file` has anything to do."""
        with self._db.reading() as connection:
            return connection.execute(sa.select(unfiled.c.id).limit(1)).first() is not None

    def refile(self) -> None:
        """Write the whole archive anew, by and by: `file` and `bare` find every story waiting."""
        every = sa.union(sa.select(entries.c.key), sa.select(stories.c.key))
        with self._db.writing() as connection:
            self.words.clear(connection)
            connection.execute(stories.update().values(embedder="", vector=None, topic=""))
            connection.execute(unfiled.insert().from_select(["key"], every))
            renew(self._db, connection, Part.ARCHIVE)

    def bare(self, embedder: str, *, most: int) -> list[Bare]:
        """Stories without a vector of this version of an embedder, at most so many."""
        query = (
            sa.select(stories.c.id, stories.c.revision)
            .where(sa.or_(stories.c.embedder < embedder, stories.c.embedder > embedder))
            .limit(most)
        )
        with self._db.reading() as connection:
            return [Bare(*row) for row in connection.execute(query)]

    def put(self, made: Mapping[Bare, Made], *, embedder: str) -> None:
        """Keep what was made of stories, as far as they are still what it was made of."""
        with self._db.writing() as connection:
            self._alone(connection)
            rows = [
                {"story": bare.id, "was": bare.revision, "revision": at, "vector": one.vector, "topic": one.topic}
                for at, (bare, one) in enumerate(made.items(), start=self._revision(connection) + 1)
            ]
            unchanged = sa.and_(stories.c.id == sa.bindparam("story"), stories.c.revision == sa.bindparam("was"))
            values: dict[str, sa.BindParameter[object]] = {
                name: sa.bindparam(name) for name in ("revision", "vector", "topic")
            }
            if rows:
                connection.execute(stories.update().where(unchanged).values(embedder=embedder, **values), rows)
                renew(self._db, connection, Part.ARCHIVE)

    def latest(self, embedder: str, *, most: int) -> Mapping[int, bytes]:
        """The vectors of the stories that came last."""
        query = sa.select(stories.c.id, stories.c.vector).where(stories.c.embedder == embedder)
        with self._db.reading() as connection:
            return dict(connection.execute(query.order_by(stories.c.id.desc()).limit(most)).all())

    def vectors(self, keys: Sequence[str], *, embedder: str) -> Mapping[str, bytes]:
        """The vectors of the stories of these keys, as far as this version of an embedder has made them."""
        query = sa.select(stories.c.key, stories.c.vector).where(stories.c.embedder == embedder)
        made: dict[str, bytes] = {}
        with self._db.reading() as connection:
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                some = query.where(stories.c.key.in_(keys[start : start + _KEYS_PER_QUERY]))
                made.update(connection.execute(some).all())
        return made

    def since(self, revision: int, *, embedder: str, most: int) -> list[Filed]:
        """What was written after a revision, at most so much, the earliest first."""
        vector = sa.case((stories.c.embedder == embedder, stories.c.vector))
        columns = (stories.c.id, stories.c.revision, stories.c.day, stories.c.topic, stories.c.sources, vector)
        query = sa.select(*columns).where(stories.c.revision > revision).order_by(stories.c.revision).limit(most)
        with self._db.reading() as connection:
            return [
                Filed(
                    id=story,
                    revision=at,
                    day=date.fromisoformat(day),
                    topic=topic,
                    sources=tuple(sources.split()),
                    vector=vector,
                )
                for story, at, day, topic, sources, vector in connection.execute(query)
            ]

    def told(self, ids: Sequence[int]) -> Mapping[int, Sequence[Seen]]:
        """The entries of each of these stories, in the same order; one that is gone is absent."""
        with self._db.reading() as connection:
            query = sa.select(stories.c.id, stories.c.key).where(stories.c.id.in_(ids))
            keys = dict(connection.execute(query).all())
            told = self._entries.of(list(keys.values()), connection=connection)
        return {story: told[keys[story]] for story in ids if keys.get(story) in told}

    def first(self, most: int) -> list[int]:
        """The stories that came first, at most so many."""
        with self._db.reading() as connection:
            return list(connection.execute(sa.select(stories.c.id).order_by(stories.c.id).limit(most)).scalars())

    def find(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The ids of the stories of these keys, as far as there are any."""
        with self._db.reading() as connection:
            return self._ids(connection, keys)

    def _put(self, connection: sa.Connection, filings: Sequence[Filing]) -> None:
        revision = self._revision(connection)
        rows = [
            {
                "key": filing.key,
                "revision": at,
                "day": filing.day.isoformat(),
                "sources": " ".join(filing.sources),
                "digest": filing.digest,
            }
            for at, filing in enumerate(filings, start=revision + 1)
        ]
        if rows:
            connection.execute(self._upsert, rows)
        ids = self._ids(connection, [filing.key for filing in filings])
        self.words.put(connection, {ids[filing.key]: filing.held for filing in filings})

    def _drop(self, connection: sa.Connection, keys: Sequence[str]) -> None:
        gone = list(self._ids(connection, keys).values())
        self.words.drop(connection, gone)
        connection.execute(stories.delete().where(stories.c.id.in_(gone)))

    def _ids(self, connection: sa.Connection, keys: Sequence[str]) -> dict[str, int]:
        return dict(connection.execute(sa.select(stories.c.key, stories.c.id).where(stories.c.key.in_(keys))).all())

    def _alone(self, connection: sa.Connection) -> None:
        """One writer at a time, so that revisions become visible in their order; readers are not kept waiting."""
        if not self._db.is_sqlite:
            connection.execute(sa.text("LOCK TABLE stories IN EXCLUSIVE MODE"))

    def _revision(self, connection: sa.Connection) -> int:
        return connection.execute(sa.select(sa.func.max(stories.c.revision))).scalar() or 0


def _upsert(db: Database) -> sa.Insert:
    """A story in; one whose text is the same keeps what was made of it."""
    insert = db.insert(stories)
    fresh = {name: insert.excluded[name] for name in ("revision", "day", "sources", "digest")}
    is_same = stories.c.digest == insert.excluded.digest
    kept = {
        "embedder": sa.case((is_same, stories.c.embedder), else_=""),
        "vector": sa.case((is_same, stories.c.vector)),
        "topic": sa.case((is_same, stories.c.topic), else_=""),
    }
    return insert.on_conflict_do_update(index_elements=["key"], set_={**fresh, **kept})
