"""What was collected, and the signals of every run."""

from __future__ import annotations

import builtins
import dataclasses
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from newsletter.codec import decode, encode
from newsletter.model import Entry, Signals
from newsletter.store.db import Database
from newsletter.store.revision import Part, renew
from newsletter.store.schema import entries, snapshots, unfiled

_KEYS_PER_QUERY = 500
_WANTED = ("summary", "authors")  # without which a paper does not look like one

T = TypeVar("T", Entry, Signals)

# Of new entries, the keys of those that are worth telling.
News = Callable[[Sequence[Entry]], Collection[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What `Entries.add` did: entries never seen, and entries known from earlier runs whose text changed."""

    new: int = 0
    changed: int = 0
    past: int = 0  # of the new ones, those that are no news


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A stored entry and when we first saw it, by our own clock."""

    entry: Entry
    first_seen: datetime


class Entries:
    """The tables `entries` and `snapshots`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(self, found: Iterable[Entry], *, now: datetime, news: News | None = None) -> Added:
        """Store what a source gave: new ones in, known ones refreshed, one snapshot of signals each.

        What a source told of an entry before and leaves out now is kept (a saved listing may lack the dates that
        another has). Of several entries with one key the first is taken. `news` says which of the new ones are worth
        telling; the others are known from now on, and no candidates. All in one transaction: after a crash either the
        whole answer is known or none of it.
        """
        by_key: dict[tuple[str, str], Entry] = {}
        for entry in found:
            by_key.setdefault((entry.source, entry.key), entry)
        if not by_key:
            return Added()
        with self._db.writing() as connection:
            before = self._known(connection, by_key.values())
            whole = {key: filled(entry, before[key].entry) if key in before else entry for key, entry in by_key.items()}
            rows = {key: _row(entry, now) for key, entry in whole.items()}
            new = [entry for key, entry in by_key.items() if key not in before]
            told = {entry.key for entry in new} if news is None else set(news(new))
            for entry in new:
                rows[entry.source, entry.key]["is_news"] = int(entry.key in told)
            connection.execute(self._upsert(), list(rows.values()))
            self._note_changes(connection, [key for key, entry in whole.items() if _is_news_to(before.get(key), entry)])
            self._take_snapshots(connection, by_key, now)
            if any(key not in before or before[key].entry != entry for key, entry in whole.items()):
                renew(self._db, connection, Part.ARCHIVE)
        return Added(
            new=len(new),
            past=sum(entry.key not in told for entry in new),
            changed=sum(
                known.first_seen < now and _text_of(known.entry) != _text_of(whole[key])
                for key, known in before.items()
            ),
        )

    def candidates(self, sources: Sequence[str], *, since: datetime, until: datetime) -> Sequence[Seen]:
        """What news the given sources showed for the first time in `since < t <= until`, oldest first."""
        query = (
            sa.select(entries.c.body, entries.c.first_seen)
            .where(entries.c.source.in_(sources), entries.c.is_news == 1)
            .where(entries.c.first_seen > since, entries.c.first_seen <= until)
            .order_by(entries.c.first_seen, entries.c.id)
        )
        with self._db.reading() as connection:
            return [Seen(entry=decode(Entry, body), first_seen=first) for body, first in connection.execute(query)]

    def of(self, keys: Sequence[str], *, connection: sa.Connection) -> Mapping[str, Sequence[Seen]]:
        """What every source told under each of the keys, the earliest first; a key that nobody told is absent."""
        told: dict[str, builtins.list[Seen]] = {}
        query = sa.select(entries.c.key, entries.c.body, entries.c.first_seen).order_by(entries.c.id)
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            some = query.where(entries.c.key.in_(keys[start : start + _KEYS_PER_QUERY]))
            for key, body, first in connection.execute(some):
                told.setdefault(key, []).append(Seen(entry=decode(Entry, body), first_seen=first))
        return told

    def incomplete(self, sources: Sequence[str], *, prefix: str, since: datetime, limit: int) -> Sequence[str]:
        """The keys of news of these sources, first seen at `since` or later, that lack a summary or the authors.

        What one source leaves out and another tells is not lacking. At most `limit` keys, of those that begin with
        `prefix`, the latest first.
        """
        query = (
            sa.select(entries.c.key, entries.c.body)
            .where(entries.c.source.in_(sources), entries.c.is_news == 1, entries.c.first_seen >= since)
            .where(entries.c.key.startswith(prefix, autoescape=True))
            .order_by(entries.c.id.desc())
        )
        lacking: dict[str, Collection[str]] = {}
        with self._db.reading() as connection:
            for key, body in connection.execute(query):
                told = json.loads(body)  # a tenth of what `decode` costs: a day of arXiv is a thousand entries
                lacking[key] = {name for name in lacking.get(key, _WANTED) if not told.get(name)}
        return [key for key, names in lacking.items() if names][:limit]

    def fill(self, found: Iterable[Entry]) -> int:
        """Complete what is stored under the keys of what was found, whichever source it is of; how many gained by it.

        An entry takes what it leaves empty and keeps the rest. None is added, and when it was first seen and whether it
        is news stays as it is.
        """
        by_key: dict[str, Entry] = {}
        for entry in found:
            by_key.setdefault(entry.key, entry)
        if not by_key:
            return 0
        with self._db.writing() as connection:
            rows = [
                {"row": number, "body": encode(whole), "of": known.key}
                for number, known in self._under(connection, builtins.list(by_key))
                if (whole := filled(known, by_key[known.key])) != known
            ]
            if rows:
                body: dict[str, sa.BindParameter[str]] = {"body": sa.bindparam("body")}
                connection.execute(sa.update(entries).where(entries.c.id == sa.bindparam("row")).values(body), rows)
                connection.execute(unfiled.insert(), [{"key": row["of"]} for row in rows])
                renew(self._db, connection, Part.ARCHIVE)
        return len(rows)

    def keys(self, source: str) -> builtins.list[str]:
        """The keys of everything a source gave so far."""
        with self._db.reading() as connection:
            return builtins.list(
                connection.execute(sa.select(entries.c.key).where(entries.c.source == source)).scalars()
            )

    def titles(self, source: str) -> builtins.list[str]:
        """The titles of everything a source gave so far."""
        with self._db.reading() as connection:
            return builtins.list(
                connection.execute(sa.select(entries.c.title).where(entries.c.source == source)).scalars()
            )

    def count(self, *, since: datetime | None = None) -> Mapping[str, int]:
        """How many entries each source has given so far, or for the first time after a moment."""
        query = sa.select(entries.c.source, sa.func.count()).group_by(entries.c.source)
        if since is not None:
            query = query.where(entries.c.first_seen > since)
        with self._db.reading() as connection:
            return dict(connection.execute(query).all())

    def snapshots(self, keys: Collection[str]) -> Mapping[str, builtins.list[tuple[datetime, Signals]]]:
        """The snapshots of these keys by every source that counts, oldest first; a key without any is absent."""
        taken: dict[str, builtins.list[tuple[datetime, Signals]]] = {}
        query = (
            sa.select(
                entries.c.key,
                snapshots.c.taken_at,
                sa.func.max(snapshots.c.upvotes),
                sa.func.max(snapshots.c.comments),
                sa.func.max(snapshots.c.stars),
            )
            .join(entries, entries.c.id == snapshots.c.entry)
            .group_by(entries.c.key, snapshots.c.taken_at)
            .order_by(snapshots.c.taken_at)
        )
        wanted = sorted(keys)
        with self._db.reading() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                some = query.where(entries.c.key.in_(wanted[start : start + _KEYS_PER_QUERY]))
                for key, at, upvotes, comments, stars in connection.execute(some):
                    taken.setdefault(key, []).append((at, Signals(upvotes=upvotes, comments=comments, stars=stars)))
        return taken

    def current(self, keys: Collection[str]) -> Mapping[str, Signals]:
        """What the sources count of each key now, all of them together; a key that nobody told is absent."""
        signals: sa.ColumnElement[str] = sa.func.json_extract(entries.c.body, "$.signals")
        if not self._db.is_sqlite:
            signals = sa.cast(entries.c.body, postgresql.JSON)["signals"].astext
        query = sa.select(entries.c.key, signals).order_by(entries.c.id)
        wanted = sorted(keys)
        told: dict[str, Signals] = {}
        with self._db.reading() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                some = query.where(entries.c.key.in_(wanted[start : start + _KEYS_PER_QUERY]))
                for key, found in connection.execute(some):
                    counted = Signals(**json.loads(found)) if found else Signals()
                    told[key] = told[key].merged(counted) if key in told else counted
        return told

    def signals(self, source: str, key: str) -> builtins.list[tuple[datetime, Signals]]:
        """Every snapshot of one entry, oldest first: what velocity is computed from."""
        query = (
            sa.select(snapshots.c.taken_at, snapshots.c.upvotes, snapshots.c.comments, snapshots.c.stars)
            .join(entries, entries.c.id == snapshots.c.entry)
            .where(entries.c.source == source, entries.c.key == key)
            .order_by(snapshots.c.taken_at)
        )
        with self._db.reading() as connection:
            return [
                (taken_at, Signals(upvotes=upvotes, comments=comments, stars=stars))
                for taken_at, upvotes, comments, stars in connection.execute(query)
            ]

    def _known(self, connection: sa.Connection, found: Iterable[Entry]) -> dict[tuple[str, str], Seen]:
        known: dict[tuple[str, str], Seen] = {}
        for source, keys in _keys_by_source(found).items():
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                query = sa.select(entries.c.source, entries.c.key, entries.c.body, entries.c.first_seen).where(
                    entries.c.source == source, entries.c.key.in_(keys[start : start + _KEYS_PER_QUERY])
                )
                known |= {
                    (name, key): Seen(entry=decode(Entry, body), first_seen=first)
                    for name, key, body, first in connection.execute(query)
                }
        return known

    def _under(self, connection: sa.Connection, keys: Sequence[str]) -> Iterator[tuple[int, Entry]]:
        """The row and the entry of every source that tells of one of these keys."""
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            query = (
                sa.select(entries.c.id, entries.c.body)
                .where(entries.c.key.in_(keys[start : start + _KEYS_PER_QUERY]))
                .order_by(entries.c.id)
                .with_for_update()  # PostgreSQL; on SQLite the write lock is held already
            )
            for number, body in connection.execute(query):
                yield number, decode(Entry, body)

    def _upsert(self) -> sa.Insert:
        insert = self._db.insert(entries)
        fresh = ("title", "body", "last_seen")
        return insert.on_conflict_do_update(
            index_elements=["source", "key"], set_={name: insert.excluded[name] for name in fresh}
        )

    def _note_changes(self, connection: sa.Connection, changed: Sequence[tuple[str, str]]) -> None:
        """What `Stories.file` has to write."""
        if changed:
            connection.execute(unfiled.insert(), [{"key": key} for _, key in changed])

    def _take_snapshots(self, connection: sa.Connection, found: Mapping[tuple[str, str], Entry], now: datetime) -> None:
        rows = [
            {"of_source": entry.source, "of_key": entry.key, "taken_at": now, **_signals(entry.signals)}
            for entry in found.values()
            if entry.signals != Signals()
        ]
        if not rows:
            return
        entry_id = (
            sa.select(entries.c.id)
            .where(entries.c.source == sa.bindparam("of_source"), entries.c.key == sa.bindparam("of_key"))
            .scalar_subquery()
        )
        connection.execute(self._db.insert(snapshots).values(entry=entry_id).on_conflict_do_nothing(), rows)


def _keys_by_source(found: Iterable[Entry]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for entry in found:
        keys.setdefault(entry.source, []).append(entry.key)
    return keys


def _signals(signals: Signals) -> dict[str, int | None]:
    return {"upvotes": signals.upvotes, "comments": signals.comments, "stars": signals.stars}


def filled(entry: Entry, known: Entry) -> Entry:
    """The entry, with what only `known` tells in place of what it leaves empty."""
    return dataclasses.replace(_filled(entry, known), signals=_filled(entry.signals, known.signals))


def _filled(value: T, known: T) -> T:
    """The same for any dataclass of the vocabulary."""
    names = [field.name for field in dataclasses.fields(value)]
    return dataclasses.replace(
        value, **{name: getattr(known, name) for name in names if getattr(value, name) in ("", (), None)}
    )


def _is_news_to(known: Seen | None, entry: Entry) -> bool:
    return known is None or _text_of(known.entry) != _text_of(entry)


def _text_of(entry: Entry) -> Entry:
    """What is worth telling of it: signals change all the time."""
    return dataclasses.replace(entry, signals=Signals())


def _row(entry: Entry, now: datetime) -> dict[str, object]:
    return {
        "source": entry.source,
        "key": entry.key,
        "title": entry.title,
        "body": encode(entry),
        "first_seen": now,
        "last_seen": now,
        "is_news": 1,
    }
