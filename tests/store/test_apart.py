from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.model import EXPIRES, Preferences, State, Window
from newsletter.store import Store
from newsletter.store.deliveries import Line, Mark
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant
from tests.builders import DAY, HOUR, NOON, TODAY, a_newsletter, a_rendered, a_slot, an_issue

APART = timedelta(hours=20)
OFFICE = Window(start=time(8), end=time(18))
READER = "traveller@example.org"


def eight(day: date, zone: str) -> datetime:
    """Eight o'clock there."""
    return datetime.combine(day, time(8), ZoneInfo(zone))


def join(store: Store, zone: str, email: str = READER) -> int:
    """A confirmed reader there; their number."""
    applicant = Applicant(email=email, timezone=zone)
    store.subscribers.add([applicant], newsletter="daily-papers", confirmed=True, how="test", now=NOON)
    return store.subscribers.get(email)


def publish(
    store: Store, day: date, *zones: str, window: Window | None = None, expires: timedelta = EXPIRES
) -> dict[str, Line]:
    """The issue of a day, for readers in these zones; what its ledger says of each."""
    due = {zone: eight(day, zone) for zone in zones}
    slot = a_slot(day, at=min(due.values()))
    audience = Audience(at=eight(day, "UTC"), due=due, zone="UTC", window=window, expires=expires, apart=APART)
    number, _ = store.issues.publish(
        an_issue(slot=slot), a_rendered(), newsletter=a_newsletter(), audience=audience, now=slot.at
    )
    return {line.email: line for line in store.deliveries.list(number)}


def test_somebody_who_flies_west_waits(store: Store) -> None:
    """Tokyo to Los Angeles at 08:01: that day's issue is the one they have, the next comes at eight where they are."""
    reader = join(store, "Asia/Tokyo")
    first = publish(store, TODAY, "Asia/Tokyo", "America/Los_Angeles")[READER]
    store.subscribers.move(reader, timezone="America/Los_Angeles", now=NOON)
    again = publish(store, TODAY, "Asia/Tokyo", "America/Los_Angeles")[READER]
    second = publish(store, TODAY + DAY, "Asia/Tokyo", "America/Los_Angeles")[READER]

    assert first.due_at == eight(TODAY, "Asia/Tokyo")
    assert again == first
    assert second.due_at == eight(TODAY + DAY, "America/Los_Angeles")
    assert second.reason == ""


def test_somebody_who_flies_east_gets_it_later(store: Store) -> None:
    """Los Angeles to Tokyo: it is eight again seven hours later; the next issue waits until 20 hours have passed."""
    reader, other = join(store, "America/Los_Angeles"), join(store, "Asia/Tokyo", "other@example.org")
    publish(store, TODAY, "Asia/Tokyo", "America/Los_Angeles")
    store.subscribers.move(reader, timezone="Asia/Tokyo", now=NOON)
    lines = [publish(store, TODAY + number * DAY, "Asia/Tokyo")[READER] for number in range(1, 7)]

    assert other != reader
    assert lines[0].state is State.QUEUED
    assert lines[0].due_at == eight(TODAY, "America/Los_Angeles") + APART
    assert lines[0].reason == "waits until 20 hours after the one before"
    gaps = [later.due_at - earlier.due_at for earlier, later in pairwise(lines)]
    assert min(gaps) >= APART
    assert lines[-1].due_at == eight(TODAY + 6 * DAY, "Asia/Tokyo")  # back at eight, and no issue was lost


@pytest.mark.parametrize(("window", "expires"), [(OFFICE, EXPIRES), (None, 6 * HOUR)])
def test_what_cannot_wait_is_left_out(store: Store, window: Window | None, expires: timedelta) -> None:
    """Where it would be night by then, or too late, that issue is left out with the reason; the next is on time."""
    reader = join(store, "America/Los_Angeles")
    publish(store, TODAY, "Asia/Tokyo", "America/Los_Angeles", window=window, expires=expires)
    store.subscribers.move(reader, timezone="Asia/Tokyo", now=NOON)
    left_out = publish(store, TODAY + DAY, "Asia/Tokyo", window=window, expires=expires)[READER]
    following = publish(store, TODAY + 2 * DAY, "Asia/Tokyo", window=window, expires=expires)[READER]

    assert left_out.state is State.EXCLUDED
    assert left_out.reason == "had the one before less than 20 hours earlier"
    assert (following.state, following.due_at) == (State.QUEUED, eight(TODAY + 2 * DAY, "Asia/Tokyo"))


def test_what_did_not_arrive_keeps_nothing_off(store: Store) -> None:
    """An issue that was refused, or that went to somebody else, is none that they had."""
    reader = join(store, "America/Los_Angeles")
    line = publish(store, TODAY, "America/Los_Angeles")[READER]
    store.deliveries.claim(line.issue, owner="me", now=line.due_at, lease_until=line.due_at + HOUR, limit=1)
    store.deliveries.turn(line.issue, [Mark(delivery=line.id, state=State.REJECTED)], (), owner="me", now=line.due_at)
    store.subscribers.move(reader, timezone="Asia/Tokyo", now=NOON)

    assert publish(store, TODAY + DAY, "Asia/Tokyo")[READER].due_at == eight(TODAY + DAY, "Asia/Tokyo")


ZONES = ("Pacific/Kiritimati", "Asia/Tokyo", "Europe/Paris", "UTC", "America/Los_Angeles", "Pacific/Honolulu")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(zones=st.lists(st.sampled_from(ZONES), min_size=2, max_size=8), window=st.sampled_from([None, OFFICE]))
def test_any_journey(store: Store, zones: list[str], window: Window | None) -> None:
    """Wherever somebody is each day, no two issues are due for them within 20 hours, and none in a closed window."""
    email = f"{'-'.join(str(ZONES.index(zone)) for zone in zones)}{window is None}@example.org"
    reader = join(store, zones[0], email)
    newest = max((issue.at for issue in store.issues.list(limit=1)), default=NOON).date() + 4 * DAY
    due = []
    for number, zone in enumerate(zones):
        store.subscribers.move(reader, timezone=zone, now=NOON)
        line = publish(store, newest + number * DAY, *ZONES, window=window)[email]
        if line.state is State.QUEUED:
            due.append(line.due_at)
            shown = line.due_at.astimezone(ZoneInfo(zone)).time()
            assert window is None or window.start <= shown < window.end
    store.subscribers.leave(reader, newsletter="daily-papers", now=NOON)

    assert due
    assert all(later - earlier >= APART for earlier, later in pairwise(due))


def test_an_earlier_hour_does_not_bring_two_together(store: Store) -> None:
    """Evening yesterday and noon today is less than 20 hours: the second waits, and the third is on time."""
    reader = join(store, "UTC")
    due = []
    for number, hour in enumerate((20, 12, 12)):
        wanted = Preferences(timezone="UTC", hour=hour)
        store.subscribers.choose(reader, "daily-papers", wanted, how="test", now=NOON)
        at = datetime.combine(TODAY + number * DAY, time(hour), UTC)
        audience = Audience(at=eight(TODAY + number * DAY, "UTC"), hours={("UTC", hour): at}, zone="UTC", apart=APART)
        slot = a_slot(TODAY + number * DAY, at=audience.at)
        issue, _ = store.issues.publish(
            an_issue(slot=slot), a_rendered(), newsletter=a_newsletter(), audience=audience, now=slot.at
        )
        due += [line.due_at for line in store.deliveries.list(issue)]

    assert due == [NOON + 8 * HOUR, NOON + 28 * HOUR, NOON + 48 * HOUR]
