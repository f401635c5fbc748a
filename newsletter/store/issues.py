"""The slots that were decided, and the issues that came of them."""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from newsletter import windows
from newsletter.codec import decode, encode
from newsletter.errors import NotFound
from newsletter.model import EXPIRES, Issue, Newsletter, Rendered, Slot, State, Story, Window
from newsletter.store.apart import Spacing, keep_apart
from newsletter.store.db import Database
from newsletter.store.drafts import forget
from newsletter.store.revision import Part, renew
from newsletter.store.schema import deliveries, issues, subscribers, subscriptions, told

PUBLISHED = "published"
SKIPPED = "skipped"
_COPIES = r"\_copy/%"  # slots of copies for named people (`by_hand`), which are nobody else's to see


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A slot that was decided: `state` is published or skipped, and then `reason` says why."""

    id: int
    newsletter: str
    slot: str
    at: datetime
    state: str
    reason: str
    subject: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A published issue with everything a message is made of; `translations` by the tag of their language."""

    id: int
    nonce: str
    published_at: datetime
    issue: Issue
    rendered: Rendered
    newsletter: Newsletter
    window: Window | None = None
    translations: Mapping[str, Rendered] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom an issue is for, the confirmed subscriptions of a cadence or the named subscribers only, and when it goes.

    `due` gives the instant for each time zone that differs from `at`, the instant of everybody else; for those `zone`
    tells whose clocks a `window` goes by, and is empty where none counts. `hours` gives the instant for those who want
    their issues at an hour, by the time zone they named and that hour. A message is given up when `expires` has passed
    since it was due. Where `apart` is given nobody has two issues of the schedule due within it, whatever zone
    they have moved to.
    """

    at: datetime
    cadence: str = "daily"
    due: Mapping[str, datetime] = field(default_factory=dict, hash=False)
    hours: Mapping[tuple[str, int], datetime] = field(default_factory=dict, hash=False)
    only: tuple[int, ...] | None = None
    zone: str = ""
    window: Window | None = None
    expires: timedelta = EXPIRES
    apart: timedelta | None = None


_DECIDED = tuple(issues.c[name] for name in Decided.__dataclass_fields__)


class Issues:
    """The tables `issues` and `told`, and the first rows of `deliveries`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def find(self, slot: Slot) -> Decided | None:
        """What was decided about a slot, None when nothing was yet."""
        query = sa.select(*_DECIDED).where(issues.c.newsletter == slot.newsletter, issues.c.slot == slot.key)
        with self._db.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Decided(**row) if row else None

    def get(self, issue: int) -> Decided:
        """A decided slot by its number. NotFound."""
        with self._db.reading() as connection:
            row = connection.execute(sa.select(*_DECIDED).where(issues.c.id == issue)).mappings().first()
        if row is None:
            raise NotFound(f"there is no issue {issue}; `newsletter issues list` shows those there are")
        return Decided(**row)

    def list(self, newsletter: str = "", *, limit: int = 20) -> builtins.list[Decided]:
        """The last decided slots, newest first."""
        query = sa.select(*_DECIDED).order_by(issues.c.at.desc(), issues.c.id.desc()).limit(limit)
        if newsletter:
            query = query.where(issues.c.newsletter == newsletter)
        with self._db.reading() as connection:
            return [Decided(**row) for row in connection.execute(query).mappings()]

    def page(self, newsletter: str = "", *, after: int = 0, limit: int = 100) -> builtins.list[Decided]:
        """The next decided slots after the one with that number, 0 for the first, those decided last first."""
        query = sa.select(*_DECIDED).order_by(issues.c.id.desc()).limit(limit)
        if newsletter:
            query = query.where(issues.c.newsletter == newsletter)
        if after:
            query = query.where(issues.c.id < after)
        with self._db.reading() as connection:
            return [Decided(**row) for row in connection.execute(query).mappings()]

    def load(self, issue: int) -> Frozen:
        """Everything that messages of a published issue are made of. NotFound."""
        names = ("nonce", "decided_at", "body", "rendered", "translations", "publication", "send_window")
        query = sa.select(*(issues.c[name] for name in names)).where(issues.c.id == issue, issues.c.state == PUBLISHED)
        with self._db.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no published issue {issue}; `newsletter issues list` shows those there are")
        return Frozen(
            id=issue,
            nonce=row.nonce,
            published_at=row.decided_at,
            issue=decode(Issue, row.body),
            rendered=decode(Rendered, row.rendered),
            newsletter=decode(Newsletter, row.publication),
            window=windows.read(row.send_window) if row.send_window else None,
            translations=decode(dict[str, Rendered], row.translations) if row.translations else {},
        )

    def content(self, issue: int) -> tuple[Decided, Issue]:
        """A published issue and what was decided of it, without what its messages are made of. NotFound."""
        query = sa.select(*_DECIDED, issues.c.body).where(issues.c.id == issue, issues.c.state == PUBLISHED)
        with self._db.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"there is no published issue {issue}; `newsletter issues list` shows those there are")
        decided = dict(row)
        body = decided.pop("body")
        return Decided(**decided), decode(Issue, body)

    def ends(self, newsletter: str) -> tuple[Decided, Decided] | None:
        """The first and the last of the issues that went to everybody; None before the first."""
        public = _public(newsletter).limit(1)
        with self._db.reading() as connection:
            first = connection.execute(public.order_by(issues.c.at, issues.c.id)).mappings().first()
            last = connection.execute(public.order_by(issues.c.at.desc(), issues.c.id.desc())).mappings().first()
        return (Decided(**first), Decided(**last)) if first and last else None

    def public(
        self, newsletter: str, *, since: datetime | None = None, until: datetime | None = None, limit: int = 1000
    ) -> builtins.list[Decided]:
        """The issues that went to everybody, newest first; of the slots from `since` on and before `until`."""
        query = _public(newsletter).order_by(issues.c.at.desc(), issues.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(issues.c.at >= since)
        if until is not None:
            query = query.where(issues.c.at < until)
        with self._db.reading() as connection:
            return [Decided(**row) for row in connection.execute(query).mappings()]

    def named(self, newsletter: str, slot: str) -> int | None:
        """The number of the issue of a slot that went to everybody; None where there is none."""
        query = sa.select(issues.c.id).where(
            issues.c.newsletter == newsletter,
            issues.c.slot == slot,
            issues.c.state == PUBLISHED,
            issues.c.slot.not_like(_COPIES, escape="\\"),
        )
        with self._db.reading() as connection:
            return connection.execute(query).scalar()

    def telling(self, newsletter: str, keys: Collection[str]) -> builtins.list[int]:
        """The issues that told a story last, by any of its keys, oldest first; at most a few."""
        query = (
            sa.select(issues.c.id)
            .join(told, told.c.issue == issues.c.id)
            .where(told.c.newsletter == newsletter, told.c.key.in_(sorted(keys)[:500]))
            .distinct()
            .order_by(issues.c.id)
        )
        with self._db.reading() as connection:
            return list(connection.execute(query).scalars())

    def last_published(self, newsletter: str, *, before: datetime) -> datetime | None:
        """The instant of the newest published slot before another."""
        query = sa.select(sa.func.max(issues.c.at)).where(
            issues.c.newsletter == newsletter, issues.c.state == PUBLISHED, issues.c.at < before
        )
        with self._db.reading() as connection:
            return connection.execute(query).scalar()

    def told(self, newsletter: str, keys: Collection[str], *, besides: int | None = None) -> dict[str, datetime]:
        """Which of these story keys this newsletter published before, in issues other than `besides`, and when last."""
        known: dict[str, datetime] = {}
        wanted = sorted(keys)
        with self._db.reading() as connection:
            for start in range(0, len(wanted), 500):
                query = (
                    sa.select(told.c.key, issues.c.decided_at)
                    .join(issues, issues.c.id == told.c.issue)
                    .where(
                        told.c.newsletter == newsletter,
                        told.c.key.in_(wanted[start : start + 500]),
                        told.c.issue != (besides or 0),
                    )
                )
                known.update((key, at) for key, at in connection.execute(query))
        return known

    def stories(self, newsletter: str, *, since: datetime, besides: int | None = None) -> builtins.list[Story]:
        """What this newsletter told in issues for everybody after a moment, except in `besides`, the latest first."""
        query = (
            sa.select(issues.c.body)
            .where(issues.c.newsletter == newsletter, issues.c.at > since, issues.c.id != (besides or 0))
            .where(issues.c.id.in_(sa.select(told.c.issue)))
            .order_by(issues.c.at.desc(), issues.c.id.desc())
        )
        with self._db.reading() as connection:
            return [story for body in connection.execute(query).scalars() for story in decode(Issue, body).stories]

    def skip(self, slot: Slot, *, reason: str, now: datetime) -> bool:
        """Decide that a slot has no issue, unless it was decided already; whether this call decided it."""
        row = {**_slot(slot), "state": SKIPPED, "reason": reason, "decided_at": now}
        with self._db.writing() as connection:
            forget(connection, slot)
            insert = self._db.insert(issues).values(row).on_conflict_do_nothing()
            return connection.execute(insert.returning(issues.c.id)).first() is not None

    def publish(
        self,
        issue: Issue,
        rendered: Rendered,
        *,
        newsletter: Newsletter,
        audience: Audience,
        now: datetime,
        translations: Mapping[str, Rendered] = MappingProxyType({}),
    ) -> tuple[int, bool]:
        """Freeze an issue and its recipients in one transaction; its number, and whether this call did it.

        A slot that has its issue keeps it: the second of two processes gets the first one's. A skipped slot may still
        get an issue. Stories are remembered as told unless the issue goes to named subscribers only.
        """
        row = {
            **_slot(issue.slot),
            "state": PUBLISHED,
            "reason": "",
            "nonce": secrets.token_hex(8),
            "subject": rendered.subject,
            "publication": encode(newsletter),
            "body": encode(issue),
            "rendered": encode(rendered),
            "translations": encode(dict(translations)) if translations else "",
            "send_window": windows.spelled(audience.window) if audience.window else "",
            "decided_at": now,
        }
        insert = self._db.insert(issues).values(row)
        settle = insert.on_conflict_do_update(
            index_elements=["newsletter", "slot"], set_=row, where=issues.c.state == SKIPPED
        ).returning(issues.c.id)
        with self._db.writing() as connection:
            forget(connection, issue.slot)
            number = connection.execute(settle).scalar()
            fresh = number is not None
            if number is None:
                number = _number(connection, issue.slot)
            if fresh and audience.only is None:
                self._remember(connection, number, issue)
            if fresh:
                self._freeze_recipients(connection, number, newsletter.name, audience, day=issue.slot.date)
            if fresh and audience.apart is not None:
                spacing = Spacing(apart=audience.apart, window=audience.window, expires=audience.expires)
                planned = {audience.at, *audience.due.values(), *audience.hours.values()}
                keep_apart(connection, number, issue.slot, planned=planned, spacing=spacing)
            if fresh:
                renew(self._db, connection, Part.ISSUES)
        return number, fresh

    def add_recipients(self, issue: int, *, newsletter: str, audience: Audience) -> None:
        """Send a published issue to further people; whoever stands in its ledger already is left as they are."""
        with self._db.writing() as connection:
            self._freeze_recipients(connection, issue, newsletter, audience, day=None)

    def _remember(self, connection: sa.Connection, number: int, issue: Issue) -> None:
        rows = [
            {"newsletter": issue.slot.newsletter, "key": key, "issue": number}
            for story in issue.stories
            for key in names(story)
        ]
        if rows:
            insert = self._db.insert(told)
            again = {"issue": insert.excluded.issue}  # a story that is told again was told last in this issue
            connection.execute(insert.on_conflict_do_update(index_elements=["newsletter", "key"], set_=again), rows)

    def _freeze_recipients(
        self, connection: sa.Connection, number: int, newsletter: str, audience: Audience, *, day: date | None
    ) -> None:
        """One delivery for each recipient of an issue of a day; who paused is in the ledger too, and gets none."""
        suppressed = subscribers.c.suppressed != ""
        due = _by_zone(audience.due, audience.at)
        expires = {zone: at + audience.expires for zone, at in audience.due.items()}
        expires_at = _by_zone(expires, audience.at + audience.expires)
        zones = {zone: sa.literal(zone) for zone in audience.due}
        zone = sa.case(zones, value=subscribers.c.timezone, else_=audience.zone) if zones else sa.literal(audience.zone)
        hindrance: sa.ColumnElement[str] = subscribers.c.suppressed
        hours = _hours(audience) if audience.hours and audience.only is None else None
        if hours is not None:
            due = sa.func.coalesce(hours.c.due, due)
            expires_at = sa.func.coalesce(hours.c.expires, expires_at)
        if audience.only is None and day is not None:
            paused = subscriptions.c.paused_until > day.isoformat()
            hindrance = sa.case((~suppressed & paused, _PAUSED), else_=subscribers.c.suppressed)
        wanted = sa.select(
            sa.literal(number),
            subscribers.c.id,
            sa.case((hindrance != "", State.EXCLUDED.value), else_=State.QUEUED.value),
            hindrance,
            due,
            due,
            expires_at,
            zone,
        )
        if audience.only is not None:
            wanted = wanted.where(subscribers.c.id.in_(audience.only))
        else:
            joined = subscribers.join(subscriptions, subscriptions.c.subscriber == subscribers.c.id)
            if hours is not None:
                at_an_hour = (hours.c.zone == subscribers.c.timezone) & (hours.c.hour == subscriptions.c.hour)
                joined = joined.outerjoin(hours, at_an_hour)
            wanted = wanted.select_from(joined).where(
                subscriptions.c.newsletter == newsletter,
                subscriptions.c.state == "confirmed",
                subscriptions.c.cadence == audience.cadence,
            )
        insert = self._db.insert(deliveries).from_select(
            ["issue", "subscriber", "state", "reason", "planned_at", "due_at", "expires_at", "zone"],
            wanted.order_by(subscribers.c.id),
        )
        is_first = day is not None  # nobody stands in the ledger yet, and to look for them costs a quarter
        connection.execute(insert if is_first else insert.on_conflict_do_nothing())


def _public(newsletter: str) -> sa.Select[Any]:
    """The issues that went to everybody."""
    of_all = issues.c.slot.not_like(_COPIES, escape="\\")
    return sa.select(*_DECIDED).where(issues.c.newsletter == newsletter, issues.c.state == PUBLISHED, of_all)


_PAUSED = sa.literal("paused until ") + subscriptions.c.paused_until


def _hours(audience: Audience) -> sa.CTE:
    """The instants of those who want their issues at an hour, as a table to join with."""
    moment = deliveries.c.due_at.type
    columns = (
        sa.column("zone", sa.Text),
        sa.column("hour", sa.Integer),
        sa.column("due", moment),
        sa.column("expires", moment),
    )
    rows = [(zone, hour, at, at + audience.expires) for (zone, hour), at in sorted(audience.hours.items())]
    return sa.values(*columns, name="wanted_hours").data(rows).cte("hours")


def names(story: Story) -> Sequence[str]:
    """Every key by which a story may come back."""
    return (story.key, *(alias for alias in story.aliases if alias != story.key))


def _by_zone(moments: Mapping[str, datetime], otherwise: datetime) -> sa.ColumnElement[datetime]:
    """The moment for the time zone that a subscriber named."""
    default = sa.literal(otherwise, deliveries.c.due_at.type)
    if not moments:
        return default
    named = {zone: sa.literal(moment, deliveries.c.due_at.type) for zone, moment in moments.items()}
    return sa.case(named, value=subscribers.c.timezone, else_=default)


def _slot(slot: Slot) -> dict[str, object]:
    return {"newsletter": slot.newsletter, "slot": slot.key, "at": slot.at}


def _number(connection: sa.Connection, slot: Slot) -> int:
    query = sa.select(issues.c.id).where(issues.c.newsletter == slot.newsletter, issues.c.slot == slot.key)
    return int(connection.execute(query).scalar_one())
