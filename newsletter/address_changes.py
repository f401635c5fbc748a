"""A reader moves to another address: it confirms by a mailed link, and the old one hears of it and may object.

    ask -> an application, the same for every address -> the desk writes to the new address, if it may be written to,
                                                         and to the old one, whatever the new one is
    confirm, object -> done at once, in the log of consent

The links carry the number of the application, which is kept for a week: so long may the old address object.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from newsletter import consent
from newsletter.links import Claim, Links, Purpose
from newsletter.render.letter import Occasion
from newsletter.store import Store
from newsletter.store.address_changes import Change, Changed
from newsletter.store.applications import Full, Wish
from newsletter.store.subscribers import Person

CONFIRM_WITHIN = timedelta(days=1)  # so that most of the week is left for objecting
WISHES = (Wish.SUBSCRIBE, Wish.ADDRESS)  # letters to strangers, which count together


def ask(store: Store, claim: Claim, *, email: str, language: str, network: str, now: datetime) -> Full | None:
    """Take the wish of a reader to have their mails at another address. None when it was taken."""
    return consent.apply(
        store,
        wish=Wish.ADDRESS,
        newsletter=claim.newsletter,
        email=email,
        language=language,
        network=network,
        subscriber=claim.subscriber,
        now=now,
    )


def answer(
    owner: Person | None, *, newsletter: str, hindered: bool, sent: Iterable[datetime], now: datetime
) -> Occasion | None:
    """Which letter goes to the new address, if any. Pure.

    `owner` is whoever is known at it, if anybody: a reader gets the link to their own preferences, as from any form.
    """
    states = {one.newsletter: one.state for one in owner.subscriptions} if owner else {}
    if hindered or not consent.is_within_limits(sent, now=now):
        return None
    if "confirmed" not in states.values():
        return Occasion.ADDRESS
    return Occasion.PREFERENCES if states.get(newsletter) == "confirmed" else None


def confirm_url(links: Links, subscriber: int, newsletter: str, application: int, *, now: datetime) -> str:
    """The link of the new address, good for a day."""
    return consent.marked_url(links, Purpose.ADDRESS, subscriber, newsletter, str(application), now=now)


def object_url(links: Links, subscriber: int, newsletter: str, application: int, *, now: datetime) -> str:
    """The link of the old address, good as long as the application is kept."""
    return consent.marked_url(links, Purpose.OBJECT, subscriber, newsletter, str(application), now=now)


def find(store: Store, claim: Claim, mark: str) -> Change | None:
    """The change that a link is about, None where it is not kept any more."""
    return store.address_changes.find(int(mark), claim.subscriber) if mark.isdigit() else None


def is_open(change: Change, claim: Claim, *, now: datetime) -> bool:
    """Whether a link to confirm is not too old, and nobody objected."""
    return now - claim.made <= CONFIRM_WITHIN and not change.objected


def confirm(store: Store, links: Links, claim: Claim, mark: str, *, network: str, now: datetime) -> Changed:
    """The new address says yes, by a link that is open."""
    how = consent.told("link", network)
    return store.address_changes.confirm(int(mark), claim.subscriber, fingerprints=links.fingerprints, how=how, now=now)


def object_to(store: Store, links: Links, claim: Claim, mark: str, *, network: str, now: datetime) -> Changed:
    """The old address says no."""
    how = consent.told("objection", network)
    return store.address_changes.object(int(mark), claim.subscriber, fingerprints=links.fingerprints, how=how, now=now)
