from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.errors import NotFound, StoreError
from newsletter.model import Objection, State
from newsletter.store import Store
from newsletter.store.deliveries import Mark
from newsletter.store.issues import Audience
from tests.builders import DAY, HOUR, NOON, a_newsletter, a_rendered, an_issue

LEASE = timedelta(seconds=30)


def publish(store: Store, count: int) -> int:
    """An issue for so many readers; its number."""
    emails = [f"reader{number:03d}@example.org" for number in range(count)]
    audience = Audience(at=NOON, only=tuple(store.subscribers.ensure(emails, now=NOON)))
    number, _ = store.issues.publish(an_issue(), a_rendered(), newsletter=a_newsletter(), audience=audience, now=NOON)
    return number


def claim(store: Store, issue: int, limit: int = 10) -> list[int]:
    """The deliveries that this process got."""
    claimed = store.deliveries.claim(issue, owner="me", now=NOON, lease_until=NOON + LEASE, limit=limit)
    return [delivery.id for delivery in claimed]


def turn(store: Store, *marks: Mark, starting: list[int], issue: int = 1) -> set[int]:
    """A turn of sending; what must not leave."""
    return set(store.deliveries.turn(issue, marks, starting, owner="me", now=NOON))


def pause(store: Store, issue: int) -> None:
    """By an operator."""
    store.holds.pause(issue, who="ann", why="a wrong link", now=NOON)


def test_a_paused_issue_gives_nothing(store: Store) -> None:
    """Nothing is claimed or begun any more; what had begun is finished; resumed, everything goes on."""
    issue = publish(store, 4)
    begun, held = claim(store, issue, limit=2)
    assert turn(store, starting=[begun]) == set()

    pause(store, issue)

    assert claim(store, issue) == []
    assert turn(store, Mark(delivery=begun, state=State.SENT), starting=[held]) == {held}
    store.deliveries.release(issue=issue, owner="me")
    assert store.deliveries.counts(issue) == {State.SENT: 1, State.QUEUED: 3}
    assert store.deliveries.unfinished(now=NOON) == []
    hold = store.holds.resume(issue, who="bob", now=NOON + HOUR)
    assert hold is not None
    assert (hold.who, hold.why, hold.since, hold.cancelled) == ("ann", "a wrong link", NOON, False)
    assert store.deliveries.unfinished(now=NOON) == [issue]
    assert len(claim(store, issue)) == 3


def test_others_are_not_concerned(store: Store) -> None:
    """A pause is one issue's."""
    first = publish(store, 1)
    other, _ = store.issues.publish(
        an_issue(slot=an_issue().slot.__class__(newsletter="other", schedule="x", date=NOON.date(), at=NOON)),
        a_rendered(),
        newsletter=a_newsletter(name="other"),
        audience=Audience(at=NOON, only=(store.subscribers.get("reader000@example.org"),)),
        now=NOON,
    )
    pause(store, first)

    assert store.deliveries.unfinished(now=NOON) == [other]
    (delivery,) = claim(store, other)
    assert turn(store, starting=[delivery], issue=other) == set()


def test_saying_it_twice(store: Store) -> None:
    """The first word stands; who, why and when of every step that changed something is kept."""
    issue = publish(store, 1)
    pause(store, issue)
    again = store.holds.pause(issue, who="", why="refused", now=NOON + HOUR)
    store.holds.resume(issue, who="bob", why="mended", now=NOON + HOUR)

    assert again is not None
    assert again.who == "ann"
    assert store.holds.resume(issue, who="bob", now=NOON + HOUR) is None
    assert [(event.kind, event.at, event.detail) for event in store.events.list(issue=issue)] == [
        ("paused", NOON, "by ann: a wrong link"),
        ("resumed", NOON + HOUR, "by bob: mended"),
    ]


def test_cancelled_for_good(store: Store) -> None:
    """What waits is excluded, what is in flight is finished, and what comes back from it is excluded too."""
    issue = publish(store, 5)
    sent, deferred, held, lost = claim(store, issue, limit=4)
    turn(store, starting=[sent, deferred, lost])

    assert store.holds.cancel(issue, who="ann", why="", now=NOON) == 1
    turn(store, Mark(delivery=sent, state=State.SENT), starting=[])
    turn(store, Mark(delivery=deferred, state=State.DEFERRED, due_at=NOON + HOUR), starting=[held])
    store.deliveries.recover(now=NOON, is_gone=lambda _: True)

    assert store.deliveries.unfinished(now=NOON) == [issue]
    assert store.holds.sweep(issue, now=NOON) == 2
    assert store.deliveries.unfinished(now=NOON + DAY) == []
    assert store.deliveries.counts(issue) == {State.SENT: 1, State.EXCLUDED: 3, State.UNCERTAIN: 1}
    assert store.deliveries.reasons(issue, State.EXCLUDED) == {"cancelled": 3}
    assert claim(store, issue) == []
    with pytest.raises(StoreError, match="for good"):
        store.holds.resume(issue, who="ann", now=NOON)
    with pytest.raises(StoreError, match="for good"):
        store.deliveries.retry(issue, states={State.EXCLUDED}, now=NOON)
    hold = store.holds.get(issue)
    assert hold is not None
    assert hold.cancelled


