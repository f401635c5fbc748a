"""What readers suggest to tell: one row for each thing, who suggests it, and what the editor made of it.

    add -> waiting -> approved | declined

Suggested again, it is the same one: while it waits there is one reader more for it, after that the answer is known.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from newsletter.codec import decode, encode
from newsletter.errors import Conflict, NotFound
from newsletter.model import Entry
from newsletter.store.db import Database
from newsletter.store.schema import events, suggesters, suggestions

WAITING, APPROVED, DECLINED = "waiting", "approved", "declined"
_COUNTING = 0x5355_4747  # the name of the lock on PostgreSQL: who counts and adds
_KEYS_PER_QUERY = 500


class Taken(StrEnum):
    """What came of a suggestion.

    new       it waits from now on
    joined    it waits already, for another reader; now for this one too
    known     this reader suggested it before, and it waits
    approved  the editor has approved it before
    declined  the editor has declined it before
    enough    the reader has suggested as much as they may for now
    full      as many wait as may
    """

    NEW = "new"
    JOINED = "joined"
    KNOWN = "known"
    APPROVED = "approved"
    DECLINED = "declined"
    ENOUGH = "enough"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """How much is taken: from one reader `most` within a time, and `waiting` in all."""

    most: int
    within: timedelta
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it, and from when the reader may suggest again, where that is what stands against it."""

    taken: Taken
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Something that readers suggest. `title` is that of its source once it was asked, else what a reader said.

    `readers` counts who suggests it, without those who were erased; `notes` are what they say of it.
    """

    id: int
    newsletter: str
    key: str
    url: str
    title: str
    entry: Entry | None
    state: str
    readers: int
    notes: tuple[str, ...]
    at: datetime
    decided_at: datetime | None
    decided_by: str


class Suggestions:
    """The tables `suggestions` and `suggesters`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(
        self,
        newsletter: str,
        key: str,
        subscriber: int,
        *,
        url: str,
        title: str = "",
        note: str = "",
        allowed: Allowed,
        now: datetime,
    ) -> Answer:
        """Take what a reader suggests, or say why not."""
        theirs = {"subscriber": subscriber, "url": url, "title": title, "note": note, "at": now}
        with self._db.writing() as connection:
            if not self._db.is_sqlite:  # there is one writer at a time there; here, one who counts and adds
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_COUNTING)))
            known = connection.execute(suggestions.select().where(_named(newsletter, key))).first()
            if known is not None:
                if known.state != WAITING:
                    return Answer(taken=Taken(known.state))
                mine = (suggesters.c.suggestion == known.id) & (suggesters.c.subscriber == subscriber)
                if connection.execute(suggesters.select().where(mine)).first() is not None:
                    return Answer(taken=Taken.KNOWN)
            if again_at := _again_at(connection, newsletter, subscriber, allowed, now):
                return Answer(taken=Taken.ENOUGH, again_at=again_at)
            if known is not None:
                connection.execute(suggesters.insert().values(suggestion=known.id, **theirs))
                return Answer(taken=Taken.JOINED)
            if _count(connection, newsletter) >= allowed.waiting:
                return Answer(taken=Taken.FULL)
            row = {"newsletter": newsletter, "key": key, "url": url, "state": WAITING, "at": now}
            number = connection.execute(suggestions.insert().values(row).returning(suggestions.c.id)).scalar_one()
            connection.execute(suggesters.insert().values(suggestion=number, **theirs))
        return Answer(taken=Taken.NEW)

    def get(self, number: int) -> Suggestion:
        """One of them. NotFound."""
        with self._db.reading() as connection:
            found = _read(connection, suggestions.select().where(suggestions.c.id == number))
        if not found:
            raise NotFound(f"there is no suggestion {number}; `newsletter suggestions list` shows those that wait")
        return found[0]

    def list(
        self, newsletter: str = "", *, state: str = "", after: int = 0, limit: int = 1000
    ) -> builtins.list[Suggestion]:
        """Those of a newsletter, or of all, in a state, or in any: by number, after one of them, at most `limit`."""
        query = suggestions.select().where(suggestions.c.id > after).order_by(suggestions.c.id).limit(limit)
        if newsletter:
            query = query.where(suggestions.c.newsletter == newsletter)
        if state:
            query = query.where(suggestions.c.state == state)
        with self._db.reading() as connection:
            return _read(connection, query)

    def decided(self, newsletter: str, *, limit: int) -> builtins.list[Suggestion]:
        """Those that were decided last."""
        mine = (suggestions.c.newsletter == newsletter) & (suggestions.c.state != WAITING)
        query = suggestions.select().where(mine).order_by(suggestions.c.decided_at.desc(), suggestions.c.id.desc())
        with self._db.reading() as connection:
            return _read(connection, query.limit(limit))

    def of(self, newsletter: str, subscriber: int, *, limit: int) -> builtins.list[Suggestion]:
        """What a reader suggested last."""
        query = (
            sa.select(suggestions)
            .join(suggesters, suggesters.c.suggestion == suggestions.c.id)
            .where(suggestions.c.newsletter == newsletter, suggesters.c.subscriber == subscriber)
            .order_by(suggesters.c.at.desc(), suggestions.c.id.desc())
            .limit(limit)
        )
        with self._db.reading() as connection:
            return _read(connection, query)

    def waiting(self) -> Mapping[str, int]:
        """How many wait, by newsletter; one without any is left out."""
        query = sa.select(suggestions.c.newsletter, sa.func.count()).where(suggestions.c.state == WAITING)
        with self._db.reading() as connection:
            return dict(connection.execute(query.group_by(suggestions.c.newsletter)).all())

    def unknown(self, *, prefix: str, since: datetime, limit: int) -> builtins.list[str]:
        """The keys that begin so, of what waits since a moment or later and no source was asked about."""
        query = (
            sa.select(suggestions.c.key)
            .where(suggestions.c.state == WAITING, suggestions.c.at >= since, suggestions.c.body == "")
            .where(suggestions.c.key.startswith(prefix, autoescape=True))
            .order_by(suggestions.c.id)
            .limit(limit)
        )
        with self._db.reading() as connection:
            return list(dict.fromkeys(connection.execute(query).scalars()))

    def fill(self, found: Iterable[Entry]) -> None:
        """Keep what a source says of things that were suggested."""
        by_key = {entry.key: entry for entry in found}
        keys = builtins.list(by_key)
        with self._db.writing() as connection:
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                some = suggestions.c.key.in_(keys[start : start + _KEYS_PER_QUERY])
                query = sa.select(suggestions.c.id, suggestions.c.key).where(some, suggestions.c.body == "")
                for number, key in connection.execute(query).all():
                    mine = suggestions.update().where(suggestions.c.id == number)
                    connection.execute(mine.values(body=encode(by_key[key])))

    def decide(self, number: int, *, state: str, who: str, now: datetime) -> Suggestion:
        """The editor's word, which is final but that what was declined may be approved. NotFound, Conflict."""
        with self._db.writing() as connection:
            mine = suggestions.select().where(suggestions.c.id == number)
            row = connection.execute(mine.with_for_update()).first()
            if row is None:
                raise NotFound(f"there is no suggestion {number}; `newsletter suggestions list` shows those that wait")
            if row.state != WAITING and (row.state, state) != (DECLINED, APPROVED):
                raise Conflict(f"suggestion {number} was {row.state} by {row.decided_by or 'somebody'} before")
            values = {"state": state, "decided_at": now, "decided_by": who}
            connection.execute(suggestions.update().where(suggestions.c.id == number).values(values))
            detail = f"{state} suggestion {row.key}, by {who or 'somebody'}"
            event = {"at": now, "kind": "suggestion", "newsletter": row.newsletter, "detail": detail}
            connection.execute(events.insert().values(event))
            return _read(connection, mine)[0]


