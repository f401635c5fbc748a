"""The ledger: one row for each recipient of each issue, and the only place that says what became of it.

    queued --claim--> sending --start--> sending (its body may have left) --mark--> sent, deferred, …
       ^                |                    |
       +----release-----+                    +---- the process died, the lease ran out: uncertain (see `recover`)

`uncertain` is claimed again once, by rule, and goes out under the same Message-ID; after that only an operator's
`retry` moves it. A row is held by a process with a lease (see `senders`): one that lost it changes nothing but "sent".
What began and what was sent goes into the journal first, and into the rows a little later; all that is told here counts
it in.
"""

from __future__ import annotations

import builtins
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from newsletter.errors import NotFound, StoreError
from newsletter.model import State
from newsletter.store import journal, senders
from newsletter.store.db import Database
from newsletter.store.holds import is_cancelled, is_held
from newsletter.store.journal import Journal, Told
from newsletter.store.prepared import Prepared
from newsletter.store.schema import deliveries, events, issues, subscribers, subscriptions

_SYNC_SECONDS = 1.0
FOLD_SECONDS = 0.25
_LEFT = "left"
_UNFOLDED = "unfolded"  # stands among the names of states
_SENT = State.SENT  # looked at for each message, and a member of an enumeration costs more to look up than a name
_OPEN = (State.QUEUED, State.DEFERRED)
# One IN for all three states: an OR between states would keep SQLite from the index on them.
_WAITING = deliveries.c.state.in_([sa.literal(state) for state in (*_OPEN, State.UNCERTAIN)]) & (
    (deliveries.c.state != State.UNCERTAIN) | (deliveries.c.resends == 0)
)


class Claimed(NamedTuple):
    """A delivery this process holds, and whom it goes to as of that moment.

    `attempts` counts those begun before. `hindrance` says why it must not go, empty when it may. `choices` are the
    reader's Preferences by codec, as far as they bear on what they get and how; empty: none.
    """

    id: int
    attempts: int
    subscriber: int
    email: str = ""
    name: str = ""
    hindrance: str = ""
    choices: str = ""