def test_a_paused_issue_grows_old_all_the_same(store: Store) -> None:
    """What expires while it is paused is still to be ended, and then there is nothing more to do."""
    issue = publish(store, 1)
    pause(store, issue)

    assert store.deliveries.unfinished(now=NOON + 2 * DAY) == [issue]
    store.deliveries.expire(issue, reason="late", now=NOON + 2 * DAY)
    assert store.deliveries.unfinished(now=NOON + 2 * DAY) == []
    assert store.holds.waiting() == []


@pytest.mark.parametrize("act", ["pause", "resume", "cancel"])
def test_an_unknown_issue(store: Store, act: str) -> None:
    """There is nothing to hold up, and the message says where to look."""
    word: Callable[..., object] = getattr(store.holds, act)

    with pytest.raises(NotFound, match="issues list"):
        word(7, who="ann", why="", now=NOON)


def test_a_paused_issue_is_not_stuck(store: Store) -> None:
    """Nobody is alarmed that nothing goes where nothing should."""
    issue = publish(store, 1)
    assert [stuck.due_at for stuck in store.pulse.stuck(before=NOON + HOUR)] == [NOON]
    pause(store, issue)

    assert store.pulse.stuck(before=NOON + HOUR) == []
    assert store.pulse.oldest_due(now=NOON + HOUR) is None
    assert [hold.issue for hold in store.holds.waiting()] == [issue]


def test_objections_are_counted_together(store: Store) -> None:
    """Whichever process hears them; and forgotten when the issue is resumed, as is what was sent before."""
    issue = publish(store, 3)
    spam = Objection(kind="spam", refused=2, policy=2, example="550 5.7.1 spam")
    gone = Objection(kind="gone", refused=1, example="550 5.1.1 gone")

    assert store.holds.note(issue, [spam, gone]) == (3, spam)
    assert store.holds.note(issue, [gone]) == (4, Objection(kind="gone", refused=2, example="550 5.1.1 gone"))
    assert [one.kind for one in store.holds.objections(issue)] == ["spam", "gone"]
    first, *_ = claim(store, issue)
    turn(store, Mark(delivery=first, state=State.SENT), starting=[])
    assert store.holds.sent(issue) == 1

    pause(store, issue)
    store.holds.resume(issue, who="ann", now=NOON)

    assert store.holds.objections(issue) == []
    assert store.holds.sent(issue) == 0
    assert store.holds.note(issue, [gone]) == (1, gone)


def test_what_is_nobodys_fault_costs_no_attempt(store: Store) -> None:
    """A message that was begun and surely not taken is as it was before."""
    issue = publish(store, 1)
    (delivery,) = claim(store, issue)
    turn(store, starting=[delivery])
    assert [line.attempts for line in store.deliveries.list(issue)] == [1]

    turn(store, Mark(delivery=delivery, state=State.QUEUED, due_at=NOON), starting=[])

    assert [line.attempts for line in store.deliveries.list(issue)] == [0]


def test_retrying_names_what_it_takes(store: Store) -> None:
    """Several states, or one reader; and how many there are can be asked before."""
    issue = publish(store, 4)
    ids = claim(store, issue)
    states = (State.REJECTED, State.REJECTED, State.UNCERTAIN, State.SENT)
    for delivery, state in zip(ids, states, strict=True):
        turn(store, Mark(delivery=delivery, state=state, due_at=NOON + HOUR), starting=[])
    wanted = {State.REJECTED, State.UNCERTAIN}
    reader = store.subscribers.get("reader001@example.org")

    assert store.deliveries.retried(issue, states=wanted) == 3
    assert store.deliveries.retried(issue, states=wanted, subscriber=reader) == 1
    assert store.deliveries.counts(issue) == {State.REJECTED: 2, State.UNCERTAIN: 1, State.SENT: 1}
    assert store.deliveries.retry(issue, states=wanted, subscriber=reader, now=NOON) == 1
    assert [line.email for line in store.deliveries.list(issue, state=State.QUEUED)] == ["reader001@example.org"]
    assert store.deliveries.retry(issue, states=wanted, now=NOON) == 2
    assert store.deliveries.counts(issue) == {State.QUEUED: 3, State.SENT: 1}
    with pytest.raises(NotFound):
        store.deliveries.retry(issue + 1, states=wanted, now=NOON)


def test_the_ledger_is_read_in_pieces(store: Store) -> None:
    """However many lines there are, each is told once and in order."""
    issue = publish(store, 7)

    lines = list(store.deliveries.each(issue, at_once=3))

    assert [line.email for line in lines] == [f"reader{number:03d}@example.org" for number in range(7)]
    assert lines == store.deliveries.list(issue)
    with pytest.raises(NotFound):
        next(store.deliveries.each(issue + 1))
