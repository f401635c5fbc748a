"""What readers themselves decide: to be asked, to join, never to be written to again. Each leaves an event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from newsletter.model import Preferences
from newsletter.store import choices
from newsletter.store.applications import Wish
from newsletter.store.db import Database
from newsletter.store.dossier import forget
from newsletter.store.events import erase
from newsletter.store.schema import applications, blocked, deliveries, departed, events, subscribers, subscriptions


class Joined(StrEnum):
    """What a confirmation came to.

    confirmed  they are a reader from now on
    known      they were one already
    left       they have left since the link was made, and it brings nobody back
    gone       nobody of that number is known any more
    """

    CONFIRMED = "confirmed"
    KNOWN = "known"
    LEFT = "left"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an address stands to a newsletter; `state` is empty for one that never signed up for it."""

    subscriber: int
    email: str
    state: str
    suppressed: str


_AT_ONCE = 500  # fingerprints in one question


class Consent:
    """Changes of `subscriptions` by those they belong to, and the tables `blocked` and `departed`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def standing(self, mailbox: str, newsletter: str) -> Standing | None:
        """How a folded address stands to a newsletter, None for an unknown one."""
        mine = (subscriptions.c.subscriber == subscribers.c.id) & (subscriptions.c.newsletter == newsletter)
        query = (
            sa.select(
                subscribers.c.id.label("subscriber"),
                subscribers.c.email,
                sa.func.coalesce(subscriptions.c.state, "").label("state"),
                subscribers.c.suppressed,
            )
            .select_from(subscribers.outerjoin(subscriptions, mine))
            .where(subscribers.c.mailbox == mailbox)
        )
        with self._db.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Standing(**row) if row else None

    def ask(self, email: str, mailbox: str, *, newsletter: str, language: str, how: str, now: datetime) -> int:
        """Somebody is about to be asked whether they want a newsletter: their number, pending unless they were known.

        Whoever left stays so until they confirm.
        """
        with self._db.writing() as connection:
            person = {"email": email, "mailbox": mailbox, "created_at": now}
            connection.execute(self._db.insert(subscribers).values(person).on_conflict_do_nothing())
            query = sa.select(subscribers.c.id).where(subscribers.c.mailbox == mailbox)
            number: int = connection.execute(query).scalar_one()
            row = {
                "subscriber": number,
                "newsletter": newsletter,
                "state": "pending",
                "since": now,
                "asked_at": now,
                **choices.written(Preferences(language=language)),
            }
            insert = self._db.insert(subscriptions).values(row)
            known = {"asked_at": now}
            connection.execute(insert.on_conflict_do_update(index_elements=["subscriber", "newsletter"], set_=known))
            _log(connection, "asked", number, newsletter=newsletter, detail=how, now=now)
        return number

    def confirm(
        self,
        subscriber: int,
        newsletter: str,
        *,
        made: datetime,
        how: str,
        now: datetime,
        fingerprints: Collection[str] = (),
    ) -> Joined:
        """Somebody confirms by a link that was made then; at most one of any number of calls does it, with a welcome.

        Whoever left after that moment is not brought back. Of whom these are the fingerprints it is not kept any more
        that they once departed.
        """
        mine = (subscriptions.c.subscriber == subscriber) & (subscriptions.c.newsletter == newsletter)
        query = (
            sa.select(subscriptions.c.state, subscriptions.c.since, subscribers.c.email, subscribers.c.mailbox)
            .join(subscribers, subscribers.c.id == subscriptions.c.subscriber)
            .where(mine)
            .with_for_update()
        )
        with self._db.writing() as connection:
            row = connection.execute(query).first()
            if row is None:
                return Joined.GONE
            if row.state == "confirmed":
                return Joined.KNOWN
            if row.state == "left" and row.since > made:
                return Joined.LEFT
            values = {"state": "confirmed", "since": now, "asked_at": None}
            connection.execute(subscriptions.update().where(mine).values(values))
            here = (departed.c.newsletter == newsletter) & departed.c.fingerprint.in_(list(fingerprints))
            connection.execute(departed.delete().where(here))
            _log(connection, "confirmed", subscriber, newsletter=newsletter, detail=how, now=now)
            welcome = {
                "at": now,
                "due_at": now,
                "wish": Wish.WELCOME,
                "newsletter": newsletter,
                "email": row.email,
                "mailbox": row.mailbox,
            }
            connection.execute(applications.insert().values(welcome))
        return Joined.CONFIRMED

    def block(self, fingerprint: str, *, now: datetime) -> None:
        """Never write to the address of this fingerprint again."""
        with self._db.writing() as connection:
            self._block(connection, fingerprint, now)

    def is_blocked(self, fingerprints: Collection[str]) -> bool:
        """Whether an address with one of these fingerprints is never written to."""
        return bool(self.blocked(fingerprints))

    def blocked(self, fingerprints: Collection[str]) -> set[str]:
        """Those of these fingerprints whose addresses are never written to."""
        return self._among(fingerprints, sa.select(blocked.c.fingerprint), blocked.c.fingerprint)

    def departed(self, fingerprints: Collection[str], newsletter: str) -> set[str]:
        """Those of these fingerprints whose addresses no list brings back to a newsletter."""
        query = sa.select(departed.c.fingerprint).where(departed.c.newsletter == newsletter)
        return self._among(fingerprints, query, departed.c.fingerprint)

    def depart(self, subscriber: int, fingerprint: str, *, now: datetime) -> None:
        """Erase a person as `Subscribers.forget` does; under this fingerprint it is kept what no list may bring back.

        Those are the newsletters they read or left. An address that takes no mail is never written to again.
        """
        theirs = sa.select(subscriptions.c.newsletter).where(
            subscriptions.c.subscriber == subscriber, subscriptions.c.state != "pending"
        )
        suppressed = sa.select(subscribers.c.suppressed).where(subscribers.c.id == subscriber)
        with self._db.writing() as connection:
            names = connection.execute(theirs).scalars().all()
            if names:
                rows = [{"fingerprint": fingerprint, "newsletter": name, "at": now} for name in names]
                connection.execute(self._db.insert(departed).on_conflict_do_nothing(), rows)
            if connection.execute(suppressed).scalar():
                self._block(connection, fingerprint, now)
            forget(connection, subscriber)

    def _among(self, fingerprints: Collection[str], query: sa.Select[str], column: sa.ColumnElement[str]) -> set[str]:
        wanted, found = list(fingerprints), set[str]()
        with self._db.reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = query.where(column.in_(wanted[start : start + _AT_ONCE]))
                found.update(connection.execute(some).scalars())
        return found

    def _block(self, connection: sa.Connection, fingerprint: str, now: datetime) -> None:
        row = {"fingerprint": fingerprint, "at": now}
        insert = self._db.insert(blocked).values(row).on_conflict_do_nothing()
        if connection.execute(insert.returning(blocked.c.fingerprint)).first():
            connection.execute(events.insert().values(at=now, kind="blocked"))

    def confirmed(self, *, since: datetime) -> int:
        """How many have confirmed by a link since a moment."""
        query = sa.select(sa.func.count()).where(
            events.c.kind == "confirmed", events.c.at > since, events.c.detail.startswith("link")
        )
        with self._db.reading() as connection:
            return connection.execute(query).scalar_one()

    def prune(self, *, before: datetime) -> int:
        """Forget those who were asked before a moment and never confirmed; how many subscriptions.

        Nothing stays of somebody who has no other subscription and never got a mail.
        """
        late = (subscriptions.c.state == "pending") & (subscriptions.c.asked_at < before)
        with self._db.writing() as connection:
            gone = connection.execute(
                subscriptions.delete().where(late).returning(subscriptions.c.subscriber)
            ).scalars()
            numbers = list(gone)
            others = sa.select(subscriptions.c.subscriber).where(subscriptions.c.subscriber == subscribers.c.id)
            got = sa.select(deliveries.c.id).where(deliveries.c.subscriber == subscribers.c.id)
            alone = subscribers.c.id.in_(numbers) & ~others.exists() & ~got.exists()
            erased = list(connection.execute(sa.select(subscribers.c.id).where(alone)).scalars())
            erase(connection, erased)
            connection.execute(applications.delete().where(applications.c.subscriber.in_(erased)))
            connection.execute(subscribers.delete().where(subscribers.c.id.in_(erased)))
        return len(numbers)


def _log(connection: sa.Connection, kind: str, number: int, *, newsletter: str, detail: str, now: datetime) -> None:
    row = {"at": now, "kind": kind, "subscriber": number, "newsletter": newsletter, "detail": detail}
    connection.execute(events.insert().values(row))
