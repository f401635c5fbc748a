from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter.errors import NotFound
from newsletter.model import EXPIRES, State
from newsletter.store import Store, open_store, senders
from newsletter.store.deliveries import Mark
from newsletter.store.issues import Audience
from tests.builders import HOUR, MINUTE, NOON, a_newsletter, a_rendered, an_issue

LEASE = timedelta(seconds=30)


def publish(store: Store, count: int, at: datetime = NOON) -> int:
    """An issue for so many readers; its number."""
    emails = [f"reader{number:03d}@example.org" for number in range(count)]
    audience = Audience(at=at, only=tuple(store.subscribers.ensure(emails, now=NOON)))
    number, _ = store.issues.publish(an_issue(), a_rendered(), newsletter=a_newsletter(), audience=audience, now=NOON)
    return number


def claim(store: Store, issue: int, owner: str = "me", limit: int = 10, now: datetime = NOON) -> list[int]:
    """The deliveries that an owner got."""
    claimed = store.deliveries.claim(issue, owner=owner, now=now, lease_until=now + LEASE, limit=limit)
    return [delivery.id for delivery in claimed]


def recover(store: Store, now: datetime = NOON, gone: Callable[[str], bool] = lambda _: False) -> tuple[int, int]:
    """How many went back to queued, and how many are uncertain."""
    return store.deliveries.recover(now=now, is_gone=gone)


def test_claims_what_is_due_in_order(store: Store) -> None:
    """A claim takes the first deliveries that are due, and nobody else gets them."""
    issue = publish(store, 5)

    first, second, third = claim(store, issue, limit=3), claim(store, issue, "other"), claim(store, issue)

    assert len(first) == 3
    assert len(second) == 2
    assert third == []
    assert sorted(first + second) == first + second


def test_nothing_is_claimed_before_it_is_due(store: Store) -> None:
    """A delivery waits for its time."""
    issue = publish(store, 1, at=NOON + HOUR)

    assert claim(store, issue) == []
    assert store.deliveries.next_due(issue) == NOON + HOUR
    assert len(claim(store, issue, now=NOON + HOUR)) == 1


