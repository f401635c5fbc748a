"""Who gets mail, what they asked for and when."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from newsletter.errors import NotFound
from newsletter.model import Preferences
from newsletter.store import choices
from newsletter.store.db import Database
from newsletter.store.dossier import dossier, forget
from newsletter.store.enrolment import Entrant, enrol, fold
from newsletter.store.schema import events, subscribers, subscriptions
from newsletter.store.waiting import leave_out

_AT_ONCE = 500  # numbers in one question


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A reader of one newsletter; `state` is pending, confirmed, left, or empty for one who never signed up."""

    id: int
    email: str
    name: str
    timezone: str
    suppressed: str
    state: str
    cadence: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What somebody has to do with one newsletter; `state` is pending, confirmed or left."""

    newsletter: str
    state: str
    cadence: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with all their subscriptions; `suppressed` says why they get no mail at all."""

    id: int
    email: str
    name: str
    timezone: str
    suppressed: str
    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Somebody to be added. The address must be a valid one: `subscribers` keeps, it does not judge."""

    email: str
    name: str = ""
    timezone: str = ""
    cadence: str = "daily"


class Subscribers:
    """The tables `subscribers` and `subscriptions`; every change of consent leaves an event."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(
        self, applicants: Iterable[Applicant], *, newsletter: str, confirmed: bool, how: str, now: datetime
    ) -> builtins.list[str]:
        """Subscribe people; for each what came of it: `added`, `known`, `confirmed`, `left`.

        Whoever left stays away: only they themselves can come back, by confirming a link. `how` is kept as evidence.
        """
        with self._db.writing() as connection:
            return [
                self._add_one(connection, who, newsletter=newsletter, confirmed=confirmed, how=how, now=now)
                for who in applicants
            ]

    def enrol(
        self, people: Iterable[Entrant], *, newsletter: str, confirmed: bool, now: datetime
    ) -> builtins.list[str]:
        """Subscribe a batch of some thousands from a list kept elsewhere, as `add` does, in a few statements.

        Who left there is kept as one who left, and who is suppressed there, as suppressed: neither is ever written to.
        """
        return enrol(self._db, people, newsletter=newsletter, confirmed=confirmed, now=now)

    def ensure(self, emails: Iterable[str], *, now: datetime) -> builtins.list[int]:
        """The numbers of these addresses, adding those unknown without any subscription: for one-off mails."""
        with self._db.writing() as connection:
            return [self._ensure_one(connection, Applicant(email=email), now) for email in emails]

    def list(self, newsletter: str = "") -> builtins.list[Subscriber]:
        """The readers of a newsletter, or every address known, in the order they came."""
        with self._db.reading() as connection:
            return [Subscriber(**row) for row in connection.execute(_listing(newsletter)).mappings()]

    def each(self, newsletter: str = "", *, state: str = "", like: str = "") -> Iterator[Subscriber]:
        """As `list`, one after the other however many there are, with the filters of `page`; of one consistent state.

        Not to be mixed with writing on SQLite in the same thread: it keeps its own connection until it is done.
        """
        query = _chosen(_listing(newsletter), state, like)
        with self._db.reading() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query).mappings():
                yield Subscriber(**row)

    def choosing(self, newsletter: str, *, state: str = "") -> Iterator[tuple[Subscriber, Preferences]]:
        """As `each` of one newsletter, with what they chose."""
        query = _chosen(_listing(newsletter), state, "").add_columns(*choices.COLUMNS)
        names = Subscriber.__dataclass_fields__
        with self._db.reading() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield Subscriber(**{name: getattr(row, name) for name in names}), choices.read(row)

    def page(
        self, *, newsletter: str, state: str = "", like: str = "", after: int = 0, limit: int = 100
    ) -> builtins.list[Subscriber]:
        """The next readers of a newsletter after the one with that number, in the order they came, at most `limit`.

        Only those in a state (pending, confirmed, left; or suppressed, whatever their state), and with `like` somewhere
        in their address. As costly as what it must look through to find so many: no index helps a part of an address.
        """
        query = _chosen(_listing(newsletter), state, like).where(subscribers.c.id > after).limit(limit)
        with self._db.reading() as connection:
            return [Subscriber(**row) for row in connection.execute(query).mappings()]

    def people(self, numbers: Collection[int]) -> builtins.list[Person]:
        """Those with these numbers, by number; an unknown one is absent."""
        names = ("id", "email", "name", "timezone", "suppressed")
        who = sa.select(*(subscribers.c[name] for name in names)).order_by(subscribers.c.id)
        what = subscriptions.select().order_by(subscriptions.c.newsletter)
        wanted = sorted(numbers)
        found: builtins.list[Person] = []
        with self._db.reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                theirs: dict[int, builtins.list[Subscription]] = {number: [] for number in some}
                for row in connection.execute(what.where(subscriptions.c.subscriber.in_(some))):
                    theirs[row.subscriber].append(
                        Subscription(newsletter=row.newsletter, state=row.state, cadence=row.cadence, since=row.since)
                    )
                rows = connection.execute(who.where(subscribers.c.id.in_(some))).mappings()
                found += [Person(**row, subscriptions=tuple(theirs[row["id"]])) for row in rows]
        return found

    def person(self, subscriber: int) -> Person:
        """Somebody by number. NotFound."""
        for person in self.people([subscriber]):
            return person
        raise NotFound(f"there is no subscriber {subscriber}")

    def dossier(self, subscriber: int) -> dict[str, builtins.list[dict[str, Any]]]:
        """Everything that is kept on a person, by table."""
        return dossier(self._db, subscriber)

    def of(self, subscriber: int, newsletter: str) -> Subscriber | None:
        """Somebody as a reader of one newsletter, None for one who never signed up for it."""
        with self._db.reading() as connection:
            row = connection.execute(_listing(newsletter).where(subscribers.c.id == subscriber)).mappings().first()
        return Subscriber(**row) if row else None

    def reader(self, subscriber: int) -> Subscriber | None:
        """Somebody by their number, whatever they read; None for one who is not known any more."""
        with self._db.reading() as connection:
            row = connection.execute(_listing("").where(subscribers.c.id == subscriber)).mappings().first()
        return Subscriber(**row) if row else None

    def tally(self, newsletter: str) -> Mapping[str, int]:
        """How many subscriptions of a newsletter are in each state; states without any are left out."""
        query = (
            sa.select(subscriptions.c.state, sa.func.count())
            .where(subscriptions.c.newsletter == newsletter)
            .group_by(subscriptions.c.state)
        )
        with self._db.reading() as connection:
            return dict(connection.execute(query).all())

    def timezones(self, newsletter: str) -> set[str]:
        """The distinct time zones of a newsletter's confirmed readers; empty string for those who named none."""
        # From one zone straight to the next in the index: there are hundreds of them, and a hundred thousand readers.
        zones = sa.select(sa.func.min(subscribers.c.timezone).label("zone")).cte("zones", recursive=True)
        following = sa.select(sa.func.min(subscribers.c.timezone)).where(subscribers.c.timezone > zones.c.zone)
        zones = zones.union_all(sa.select(following.scalar_subquery()).where(zones.c.zone.is_not(None)))
        reader = (
            sa.select(subscriptions.c.subscriber)
            .join(subscribers, subscriptions.c.subscriber == subscribers.c.id)
            .where(subscribers.c.timezone == zones.c.zone)
            .where(subscriptions.c.newsletter == newsletter, subscriptions.c.state == "confirmed")
        )
        with self._db.reading() as connection:
            return set(connection.execute(sa.select(zones.c.zone).where(reader.exists())).scalars())

    def languages(self, newsletter: str) -> set[str]:
        """The languages that its readers have chosen."""
        language: sa.ColumnElement[str] = sa.func.json_extract(subscriptions.c.choices, "$.language")
        if not self._db.is_sqlite:
            language = sa.cast(subscriptions.c.choices, postgresql.JSON)["language"].astext
        query = (
            sa.select(language)
            .distinct()
            .where(
                subscriptions.c.newsletter == newsletter,
                subscriptions.c.state == "confirmed",
                subscriptions.c.choices != "",
            )
        )
        with self._db.reading() as connection:
            return {tag for tag in connection.execute(query).scalars() if tag}

    def preferences(self, ids: Collection[int], newsletter: str) -> Mapping[int, Preferences]:
        """What these subscribers want of a newsletter; those who never signed up for it are absent."""
        query = (
            sa.select(subscriptions.c.subscriber, subscriptions.c.cadence, subscribers.c.timezone, *choices.COLUMNS)
            .join(subscribers, subscribers.c.id == subscriptions.c.subscriber)
            .where(subscriptions.c.newsletter == newsletter)
        )
        wanted, chosen = sorted(set(ids)), {}
        with self._db.reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = query.where(subscriptions.c.subscriber.in_(wanted[start : start + _AT_ONCE]))
                chosen.update({row.subscriber: choices.read(row) for row in connection.execute(some)})
        return chosen

    def chosen(self, subscriber: int) -> Mapping[str, Preferences]:
        """What somebody wants of each newsletter that they ever signed up for, by its name."""
        query = (
            sa.select(subscriptions.c.newsletter, subscriptions.c.cadence, subscribers.c.timezone, *choices.COLUMNS)
            .join(subscribers, subscribers.c.id == subscriptions.c.subscriber)
            .where(subscribers.c.id == subscriber)
        )
        with self._db.reading() as connection:
            return {row.newsletter: choices.read(row) for row in connection.execute(query)}

    def choose(self, subscriber: int, newsletter: str, preferences: Preferences, *, how: str, now: datetime) -> bool:
        """A reader's preferences from now on; False where they never signed up for that newsletter.

        Whoever pauses gets nothing from now on, also of what was published already; see `replan` for the hour.
        """
        mine = (subscriptions.c.subscriber == subscriber) & (subscriptions.c.newsletter == newsletter)
        with self._db.writing() as connection:
            chosen = subscriptions.update().where(mine).values(choices.written(preferences))
            if connection.execute(chosen).rowcount == 0:
                return False
            person = subscribers.update().where(subscribers.c.id == subscriber)
            connection.execute(person.values(timezone=preferences.timezone))
            if preferences.paused_until is not None:
                leave_out(connection, subscriber, newsletter, until=preferences.paused_until, now=now)
            _log(connection, "preferences", subscriber, newsletter=newsletter, detail=how, now=now)
        return True

    def hours(self, newsletter: str) -> set[tuple[str, int]]:
        """The distinct pairs of time zone and wanted hour of a newsletter's confirmed readers."""
        query = (
            sa.select(subscribers.c.timezone, subscriptions.c.hour)
            .join(subscribers, subscribers.c.id == subscriptions.c.subscriber)
            .where(subscriptions.c.newsletter == newsletter, subscriptions.c.state == "confirmed")
            .where(subscriptions.c.hour.is_not(None))
            .distinct()
        )
        with self._db.reading() as connection:
            return {(zone, hour) for zone, hour in connection.execute(query)}

    def find(self, email: str) -> int | None:
        """The number of the subscriber with this address, None for an unknown one."""
        with self._db.reading() as connection:
            return connection.execute(_by_mailbox(email)).scalar()

    def get(self, email: str) -> int:
        """The number of the subscriber with this address. NotFound."""
        with self._db.reading() as connection:
            return _known(connection, email)

    def move(self, subscriber: int, *, timezone: str, now: datetime) -> None:
        """Somebody lives in another time zone from now on; see `replan` for what was published already."""
        with self._db.writing() as connection:
            moved = subscribers.update().where(subscribers.c.id == subscriber)
            connection.execute(moved.values(timezone=timezone))
            _log(connection, "moved", subscriber, detail=timezone, now=now)

    def rename(self, subscriber: int, *, name: str, now: datetime) -> None:
        """Somebody is addressed by another name from now on."""
        with self._db.writing() as connection:
            connection.execute(subscribers.update().where(subscribers.c.id == subscriber).values(name=name))
            _log(connection, "renamed", subscriber, now=now)

    def suppress(self, subscriber: int, *, reason: str, now: datetime) -> None:
        """Never write to this subscriber's address again, for any newsletter."""
        with self._db.writing() as connection:
            connection.execute(subscribers.update().where(subscribers.c.id == subscriber).values(suppressed=reason))
            _log(connection, "suppressed", subscriber, detail=reason, now=now)

    def leave(self, subscriber: int, *, newsletter: str, now: datetime, how: str = "") -> bool:
        """End a subscription, or refuse the one that never was; whether this call ended it.

        However often it is asked, also at once, there is one event. Nobody who was erased is remembered by it.
        """
        row = {"subscriber": subscriber, "newsletter": newsletter, "state": "left", "since": now}
        with self._db.writing() as connection:
            known = sa.select(subscribers.c.id).where(subscribers.c.id == subscriber)
            if connection.execute(known.with_for_update()).first() is None:
                return False
            insert = self._db.insert(subscriptions).values(row)
            ended = connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["subscriber", "newsletter"],
                    set_={"state": "left", "since": now},
                    where=subscriptions.c.state != "left",
                ).returning(subscriptions.c.subscriber)
            ).first()
            if ended:
                _log(connection, "left", subscriber, newsletter=newsletter, detail=how, now=now)
            return ended is not None

    def forget(self, subscriber: int) -> None:
        """Erase a person: address, name, subscriptions, forms in their name, and the words that may quote them.

        Delivery rows stay for the counts of past issues, without a subscriber.
        """
        with self._db.writing() as connection:
            forget(connection, subscriber)

    def _add_one(
        self, connection: sa.Connection, who: Applicant, *, newsletter: str, confirmed: bool, how: str, now: datetime
    ) -> str:
        number = self._ensure_one(connection, who, now)
        state = "confirmed" if confirmed else "pending"
        mine = (subscriptions.c.subscriber == number) & (subscriptions.c.newsletter == newsletter)
        before = connection.execute(sa.select(subscriptions.c.state).where(mine)).scalar()
        if before in ("left", "confirmed") or before == state:
            return "left" if before == "left" else "known"
        row = {"state": state, "cadence": who.cadence, "since": now}
        if before is None:
            connection.execute(subscriptions.insert().values(subscriber=number, newsletter=newsletter, **row))
        else:
            connection.execute(subscriptions.update().where(mine).values(row))
        _log(connection, state, number, newsletter=newsletter, detail=how, now=now)
        return "added" if before is None else "confirmed"

    def _ensure_one(self, connection: sa.Connection, who: Applicant, now: datetime) -> int:
        number = connection.execute(_by_mailbox(who.email)).scalar()
        if number is not None:
            return number
        row = {"email": who.email, "mailbox": fold(who.email), "name": who.name, "timezone": who.timezone}
        insert = self._db.insert(subscribers).values(**row, created_at=now)
        return int(connection.execute(insert.returning(subscribers.c.id)).scalar_one())


