"""Subscribers: who gets mail, by number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias
from zoneinfo import available_timezones

from newsletter import consent
from newsletter.addresses import address
from newsletter.errors import NotFound
from newsletter.replan import replanned
from newsletter.store.subscribers import Applicant, Person, Subscription
from newsletter.web.api.operations import LARGEST, ROOT, Call, Operation, Refusal, Reply, page
from newsletter.web.api.shapes import Rule

Cadence: TypeAlias = Literal["daily", "weekly"]


def _zone(text: str) -> str:
    if text and text not in available_timezones():
        raise ValueError("is no time zone; they are named like Europe/Paris")
    return text


Email: TypeAlias = Annotated[str, Rule("where mail goes", most=254, format="email", check=address)]
Name: TypeAlias = Annotated[str, Rule("how to address them", most=200)]
Zone: TypeAlias = Annotated[str, Rule("IANA name, or empty: the newsletter's own", most=64, check=_zone)]
Newsletter: TypeAlias = Annotated[str, Rule("by its name in schedules.yaml", least=1, most=100)]
Why: TypeAlias = Annotated[str, Rule("how they said so: kept as the evidence of consent", least=3, most=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribersAsked:
    """Which subscribers."""

    newsletter: Newsletter
    state: Annotated[
        Literal["pending", "confirmed", "left", "suppressed"] | None, Rule("only those in it; all without")
    ] = None
    like: Annotated[str, Rule("only addresses with this text in them", most=254)] = ""
    after: Annotated[int, Rule("the last number of the page before", least=0, most=LARGEST)] = 0
    limit: Annotated[int, Rule("at most so many", least=1, most=1000)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscriber:
    """Somebody to be subscribed."""

    email: Email
    newsletter: Newsletter
    name: Name = ""
    timezone: Zone = ""
    cadence: Annotated[Cadence, Rule("how often they get an issue")] = "daily"
    confirmed: Annotated[bool, Rule("they have agreed already; needs a reason")] = False
    reason: Why | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberChange:
    """What is to be another way about somebody; what is left out stays."""

    name: Name | None = None
    timezone: Zone | None = None
    newsletter: Annotated[str | None, Rule("which cadence and state are meant", least=1, most=100)] = None
    cadence: Annotated[Cadence | None, Rule("how often they get an issue")] = None
    state: Annotated[Literal["confirmed", "left"] | None, Rule("they agreed, or they left; needs a reason")] = None
    reason: Why | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribers:
    """A page of subscribers, in the order they came."""

    items: tuple[Person, ...]
    next: Annotated[str | None, Rule("the address of the next page")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """What came of subscribing somebody."""

    outcome: Annotated[Literal["added", "known", "confirmed"], Rule("added, confirmed now, or known before")]
    subscriber: Person


def list_subscribers(call: Call) -> Reply:
    """The readers of a newsletter."""
    asked: SubscribersAsked = call.query
    call.site.app.newsletter(asked.newsletter)
    state = asked.state or ""
    found = call.store.subscribers.page(
        newsletter=asked.newsletter, state=state, like=asked.like, after=asked.after, limit=asked.limit + 1
    )
    others = {"newsletter": asked.newsletter, "state": state, "like": asked.like}
    shown, following = page(found, "/subscribers", limit=asked.limit, **others)
    people = call.store.subscribers.people([who.id for who in shown])
    return Reply(value=Subscribers(items=tuple(people), next=call.url(following)))


def add_subscriber(call: Call) -> Reply:
    """Subscribe somebody; whoever left stays away."""
    wanted: NewSubscriber = call.body
    call.site.app.newsletter(wanted.newsletter)
    if wanted.confirmed and not wanted.reason:
        raise Refusal(422, "confirmed needs a reason: how and when they agreed")
    who = Applicant(email=wanted.email, name=wanted.name, timezone=wanted.timezone, cadence=wanted.cadence)
    outcome = _subscribe(call, who, wanted.newsletter, confirmed=wanted.confirmed, reason=wanted.reason or "")
    person = call.store.subscribers.person(call.store.subscribers.get(wanted.email))
    if _state(person, wanted.newsletter) == "pending":
        _ask(call, wanted)
    return Reply(
        value=Subscribed(outcome=outcome, subscriber=person),  # type: ignore[arg-type]  # the store has it as text
        status=201 if outcome == "added" else 200,
        location=f"{ROOT}/subscribers/{person.id}",
        about=person.id,
    )


def get_subscriber(call: Call) -> Reply:
    """Somebody with all their subscriptions."""
    return Reply(value=call.store.subscribers.person(call.number))


def change_subscriber(call: Call) -> Reply:
    """Change what is known of somebody; that they agreed or left needs a reason, which is kept as evidence."""
    wanted: SubscriberChange = call.body
    person = call.store.subscribers.person(call.number)
    mine = _subscription(call, person, wanted)
    if wanted.state == "confirmed":
        who = Applicant(email=person.email, cadence=wanted.cadence or (mine.cadence if mine else "daily"))
        _subscribe(call, who, wanted.newsletter or "", confirmed=True, reason=wanted.reason or "")
    elif wanted.state == "left":
        how = _how(call, wanted.reason or "")
        call.store.subscribers.leave(person.id, newsletter=wanted.newsletter or "", how=how, now=call.now)
    if wanted.name is not None:
        call.store.subscribers.rename(person.id, name=wanted.name, now=call.now)
    if wanted.timezone is not None:
        with replanned(call.site.app, person.id, now=call.now):
            call.store.subscribers.move(person.id, timezone=wanted.timezone, now=call.now)
    if wanted.cadence is not None and wanted.newsletter:
        chosen = call.store.subscribers.preferences([person.id], wanted.newsletter)
        preferences = replace(chosen[person.id], cadence=wanted.cadence)
        call.store.subscribers.choose(person.id, wanted.newsletter, preferences, how=_how(call), now=call.now)
    return Reply(value=call.store.subscribers.person(person.id))


def forget_subscriber(call: Call) -> Reply:
    """Erase everything known about somebody but a fingerprint, so that no list brings them back; counts stay."""
    person = call.store.subscribers.person(call.number)
    consent.forget(call.store, call.site.app.links, person.id, now=call.now)
    return Reply(status=204)


def _subscription(call: Call, person: Person, wanted: SubscriberChange) -> Subscription | None:
    """The subscription that is meant, as it is; everything is checked before anything is changed."""
    if wanted.newsletter is None:
        if wanted.cadence or wanted.state:
            raise Refusal(422, "cadence and state need a newsletter")
        return None
    call.site.app.newsletter(wanted.newsletter)
    if wanted.state and not wanted.reason:
        raise Refusal(422, "state needs a reason: how and when they said so")
    mine = next((one for one in person.subscriptions if one.newsletter == wanted.newsletter), None)
    if wanted.cadence and mine is None and wanted.state is None:
        raise NotFound(f"they never subscribed to {wanted.newsletter}")
    return mine


def _state(person: Person, newsletter: str) -> str:
    return next((one.state for one in person.subscriptions if one.newsletter == newsletter), "")


def _ask(call: Call, wanted: NewSubscriber) -> None:
    """Let the desk send the letter that asks whether they want it, as after a form."""
    language = call.site.app.newsletter(wanted.newsletter).language
    full = consent.apply(
        call.store,
        newsletter=wanted.newsletter,
        email=wanted.email,
        language=language,
        network=call.who,
        of_network=consent.IN_ALL,
        now=call.now,
    )
    if full is not None:
        raise Refusal(429, "so many were asked within the hour that no more are; the same request later asks them")
    call.site.ring()


def _subscribe(call: Call, who: Applicant, newsletter: str, *, confirmed: bool, reason: str) -> str:
    how = _how(call, reason)
    barred = consent.barred(call.store, call.site.app.links, [who.email], newsletter=newsletter)
    outcome = barred.get(who.email, "")
    if outcome == "unwilling":
        raise Refusal(409, "this address wants never to be written to again")
    if not outcome:
        (outcome,) = call.store.subscribers.add(
            [who], newsletter=newsletter, confirmed=confirmed, how=how, now=call.now
        )
    if outcome == "left":
        raise Refusal(409, "they have left, and stay away: only they themselves can come back, by confirming a link")
    return outcome


def _how(call: Call, reason: str = "") -> str:
    return f"{reason}; by {call.who}" if reason else f"by {call.who}"


OPERATIONS = (
    Operation(
        method="GET",
        path="/subscribers",
        summary="List the readers of a newsletter",
        act=list_subscribers,
        query=SubscribersAsked,
        answer=Subscribers,
        errors=(404,),
    ),
    Operation(
        method="POST",
        path="/subscribers",
        summary="Subscribe somebody",
        act=add_subscriber,
        body=NewSubscriber,
        answer=Subscribed,
        statuses=(201, 200),
        errors=(404, 409),
    ),
    Operation(
        method="GET",
        path="/subscribers/{id}",
        summary="Show somebody with all their subscriptions",
        act=get_subscriber,
        answer=Person,
        errors=(404,),
    ),
    Operation(
        method="PATCH",
        path="/subscribers/{id}",
        summary="Change a name, time zone, cadence; note that somebody agreed or left",
        act=change_subscriber,
        body=SubscriberChange,
        answer=Person,
        errors=(404, 409),
    ),
    Operation(
        method="DELETE",
        path="/subscribers/{id}",
        summary="Forget somebody",
        act=forget_subscriber,
        statuses=(204,),
        errors=(404,),
    ),
)
