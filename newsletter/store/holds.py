"""Issues that are held up: paused until somebody resumes them, or cancelled for good; and what servers object to.

    pause -> nothing of it is claimed or begun any more, by any process -> resume -> it goes on
    cancel -> the same, and what waits is excluded

What is in flight at that moment is finished. Every step is an event with who and why.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.errors import NotFound, StoreError
from newsletter.model import Hold, Objection, State
from newsletter.store.db import Database
from newsletter.store.journal import unfolded
from newsletter.store.schema import deliveries, events, holds, issues, objections

CANCELLED_REASON = "cancelled"

_PAUSED, _CANCELLED, _RESUMED = "paused", "cancelled", ""
_WAITING = (State.QUEUED, State.DEFERRED)

_HELD = holds.c.state != _RESUMED
HELD = sa.select(holds.c.issue).where(_HELD)


def is_held(issue: Any) -> sa.ColumnElement[bool]:
    """A condition for queries: the issue of this number, or in this column, is paused or cancelled."""
    return sa.exists(sa.select(1).select_from(holds).where(holds.c.issue == issue, _HELD))


def is_cancelled(issue: Any) -> sa.ColumnElement[bool]:
    """A condition for queries: the issue is cancelled."""
    return sa.exists(sa.select(1).select_from(holds).where(holds.c.issue == issue, holds.c.state == _CANCELLED))


class Holds:
    """The tables `holds` and `objections`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def get(self, issue: int) -> Hold | None:
        """Why an issue is held up; None where it is not."""
        with self._db.reading() as connection:
            return _get(connection, issue)

    def list(self, numbers: Iterable[int]) -> dict[int, Hold]:
        """Those of these issues that are held up."""
        with self._db.reading() as connection:
            rows = connection.execute(_QUERY.where(holds.c.issue.in_(sorted(numbers)))).all()
        return {row.issue: _hold(row) for row in rows}

    def waiting(self) -> builtins.list[Hold]:
        """The paused issues of which something is still to go, oldest first."""
        left = sa.select(1).where(deliveries.c.issue == holds.c.issue, deliveries.c.state.in_(_WAITING))
        query = _QUERY.where(holds.c.state == _PAUSED, left.exists()).order_by(holds.c.issue)
        with self._db.reading() as connection:
            return [_hold(row) for row in connection.execute(query)]

    def pause(self, issue: int, *, who: str, why: str, now: datetime) -> Hold | None:
        """Hold an issue up. The hold there was already, which stays; None where there was none.

        NotFound for an unknown issue. `who` is empty when nobody said so but the replies.
        """
        with self._db.writing() as connection:
            newsletter = _newsletter(connection, issue)
            held = _get(connection, issue)
            if held is None:
                self._hold(connection, issue, state=_PAUSED, who=who, why=why, now=now)
                _log(connection, issue, newsletter, what=_PAUSED, who=who, why=why, now=now)
        return held

    def resume(self, issue: int, *, who: str, why: str = "", now: datetime) -> Hold | None:
        """Let a paused issue go on: the hold there was, None where there was none. What servers said is forgotten.

        NotFound for an unknown issue, StoreError for a cancelled one.
        """
        with self._db.writing() as connection:
            newsletter = _newsletter(connection, issue)
            held = _get(connection, issue)
            if held is not None and held.cancelled:
                raise StoreError(f"issue {issue} was cancelled for good; `newsletter send --force` makes a new one")
            if held is not None:
                values = {"state": _RESUMED, "since": now, "sent_before": _sent(connection, issue)}
                connection.execute(holds.update().where(holds.c.issue == issue).values(values))
                connection.execute(objections.delete().where(objections.c.issue == issue))
                _log(connection, issue, newsletter, what="resumed", who=who, why=why, now=now)
        return held

    def cancel(self, issue: int, *, who: str, why: str, now: datetime) -> int:
        """End everything of an issue that waits, for good; how many. What is in flight is finished. NotFound."""
        with self._db.writing() as connection:
            newsletter = _newsletter(connection, issue)
            held = _get(connection, issue)
            if held is None or not held.cancelled:
                self._hold(connection, issue, state=_CANCELLED, who=who, why=why, now=now)
                _log(connection, issue, newsletter, what=_CANCELLED, who=who, why=why, now=now)
            return _exclude(connection, issue, now)

    def sweep(self, issue: int, *, now: datetime) -> int:
        """End what came back to a cancelled issue: from a process that had it in hand then; how many."""
        with self._db.writing() as connection:
            return _exclude(connection, issue, now)

    # --- what servers object to

    def note(self, issue: int, noted: Iterable[Objection]) -> tuple[int, Objection]:
        """Add to what was said of an issue since it was last resumed.

        How many messages were refused in all, and of the kinds that were noted the one that is most about us.
        """
        insert = self._db.insert(objections)
        add = insert.on_conflict_do_update(
            index_elements=["issue", "kind"],
            set_={name: objections.c[name] + insert.excluded[name] for name in ("refused", "policy")},
        ).returning(objections.c.kind, objections.c.refused, objections.c.policy, objections.c.example)
        kinds: builtins.list[Objection] = []
        # One order for all processes: two that add to the same kinds never wait for each other.
        with self._db.writing(durable=False) as connection:
            for one in sorted(noted, key=lambda objection: objection.kind):
                row = {"kind": one.kind, "refused": one.refused, "policy": one.policy, "example": one.example}
                kinds.append(_objection(connection.execute(add.values(issue=issue, **row)).one()))
            total = sa.select(sa.func.sum(objections.c.refused)).where(objections.c.issue == issue)
            refused = int(connection.execute(total).scalar_one() or 0)
        return refused, max(kinds, key=lambda objection: objection.policy)

    def objections(self, issue: int, *, limit: int = 5) -> builtins.list[Objection]:
        """What was said most often of an issue since it was last resumed."""
        often = objections.c.refused + objections.c.policy
        query = sa.select(objections).where(objections.c.issue == issue).order_by(often.desc(), objections.c.kind)
        with self._db.reading() as connection:
            return [_objection(row) for row in connection.execute(query.limit(limit))]

    def sent(self, issue: int) -> int:
        """How many messages of an issue were taken since it was last resumed."""
        before = sa.select(holds.c.sent_before).where(holds.c.issue == issue)
        with self._db.reading() as connection:
            return _sent(connection, issue) - (connection.execute(before).scalar() or 0)

    def _hold(self, connection: sa.Connection, issue: int, *, state: str, who: str, why: str, now: datetime) -> None:
        values = {"state": state, "who": who, "why": why, "since": now}
        insert = self._db.insert(holds).values(issue=issue, **values)
        connection.execute(insert.on_conflict_do_update(index_elements=["issue"], set_=values))