def _by_mailbox(email: str) -> sa.Select[int]:
    return sa.select(subscribers.c.id).where(subscribers.c.mailbox == fold(email))


def _known(connection: sa.Connection, email: str) -> int:
    number = connection.execute(_by_mailbox(email)).scalar()
    if number is None:
        raise NotFound(f"there is no subscriber {email!r}")
    return number


def _listing(newsletter: str) -> sa.Select[Any]:
    mine = subscriptions.c.subscriber == subscribers.c.id
    joined = subscribers.outerjoin(subscriptions, mine)
    if newsletter:
        joined = subscribers.join(subscriptions, mine & (subscriptions.c.newsletter == newsletter))
    return (
        sa.select(
            subscribers.c.id,
            subscribers.c.email,
            subscribers.c.name,
            subscribers.c.timezone,
            subscribers.c.suppressed,
            sa.func.coalesce(subscriptions.c.state, "").label("state"),
            sa.func.coalesce(subscriptions.c.cadence, "").label("cadence"),
            subscriptions.c.since,
        )
        .select_from(joined)
        .order_by(subscribers.c.id)
    )


def _chosen(query: sa.Select[Any], state: str, like: str) -> sa.Select[Any]:
    if state == "suppressed":
        query = query.where(subscribers.c.suppressed != "")
    elif state:
        query = query.where(subscriptions.c.state == state)
    if like:
        query = query.where(subscribers.c.mailbox.contains(fold(like), autoescape=True))
    return query


def _log(
    connection: sa.Connection, kind: str, number: int, *, newsletter: str = "", detail: str = "", now: datetime
) -> None:
    row = {"at": now, "kind": kind, "subscriber": number, "newsletter": newsletter, "detail": detail}
    connection.execute(events.insert().values(row))
