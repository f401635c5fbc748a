"""Readers who move to another address: the new one confirms, and the old one may object for as long as it is kept.

An application asks for it (`Wish.ADDRESS`), another tells the old address (`Wish.NOTICE`). Whoever is asked to move
stays the same person: subscriptions, preferences, votes and the log of consent are theirs as before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from newsletter.store.applications import Wish
from newsletter.store.db import Database
from newsletter.store.dossier import forget
from newsletter.store.enrolment import fold
from newsletter.store.schema import applications, blocked, departed, events, subscribers, subscriptions


class Changed(StrEnum):
    """What a button came to.

    done   their address is the one that they said
    taken  somebody else reads something at that address
    gone   there is no such change: too long ago, taken back, or nobody of that number is known any more
    """

    DONE = "done"
    TAKEN = "taken"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One that was asked for: whose, to which address, and from which one it was made, if it was."""

    subscriber: int
    email: str
    before: str
    objected: bool


class AddressChanges:
    """The applications that ask for another address, and the addresses of `subscribers`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def find(self, application: int, subscriber: int) -> Change | None:
        """A change that somebody asked for, None where there is no such."""
        with self._db.reading() as connection:
            row = _asked(connection, application, subscriber)
        if row is None:
            return None
        return Change(subscriber=subscriber, email=row.email, before=row.before, objected=row.objected_at is not None)

    def confirm(
        self,
        application: int,
        subscriber: int,
        *,
        fingerprints: Callable[[str], Sequence[str]],
        how: str,
        now: datetime,
    ) -> Changed:
        """The new address confirms. Once it is done it stays so however often it is asked, until somebody objects."""
        with self._db.writing() as connection:
            person = _person(connection, subscriber)
            row = _asked(connection, application, subscriber)
            if row is None or person is None or row.objected_at is not None:
                return Changed.GONE
            if row.before:
                return Changed.DONE if person.mailbox == row.mailbox else Changed.GONE
            never = sa.select(blocked.c.fingerprint).where(blocked.c.fingerprint.in_(list(fingerprints(row.mailbox))))
            if connection.execute(never).first() is not None:
                return Changed.GONE
            if not _readdress(self._db, connection, person, row.email, fingerprints=fingerprints, how=how, now=now):
                return Changed.TAKEN
            done = applications.update().where(applications.c.id == application)
            connection.execute(done.values(before=person.email))
        return Changed.DONE

    def object(
        self,
        application: int,
        subscriber: int,
        *,
        fingerprints: Callable[[str], Sequence[str]],
        how: str,
        now: datetime,
    ) -> Changed:
        """The old address objects: this change and all that were asked for since are none, and what was made is undone.

        So a second change does not keep anybody from objecting to the first.
        """
        with self._db.writing() as connection:
            person = _person(connection, subscriber)
            if person is None or _asked(connection, application, subscriber) is None:
                return Changed.GONE
            since = (applications.c.subscriber == subscriber) & (applications.c.wish == Wish.ADDRESS)
            since &= applications.c.id >= application
            made = sa.select(applications.c.before).where(since, applications.c.before != "")
            before = connection.execute(made.order_by(applications.c.id).limit(1)).scalar()
            moved = before is not None and before != person.email
            if moved and not _readdress(
                self._db, connection, person, before or "", fingerprints=fingerprints, how=how, now=now
            ):
                return Changed.TAKEN
            again = sa.func.coalesce(applications.c.objected_at, sa.literal(now, applications.c.objected_at.type))
            connection.execute(applications.update().where(since).values(objected_at=again))
        return Changed.DONE


def _asked(connection: sa.Connection, application: int, subscriber: int) -> Any:
    query = applications.select().where(
        applications.c.id == application,
        applications.c.subscriber == subscriber,
        applications.c.wish == Wish.ADDRESS,
    )
    return connection.execute(query).first()


def _person(connection: sa.Connection, subscriber: int) -> Any:
    """Somebody, held until the end of the transaction."""
    return connection.execute(subscribers.select().where(subscribers.c.id == subscriber).with_for_update()).first()


def _readdress(
    db: Database,
    connection: sa.Connection,
    person: Any,
    email: str,
    *,
    fingerprints: Callable[[str], Sequence[str]],
    how: str,
    now: datetime,
) -> bool:
    """Give somebody an address; False where another reads something at it. Of one who does not nothing else is kept.

    No list brings the old address back. That it took no mail says nothing of the new one.
    """
    mailbox = fold(email)
    theirs = _subscriptions(connection, person.id)
    other = sa.select(subscribers.c.id).where(subscribers.c.mailbox == mailbox, subscribers.c.id != person.id)
    number = connection.execute(other.with_for_update()).scalar()
    left = {name for name, state in theirs.items() if state != "pending"}
    marks = {(print_, name) for print_ in fingerprints(person.mailbox)[:1] for name in left}
    if number is not None:
        had = _subscriptions(connection, number)
        if "confirmed" in had.values():
            return False
        marks |= {(fingerprints(mailbox)[0], name) for name, state in had.items() if state == "left"}
        forget(connection, number)
    if mailbox != person.mailbox and marks:
        rows = [{"fingerprint": print_, "newsletter": name, "at": now} for print_, name in sorted(marks)]
        connection.execute(db.insert(departed).on_conflict_do_nothing(), rows)
    here = departed.c.fingerprint.in_(list(fingerprints(mailbox)))
    read = [name for name, state in theirs.items() if state == "confirmed"]
    connection.execute(departed.delete().where(here, departed.c.newsletter.in_(read)))
    values = {"email": email, "mailbox": mailbox, "suppressed": ""}
    connection.execute(subscribers.update().where(subscribers.c.id == person.id).values(values))
    detail = f"{how}; {person.email} -> {email}"
    connection.execute(events.insert().values(at=now, kind="address", subscriber=person.id, detail=detail))
    return True


def _subscriptions(connection: sa.Connection, subscriber: int) -> dict[str, str]:
    query = sa.select(subscriptions.c.newsletter, subscriptions.c.state).where(subscriptions.c.subscriber == subscriber)
    return {row.newsletter: row.state for row in connection.execute(query)}
