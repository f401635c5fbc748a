"""The desk: answers by mail what was asked by forms, beside the pages and in its own time.

    take what waits -> decide which letter answers each, if any -> send -> settle, or put off

The pages answer everybody alike, in the same time; what an address is to us shows only in the mail it gets. One process
at a time decides, so that the limits of an address hold over all of them. A crash loses nothing: what was decided and
not settled is sent when its lease is over, at worst a second time under the same Message-ID.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from newsletter import address_changes, consent
from newsletter.app import App
from newsletter.deliver import Clock, wait
from newsletter.errors import ConfigError, NewsletterError
from newsletter.language import speak
from newsletter.letters import Post, post
from newsletter.links import Purpose
from newsletter.model import Newsletter, Outcome, Verdict
from newsletter.render.letter import Letter, Occasion
from newsletter.schedule import slots
from newsletter.schedule.plan import Stamp, stamp
from newsletter.store.applications import Application, Wish
from newsletter.store.enrolment import fold
from newsletter.store.owner import this_process

LOOK = timedelta(seconds=5)  # between two looks, where nobody rings
LEASE = timedelta(minutes=5)
TIDY = timedelta(hours=1)
AT_ONCE = 50
_TURN = "desk"  # the turn's name
_DECIDING = timedelta(seconds=30)  # longer it does not take: whoever holds the turn then is dead
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger("newsletter.desk")


def answer(app: App, *, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
    """Answer what waits and is due, as far as the mail server allows; how many were taken up."""
    posts = _decided(app, now=now)
    if posts is None:
        return 0
    open_: dict[int, tuple[Application, Post]] = {application.id: (application, each) for application, each in posts}

    def record(outcome: Outcome) -> None:
        application, _ = open_.pop(outcome.delivery)
        _settle(app, application, outcome, now=now)

    try:
        letters = [each for _, each in open_.values()]
        post(letters, render=app.render, send=app.send, signer=app.signer, record=record, now=now, stop=stop)
    finally:
        for application, _ in open_.values():
            app.store.applications.put_off(application.id, until=now + wait(application.attempts))
    return len(posts)


def _decided(app: App, *, now: datetime) -> Sequence[tuple[Application, Post]] | None:
    """The letters that this process is to send, decided on while no other process decides; None when one does."""
    store = app.store
    if store.turns.take(_TURN, until=now + _DECIDING, now=now) is not None:
        return None
    try:
        waiting = store.applications.claim(owner=this_process(), now=now, lease_until=now + LEASE, limit=AT_ONCE)
        return [(application, each) for application in waiting if (each := _decide(app, application, now=now))]
    finally:
        store.turns.pass_on(_TURN, free_at=_LONG_AGO)


def _decide(app: App, application: Application, *, now: datetime) -> Post | None:
    """The letter that answers an application; one that none answers is settled."""
    post = None
    newsletter = app.plan.newsletters.get(application.newsletter)
    if newsletter is not None and application.subscriber is None:
        post = _answer(app, application, newsletter, now=now)
    elif newsletter is not None and application.wish == Wish.NOTICE:
        post = _notice(app, application, newsletter, now=now)
    elif newsletter is not None:
        post = _readdress(app, application, newsletter, now=now)
    if post is None:
        app.store.applications.settle(application.id, outcome="no letter", now=now)
    return post


def _answer(app: App, application: Application, newsletter: Newsletter, *, now: datetime) -> Post | None:
    """What answers a form that anybody can fill in, or a confirmation."""
    store = app.store
    standing = store.consent.standing(application.mailbox, application.newsletter)
    blocked = store.consent.is_blocked(app.links.fingerprints(application.mailbox))
    to_strangers = application.wish in address_changes.WISHES
    wishes = address_changes.WISHES if to_strangers else (application.wish,)
    occasion = consent.answer(
        application.wish,
        state=standing.state if standing else "",
        hindered=blocked or bool(standing and standing.suppressed),
        sent=_sent(app, application, application.mailbox, wishes, now=now),
        now=now,
    )
    if occasion is None:
        return None
    if occasion is Occasion.CONFIRMATION:
        subscriber = store.consent.ask(
            application.email,
            application.mailbox,
            newsletter=newsletter.name,
            language=application.language,
            how=consent.told("form", application.network, application.language),
            now=now,
        )
        email = application.email
    else:
        assert standing is not None  # noqa: S101  # these letters go to those who are known
        subscriber, email = standing.subscriber, standing.email
    store.applications.decide(application.id, letter=occasion, now=now)
    return _post(app, application, occasion, subscriber=subscriber, email=email, newsletter=newsletter, now=now)


def _readdress(app: App, application: Application, newsletter: Newsletter, *, now: datetime) -> Post | None:
    """What asks the new address of a reader. The old one is told whatever the new one is, and once for each asking.

    Taken up again after a crash it goes on from what was decided.
    """
    store, subscriber = app.store, application.subscriber or 0
    reader = store.subscribers.of(subscriber, newsletter.name)
    if reader is None or reader.state != "confirmed":
        return None
    if not application.letter:
        mailbox = fold(reader.email)
        told = _sent(app, application, mailbox, (Wish.NOTICE,), now=now)
        if not consent.is_within_limits(told, now=now):
            return None
        store.applications.notify(application, email=reader.email, mailbox=mailbox, now=now)
    known = store.subscribers.find(application.mailbox)
    owner = store.subscribers.person(known) if known is not None and known != subscriber else None
    blocked = store.consent.is_blocked(app.links.fingerprints(application.mailbox))
    occasion = address_changes.answer(
        owner,
        newsletter=newsletter.name,
        hindered=blocked or bool(owner and owner.suppressed),
        sent=_sent(app, application, application.mailbox, address_changes.WISHES, now=now),
        now=now,
    )
    if occasion is None:
        return None
    store.applications.decide(application.id, letter=occasion, now=now)
    if occasion is Occasion.PREFERENCES and owner is not None:
        return _post(app, application, occasion, subscriber=owner.id, email=owner.email, newsletter=newsletter, now=now)
    # Nothing in it is of use against the reader who asked: whoever gets it may be somebody else.
    never = consent.never_url(app.links, 0, newsletter.name, application.mailbox, now=now)
    confirm = address_changes.confirm_url(app.links, subscriber, newsletter.name, application.id, now=now)
    return Post(
        number=application.id,
        identity=_identity(application, subscriber),
        email=application.email,
        letter=Letter(occasion=occasion, action_url=confirm, refuse_url=never),
        newsletter=newsletter,
        language=application.language,
    )


def _notice(app: App, application: Application, newsletter: Newsletter, *, now: datetime) -> Post:
    """What tells the old address."""
    store, subscriber = app.store, application.subscriber or 0
    chosen = store.subscribers.preferences([subscriber], newsletter.name).get(subscriber)
    store.applications.decide(application.id, letter=Occasion.NOTICE, now=now)
    url = address_changes.object_url(app.links, subscriber, newsletter.name, application.change or 0, now=now)
    return Post(
        number=application.id,
        identity=_identity(application, subscriber),
        email=application.email,
        letter=Letter(occasion=Occasion.NOTICE, action_url=url),
        newsletter=newsletter,
        language=(chosen.language if chosen else "") or newsletter.language,
        unsubscribe_url=app.links.url(Purpose.UNSUBSCRIBE, subscriber=subscriber, newsletter=newsletter.name, now=now),
    )


def _sent(
    app: App, application: Application, mailbox: str, wishes: Collection[str], *, now: datetime
) -> Sequence[datetime]:
    """When an address had letters in answer to other applications with these wishes, as far as they count."""
    since = now - consent.CONFIRM_WITHIN
    return app.store.applications.letters(mailbox, wishes=wishes, since=since, besides=application.id)


def _identity(application: Application, subscriber: int) -> str:
    return f"{application.id} {application.at.isoformat()} {subscriber}"


def _post(
    app: App,
    application: Application,
    occasion: Occasion,
    *,
    subscriber: int,
    email: str,
    newsletter: Newsletter,
    now: datetime,
) -> Post:
    def link(purpose: Purpose) -> str:
        return app.links.url(purpose, subscriber=subscriber, newsletter=newsletter.name, now=now)

    chosen = app.store.subscribers.preferences([subscriber], newsletter.name).get(subscriber)
    language = application.language or (chosen.language if chosen else "") or newsletter.language
    unsubscribe = link(Purpose.UNSUBSCRIBE)
    match occasion:
        case Occasion.CONFIRMATION:
            never = consent.never_url(app.links, subscriber, newsletter.name, application.mailbox, now=now)
            letter = Letter(occasion=occasion, action_url=link(Purpose.CONFIRM), refuse_url=never)
        case Occasion.ACCOUNT:
            letter = Letter(occasion=occasion, action_url=link(Purpose.ACCOUNT))
        case _:
            coming = _next_issue(app, newsletter, language, now=now) if occasion is Occasion.WELCOME else ""
            letter = Letter(
                occasion=occasion, action_url=link(Purpose.PREFERENCES), refuse_url=unsubscribe, next=coming
            )
    return Post(
        number=application.id,
        identity=_identity(application, subscriber),
        email=email,
        letter=letter,
        newsletter=newsletter,
        language=language,
        unsubscribe_url=unsubscribe,
    )


def _next_issue(app: App, newsletter: Newsletter, language: str, *, now: datetime) -> str:
    """The day on which the next issue comes to new readers, in words; empty where nothing is scheduled."""
    coming = [
        slot
        for schedule in app.plan.schedules.values()
        if schedule.newsletter == newsletter.name and schedule.cadence == "daily"
        for slot in slots.next_slots(schedule, now=now, count=1, zones=app.places(schedule))
    ]
    return speak(language).full_date(min(coming, key=lambda slot: slot.at).date) if coming else ""


def _settle(app: App, application: Application, outcome: Outcome, *, now: datetime) -> None:
    match outcome.verdict:
        case Verdict.SENT | Verdict.UNCERTAIN:
            app.store.applications.settle(application.id, outcome=outcome.verdict, now=now)
        case Verdict.REJECTED | Verdict.SUPPRESS:
            log.warning("a letter was refused: %s %s", outcome.code, outcome.text)
            app.store.applications.settle(application.id, outcome=outcome.verdict, now=now)
            if outcome.verdict is Verdict.SUPPRESS:
                standing = app.store.consent.standing(fold(application.email), application.newsletter)
                if standing is not None:
                    reason = f"{outcome.code} {outcome.text}".strip()
                    app.store.subscribers.suppress(standing.subscriber, reason=reason, now=now)
        case _:
            later = now + wait(application.attempts, outcome.retry_after)
            app.store.applications.put_off(application.id, until=later)


@dataclass(slots=True)
class Desk:
    """Works until the end of a `with open_desk`. `changed` hears of the app that knows a changed schedules.yaml."""

    app: App
    clock: Clock
    changed: Callable[[App], None] = lambda _: None
    bell: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    schedules: Stamp | None = None
    tidied_at: datetime | None = None

    def __post_init__(self) -> None:
        self.schedules = stamp(self.app.config.schedules)

    def work(self) -> None:
        """One look: take up a changed schedules.yaml, answer what waits, tidy up."""
        now = self.clock()
        state = stamp(self.app.config.schedules)
        if state != self.schedules:
            self.schedules = state
            try:
                self.app = self.app.reloaded()
            except ConfigError as error:
                log.error("schedules.yaml has mistakes, going on with what it said before: %s", error)  # noqa: TRY400
            else:
                self.changed(self.app)
        while answer(self.app, now=now, stop=self.over.is_set) == AT_ONCE and not self.over.is_set():
            now = self.clock()
        if self.tidied_at is None or now - self.tidied_at > TIDY:
            consent.tidy(self.app.store, now=now)
            self.tidied_at = now

    def run(self) -> None:
        """Look whenever somebody rings, and every few seconds: another process may have taken an application."""
        while not self.over.is_set():
            self.bell.clear()
            try:
                self.work()
            except NewsletterError as error:
                log.error("the desk failed, will go on: %s", error)  # noqa: TRY400
            self.bell.wait(LOOK.total_seconds())


@contextmanager
def open_desk(desk: Desk) -> Iterator[None]:
    """The desk at work in a thread, until the end of the `with`; what it has begun it finishes."""
    thread = threading.Thread(target=desk.run, name="desk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        desk.over.set()
        desk.bell.set()
        thread.join()