_QUERY = sa.select(holds, issues.c.newsletter, issues.c.slot).join(issues, issues.c.id == holds.c.issue).where(_HELD)


def _get(connection: sa.Connection, issue: int) -> Hold | None:
    row = connection.execute(_QUERY.where(holds.c.issue == issue)).first()
    return _hold(row) if row else None


def _hold(row: Any) -> Hold:
    return Hold(
        issue=row.issue,
        newsletter=row.newsletter,
        slot=row.slot,
        cancelled=row.state == _CANCELLED,
        who=row.who,
        why=row.why,
        since=row.since,
    )


def _objection(row: Any) -> Objection:
    return Objection(kind=row.kind, refused=row.refused, policy=row.policy, example=row.example)


def _newsletter(connection: sa.Connection, issue: int) -> str:
    """Whose issue it is. NotFound."""
    query = sa.select(issues.c.newsletter).where(issues.c.id == issue, issues.c.state == "published")
    newsletter = connection.execute(query.with_for_update(key_share=True)).scalar()  # one such word at a time
    if newsletter is None:
        raise NotFound(f"there is no published issue {issue}; `newsletter issues list` shows those there are")
    return str(newsletter)


def _sent(connection: sa.Connection, issue: int) -> int:
    sent = sa.select(sa.func.count()).where(deliveries.c.issue == issue, deliveries.c.state == State.SENT)
    return int(connection.execute(sa.select(sent.scalar_subquery() + unfolded(issue))).scalar_one())


def _exclude(connection: sa.Connection, issue: int, now: datetime) -> int:
    waiting = (deliveries.c.issue == issue) & deliveries.c.state.in_(_WAITING)
    values = {"state": State.EXCLUDED, "reason": CANCELLED_REASON, "ended_at": now}
    return connection.execute(deliveries.update().where(waiting).values(values)).rowcount


def _log(
    connection: sa.Connection, issue: int, newsletter: str, *, what: str, who: str, why: str, now: datetime
) -> None:
    detail = f"by {who or 'the newsletter itself'}" + (f": {why}" if why else "")
    row = {"at": now, "kind": what, "issue": issue, "newsletter": newsletter, "detail": detail}
    connection.execute(events.insert(), row)
