"""What a reader says by a form or a link, and what follows from it.

    apply -> an application, the same for every address -> the desk decides which letter answers it, if any
    confirm, leave, pause, never_again -> done at once, with an event that tells what, when and how

The letter with which somebody is asked is itself a weapon in the hands of those who fill in forms with the addresses of
others (see LIMITS): it holds no text of theirs, and an address gets few of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from newsletter.links import Claim, Links, Purpose
from newsletter.render.letter import Occasion
from newsletter.store import Store
from newsletter.store.applications import Full, Taking, Wish
from newsletter.store.consent import Joined
from newsletter.store.enrolment import fold

CONFIRM_WITHIN = timedelta(days=7)  # also how long unanswered applications are kept
# Letters that anybody can ask for, to one address: at most so many within so long.
LIMITS = ((timedelta(hours=1), 1), (timedelta(days=1), 3), (timedelta(days=7), 5))
AN_HOUR = timedelta(hours=1)
OF_NETWORK = 30  # applications an hour: a lecture room signs up at once, a list of addresses takes days
IN_ALL = 1_000  # applications an hour, from wherever they come
PAUSE = timedelta(days=30)

ENOUGH = 20  # addresses asked, to speak of a share
CONFIRMED_SHARE = 0.2  # less, and forms are filled in with the addresses of others
_MARK = ":"  # stands in no newsletter's name
_TIME_TO_CONFIRM = timedelta(hours=6)


def apply(
    store: Store,
    *,
    newsletter: str,
    email: str,
    language: str,
    network: str,
    now: datetime,
    wish: Wish = Wish.SUBSCRIBE,
    of_network: int = OF_NETWORK,
    subscriber: int | None = None,
) -> Full | None:
    """Take the wish of somebody who gave an address. None when it was taken, else which limit stands against it.

    An operator's program is a `network` too, from which more may come.
    """
    return store.applications.add(
        wish,
        newsletter=newsletter,
        email=email,
        mailbox=fold(email),
        language=language,
        network=network,
        taking=Taking(since=now - AN_HOUR, of_network=of_network, in_all=IN_ALL),
        now=now,
        subscriber=subscriber,
    )


def answer(wish: str, *, state: str, hindered: bool, sent: Iterable[datetime], now: datetime) -> Occasion | None:
    """Which letter answers an application, if any. Pure.

    `state` is that of the subscription, empty for nobody's; `hindered` is whether the address is suppressed or never
    to be written to; `sent` are the letters it has had, as far as they count.
    """
    if hindered:
        return None
    if wish == Wish.WELCOME:  # nobody can ask for it but by confirming
        return Occasion.WELCOME if state == "confirmed" else None
    if not is_within_limits(sent, now=now):
        return None
    if wish == Wish.ACCOUNT:
        return Occasion.ACCOUNT if state else None
    return Occasion.PREFERENCES if state == "confirmed" else Occasion.CONFIRMATION


def is_within_limits(sent: Iterable[datetime], *, now: datetime) -> bool:
    """Whether an address may get one more letter, after those it had at these moments."""
    moments = list(sent)
    return all(sum(moment > now - within for moment in moments) < most for within, most in LIMITS)


def is_expired(claim: Claim, *, now: datetime) -> bool:
    """Whether a link to confirm is too old to be used."""
    return now - claim.made > CONFIRM_WITHIN


def confirm(store: Store, links: Links, claim: Claim, *, network: str, language: str, now: datetime) -> Joined:
    """Join by a link that is not expired; a second use changes nothing."""
    how = told("link", network, language)
    reader = store.subscribers.reader(claim.subscriber)
    marks = links.fingerprints(fold(reader.email)) if reader else ()
    return store.consent.confirm(
        claim.subscriber, claim.newsletter, made=claim.made, how=how, now=now, fingerprints=marks
    )


def leave(store: Store, claim: Claim, *, network: str, now: datetime) -> bool:
    """End a subscription, whatever came before; whether this ended it."""
    how = told("link", network)
    return store.subscribers.leave(claim.subscriber, newsletter=claim.newsletter, how=how, now=now)


def pause(store: Store, claim: Claim, *, network: str, now: datetime) -> date | None:
    """Nothing for thirty days; the day it begins again, None where there is no subscription."""
    until = (now + PAUSE).date()
    return until if _choose(store, claim, network=network, now=now, paused_until=until) else None


def less_often(store: Store, claim: Claim, *, cadence: str, network: str, now: datetime) -> bool:
    """The issues of another cadence instead; False where there is no subscription."""
    return _choose(store, claim, network=network, now=now, cadence=cadence)


def never_url(links: Links, subscriber: int, newsletter: str, mailbox: str, *, now: datetime) -> str:
    """The link of somebody who wants to be left alone; it still works when nothing else of them is kept."""
    return marked_url(links, Purpose.NEVER, subscriber, newsletter, links.fingerprints(mailbox)[0], now=now)


def marked_url(links: Links, purpose: Purpose, subscriber: int, newsletter: str, mark: str, *, now: datetime) -> str:
    """A link that carries something beside: a fingerprint, or the number of an application."""
    return links.url(purpose, subscriber=subscriber, newsletter=f"{newsletter}{_MARK}{mark}", now=now)


def read_mark(claim: Claim) -> tuple[Claim, str]:
    """What a link says: of which newsletter, and what it carries beside, empty for most."""
    name, _, mark = claim.newsletter.partition(_MARK)
    return replace(claim, newsletter=name), mark


def barred(store: Store, links: Links, emails: Collection[str], *, newsletter: str) -> dict[str, str]:
    """Those of these addresses that nobody else may bring to a newsletter, whoever has them on a list, and why.

    `unwilling` asked never to be written to again; `left` were erased after they had read or left it, and come back
    only by themselves. Of who is not erased the store knows it.
    """
    marks = {email: links.fingerprints(fold(email)) for email in emails}
    every = [mark for some in marks.values() for mark in some]
    blocked, departed = store.consent.blocked(every), store.consent.departed(every, newsletter)
    left = {email: "left" for email, some in marks.items() if departed.intersection(some)}
    return left | {email: "unwilling" for email, some in marks.items() if blocked.intersection(some)}


def never_again(store: Store, links: Links, claim: Claim, *, fingerprint: str, now: datetime) -> None:
    """Erase somebody, and keep only what says that their address is never to be written to."""
    reader = store.subscribers.reader(claim.subscriber)
    own = links.fingerprints(fold(reader.email))[0] if reader else ""
    for each in sorted({fingerprint, own} - {""}):  # two, where they have moved to another address since
        store.consent.block(each, now=now)
    store.subscribers.forget(claim.subscriber)


def forget(store: Store, links: Links, subscriber: int, *, now: datetime) -> None:
    """Erase somebody, and keep a fingerprint of their address with what no list may bring back to them."""
    reader = store.subscribers.reader(subscriber)
    if reader is not None:
        store.consent.depart(subscriber, links.fingerprints(fold(reader.email))[0], now=now)


def export(store: Store, subscriber: int) -> dict[str, list[dict[str, Any]]]:
    """Everything that is kept on a person, by table."""
    return store.subscribers.dossier(subscriber)


def told(by: str, *particulars: str) -> str:
    """How somebody said what they said, as the log of consent keeps it: `link, 198.51.100.0/24, en`."""
    return ", ".join(part for part in (by, *particulars) if part)


def _choose(store: Store, claim: Claim, *, network: str, now: datetime, **changes: object) -> bool:
    chosen = store.subscribers.preferences([claim.subscriber], claim.newsletter).get(claim.subscriber)
    if chosen is None:
        return False
    changed = replace(chosen, **changes)  # type: ignore[arg-type]  # each change by its name
    how = told("link", network)
    return store.subscribers.choose(claim.subscriber, claim.newsletter, changed, how=how, now=now)


def tidy(store: Store, *, now: datetime) -> None:
    """Forget those who were asked and never confirmed, and what was asked so long ago, by forms or programs."""
    store.consent.prune(before=now - CONFIRM_WITHIN)
    store.applications.prune(before=now - CONFIRM_WITHIN)
    store.requests.prune(now=now)


def is_closed(store: Store, *, now: datetime) -> bool:
    """Whether so many applications came that no more are taken."""
    return store.applications.count(since=now - AN_HOUR) >= IN_ALL


def unconfirmed(store: Store, *, now: datetime) -> tuple[int, int] | None:
    """How many were asked in the last week and how many confirmed, where that is suspiciously few; else None."""
    since = now - CONFIRM_WITHIN
    asked = store.applications.asked(since=since, until=now - _TIME_TO_CONFIRM)
    confirmed = store.consent.confirmed(since=since)
    return (asked, confirmed) if asked >= ENOUGH and confirmed < CONFIRMED_SHARE * asked else None
