"""A reader chooses another hour or time zone: what waits for them goes by it, from the issue that is out already on.

with replanned(app, subscriber, now=now):
    app.store.subscribers.choose(subscriber, …)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from newsletter.app import App, goes_at
from newsletter.model import Preferences, Schedule
from newsletter.schedule import slots
from newsletter.store.waiting import Move


@contextmanager
def replanned(app: App, subscriber: int, *, now: datetime) -> Iterator[None]:
    """Around a change of what somebody chose; of all their newsletters, since the time zone is theirs for all."""
    before = app.store.subscribers.chosen(subscriber)
    yield
    for newsletter, chosen in app.store.subscribers.chosen(subscriber).items():
        was = before.get(newsletter, chosen)
        if (was.hour, was.timezone) != (chosen.hour, chosen.timezone):
            app.store.waiting.move(_moves(app, subscriber, newsletter, chosen, now))


def _moves(app: App, subscriber: int, newsletter: str, chosen: Preferences, now: datetime) -> Iterator[Move]:
    """Each at the moment that it would have been planned for, not before `now` nor too soon after the one before."""
    last: dict[str, datetime] = {}
    for coming in app.store.waiting.list(subscriber, newsletter, now=now):
        schedule, planned = app.schedule_of(coming.slot), coming.planned_at
        if coming.waits and schedule is not None:
            planned = max(goes_at(coming.slot, schedule, chosen), now)
            apart = slots.apart(schedule)
            if apart is not None and schedule.name in last:
                planned = max(planned, last[schedule.name] + apart)
            yield Move(
                delivery=coming.delivery,
                at=planned,
                zone=_clocks(schedule, chosen),
                expires_at=planned + schedule.expires,
            )
        last[coming.slot.schedule] = planned


def _clocks(schedule: Schedule, chosen: Preferences) -> str:
    """Whose clocks the send window goes by."""
    return (chosen.timezone or "UTC") if schedule.timezone == slots.SUBSCRIBER else schedule.timezone
