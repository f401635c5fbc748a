"""What was asked by forms and is answered by mail: taken within limits, answered by one process, kept for a week.

add --claim--> held by a process that decides on a letter --settle--> answered
 ^                      |
 +------put_off---------+    the mail server is away: later; a lease that ran out: at once
"""

from __future__ import annotations

import builtins
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import applications


class Wish(StrEnum):
    """What an application asks for."""

    SUBSCRIBE = "subscribe"
    WELCOME = "welcome"
    ACCOUNT = "account"
    ADDRESS = "address"  # of the new one
    NOTICE = "notice"  # to the old one


_COUNTING = 5_742_106  # the number of this lock, any that nobody else uses
# What anybody can ask for, with the address of anybody.
_BY_FORM = applications.c.wish.not_in((Wish.WELCOME, Wish.NOTICE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One of them; `attempts` counts those to send its letter before now, `letter` is that one, once it is decided.

    `subscriber` asks for another address, and `change` is the application that a notice tells of.
    """

    id: int
    at: datetime
    wish: str
    newsletter: str
    email: str
    mailbox: str
    language: str
    network: str
    attempts: int
    letter: str
    subscriber: int | None
    change: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """How many applications are taken after a moment: from one network, and in all."""

    since: datetime
    of_network: int
    in_all: int


class Full(StrEnum):
    """Why an application was not taken."""

    NETWORK = "network"
    ALL = "all"


class Applications:
    """The table `applications`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(
        self,
        wish: Wish,
        *,
        newsletter: str,
        email: str,
        mailbox: str,
        language: str,
        network: str,
        taking: Taking,
        now: datetime,
        subscriber: int | None = None,
    ) -> Full | None:
        """Take an application, or say why not. Nobody is looked up: it is the same work for every address.

        `subscriber` is whose address is to be changed to this one.
        """
        row = {
            "at": now,
            "due_at": now,
            "wish": wish,
            "newsletter": newsletter,
            "email": email,
            "mailbox": mailbox,
            "language": language,
            "network": network,
            "subscriber": subscriber,
        }
        with self._db.writing() as connection:
            if not self._db.is_sqlite:  # there is one writer at a time there; here, one who counts and adds
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_COUNTING)))
            recent = sa.select(sa.func.count()).where(applications.c.at > taking.since, _BY_FORM)
            if connection.execute(recent).scalar_one() >= taking.in_all:
                return Full.ALL
            near = recent.where(applications.c.network == network)
            if connection.execute(near).scalar_one() >= taking.of_network:
                return Full.NETWORK
            connection.execute(applications.insert().values(row))
        return None

    def claim(self, *, owner: str, now: datetime, lease_until: datetime, limit: int) -> builtins.list[Application]:
        """Take up to `limit` that are not answered and due; no other process gets them while the lease lasts."""
        free = applications.c.lease_until.is_(None) | (applications.c.lease_until < now)
        ready = (
            sa.select(applications.c.id)
            .where(applications.c.ended_at.is_(None), applications.c.due_at <= now, free)
            .order_by(applications.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        columns = [applications.c[name] for name in Application.__dataclass_fields__]
        take = (
            applications.update()
            .where(applications.c.id.in_(ready.scalar_subquery()))
            .values(owner=owner, lease_until=lease_until)
            .returning(*columns)
        )
        with self._db.writing() as connection:
            rows = connection.execute(take).mappings().all()
        return sorted((Application(**row) for row in rows), key=lambda application: application.id)

    def letters(
        self, mailbox: str, *, wishes: Collection[str], since: datetime, besides: int
    ) -> builtins.list[datetime]:
        """When letters were decided on for an address, in answer to other applications with such a wish.

        What anybody can wish for with an address must not keep its owner from what only they can.
        """
        query = sa.select(applications.c.decided_at).where(
            applications.c.mailbox == mailbox,
            applications.c.decided_at > since,
            applications.c.letter != "",
            applications.c.wish.in_(sorted(wishes)),
            applications.c.id != besides,
        )
        with self._db.reading() as connection:
            return list(connection.execute(query).scalars())

    def of(self, mailbox: str) -> builtins.list[dict[str, Any]]:
        """Everything that was asked with a folded address, as it stands there."""
        query = applications.select().where(applications.c.mailbox == mailbox).order_by(applications.c.id)
        with self._db.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def notify(self, change: Application, *, email: str, mailbox: str, now: datetime) -> None:
        """Tell the address that somebody has of the change that they asked for."""
        row = {
            "at": now,
            "due_at": now,
            "wish": Wish.NOTICE,
            "newsletter": change.newsletter,
            "email": email,
            "mailbox": mailbox,
            "subscriber": change.subscriber,
            "change": change.id,
        }
        with self._db.writing() as connection:
            connection.execute(applications.insert().values(row))

    def decide(self, application: int, *, letter: str, now: datetime) -> None:
        """This letter answers it; it counts from now on, whether or not it can be sent soon."""
        mine = applications.c.id == application
        decided = applications.update().where(mine)
        again = sa.func.coalesce(applications.c.decided_at, sa.literal(now, applications.c.decided_at.type))
        with self._db.writing() as connection:
            connection.execute(decided.values(letter=letter, decided_at=again))

    def settle(self, application: int, *, outcome: str, now: datetime) -> None:
        """It is answered, or needs no answer."""
        with self._db.writing() as connection:
            ended = applications.update().where(applications.c.id == application)
            connection.execute(ended.values(ended_at=now, outcome=outcome, owner="", lease_until=None))

    def put_off(self, application: int, *, until: datetime) -> None:
        """Its letter could not be sent; it is tried again then."""
        with self._db.writing() as connection:
            later = applications.update().where(applications.c.id == application)
            connection.execute(
                later.values(due_at=until, attempts=applications.c.attempts + 1, owner="", lease_until=None)
            )

    def prune(self, *, before: datetime) -> int:
        """Forget what was asked before a moment and is answered, or never could be; how many."""
        old = (applications.c.at < before) & (applications.c.ended_at.is_(None) | (applications.c.ended_at < before))
        with self._db.writing() as connection:
            return connection.execute(applications.delete().where(old)).rowcount

    def count(self, *, since: datetime) -> int:
        """How many were taken after a moment."""
        query = sa.select(sa.func.count()).where(applications.c.at > since, _BY_FORM)
        with self._db.reading() as connection:
            return connection.execute(query).scalar_one()

    def asked(self, *, since: datetime, until: datetime) -> int:
        """How many addresses were asked to confirm between two moments."""
        query = sa.select(sa.func.count(applications.c.mailbox.distinct())).where(
            applications.c.letter == "confirmation",
            applications.c.decided_at > since,
            applications.c.decided_at <= until,
        )
        with self._db.reading() as connection:
            return connection.execute(query).scalar_one()
