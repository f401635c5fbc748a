"""The ledger: one row for each recipient of each issue, and the only place that says what became of it.

    queued --claim--> sending --start--> sending (its body may have left) --mark--> sent, deferred, …
       ^                |                    |
       +----release-----+                    +---- the process died, the lease ran out: uncertain (see `recover`)

`uncertain` is claimed again once, by rule, and goes out under the same Message-ID; after that only an operator's
`retry` moves it. A row is held by a lease: a process that lost its lease changes nothing but "sent".
"""

from __future__ import annotations

import builtins
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.errors import NotFound, StoreError
from newsletter.model import State
from newsletter.store.db import Database
from newsletter.store.holds import is_cancelled, is_held
from newsletter.store.prepared import Prepared
from newsletter.store.schema import deliveries, events, issues, subscribers, subscriptions

_SYNC_SECONDS = 1.0
_OPEN = (State.QUEUED, State.DEFERRED)
# One IN for all three states: an OR between states would keep SQLite from the index on them.
_WAITING = deliveries.c.state.in_((*_OPEN, State.UNCERTAIN)) & (
    (deliveries.c.state != State.UNCERTAIN) | (deliveries.c.resends == 0)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery this process holds; `attempts` counts those begun before."""

    id: int
    subscriber: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Whom a delivery goes to, as of this moment; `hindrance` says why it must not go, empty when it may.

    `choices` are their Preferences by codec, as far as they bear on what they get and how; empty: none.
    """

    email: str
    name: str
    hindrance: str
    choices: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What to write down about one delivery. `due_at` is when it may be tried again, for deferred and uncertain."""

    delivery: int
    state: State
    reason: str = ""
    code: int = 0
    reply: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the ledger, for people."""

    id: int
    issue: int
    email: str
    state: State
    reason: str
    due_at: datetime
    attempts: int
    code: int
    reply: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an issue has come: deliveries that are done, that could go now, and that wait for their time."""

    done: int = 0
    due: int = 0
    later: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.done + self.due + self.later


class Deliveries:
    """The table `deliveries`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db
        self._synced = 0.0  # when marks last went to the disk, by the monotonic clock
        self._sent = Prepared(_SENT, db.engine.dialect)
        self._start = Prepared(_START, db.engine.dialect)

    def claim(
        self,
        issue: int,
        *,
        owner: str,
        now: datetime,
        lease_until: datetime,
        limit: int,
        closed: Collection[str] = (),
    ) -> builtins.list[Claimed]:
        """Take up to `limit` deliveries that are due; no other process gets them while the lease lasts.

        None in a time zone that is `closed`, and none of an issue that is held up.
        """
        ready = (
            sa.select(deliveries.c.id)
            .where(deliveries.c.issue == issue, _is_due(now), deliveries.c.zone.not_in(sorted(closed)))
            .where(~is_held(issue))
            .limit(limit)  # in no order: to sort all that waits for each batch would grow with its square
            .with_for_update(skip_locked=True)  # PostgreSQL; on SQLite the write lock is held already
        )
        take = (
            deliveries.update()
            .where(deliveries.c.id.in_(ready.scalar_subquery()))
            .values(
                state=State.SENDING,
                owner=owner,
                lease_until=lease_until,
                started_at=None,
                resends=deliveries.c.resends + sa.case((deliveries.c.state == State.UNCERTAIN, 1), else_=0),
            )
            .returning(deliveries.c.id, deliveries.c.subscriber, deliveries.c.attempts)
        )
        with self._db.writing() as connection:
            rows = connection.execute(take).mappings().all()
        return sorted((Claimed(**row) for row in rows), key=lambda claimed: claimed.id)

    def addressees(self, ids: Sequence[int], *, owner: str, newsletter: str) -> Mapping[int, Addressee]:
        """Whom these go to right now; one that this process no longer holds is absent.

        Somebody who left, was suppressed or erased a second ago is a hindrance. One-off recipients, who never signed
        up for the newsletter, are not.
        """
        query = (
            sa.select(
                deliveries.c.id,
                subscribers.c.email,
                subscribers.c.name,
                subscribers.c.suppressed,
                subscriptions.c.state,
                subscriptions.c.choices,
            )
            .select_from(deliveries)
            .outerjoin(subscribers, subscribers.c.id == deliveries.c.subscriber)
            .outerjoin(
                subscriptions,
                (subscriptions.c.subscriber == subscribers.c.id) & (subscriptions.c.newsletter == newsletter),
            )
            .where(deliveries.c.id.in_(ids), deliveries.c.state == State.SENDING, deliveries.c.owner == owner)
        )
        with self._db.reading() as connection:
            return {row.id: _addressee(row) for row in connection.execute(query)}

    def turn(
        self, marks: Sequence[Mark], starting: Sequence[int], *, owner: str, newsletter: str, now: datetime
    ) -> Collection[int]:
        """Write down what became of some deliveries, and that the bodies of others are about to leave; at once.

        From here on a crash makes the latter uncertain. Those that must not leave are not started, and returned: the
        lease was lost, the issue was paused or cancelled, or the reader has left, was suppressed or erased. It survives
        `kill -9`; once a second it also survives a loss of power.
        """
        durable = time.monotonic() - self._synced >= _SYNC_SECONDS
        with self._db.writing(durable=durable) as connection:
            self._mark(connection, marks, owner, now)
            refused = self._begin(connection, starting, owner, newsletter, now)
        if durable:
            self._synced = time.monotonic()
        return refused

    def mark(self, marks: Iterable[Mark], *, owner: str, now: datetime) -> None:
        """Write down what became of deliveries this process holds.

        If the lease was lost meanwhile only "sent" is kept, and only where nobody has begun to send it again.
        """
        with self._db.writing() as connection:
            self._mark(connection, list(marks), owner, now)

    def renew(self, *, owner: str, lease_until: datetime) -> None:
        """Go on holding everything this process holds."""
        mine = (deliveries.c.state == State.SENDING) & (deliveries.c.owner == owner)
        with self._db.writing() as connection:
            connection.execute(deliveries.update().where(mine).values(lease_until=lease_until))

    def release(self, *, issue: int, owner: str) -> int:
        """Give back what was claimed and surely not sent; how many."""
        mine = (deliveries.c.issue == issue) & (deliveries.c.state == State.SENDING) & (deliveries.c.owner == owner)
        with self._db.writing() as connection:
            return connection.execute(_requeue(mine & deliveries.c.started_at.is_(None))).rowcount

    def recover(self, *, now: datetime, is_gone: Callable[[str], bool]) -> tuple[int, int]:
        """Take over from processes that ended or lost their lease; how many went back to queued, how many uncertain.

        What had not begun to leave is queued again. What had begun may have arrived: it is uncertain, and due now.
        """
        held = sa.select(deliveries.c.owner).where(deliveries.c.state == State.SENDING).distinct()
        with self._db.writing() as connection:
            owners = connection.execute(held).scalars().all()
            if not owners:
                return 0, 0
            gone = [owner for owner in owners if is_gone(owner)]
            lost = (deliveries.c.state == State.SENDING) & (
                deliveries.c.owner.in_(gone) | (deliveries.c.lease_until < now)
            )
            queued = connection.execute(_requeue(lost & deliveries.c.started_at.is_(None))).rowcount
            cut = (
                deliveries.update()
                .where(lost & deliveries.c.started_at.is_not(None))
                .values(state=State.UNCERTAIN, reason="the sender ended before the reply", due_at=now, owner="")
                .returning(deliveries.c.id)
            )
            uncertain = connection.execute(cut).scalars().all()
            _log_uncertain(connection, uncertain, "the sender ended before the reply", now)
        return queued, len(uncertain)

    def zones(self, issue: int) -> set[str]:
        """The time zones whose clocks the deliveries of an issue go by, as far as they go by any."""
        with self._db.reading() as connection:
            mine = (deliveries.c.issue == issue) & (deliveries.c.zone != "")
            query = sa.select(deliveries.c.zone).where(mine).distinct()
            return set(connection.execute(query).scalars())

    def put_off(self, issue: int, until: Mapping[str, datetime], *, now: datetime) -> int:
        """Let what is due in these time zones wait until a later moment; how many."""
        due = (deliveries.c.issue == issue) & _is_due(now) & deliveries.c.zone.in_(sorted(until))
        later = {zone: sa.literal(moment, deliveries.c.due_at.type) for zone, moment in until.items()}
        with self._db.writing() as connection:
            put_off = deliveries.update().where(due).values(due_at=sa.case(later, value=deliveries.c.zone))
            return connection.execute(put_off).rowcount

    def expire(self, issue: int, *, reason: str, now: datetime) -> int:
        """Give up on what still waits and cannot go before it is too late; how many."""
        waiting = (deliveries.c.issue == issue) & deliveries.c.state.in_(_OPEN)
        too_late = (deliveries.c.expires_at <= now) | (deliveries.c.due_at >= deliveries.c.expires_at)
        over = deliveries.update().where(waiting, too_late).values(state=State.EXPIRED, reason=reason, ended_at=now)
        with self._db.writing() as connection:
            return connection.execute(over).rowcount

    def retry(self, issue: int, *, states: Collection[State], subscriber: int | None = None, now: datetime) -> int:
        """An operator's word: queue again what is in these states, however late it is; how many.

        `subscriber` names the only one. NotFound for an unknown issue, StoreError for a cancelled one.
        """
        values = {"state": State.QUEUED, "reason": "", "due_at": now, "expires_at": None, "ended_at": None}
        with self._db.writing() as connection:
            again = deliveries.update().where(_retried(connection, issue, states, subscriber))
            return connection.execute(again.values(**values, resends=0)).rowcount

    def retried(self, issue: int, *, states: Collection[State], subscriber: int | None = None) -> int:
        """How many `retry` would queue again; the same errors."""
        with self._db.reading() as connection:
            which = _retried(connection, issue, states, subscriber)
            return connection.execute(sa.select(sa.func.count()).where(which)).scalar_one()

    def counts(self, issue: int) -> Mapping[State, int]:
        """How many deliveries of an issue are in each state; states without any are left out."""
        query = (
            sa.select(deliveries.c.state, sa.func.count())
            .where(deliveries.c.issue == issue, deliveries.c.state.in_(list(State)))  # each, for the index
            .group_by(deliveries.c.state)
        )
        with self._db.reading() as connection:
            return {State(state): count for state, count in connection.execute(query)}

    def standing(self, issue: int, *, now: datetime) -> Standing:
        """How far an issue has come, whichever processes send it."""
        mine = deliveries.c.issue == issue
        is_due = sa.case((deliveries.c.due_at <= now, 1), else_=0)
        # All states but one need the index only, which has the state, the issue and the time.
        sure = deliveries.c.state.in_([state for state in State if state is not State.UNCERTAIN])
        surely = sa.select(deliveries.c.state, is_due, sa.func.count()).where(mine, sure)
        uncertain = deliveries.c.state == State.UNCERTAIN
        perhaps = sa.select(deliveries.c.resends, is_due, sa.func.count()).where(mine, uncertain)
        found: Counter[str] = Counter()
        with self._db.reading() as connection:
            for state, now_due, count in connection.execute(surely.group_by(deliveries.c.state, is_due)):
                waits = state in _OPEN and not now_due
                found["later" if waits else "due" if state in (*_OPEN, State.SENDING) else "done"] += count
            for resends, now_due, count in connection.execute(perhaps.group_by(deliveries.c.resends, is_due)):
                found["done" if resends else "due" if now_due else "later"] += count
        return Standing(**found)

    def reasons(self, issue: int, state: State) -> Mapping[str, int]:
        """Why the deliveries in a state are in it."""
        query = (
            sa.select(deliveries.c.reason, sa.func.count())
            .where(deliveries.c.issue == issue, deliveries.c.state == state)
            .group_by(deliveries.c.reason)
            .order_by(deliveries.c.reason)
        )
        with self._db.reading() as connection:
            return dict(connection.execute(query).all())

    def replies(self, issue: int, *, limit: int) -> builtins.list[tuple[State, int, str, int]]:
        """What servers said most often of messages that did not go, with the state and code: and how often."""
        mine = (deliveries.c.issue == issue) & deliveries.c.state.in_(
            [State.REJECTED, State.DEFERRED, State.UNCERTAIN, State.EXPIRED]
        )
        said = (deliveries.c.state, deliveries.c.code, deliveries.c.reply)
        query = (
            sa.select(*said, sa.func.count().label("times"))
            .where(mine, deliveries.c.reply != "")
            .group_by(*said)
            .order_by(sa.desc("times"), *said)
            .limit(limit)
        )
        with self._db.reading() as connection:
            return [(State(state), code, reply, times) for state, code, reply, times in connection.execute(query)]

    def unfinished(self, *, now: datetime) -> builtins.list[int]:
        """The issues with something to do now, oldest first; where one is held up that is only to end deliveries."""
        waiting = deliveries.c.state.in_(_OPEN)
        over = waiting & (deliveries.c.due_at <= now)  # nothing but to say that it expired
        mine = sa.select(deliveries.c.id).where(deliveries.c.issue == issues.c.id)
        # The states are named once more outside of the ORs, for the index: else all that was sent is looked through.
        some = mine.where(deliveries.c.state.in_((*_OPEN, State.UNCERTAIN)), _is_due(now) | over)
        ends = mine.where(waiting, (deliveries.c.expires_at <= now) | is_cancelled(issues.c.id))
        held = is_held(issues.c.id)
        query = sa.select(issues.c.id).where((some.exists() & ~held) | (held & ends.exists())).order_by(issues.c.id)
        with self._db.reading() as connection:
            return list(connection.execute(query).scalars())

    def next_due(self, issue: int) -> datetime | None:
        """When the next waiting delivery of an issue may go; None when none waits."""
        query = sa.select(sa.func.min(deliveries.c.due_at)).where(deliveries.c.issue == issue, _WAITING)
        with self._db.reading() as connection:
            return connection.execute(query).scalar()

    def list(self, issue: int, *, state: State | None = None) -> builtins.list[Line]:
        """The ledger of an issue, in order. NotFound when there is no such issue."""
        return list(self.each(issue, state=state))

    def each(self, issue: int, *, state: State | None = None, at_once: int = 5_000) -> Iterator[Line]:
        """The same line by line, of an issue of any size: `at_once` of them are asked for at a time."""
        last = 0
        while True:
            lines = self.page(issue, state=state, after=last, limit=at_once)
            yield from lines
            if len(lines) < at_once:
                return
            last = lines[-1].id

    def page(self, issue: int, *, state: State | None = None, after: int = 0, limit: int = 100) -> builtins.list[Line]:
        """The next lines after the one with that number, at most `limit`. NotFound when there is no such issue."""
        query = _lines(issue).where(deliveries.c.id > after).order_by(deliveries.c.id).limit(limit)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        with self._db.reading() as connection:
            _demand(connection, issue)
            return [_line(row) for row in connection.execute(query).mappings()]

    def of(self, issue: int, subscriber: int) -> Line | None:
        """One subscriber's line in the ledger of an issue, None where they have none."""
        query = _lines(issue).where(deliveries.c.subscriber == subscriber)
        with self._db.reading() as connection:
            row = connection.execute(query).mappings().first()
        return _line(row) if row else None

    def _begin(
        self, connection: sa.Connection, ids: Sequence[int], owner: str, newsletter: str, now: datetime
    ) -> Collection[int]:
        """Start these; those that were not."""
        if not ids:
            return ()
        shared = {"b_owner": owner, "b_now": now, "b_newsletter": newsletter}
        if self._start.run(connection, [{"b_id": number} for number in ids], shared=shared) == len(ids):
            return ()
        held = (deliveries.c.state == State.SENDING) & (deliveries.c.owner == owner)
        begun = sa.select(deliveries.c.id).where(held, deliveries.c.id.in_(ids), deliveries.c.started_at.is_not(None))
        return set(ids).difference(connection.execute(begun).scalars())

    def _mark(self, connection: sa.Connection, marks: Sequence[Mark], owner: str, now: datetime) -> None:
        sent = [
            {"b_id": mark.delivery, "b_code": mark.code, "b_reply": mark.reply}
            for mark in marks
            if mark.state is State.SENT
        ]
        if sent:
            self._sent.run(connection, sent, shared={"b_owner": owner, "b_now": now})
        for mark in marks:
            if mark.state is not State.SENT:
                self._mark_one(connection, mark, owner, now)

    def _mark_one(self, connection: sa.Connection, mark: Mark, owner: str, now: datetime) -> None:
        held = (deliveries.c.state == State.SENDING) & (deliveries.c.owner == owner)
        values: dict[str, object] = {
            "state": mark.state,
            "reason": mark.reason,
            "code": mark.code,
            "reply": mark.reply,
            "owner": "",
            "lease_until": None,
        }
        if mark.due_at is not None:
            values["due_at"] = mark.due_at
        # An attempt was counted when the body began to leave. One that was refused before is one too; one that surely
        # was not taken, through no fault of the message, is none.
        if mark.state is State.QUEUED:
            values["attempts"] = deliveries.c.attempts - sa.case((deliveries.c.started_at.is_not(None), 1), else_=0)
        elif mark.code:
            values["attempts"] = deliveries.c.attempts + sa.case((deliveries.c.started_at.is_(None), 1), else_=0)
        if mark.state not in (State.QUEUED, State.DEFERRED, State.UNCERTAIN):
            values["ended_at"] = now
        done = deliveries.update().where(deliveries.c.id == mark.delivery, held).values(values)
        written = connection.execute(done).rowcount == 1
        if written and mark.state is State.UNCERTAIN:
            _log_uncertain(connection, [mark.delivery], mark.reason, now)


def _demand(connection: sa.Connection, issue: int) -> None:
    if connection.execute(sa.select(issues.c.id).where(issues.c.id == issue)).first() is None:
        raise NotFound(f"there is no issue {issue}; `newsletter issues list` shows those there are")


def _retried(
    connection: sa.Connection, issue: int, states: Collection[State], subscriber: int | None
) -> sa.ColumnElement[bool]:
    _demand(connection, issue)
    if connection.execute(sa.select(is_cancelled(issue))).scalar():
        raise StoreError(f"issue {issue} was cancelled for good; `newsletter send --force` makes a new one")
    which = (deliveries.c.issue == issue) & deliveries.c.state.in_(sorted(states))
    return which if subscriber is None else which & (deliveries.c.subscriber == subscriber)


def _addressee(row: Any) -> Addressee:
    if row.email is None:
        return Addressee(email="", name="", hindrance="erased")
    return Addressee(
        email=row.email,
        name=row.name,
        hindrance=row.suppressed or ("left" if row.state == "left" else ""),
        choices=row.choices or "",
    )


_HELD = (deliveries.c.state == State.SENDING) & (deliveries.c.owner == sa.bindparam("b_owner"))
_HINDERED = sa.exists(
    sa.select(1)
    .select_from(
        subscribers.outerjoin(
            subscriptions,
            (subscriptions.c.subscriber == subscribers.c.id)
            & (subscriptions.c.newsletter == sa.bindparam("b_newsletter")),
        )
    )
    .where(subscribers.c.id == deliveries.c.subscriber)
    .where((subscribers.c.suppressed != "") | (sa.func.coalesce(subscriptions.c.state, "") == "left"))
)
_START = (
    deliveries.update()
    .where(deliveries.c.id == sa.bindparam("b_id"), _HELD)
    .where(deliveries.c.lease_until >= sa.bindparam("b_now"), deliveries.c.subscriber.is_not(None), ~_HINDERED)
    .where(~is_held(deliveries.c.issue))
    .values(started_at=sa.bindparam("b_now"), attempts=deliveries.c.attempts + 1)
)
# If the lease was lost meanwhile "sent" is kept where nobody has begun to send it again.
_SENT = (
    deliveries.update()
    .where(deliveries.c.id == sa.bindparam("b_id"), _HELD | (deliveries.c.state == State.UNCERTAIN))
    .values(
        state=State.SENT,
        reason="",
        code=sa.bindparam("b_code"),
        reply=sa.bindparam("b_reply"),
        owner="",
        lease_until=None,
        ended_at=sa.bindparam("b_now"),
    )
)


def _lines(issue: int) -> sa.Select[Any]:
    names = ("state", "reason", "due_at", "attempts", "code", "reply", "ended_at")
    return (
        sa.select(
            deliveries.c.id,
            deliveries.c.issue,
            sa.func.coalesce(subscribers.c.email, "(erased)").label("email"),
            *(deliveries.c[name] for name in names),
        )
        .outerjoin(subscribers, subscribers.c.id == deliveries.c.subscriber)
        .where(deliveries.c.issue == issue)
    )


def _line(row: sa.RowMapping) -> Line:
    return Line(**{**row, "state": State(row["state"])})


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    in_time = deliveries.c.expires_at.is_(None) | (deliveries.c.expires_at > now)
    return _WAITING & (deliveries.c.due_at <= now) & in_time


def _requeue(which: sa.ColumnElement[bool]) -> sa.Update:
    return deliveries.update().where(which).values(state=State.QUEUED, owner="", lease_until=None)


def _log_uncertain(connection: sa.Connection, ids: Sequence[int], reason: str, now: datetime) -> None:
    rows = [{"at": now, "kind": "uncertain", "delivery": number, "detail": reason} for number in ids]
    if rows:
        connection.execute(events.insert(), rows)
