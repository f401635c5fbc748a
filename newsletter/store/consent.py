"""What readers themselves decide: to be asked, to join, never to be written to again. Each leaves an event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from newsletter.codec import encode
from newsletter.model import Preferences
from newsletter.store.applications import Wish
from newsletter.store.db import Database
from newsletter.store.schema import applications, blocked, deliveries, events, subscribers, subscriptions


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


class Consent:
    """Changes of `subscriptions` by those they belong to, and the table `blocked`."""

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
                "choices": encode(Preferences(language=language)),
            }
            insert = self._db.insert(subscriptions).values(row)
            known = {"asked_at": now}
            connection.execute(insert.on_conflict_do_update(index_elements=["subscriber", "newsletter"], set_=known))
            _log(connection, "asked", number, newsletter=newsletter, detail=how, now=now)
        return number

    def confirm(self, subscriber: int, newsletter: str, *, made: datetime, how: str, now: datetime) -> Joined:
        """Somebody confirms by a link that was made then; at most one of any number of calls does it, with a welcome.

        Whoever left after that moment is not brought back.
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
            row = {"fingerprint": fingerprint, "at": now}
            if connection.execute(
                self._db.insert(blocked).values(row).on_conflict_do_nothing().returning(blocked.c.fingerprint)
            ).first():
                connection.execute(events.insert().values(at=now, kind="blocked"))

    def is_blocked(self, fingerprints: Collection[str]) -> bool:
        """Whether an address with one of these fingerprints is never written to."""
        return bool(self.blocked(fingerprints))

    def blocked(self, fingerprints: Collection[str]) -> set[str]:
        """Those of these fingerprints whose addresses are never written to."""
        wanted, found = list(fingerprints), set[str]()
        with self._db.reading() as connection:
            for start in range(0, len(wanted), 500):
                some = blocked.c.fingerprint.in_(wanted[start : start + 500])
                found.update(connection.execute(sa.select(blocked.c.fingerprint).where(some)).scalars())
        return found

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
            connection.execute(events.update().where(events.c.subscriber.in_(erased)).values(detail=""))
            connection.execute(subscribers.delete().where(subscribers.c.id.in_(erased)))
        return len(numbers)


def _log(connection: sa.Connection, kind: str, number: int, *, newsletter: str, detail: str, now: datetime) -> None:
    row = {"at": now, "kind": kind, "subscriber": number, "newsletter": newsletter, "detail": detail}
    connection.execute(events.insert().values(row))
