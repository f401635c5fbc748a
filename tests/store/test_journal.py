"""What senders did is known at once, whether it stands in the deliveries yet or in the journal alone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.model import State
from newsletter.store import Store
from newsletter.store.deliveries import Deliveries, Mark, Standing
from newsletter.store.issues import Audience
from newsletter.store.schema import deliveries, journal
from tests.builders import HOUR, MINUTE, NOON, a_newsletter, a_rendered, an_issue

LEASE = 2 * HOUR
NEVER = 1e9


@pytest.fixture
def ledger(store: Store) -> Deliveries:
    """A sender's view of the ledger, which folds nothing by itself, with an issue for five readers."""
    emails = [f"reader{number}@example.org" for number in range(5)]
    audience = Audience(at=NOON, only=tuple(store.subscribers.ensure(emails, now=NOON)))
    store.issues.publish(an_issue(), a_rendered(), newsletter=a_newsletter(), audience=audience, now=NOON)
    return Deliveries(store.db, fold_seconds=NEVER)


def claim(ledger: Deliveries, owner: str = "me") -> list[int]:
    """All that can be had."""
    return [one.id for one in ledger.claim(1, owner=owner, now=NOON, lease_until=NOON + LEASE, limit=10)]


def sent(delivery: int) -> Mark:
    """The server took it."""
    return Mark(delivery=delivery, state=State.SENT, code=250, reply="2.0.0 kept")


def two_turns(ledger: Deliveries, owner: str = "me") -> list[int]:
    """All are claimed, three begin, two of these are sent; all deliveries."""
    ids = claim(ledger, owner)
    assert not ledger.turn(1, [], ids[:3], owner=owner, now=NOON)
    ledger.turn(1, [sent(ids[0]), sent(ids[1])], [], owner=owner, now=NOON + MINUTE)
    return ids


def states_of_rows(store: Store) -> list[str]:
    """What the deliveries say themselves."""
    with store.db.reading() as connection:
        return list(connection.execute(sa.select(deliveries.c.state).order_by(deliveries.c.id)).scalars())


def test_a_turn_is_one_row(store: Store, ledger: Deliveries) -> None:
    """The deliveries are left as they were claimed; the journal has a row for each turn."""
    two_turns(ledger)

    with store.db.reading() as connection:
        rows = connection.execute(sa.select(journal.c.owner, journal.c.issue, journal.c.sent)).all()
    assert [tuple(row) for row in rows] == [("me", 1, 0), ("me", 1, 2)]
    assert states_of_rows(store) == ["sending"] * 5


def test_whoever_asks_is_told_all(store: Store, ledger: Deliveries) -> None:
    """Counts, progress, lines and the count for the breaker are the same before and after it is folded."""
    first, _, third, *_ = two_turns(ledger)

    def told() -> list[object]:
        lines = store.deliveries.list(1)
        return [
            store.deliveries.counts(1),
            store.deliveries.standing(1, now=NOON),
            store.holds.sent(1),
            [(line.id, line.state, line.attempts, line.reply, line.ended_at) for line in lines],
            [line.id for line in store.deliveries.list(1, state=State.SENT)],
            [line.id for line in store.deliveries.list(1, state=State.SENDING)],
            store.deliveries.page(1, state=State.SENT, after=first, limit=1),
            store.deliveries.of(1, 2),
        ]

    before = told()
    ledger.fold(owner="me")

    assert states_of_rows(store) == ["sent", "sent", "sending", "sending", "sending"]
    assert told() == before
    assert before[0] == {State.SENT: 2, State.SENDING: 3}
    assert before[1] == Standing(done=2, due=3)
    assert before[3][:3] == [  # type: ignore[index]
        (first, State.SENT, 1, "2.0.0 kept", NOON + MINUTE),
        (first + 1, State.SENT, 1, "2.0.0 kept", NOON + MINUTE),
        (third, State.SENDING, 1, "", None),
    ]


def test_whoever_takes_over_folds(ledger: Deliveries) -> None:
    """What a process that died had sent is sent, what had begun is uncertain, the rest is queued again."""
    two_turns(ledger, "dead")

    assert ledger.recover(now=NOON, is_gone=lambda owner: owner == "dead") == (2, 1)
    assert ledger.counts(1) == {State.SENT: 2, State.UNCERTAIN: 1, State.QUEUED: 2}


def test_a_late_reply_counts_at_once(ledger: Deliveries) -> None:
    """Who lost the lease and yet hears "250" is believed before anybody sends it again."""
    ids = two_turns(ledger, "slow")
    ledger.recover(now=NOON, is_gone=lambda owner: owner == "slow")

    ledger.turn(1, [sent(ids[2])], [], owner="slow", now=NOON)

    assert claim(ledger, "quick") == ids[3:]
    assert ledger.counts(1) == {State.SENT: 3, State.SENDING: 2}


def test_a_turn_told_twice_counts_once(ledger: Deliveries) -> None:
    """After a failure nobody can tell whether a turn was written: it is told again."""
    ids = two_turns(ledger)
    ledger.turn(1, [], ids[:3], owner="me", now=NOON)
    ledger.fold(owner="me")
    ledger.turn(1, [sent(ids[0]), sent(ids[1])], ids[2:3], owner="me", now=NOON)
    ledger.fold(owner="me")

    assert [line.attempts for line in ledger.list(1)] == [1, 1, 1, 0, 0]
    assert ledger.counts(1) == {State.SENT: 2, State.SENDING: 3}


def test_another_end_waits_for_no_fold(ledger: Deliveries) -> None:
    """A refusal is written into its delivery in the same turn, after what the journal had to say of it."""
    ids = two_turns(ledger)
    deferred = Mark(delivery=ids[2], state=State.DEFERRED, code=451, reply="later", due_at=NOON + HOUR)
    ledger.turn(1, [deferred], [], owner="me", now=NOON)

    assert ledger.counts(1) == {State.SENT: 2, State.DEFERRED: 1, State.SENDING: 2}
    assert ledger.list(1)[2].attempts == 1


def test_release_keeps_what_others_hold(store: Store, ledger: Deliveries) -> None:
    """One that gives back an issue goes on holding another one."""
    two_turns(ledger)
    slot = an_issue().slot.__class__(newsletter="other", schedule="daily", date=NOON.date(), at=NOON)
    audience = Audience(at=NOON, only=(1,))
    other, _ = store.issues.publish(
        an_issue(slot=slot), a_rendered(), newsletter=a_newsletter(name="other"), audience=audience, now=NOON
    )
    (claimed,) = ledger.claim(other, owner="me", now=NOON, lease_until=NOON + LEASE, limit=10)

    assert ledger.release(issue=1, owner="me") == 2
    assert not ledger.turn(other, [], [claimed.id], owner="me", now=NOON)
