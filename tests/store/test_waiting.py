"""What waits for one reader, on both databases: left out when they pause, moved when they choose so."""

from __future__ import annotations

from datetime import date

from newsletter.model import Preferences, State
from newsletter.store import Store
from newsletter.store.deliveries import Line, Mark
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant
from newsletter.store.waiting import Move, read_slot
from tests.builders import DAY, HOUR, MINUTE, NOON, TODAY, a_newsletter, a_rendered, a_slot, an_issue

READER, OTHER = "reader@example.org", "other@example.org"


def join(store: Store, *newsletters: str) -> int:
    """The reader, who has another one beside; their number."""
    for name in newsletters:
        people = [Applicant(email=email) for email in (READER, OTHER)]
        store.subscribers.add(people, newsletter=name, confirmed=True, how="test", now=NOON)
    return store.subscribers.get(READER)


def publish(store: Store, day: date = TODAY, *, newsletter: str = "daily-papers", zone: str = "UTC") -> int:
    """An issue of a day that is due at noon; its number."""
    slot = a_slot(day, newsletter=newsletter)
    audience = Audience(at=NOON, zone=zone)
    number, _ = store.issues.publish(
        an_issue(slot=slot), a_rendered(), newsletter=a_newsletter(name=newsletter), audience=audience, now=NOON
    )
    return number


def line(store: Store, issue: int, email: str = READER) -> Line:
    """What the ledger says of a reader."""
    (found,) = (line for line in store.deliveries.list(issue) if line.email == email)
    return found


def pause(store: Store, reader: int, until: date) -> None:
    """The reader pauses."""
    wanted = Preferences(paused_until=until)
    assert store.subscribers.choose(reader, "daily-papers", wanted, how="test", now=NOON + MINUTE)


def test_who_pauses_gets_nothing_that_waits(store: Store) -> None:
    """Of the days before the one they named, of that newsletter; everybody else gets theirs."""
    reader = join(store, "daily-papers", "another")
    today, tomorrow = publish(store), publish(store, TODAY + DAY)
    elsewhere = publish(store, newsletter="another")
    pause(store, reader, TODAY + DAY)

    left_out = line(store, today)
    assert (left_out.state, left_out.reason) == (State.EXCLUDED, f"paused until {TODAY + DAY}")
    assert left_out.ended_at == NOON + MINUTE
    assert [line(store, issue).state for issue in (tomorrow, elsewhere)] == [State.QUEUED] * 2
    assert line(store, today, OTHER).state is State.QUEUED


def test_a_pause_also_ends_what_was_deferred(store: Store) -> None:
    """And leaves alone what a process has in its hands, or what is over."""
    reader = join(store, "daily-papers")
    issues = [publish(store, TODAY - number * DAY) for number in range(3)]
    for issue, state in zip(issues, (State.DEFERRED, State.SENT, None), strict=True):
        store.deliveries.claim(issue, owner="me", now=NOON, lease_until=NOON + MINUTE, limit=2)
        mine = line(store, issue).id
        if state:
            mark = Mark(delivery=mine, state=state, due_at=NOON + HOUR if state is State.DEFERRED else None)
            store.deliveries.turn(issue, [], [mine], owner="me", now=NOON)
            store.deliveries.turn(issue, [mark], [], owner="me", now=NOON)
    pause(store, reader, TODAY + DAY)

    assert [line(store, issue).state for issue in issues] == [State.EXCLUDED, State.SENT, State.SENDING]


def test_only_what_waits_is_moved(store: Store) -> None:
    """What was claimed meanwhile goes as it would have; so does what an operator sent by hand or queued again."""
    reader = join(store, "daily-papers")
    today, tomorrow = publish(store), publish(store, TODAY + DAY)
    by_hand, again = publish(store, TODAY + 2 * DAY, zone=""), publish(store, TODAY + 3 * DAY)
    store.deliveries.retry(again, states=[State.QUEUED], now=NOON)
    listed = store.waiting.list(reader, "daily-papers", now=NOON)
    store.deliveries.claim(tomorrow, owner="me", now=NOON, lease_until=NOON + MINUTE, limit=2)
    moves = [
        Move(delivery=coming.delivery, at=NOON + HOUR, zone="Asia/Tokyo", expires_at=NOON + DAY) for coming in listed
    ]

    assert [(coming.slot.date, coming.waits) for coming in listed] == [
        (TODAY, True),
        (TODAY + DAY, True),
        (TODAY + 2 * DAY, False),
        (TODAY + 3 * DAY, False),
    ]
    assert store.waiting.move(moves[:2]) == 1
    assert [line(store, issue).due_at for issue in (today, tomorrow)] == [NOON + HOUR, NOON]
    assert store.deliveries.zones(today) == {"Asia/Tokyo", "UTC"}
    assert line(store, by_hand).due_at == NOON


def test_a_slot_is_read_from_its_key() -> None:
    """Of a schedule with one turn a day and with several."""
    for slot in (a_slot(), a_slot(time="17:30"), a_slot(schedule="_by-hand", time="17:30:05")):
        assert read_slot(slot.newsletter, slot.key, slot.at) == slot