def test_many_claim_at_once(store: Store, database_url: str) -> None:
    """However many processes claim at once, each delivery goes to one of them."""
    issue = publish(store, 100)
    barrier = threading.Barrier(4)
    taken: list[int] = []

    def race(owner: str) -> None:
        racer = open_store(database_url)
        barrier.wait()
        while batch := claim(racer, issue, owner, limit=7):
            taken.extend(batch)
        racer.close()

    threads = [threading.Thread(target=race, args=(f"worker{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == 100
    assert len(set(taken)) == 100


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_claims_at_this_moment_is_not_lost(store: Store) -> None:
    """A process that had no lease when others began to look for the lost keeps what it has claimed meanwhile."""
    issue = publish(store, 3)
    claim(store, issue, "one", limit=1)
    looking = threading.Thread(target=recover, args=(store,))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def is_waiting() -> bool:
        with store.db.reading() as connection:  # each time anew: it does not change within a transaction
            return bool(connection.execute(sa.text(waits)).scalar())

    with store.db.writing() as connection:
        senders.lock(connection, "one")
        looking.start()
        while not is_waiting():
            threading.Event().wait(0.005)
        claimed = claim(store, issue, "new")
    looking.join()

    assert len(claimed) == 2
    assert begin(store, claimed, "new") == set()


def begin(store: Store, ids: Sequence[int], owner: str = "me", now: datetime = NOON) -> set[int]:
    """Write down that these bodies are about to leave; those that must not."""
    return set(store.deliveries.turn(1, [], ids, owner=owner, now=now))


def mark(store: Store, *marks: Mark, owner: str = "me", now: datetime = NOON) -> None:
    """Write down what became of deliveries."""
    store.deliveries.turn(1, marks, (), owner=owner, now=now)


def test_marks_end_a_delivery(store: Store) -> None:
    """What became of a delivery stands in the ledger, with the server's words."""
    issue = publish(store, 2)
    first, second = claim(store, issue)
    begin(store, [first, second], owner="me")
    marks = [
        Mark(delivery=first, state=State.SENT, code=250, reply="2.0.0 kept"),
        Mark(delivery=second, state=State.REJECTED, code=550, reply="5.1.1 no such user", reason="no such user"),
    ]
    mark(store, *marks, now=NOON + MINUTE)

    sent, refused = store.deliveries.list(issue)

    assert (sent.state, sent.code, sent.reply, sent.attempts, sent.ended_at) == (
        State.SENT,
        250,
        "2.0.0 kept",
        1,
        NOON + MINUTE,
    )
    assert (refused.state, refused.reason) == (State.REJECTED, "no such user")
    assert store.deliveries.counts(issue) == {State.SENT: 1, State.REJECTED: 1}
    assert store.deliveries.reasons(issue, State.REJECTED) == {"no such user": 1}


def test_deferred_comes_back_at_its_time(store: Store) -> None:
    """A delivery that was put off is claimed again, not before it is due."""
    issue = publish(store, 1)
    (delivery,) = claim(store, issue)
    deferred = Mark(delivery=delivery, state=State.DEFERRED, due_at=NOON + HOUR)
    mark(store, deferred)

    assert claim(store, issue) == []
    assert store.deliveries.unfinished(now=NOON) == []
    assert store.deliveries.unfinished(now=NOON + HOUR) == [issue]
    assert claim(store, issue, now=NOON + HOUR) == [delivery]


def test_a_dead_process_loses_what_it_held(store: Store) -> None:
    """What a process had not begun goes back to queued; what it had begun is uncertain, due now, and is logged."""
    issue = publish(store, 3)
    held = claim(store, issue, "dead", limit=2)
    alive = claim(store, issue, "alive")
    begin(store, held[:1], owner="dead")

    assert recover(store, gone=lambda owner: owner == "dead") == (1, 1)

    states = {line.id: line.state for line in store.deliveries.list(issue)}
    assert states == {held[0]: State.UNCERTAIN, held[1]: State.QUEUED, alive[0]: State.SENDING}
    assert [event.kind for event in store.events.list(delivery=held[0])] == ["uncertain"]


def test_a_lease_runs_out(store: Store) -> None:
    """A process that cannot be asked loses what it held when its lease ends, and keeps it as long as it renews."""
    issue = publish(store, 1)
    claim(store, issue, "far")

    assert recover(store, now=NOON + LEASE) == (0, 0)
    store.deliveries.renew(owner="far", lease_until=NOON + 3 * LEASE)
    assert recover(store, now=NOON + 2 * LEASE) == (0, 0)
    assert recover(store, now=NOON + 4 * LEASE) == (1, 0)


def test_uncertain_is_sent_again_once(store: Store) -> None:
    """An uncertain delivery is claimed again one time by itself; after that only an operator moves it."""
    issue = publish(store, 1)
    (delivery,) = claim(store, issue)
    uncertain = Mark(delivery=delivery, state=State.UNCERTAIN, reason="cut", due_at=NOON)
    mark(store, uncertain)

    again = claim(store, issue)
    mark(store, uncertain)

    assert again == [delivery]
    assert claim(store, issue) == []
    assert store.deliveries.retry(issue, states={State.UNCERTAIN}, now=NOON) == 1
    assert claim(store, issue) == [delivery]


def test_a_lost_lease_changes_nothing(store: Store) -> None:
    """A process that lost its lease cannot overwrite what the new holder wrote."""
    issue = publish(store, 1)
    (delivery,) = claim(store, issue, "slow")
    recover(store, gone=lambda owner: owner == "slow")
    claim(store, issue, "quick")

    mark(store, Mark(delivery=delivery, state=State.REJECTED), owner="slow")

    assert store.deliveries.counts(issue) == {State.SENDING: 1}


def test_sent_is_kept_although_the_lease_was_lost(store: Store) -> None:
    """A process that was taken for dead and yet got its "250" has sent it: nobody sends it again."""
    issue = publish(store, 1)
    (delivery,) = claim(store, issue, "slow")
    begin(store, [delivery], owner="slow")
    recover(store, gone=lambda owner: owner == "slow")

    mark(store, Mark(delivery=delivery, state=State.SENT), owner="slow")

    assert claim(store, issue, "quick") == []
    assert store.deliveries.counts(issue) == {State.SENT: 1}


def test_released_goes_back(store: Store) -> None:
    """What was claimed and not begun is given back at once."""
    issue = publish(store, 3)
    held = claim(store, issue)
    begin(store, held[:1], owner="me")

    assert store.deliveries.release(issue=issue, owner="me") == 2
    assert store.deliveries.counts(issue) == {State.QUEUED: 2, State.SENDING: 1}


def test_whoever_left_a_moment_ago_is_not_written_to(store: Store) -> None:
    """Just before a message the ledger says whether its reader still wants it, and whether we still hold it."""
    issue = publish(store, 4)
    ids = claim(store, issue)
    _, suppressed, erased, _ = ids
    readers = [store.subscribers.get(f"reader{number:03d}@example.org") for number in range(4)]
    store.subscribers.suppress(readers[1], reason="no such user", now=NOON)
    store.subscribers.forget(readers[2])

    assert store.deliveries.hindrances(ids, owner="me") == {suppressed: "no such user", erased: "erased"}
    assert store.deliveries.hindrances(ids, owner="other") == {}
    assert begin(store, ids, owner="other") == set(ids)
    assert begin(store, ids) == {suppressed, erased}
    assert [line.attempts for line in store.deliveries.list(issue)] == [1, 0, 0, 1]


def test_a_lease_that_ran_out_starts_nothing(store: Store) -> None:
    """A process that was stopped for longer than its lease sends nothing when it goes on, even before it is noticed."""
    issue = publish(store, 1)
    ids = claim(store, issue)

    assert begin(store, ids, now=NOON + 2 * LEASE) == set(ids)
    assert begin(store, ids) == set()


def test_what_ended_and_what_begins_is_one_step(store: Store) -> None:
    """Of a turn either all is written or nothing: a mark is not lost where the start of another one fails."""
    issue = publish(store, 2)
    first, second = claim(store, issue)
    begin(store, [first])
    sent = Mark(delivery=first, state=State.SENT, code=250, reply="ok")

    store.deliveries.turn(issue, [sent], [second], owner="me", now=NOON)

    assert [(line.state, line.attempts) for line in store.deliveries.list(issue)] == [
        (State.SENT, 1),
        (State.SENDING, 1),
    ]


def test_what_is_too_old_expires(store: Store) -> None:
    """What still waits when it is too late is given up, with the reason; what is being sent is not."""
    issue = publish(store, 2)
    claim(store, issue, limit=1)

    assert store.deliveries.expire(issue, reason="too old", now=NOON) == 0
    assert store.deliveries.expire(issue, reason="too old", now=NOON + EXPIRES) == 1
    assert store.deliveries.reasons(issue, State.EXPIRED) == {"too old": 1}


def test_an_unknown_issue(store: Store) -> None:
    """Asking for the ledger of an issue there is not says so."""
    with pytest.raises(NotFound, match="no issue 7"):
        store.deliveries.list(7)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL reads three rows whole in any case
def test_ticks_and_claims_look_nothing_up_row_by_row(store: Store) -> None:
    """What a daemon asks at each tick, and a sender with each batch, is found by the index on states."""
    issue = publish(store, 3)
    plans: list[str] = []

    def explain(connection: sa.Connection, _cursor: object, sql: str, values: object, *_: object) -> None:
        if not sql.startswith("EXPLAIN"):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)  # type: ignore[arg-type]
            plans.extend(row.detail for row in plan if "deliveries" in row.detail)

    sa.event.listen(store.db.engine, "before_cursor_execute", explain)
    store.deliveries.unfinished(now=NOON)
    store.deliveries.counts(issue)
    store.deliveries.standing(issue, now=NOON)
    store.holds.waiting()
    store.holds.sent(issue)
    store.pulse.oldest_due(now=NOON)
    claim(store, issue)
    recover(store)

    assert len(plans) >= 9
    assert not [plan for plan in plans if plan.startswith("SCAN") or "autoindex" in plan]
