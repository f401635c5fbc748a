"""How sending and collecting are going, over all issues and sources: what is watched, and asked from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.model import State
from newsletter.store.db import Database
from newsletter.store.holds import HELD, is_held
from newsletter.store.schema import deliveries, entries, issues

_WAITING = (State.QUEUED, State.DEFERRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """An issue of which nothing goes although something is due, since when."""

    newsletter: str
    slot: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """When a source last had something new, and how often in the time that was asked for."""

    last: datetime
    count: int


class Pulse:
    """Questions about `deliveries` and `entries` as a whole."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def oldest_due(self, *, now: datetime) -> datetime | None:
        """Since when the oldest message that could go now is waiting."""
        query = sa.select(sa.func.min(deliveries.c.due_at)).where(
            deliveries.c.state.in_(_WAITING), deliveries.c.due_at <= now, deliveries.c.issue.not_in(HELD)
        )
        with self._db.reading() as connection:
            return connection.execute(query).scalar()

    def uncertain(self) -> int:
        """How many messages may have arrived or not."""
        query = sa.select(sa.func.count()).where(deliveries.c.state == State.UNCERTAIN)
        with self._db.reading() as connection:
            return connection.execute(query).scalar_one()

    def stuck(self, *, before: datetime) -> list[Stuck]:
        """The issues with messages that nobody has tried since `before`, and none that ended since."""
        due = (
            sa.select(deliveries.c.issue, sa.func.min(deliveries.c.due_at).label("due_at"))
            .where(deliveries.c.state == State.QUEUED, deliveries.c.due_at <= before)
            .group_by(deliveries.c.issue)
            .subquery()
        )
        mine = (deliveries.c.issue == issues.c.id) & deliveries.c.state.in_(list(State))  # each, for the index
        ended = sa.select(deliveries.c.id).where(mine, deliveries.c.ended_at > before)
        query = (
            sa.select(issues.c.newsletter, issues.c.slot, due.c.due_at)
            .join(due, due.c.issue == issues.c.id)
            .where(~ended.exists(), ~is_held(issues.c.id))
            .order_by(issues.c.id)
        )
        with self._db.reading() as connection:
            return [Stuck(**row) for row in connection.execute(query).mappings()]

    def news(self, *, since: datetime) -> Mapping[str, News]:
        """Of each source that had something new since then."""
        query = (
            sa.select(entries.c.source, sa.func.max(entries.c.first_seen), sa.func.count())
            .where(entries.c.first_seen >= since, entries.c.is_news == 1)
            .group_by(entries.c.source)
        )
        with self._db.reading() as connection:
            return {name: News(last=last, count=count) for name, last, count in connection.execute(query)}