class Mark(NamedTuple):
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

    def __init__(self, db: Database, *, fold_seconds: float = FOLD_SECONDS) -> None:
        """On an open database; so long what turns of sending did may stand in the journal alone."""
        self._db = db
        self._fold_seconds = fold_seconds
        self._folded = time.monotonic()
        self._synced = 0.0  # when a turn last went to the disk
        self._journal = Journal(db)
        self._take = Prepared(_take(db), db.engine.dialect, ["b_owner", "b_issue", "b_now", "b_limit", "b_closed"])
        self._addressed = Prepared(_addressed(db.numbers(sa.bindparam("b_ids"))), db.engine.dialect, ["b_ids"])
        self._turn = Prepared(_turn(db), db.engine.dialect, [*journal.ENTRY, "b_ids"])

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

        None in a time zone that is `closed`, and none of an issue that is held up. Somebody who left, was suppressed or
        erased is a hindrance; one-off recipients, who never signed up for the newsletter, are not.
        """
        with self._syncing() as connection:
            senders.hold(self._db, connection, owner, lease_until)
            self._fold(connection, owner)
            taken = self._take.all(connection, [owner, issue, now, limit, json.dumps(sorted(closed))])
            claimed = self._addressed.all(connection, [json.dumps([number for (number,) in taken])])
        return sorted(map(Claimed._make, claimed))

    def hindrances(self, ids: Iterable[int], *, owner: str) -> Mapping[int, str]:
        """Why some of these must not go, of those that this process holds."""
        query = _addressed(self._db.numbers(ids)).where(deliveries.c.owner == owner)
        with self._db.reading() as connection:
            claimed = map(Claimed._make, connection.execute(query))
            return {one.id: one.hindrance for one in claimed if one.hindrance}

    def turn(
        self, issue: int, marks: Sequence[Mark], starting: Sequence[int], *, owner: str, now: datetime
    ) -> Collection[int]:
        """Write down what became of some deliveries, and that the bodies of others are about to leave; at once.

        From here on a crash makes the latter uncertain. Those that must not leave are not started, and returned: the
        lease was lost, the issue was paused or cancelled, or the reader has left, was suppressed or erased. It survives
        `kill -9`; once a second it also survives a loss of power.
        """
        sent = [(mark.delivery, mark.code, mark.reply) for mark in marks if mark.state is _SENT]
        others = [mark for mark in marks if mark.state is not _SENT]
        told = (*journal.told_of(owner=owner, issue=issue, sent=sent, now=now), json.dumps(starting))
        begun: Sequence[int] | None
        if others or time.monotonic() - self._folded >= self._fold_seconds:
            with self._syncing() as connection:
                begun = self._enter(told, connection)
                # Other ends change rows that the journal may have more to say of.
                self._fold(connection, owner)
                for mark in others:
                    self._mark(connection, mark, owner, now)
        else:
            begun = self._db.at_once(partial(self._enter, told), durable=False)
            if begun is None:  # who lost the lease is not waited for
                self.fold(owner=owner)
        return () if begun is not None and len(begun) == len(starting) else set(starting).difference(begun or ())

    def fold(self, *, owner: str) -> None:
        """Write what this process did into the rows."""
        with self._db.writing() as connection:
            senders.lock(connection, owner)
            self._fold(connection, owner)

    def renew(self, *, owner: str, lease_until: datetime) -> None:
        """Go on holding everything this process holds."""
        with self._db.writing() as connection:
            senders.renew(connection, owner, lease_until)

    def release(self, *, issue: int, owner: str) -> int:
        """Give back what was claimed and surely not sent; how many."""
        mine = (deliveries.c.state == State.SENDING) & (deliveries.c.owner == owner)
        with self._db.writing() as connection:
            senders.lock(connection, owner)
            self._fold(connection, owner)
            unsent = mine & (deliveries.c.issue == issue) & deliveries.c.started_at.is_(None)
            released = connection.execute(_requeue(unsent)).rowcount
            if not connection.execute(sa.select(sa.exists().where(mine))).scalar():
                senders.end(connection, owner)
            return released

    def recover(self, *, now: datetime, is_gone: Callable[[str], bool]) -> tuple[int, int]:
        """Take over from processes that ended or lost their lease; how many went back to queued, how many uncertain.

        What had not begun to leave is queued again. What had begun may have arrived: it is uncertain, and due now.
        """
        held = sa.select(deliveries.c.owner).where(deliveries.c.state == State.SENDING).distinct()
        with self._db.writing() as connection:
            owners = journal.owners(connection) | set(connection.execute(held).scalars())
            leases = senders.leases(self._db, connection, owners)
            lost = [owner for owner, until in leases.items() if until < now or is_gone(owner)]
            if not lost:
                return 0, 0
            for owner in lost:
                self._journal.fold(connection, owner)
                senders.end(connection, owner)
            theirs = (deliveries.c.state == State.SENDING) & deliveries.c.owner.in_(lost)
            queued = connection.execute(_requeue(theirs & deliveries.c.started_at.is_(None))).rowcount
            cut = (
                deliveries.update()
                .where(theirs & deliveries.c.started_at.is_not(None))
                .values(state=State.UNCERTAIN, reason="the sender ended before the reply", due_at=now, owner="")
                .returning(deliveries.c.id)
            )
            uncertain = connection.execute(cut).scalars().all()
            _log_uncertain(connection, uncertain, "the sender ended before the reply", now)
        return queued, len(uncertain)

    def zones(self, issue: int) -> set[str]:
        """The time zones whose clocks the deliveries of an issue go by, as far as they go by any."""
        with self._db.reading() as connection:
            mine = (deliveries.c.issue == issue) & deliveries.c.state.in_(list(State))  # each, for the index
            query = sa.select(deliveries.c.zone).where(mine, deliveries.c.zone != "").distinct()
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
        each = (
            sa.select(deliveries.c.state, sa.func.count())
            .where(deliveries.c.issue == issue, deliveries.c.state.in_(list(State)))  # each, for the index
            .group_by(deliveries.c.state)
        )
        with self._db.reading() as connection:  # one statement: nothing is folded in between
            found = {state: int(count) for state, count in connection.execute(each.union_all(_unfolded(issue)))}
        sent = found.pop(_UNFOLDED)
        found[State.SENT] = found.get(State.SENT, 0) + sent
        found[State.SENDING] = found.get(State.SENDING, 0) - sent
        return {State(state): count for state, count in sorted(found.items()) if count}

    def standing(self, issue: int, *, now: datetime) -> Standing:
        """How far an issue has come, whichever processes send it."""
        mine = deliveries.c.issue == issue
        is_due = sa.case((deliveries.c.due_at <= now, 1), else_=0)
        # All states but one need the index only, which has the state, the issue and the time.
        sure = deliveries.c.state.in_([state for state in State if state is not State.UNCERTAIN])
        surely = sa.select(deliveries.c.state, sa.func.count(), is_due).where(mine, sure)
        uncertain = deliveries.c.state == State.UNCERTAIN
        perhaps = sa.select(deliveries.c.resends, is_due, sa.func.count()).where(mine, uncertain)
        found: Counter[str] = Counter()
        every = surely.group_by(deliveries.c.state, is_due).union_all(_unfolded(issue, sa.literal(0)))
        with self._db.reading() as connection:
            for state, count, now_due in connection.execute(every):
                if state == _UNFOLDED:
                    found.update(done=count, due=-count)
                    continue
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
        with self._db.reading() as connection:
            _demand(connection, issue)
            told = journal.told(connection, issue)
            if state is not None:
                sent = sa.select(self._db.numbers(told.sent).c.value)
                told_sent = (deliveries.c.state == State.SENDING) & deliveries.c.id.in_(sent)
                is_sent = (deliveries.c.state == State.SENT) | told_sent
                is_so = (deliveries.c.state == state) & ~told_sent
                query = query.where(is_sent if state is State.SENT else is_so)
            return [_line(row, told) for row in connection.execute(query).mappings()]

    def of(self, issue: int, subscriber: int) -> Line | None:
        """One subscriber's line in the ledger of an issue, None where they have none."""
        query = _lines(issue).where(deliveries.c.subscriber == subscriber)
        with self._db.reading() as connection:
            told = journal.told(connection, issue)
            row = connection.execute(query).mappings().first()
        return _line(row, told) if row else None

    @contextmanager
    def _syncing(self) -> Iterator[sa.Connection]:
        """A transaction, of which one a second waits for the disk: what a loss of power takes is sent again."""
        moment = time.monotonic()
        durable = moment - self._synced >= _SYNC_SECONDS
        with self._db.writing(durable=durable) as connection:
            yield connection
        if durable:
            self._synced = moment

    def _enter(self, told: Sequence[object], connection: sa.Connection) -> Sequence[int] | None:
        """Write a turn into the journal; what may leave of what is to begin, None where the lease was lost."""
        ((begun,),) = self._turn.all(connection, told)
        return cast("Sequence[int] | None", json.loads(begun))

    def _fold(self, connection: sa.Connection, owner: str) -> None:
        self._journal.fold(connection, owner)
        self._folded = time.monotonic()

    def _mark(self, connection: sa.Connection, mark: Mark, owner: str, now: datetime) -> None:
        held = (deliveries.c.state == State.SENDING) & (deliveries.c.owner == owner)
        values: dict[str, object] = {
            "state": mark.state,
            "reason": mark.reason,
            "code": mark.code,
            "reply": mark.reply,
            "owner": "",
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


def _take(db: Database) -> sa.UpdateBase:
    """The statement by which `claim` takes what is due; it returns their numbers."""
    issue, now = sa.bindparam("b_issue", type_=sa.BigInteger), sa.bindparam("b_now", type_=deliveries.c.due_at.type)
    closed = sa.select(db.values(sa.bindparam("b_closed"), sa.Text).c.value)
    ready = (
        sa.select(deliveries.c.id)
        .where(deliveries.c.issue == issue, _is_due(now), deliveries.c.zone.not_in(closed), ~is_held(issue))
        # In no order: to sort all that waits for each batch would grow with its square.
        .limit(sa.bindparam("b_limit", type_=sa.Integer))
        .with_for_update(skip_locked=True)  # PostgreSQL; on SQLite the write lock is held already
    )
    return (
        deliveries.update()
        .where(deliveries.c.id.in_(ready.scalar_subquery()))
        .values(
            state=State.SENDING,
            owner=sa.bindparam("b_owner"),
            started_at=None,
            resends=deliveries.c.resends + sa.case((deliveries.c.state == State.UNCERTAIN, 1), else_=0),
        )
        .returning(deliveries.c.id)
    )


def _addressed(ids: sa.FromClause) -> sa.Select[Any]:
    """Some deliveries, and whom they go to: the fields of `Claimed`."""
    hindrance = sa.case(
        (subscribers.c.id.is_(None), "erased"),
        (subscribers.c.suppressed != "", subscribers.c.suppressed),
        (subscriptions.c.state == _LEFT, "left"),
        else_="",
    )
    return (
        sa.select(
            deliveries.c.id,
            deliveries.c.attempts,
            sa.func.coalesce(deliveries.c.subscriber, 0),
            sa.func.coalesce(subscribers.c.email, ""),
            sa.func.coalesce(subscribers.c.name, ""),
            hindrance,
            sa.func.coalesce(subscriptions.c.choices, ""),
        )
        .select_from(ids)
        .join(deliveries, deliveries.c.id == ids.c.value)
        .join(issues, issues.c.id == deliveries.c.issue)
        .outerjoin(subscribers, subscribers.c.id == deliveries.c.subscriber)
        .outerjoin(subscriptions, _SUBSCRIBED)
    )


def _turn(db: Database) -> sa.Insert:
    """The entry of a turn in the journal. It begins those of some deliveries that may leave.

    The process holds them, its lease stands, the issue is not held up, and their readers want them.
    """
    owner, now = sa.bindparam("b_owner", type_=sa.Text), sa.bindparam("b_at", type_=deliveries.c.due_at.type)
    ids = db.numbers(sa.bindparam("b_ids"))
    left = sa.select(1).select_from(subscriptions).where(_SUBSCRIBED, subscriptions.c.state == _LEFT)
    clear = (
        sa.select(db.array(deliveries.c.id))
        .select_from(ids)
        .join(deliveries, deliveries.c.id == ids.c.value)
        .join(issues, issues.c.id == deliveries.c.issue)
        .join(subscribers, subscribers.c.id == deliveries.c.subscriber)
        .where(deliveries.c.owner == owner, subscribers.c.suppressed == "", ~left.exists())
    )
    is_held_up = is_held(sa.bindparam("b_issue", type_=sa.Integer))
    lost = sa.func.coalesce(senders.stands(owner, now), sa.false()).is_(sa.false())
    return journal.entry(sa.case((lost, "null"), (is_held_up, "[]"), else_=clear.scalar_subquery()))


_SUBSCRIBED = (subscriptions.c.subscriber == subscribers.c.id) & (subscriptions.c.newsletter == issues.c.newsletter)


def _unfolded(issue: int, *others: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """A row among those of states: the messages that were sent, of which the deliveries do not say so yet."""
    return sa.select(sa.literal(_UNFOLDED), journal.unfolded(issue), *others)


def _lines(issue: int) -> sa.Select[Any]:
    names = ("state", "reason", "due_at", "attempts", "started_at", "code", "reply", "ended_at")
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


def _line(row: sa.RowMapping, told: Told) -> Line:
    values = {**row, "state": State(row["state"])}
    is_begun, number = values.pop("started_at") is not None, row["id"]
    if row["state"] == State.SENDING and number in told.begun and not is_begun:
        values["attempts"] += 1
    if row["state"] == State.SENDING and number in told.sent:
        values["state"] = State.SENT
        values["code"], values["reply"], values["ended_at"] = told.sent[number]
    return Line(**values)


def _is_due(now: datetime | sa.BindParameter[datetime]) -> sa.ColumnElement[bool]:
    in_time = deliveries.c.expires_at.is_(None) | (deliveries.c.expires_at > now)
    return _WAITING & (deliveries.c.due_at <= now) & in_time


def _requeue(which: sa.ColumnElement[bool]) -> sa.Update:
    return deliveries.update().where(which).values(state=State.QUEUED, owner="")


def _log_uncertain(connection: sa.Connection, ids: Sequence[int], reason: str, now: datetime) -> None:
    rows = [{"at": now, "kind": "uncertain", "delivery": number, "detail": reason} for number in ids]
    if rows:
        connection.execute(events.insert(), rows)
