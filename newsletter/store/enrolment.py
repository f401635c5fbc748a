"""Many people at once: a few statements for each batch, whatever number of people it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from newsletter.model import Preferences
from newsletter.store import choices
from newsletter.store.db import Database
from newsletter.store.schema import events, subscribers, subscriptions

CHOSE_NOTHING = Preferences()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """Somebody from a list that was kept elsewhere, where they had agreed (an empty state), wait or left.

    The address must be a valid one, and `suppressed` says why it takes no mail. `evidence` is how and when they agreed.
    `chosen` are their preferences there, beside the time zone and cadence: they count where they are new here.
    """

    email: str
    name: str = ""
    timezone: str = ""
    cadence: str = "daily"
    state: str = ""
    suppressed: str = ""
    evidence: str = ""
    chosen: Preferences = CHOSE_NOTHING


def fold(email: str) -> str:
    """The spelling under which an address is known: receivers compare without case, nobody has two readers by case."""
    return email.strip().casefold()


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    suppressed: str
    state: str


class _Wanted(NamedTuple):
    """What all rows of an address come to. A tuple: there are a million of them."""

    mailbox: str
    state: str
    suppressed: str
    evidence: str
    who: Entrant


def enrol(db: Database, people: Iterable[Entrant], *, newsletter: str, confirmed: bool, now: datetime) -> list[str]:
    """Subscribe people in one transaction; for each what came of it: `added`, `known`, `confirmed`, `left`.

    It only ever takes away: whoever left or is suppressed, here or there, stays so, and who left in one of
    several rows has left. Only those who left here and came back by themselves are not taken away by
    a list in which they left. Doing the same again changes nothing.
    """
    mailboxes, wanted = _merged(people, confirmed=confirmed)
    outcomes: dict[str, str] = {}
    changed: dict[str, list[_Wanted]] = {"": [], "insert": [], "confirm": [], "leave": []}
    with db.writing() as connection:
        before = _known(connection, wanted, newsletter)
        missing = [one for mailbox, one in wanted.items() if mailbox not in before]
        ids = {mailbox: known.id for mailbox, known in before.items()} | _add(db, connection, missing, now)
        returned = _returned(connection, wanted, before, newsletter)
        for mailbox, one in wanted.items():
            state = before[mailbox].state if mailbox in before else ""
            outcomes[mailbox], change = _decided(state, one.state, returned=mailbox in returned)
            changed[change].append(one)
        _subscribe(db, connection, [_subscription(one, ids[one.mailbox], newsletter, now) for one in changed["insert"]])
        for change, state in (("confirm", "confirmed"), ("leave", "left")):
            _turn(connection, [ids[one.mailbox] for one in changed[change]], newsletter, state, now)
        told = [one for change, some in changed.items() if change for one in some]
        log = [_event(ids[one.mailbox], one.state, newsletter, one.evidence, now) for one in told]
        barred = [one for one in wanted.values() if one.suppressed and not _is_barred(before.get(one.mailbox))]
        log += _suppress(connection, barred, ids, now)
        if log:
            connection.execute(events.insert(), log)
    seen: set[str] = set()
    return [_first(outcomes[mailbox], mailbox, seen) for mailbox in mailboxes]


def _first(outcome: str, mailbox: str, seen: set[str]) -> str:
    """A second row of the same address finds it there."""
    again = mailbox in seen
    seen.add(mailbox)
    return "known" if again and outcome != "left" else outcome


def _merged(people: Iterable[Entrant], *, confirmed: bool) -> tuple[list[str], dict[str, _Wanted]]:
    """The mailbox of each row; and each once, by the alphabet, so that two imports never wait for each other."""
    merged: dict[str, _Wanted] = {}
    mailboxes = []
    agreed = "confirmed" if confirmed else "pending"
    for who in people:
        mailbox = fold(who.email)
        mailboxes.append(mailbox)
        other = merged.get(mailbox)
        one = _Wanted(mailbox, who.state or agreed, who.suppressed, who.evidence, who)
        if other is not None:
            both = (one.state, other.state)
            state = "left" if "left" in both else "confirmed" if "confirmed" in both else "pending"
            evidence = (other if other.state == state else one).evidence
            one = _Wanted(mailbox, state, other.suppressed or one.suppressed, evidence, other.who)
        merged[mailbox] = one
    return mailboxes, dict(sorted(merged.items()))


def _decided(before: str, wanted: str, *, returned: bool) -> tuple[str, str]:
    """What is told of somebody, and what is changed."""
    if before == "left":
        return "left", ""
    if not before:
        return ("left" if wanted == "left" else "added"), "insert"
    if wanted == "left" and not returned:
        return "left", "leave"
    if before == "pending" and wanted == "confirmed":
        return "confirmed", "confirm"
    return "known", ""


def _known(connection: sa.Connection, wanted: Mapping[str, _Wanted], newsletter: str) -> dict[str, _Known]:
    """Those who are here already, held until the end of the transaction."""
    query = sa.select(subscribers.c.id, subscribers.c.mailbox, subscribers.c.suppressed)
    found = connection.execute(query.where(subscribers.c.mailbox.in_(list(wanted)))).all()
    if not found:
        return {}
    mine = subscriptions.c.subscriber.in_([row.id for row in found]) & (subscriptions.c.newsletter == newsletter)
    held = sa.select(subscriptions.c.subscriber, subscriptions.c.state).where(mine).with_for_update()
    states: dict[int, str] = {number: state for number, state in connection.execute(held)}  # noqa: C416 - rows
    return {row.mailbox: _Known(row.id, row.suppressed, states.get(row.id, "")) for row in found}


def _add(db: Database, connection: sa.Connection, people: list[_Wanted], now: datetime) -> dict[str, int]:
    if not people:
        return {}
    rows = [
        {
            "email": one.who.email,
            "mailbox": one.mailbox,
            "name": one.who.name,
            "timezone": one.who.timezone,
            "created_at": now,
        }
        for one in people
    ]
    connection.execute(db.insert(subscribers).on_conflict_do_nothing(), rows)
    mailboxes = subscribers.c.mailbox.in_([one.mailbox for one in people])
    found = connection.execute(sa.select(subscribers.c.mailbox, subscribers.c.id).where(mailboxes))
    return {mailbox: number for mailbox, number in found}  # noqa: C416 - rows


def _returned(
    connection: sa.Connection, wanted: Mapping[str, _Wanted], before: Mapping[str, _Known], newsletter: str
) -> set[str]:
    """Those who left here once and are back, which only they themselves could bring about."""
    leaving = {
        before[mailbox].id: mailbox
        for mailbox, who in wanted.items()
        if who.state == "left" and mailbox in before and before[mailbox].state in ("pending", "confirmed")
    }
    if not leaving:
        return set()
    left = events.c.subscriber.in_(list(leaving)) & (events.c.newsletter == newsletter) & (events.c.kind == "left")
    return {leaving[number] for number in connection.execute(sa.select(events.c.subscriber).where(left)).scalars()}


def _subscribe(db: Database, connection: sa.Connection, rows: list[dict[str, object]]) -> None:
    if rows:
        connection.execute(db.insert(subscriptions).on_conflict_do_nothing(), rows)


def _turn(connection: sa.Connection, numbers: list[int], newsletter: str, state: str, now: datetime) -> None:
    if numbers:
        mine = subscriptions.c.subscriber.in_(numbers) & (subscriptions.c.newsletter == newsletter)
        turned = subscriptions.update().where(mine, subscriptions.c.state != "left")
        connection.execute(turned.values(state=state, since=now))


def _suppress(
    connection: sa.Connection, people: list[_Wanted], ids: Mapping[str, int], now: datetime
) -> list[dict[str, object]]:
    if not people:
        return []
    suppress = (
        subscribers.update()
        .where(subscribers.c.id == sa.bindparam("number"), subscribers.c.suppressed == "")
        .values(suppressed=sa.bindparam("why"))
    )
    connection.execute(suppress, [{"number": ids[one.mailbox], "why": one.suppressed} for one in people])
    return [_event(ids[one.mailbox], "suppressed", "", f"{one.suppressed}; {one.evidence}", now) for one in people]


def _is_barred(known: _Known | None) -> bool:
    return known is not None and known.suppressed != ""


def _subscription(one: _Wanted, number: int, newsletter: str, now: datetime) -> dict[str, object]:
    return {
        "subscriber": number,
        "newsletter": newsletter,
        "state": one.state,
        "since": now,
        **choices.written(one.who.chosen),
        "cadence": one.who.cadence,
    }


def _event(number: int, kind: str, newsletter: str, detail: str, now: datetime) -> dict[str, object]:
    return {"at": now, "kind": kind, "subscriber": number, "newsletter": newsletter, "detail": detail}