def _named(newsletter: str, key: str) -> sa.ColumnElement[bool]:
    return (suggestions.c.newsletter == newsletter) & (suggestions.c.key == key)


def _count(connection: sa.Connection, newsletter: str) -> int:
    query = sa.select(sa.func.count()).where(suggestions.c.newsletter == newsletter, suggestions.c.state == WAITING)
    return connection.execute(query).scalar_one()


def _again_at(
    connection: sa.Connection, newsletter: str, subscriber: int, allowed: Allowed, now: datetime
) -> datetime | None:
    """From when a reader may suggest again; None where they may now."""
    query = (
        sa.select(suggesters.c.at)
        .join(suggestions, suggestions.c.id == suggesters.c.suggestion)
        .where(suggestions.c.newsletter == newsletter, suggesters.c.subscriber == subscriber)
        .where(suggesters.c.at > now - allowed.within)
        .order_by(suggesters.c.at.desc())
        .limit(allowed.most)
    )
    recent = list(connection.execute(query).scalars())
    return recent[-1] + allowed.within if len(recent) >= allowed.most else None


def _read(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[Suggestion]:
    """The suggestions that a query finds, in its order, with what their readers say."""
    rows = connection.execute(query).all()
    said: dict[int, list[sa.Row[tuple[object, ...]]]] = {row.id: [] for row in rows}
    numbers = list(said)
    for start in range(0, len(numbers), _KEYS_PER_QUERY):
        some = suggesters.c.suggestion.in_(numbers[start : start + _KEYS_PER_QUERY])
        for one in connection.execute(suggesters.select().where(some).order_by(suggesters.c.at)):
            said[one.suggestion].append(one)
    return [_suggestion(row, said[row.id]) for row in rows]


def _suggestion(row: sa.Row[tuple[object, ...]], said: list[sa.Row[tuple[object, ...]]]) -> Suggestion:
    entry = decode(Entry, row.body) if row.body else None
    return Suggestion(
        id=row.id,
        newsletter=row.newsletter,
        key=row.key,
        url=row.url,
        title=entry.title if entry else next((one.title for one in said if one.title), ""),
        entry=entry,
        state=row.state,
        readers=len(said),
        notes=tuple(one.note for one in said if one.note),
        at=row.at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )
