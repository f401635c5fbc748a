"""Another hour or time zone holds from the issue that is out already on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.app import App, open_app
from newsletter.config import load_config
from newsletter.model import EXPIRES, Preferences, State
from newsletter.replan import replanned
from newsletter.schedule import slots
from newsletter.store.deliveries import Line
from newsletter.store.subscribers import Applicant
from tests.builders import HOUR, a_story, an_issue
from tests.workspaces import PLAN, make_workspace

FRIDAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
READER = "reader@example.org"
EIGHT = PLAN.replace('at: "00:00", timezone: UTC', 'at: "08:00", timezone: subscriber')
PARIS = PLAN.replace('at: "00:00", timezone: UTC', 'at: "08:00", timezone: Europe/Paris')
OFFICE = EIGHT.replace("catch_up: 24h", 'catch_up: 24h, window: "08:00-18:00"')
TWICE = EIGHT.replace('"08:00"', '["08:00", "17:00"]')


def at(hour: float, day: int = 0) -> datetime:
    """So many hours after that Friday began in Greenwich."""
    return MIDNIGHT + timedelta(days=day, hours=hour)


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> str:
    """When issues come: at eight by each reader's clock, unless a test says otherwise."""
    return str(getattr(request, "param", EIGHT))


@pytest.fixture
def app(tmp_path: Path, plan: str) -> Iterator[App]:
    """A newsletter with readers in Greenwich, Los Angeles and Tokyo."""
    workspace = make_workspace(tmp_path)
    (workspace.folder / "schedules.yaml").write_text(plan, encoding="utf-8")
    with open_app(load_config(workspace.folder, workspace.settings)) as opened:
        zones = {READER: "", "west@example.org": "America/Los_Angeles", "east@example.org": "Asia/Tokyo"}
        people = [Applicant(email=email, timezone=zone) for email, zone in zones.items()]
        opened.store.subscribers.add(people, newsletter="daily-papers", confirmed=True, how="test", now=at(-99))
        yield opened


def publish(app: App, day: date = FRIDAY) -> int:
    """The issue of a day, as the daemon would have it out when it is due in the first zone; its number."""
    schedule = app.plan.schedules["always"]
    slot = slots.slot_on(schedule, day, zones=app.places(schedule))
    assert slot is not None
    issue = an_issue(a_story(day.day), slot=slot)
    return app.publish(issue, audience=app.audience(slot, schedule), now=slot.at).issue


def line(app: App, issue: int, email: str = READER) -> Line:
    """What the ledger says of a reader."""
    found = app.store.deliveries.of(issue, app.store.subscribers.get(email))
    assert found is not None
    return found


def choose(app: App, now: datetime, email: str = READER, **changes: object) -> None:
    """A reader chooses, as the preferences page does it."""
    reader = app.store.subscribers.get(email)
    wanted = Preferences(**changes)  # type: ignore[arg-type]  # each by its name
    with replanned(app, reader, now=now):
        app.store.subscribers.choose(reader, "daily-papers", wanted, how="test", now=now)


@pytest.mark.parametrize(
    ("plan", "before", "changes", "after"),
    [
        (EIGHT, at(8), {"hour": 21}, at(21)),
        (EIGHT, at(8), {"hour": 7}, at(7, day=1)),  # the first seven o'clock from eight on
        (EIGHT, at(8), {"timezone": "America/New_York"}, at(13)),
        (EIGHT, at(8), {"timezone": "Asia/Tokyo"}, at(6)),  # it is past eight there: at once
        (EIGHT, at(8), {"timezone": "Asia/Tokyo", "hour": 18}, at(9)),
        (EIGHT, at(8), {"stories": 3}, at(8)),
        (PARIS, at(7), {"hour": 21}, at(20)),
        (PARIS, at(7), {"timezone": "America/New_York"}, at(7)),  # all at once, wherever they are
        (PARIS, at(7), {"timezone": "America/New_York", "hour": 9}, at(14)),
        (OFFICE, at(8), {"hour": 21}, at(8, day=1)),  # when the window opens again
        (TWICE, at(8), {"hour": 21}, at(8)),  # an hour says nothing where there are several issues a day
    ],
    indirect=["plan"],
)
def test_what_waits_goes_by_the_new_choice(
    app: App, before: datetime, changes: dict[str, Any], after: datetime
) -> None:
    """At the moment for which it would have been planned, or at once; others wait as they did."""
    issue = publish(app)
    west = line(app, issue, "west@example.org").due_at
    was = line(app, issue).due_at
    choose(app, at(6), **changes)

    assert was == before
    assert line(app, issue).due_at == after
    assert line(app, issue, "west@example.org").due_at == west
    fresh = publish(app, FRIDAY + timedelta(days=7))
    if after > at(6):  # the next is planned by the same rule
        assert line(app, fresh).due_at == after + timedelta(days=7)


def test_it_is_given_up_later_too(app: App) -> None:
    """As long after the new moment as after the old one."""
    issue = publish(app)
    choose(app, at(6), hour=7)

    assert app.store.deliveries.expire(issue, reason="late", now=at(7, day=1) + EXPIRES - HOUR) == 2
    assert line(app, issue).state is State.QUEUED


def test_no_two_come_close_together(app: App) -> None:
    """Who flies east has the issue that waits twenty hours after the one that they had."""
    first = publish(app)
    app.store.deliveries.claim(first, owner="me", now=at(16), lease_until=at(17), limit=3)
    second = publish(app, FRIDAY + timedelta(days=1))
    choose(app, at(17), "west@example.org", timezone="Asia/Tokyo")

    assert line(app, first, "west@example.org").due_at == at(16)
    assert line(app, second, "west@example.org").due_at == at(12, day=1)


def test_what_is_gone_or_paused_stays_so(app: App) -> None:
    """An issue that they had is not had again, and one that was left out does not come back."""
    first, second = publish(app), publish(app, FRIDAY + timedelta(days=1))
    app.store.deliveries.claim(first, owner="me", now=at(9), lease_until=at(10), limit=3)
    choose(app, at(9), paused_until=FRIDAY + timedelta(days=9))
    choose(app, at(10), hour=21)

    assert [line(app, issue).state for issue in (first, second)] == [State.SENDING, State.EXCLUDED]
