"""The desk: answers by mail what was asked by forms, beside the pages and in its own time.

    take what waits -> decide which letter answers each, if any -> send -> settle, or put off

The pages answer everybody alike, in the same time; what an address is to us shows only in the mail it gets. One process
at a time decides, so that the limits of an address hold over all of them. A crash loses nothing: what was decided and
not settled is sent when its lease is over, at worst a second time under the same Message-ID.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from newsletter import consent
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
from newsletter.store.applications import Application
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
    store, newsletter = app.store, app.plan.newsletters.get(application.newsletter)
    standing = store.consent.standing(application.mailbox, application.newsletter)
    blocked = store.consent.is_blocked(app.links.fingerprints(application.mailbox))
    occasion = None
    if newsletter is not None:
        occasion = consent.answer(
            application.wish,
            state=standing.state if standing else "",
            hindered=blocked or bool(standing and standing.suppressed),
            sent=store.applications.letters(
                application.mailbox, wish=application.wish, since=now - consent.CONFIRM_WITHIN, besides=application.id
            ),
            now=now,
        )
    if newsletter is None or occasion is None:
        store.applications.settle(application.id, outcome="no letter", now=now)
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
        identity=f"{application.id} {application.at.isoformat()} {subscriber}",
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
