"""What an operator sends by hand goes through the same stages and the same ledger as what the clock sends.

send NEWSLETTER            the slot that the schedules have for that day; the daemon finds it done
send NEWSLETTER --to …     a copy for named people: of the day's issue if it is out, else of what it would be.
                           It uses up no slot, and no story counts as told
--force                    a new issue in a slot of its own, marked by the time in its name
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from newsletter import consent
from newsletter.app import App
from newsletter.errors import NewsletterError
from newsletter.model import Schedule, Slot
from newsletter.schedule import slots
from newsletter.store.issues import PUBLISHED, Audience

# Names that no schedule can have, since those in schedules.yaml take no underscore.
NO_SCHEDULE = "_by-hand"
COPY = "_copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run: a slot, whom for, and which issue it replaces."""

    slot: Slot
    audience: Audience
    besides: int | None = None


class Unwilling(NewsletterError):
    """Somebody who is named asked to be left alone, or was erased after leaving: no copy is for them."""


def order(
    app: App, newsletter: str, *, day: date, now: datetime, to: tuple[str, ...] = (), force: bool = False
) -> Order:
    """What `send` asks for. `to` are addresses, checked already. NotFound for an unknown newsletter, Unwilling.

    Addresses that were never subscribed are remembered, since the ledger needs somebody to have sent to.
    """
    slot, schedule = slot_of(app, newsletter, day=day, now=now)
    if barred := consent.barred(app.store, app.links, to, newsletter=newsletter):
        raise Unwilling(f"could not send a copy to {', '.join(sorted(barred))}: they left, and are left alone")
    decided = app.store.issues.find(slot)
    only = tuple(app.store.subscribers.ensure(to, now=now)) if to else None
    audience = Audience(at=now, cadence=schedule.cadence if schedule else "daily", only=only)
    if force:
        return Order(slot=_marked(slot, now), audience=audience, besides=decided.id if decided else None)
    if only is None:
        return Order(slot=slot, audience=audience)
    is_out = decided is not None and decided.state == PUBLISHED
    copied = slot if is_out else replace(slot, schedule=COPY, at=now)
    _invite(app, copied, audience)
    return Order(slot=copied, audience=audience)


def slot_of(app: App, newsletter: str, *, day: date, now: datetime) -> tuple[Slot, Schedule | None]:
    """The slot of a day: of the first schedule that has one, else one that no schedule has."""
    app.newsletter(newsletter)
    zones = app.zones(newsletter)
    for schedule in app.plan.schedules.values():
        if schedule.newsletter == newsletter and (slot := slots.slot_on(schedule, day, zones=zones)):
            return slot, schedule
    return Slot(newsletter=newsletter, schedule=NO_SCHEDULE, date=day, at=now), None


def _marked(slot: Slot, now: datetime) -> Slot:
    return replace(slot, time=f"{now:%H:%M:%S}", at=now)


def _invite(app: App, slot: Slot, audience: Audience) -> None:
    """Add the named people to an issue that is out."""
    decided = app.store.issues.find(slot)
    if decided is not None and decided.state == PUBLISHED:
        app.store.issues.add_recipients(decided.id, newsletter=slot.newsletter, audience=audience)
