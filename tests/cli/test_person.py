from __future__ import annotations

import dataclasses

import pytest

from newsletter.cli.person import answer
from newsletter.model import State
from newsletter.store import Store
from newsletter.store.deliveries import Mark
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant
from tests.builders import HOUR, MINUTE, NOON, a_newsletter, a_rendered, a_slot, an_issue

READER = "reader@example.org"


def published(store: Store, audience: Audience | None = None) -> int:
    """An issue of the newsletter, for everybody who reads it now."""
    number, _ = store.issues.publish(
        an_issue(), a_rendered(), newsletter=a_newsletter(), audience=audience or Audience(at=NOON), now=NOON
    )
    return number


def subscribed(store: Store, *, confirmed: bool = True, cadence: str = "daily", late: bool = False) -> int:
    """The reader, as one of the newsletter."""
    applicant = Applicant(email=READER, cadence=cadence)
    now = NOON + (HOUR if late else -HOUR)
    store.subscribers.add([applicant], newsletter="daily-papers", confirmed=confirmed, how="test", now=now)
    return store.subscribers.get(READER)


def test_a_slot_without_an_issue(store: Store) -> None:
    """Where nobody got anything, that is the answer, with the reason."""
    assert "not decided yet" in answer(store, a_slot(), READER)
    store.issues.skip(a_slot(), reason="no new entries", now=NOON)
    assert "no issue for anybody: no new entries" in answer(store, a_slot(), READER)


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        (Mark(delivery=0, state=State.SENT, code=250, reply="queued as 4711"), "took it at 2026-11-20"),
        (Mark(delivery=0, state=State.REJECTED, code=550, reply="no such user"), "refused by the mail server at"),
        (
            Mark(delivery=0, state=State.DEFERRED, code=450, reply="later", due_at=NOON + HOUR),
            "waiting after 1 attempt, next at",
        ),
        (Mark(delivery=0, state=State.UNCERTAIN, reason="cut", due_at=NOON + HOUR), "perhaps sent"),
        (Mark(delivery=0, state=State.EXPIRED, reason="too old"), "given up at"),
    ],
)
def test_what_became_of_a_mail(store: Store, mark: Mark, told: str) -> None:
    """Each end of a delivery in words, with the server's own where it said some."""
    subscribed(store)
    issue = published(store)
    (claimed,) = store.deliveries.claim(issue, owner="me", now=NOON, lease_until=NOON + MINUTE, limit=1)
    store.deliveries.turn(issue, [mark._replace(delivery=claimed.id)], (), owner="me", now=NOON)

    sentence = answer(store, a_slot(), READER.upper())
    assert told in sentence
    assert mark.reply in sentence
    assert mark.reason in sentence


def test_a_mail_that_is_still_here(store: Store) -> None:
    """Queued, being sent, or never meant to go."""
    reader = subscribed(store)
    issue = published(store)
    assert "waiting, next at 2026-11-20" in answer(store, a_slot(), READER)
    store.deliveries.claim(issue, owner="me", now=NOON, lease_until=NOON + MINUTE, limit=1)
    assert "being sent" in answer(store, a_slot(), READER)
    store.subscribers.suppress(reader, reason="complained", now=NOON)
    later = dataclasses.replace(a_slot(), date=a_slot().date.replace(day=21))
    store.issues.publish(
        dataclasses.replace(an_issue(), slot=later),
        a_rendered(),
        newsletter=a_newsletter(),
        audience=Audience(at=NOON),
        now=NOON,
    )
    assert "left out on purpose: complained" in answer(store, later, READER)


def test_somebody_who_was_no_recipient(store: Store) -> None:
    """Unknown, not confirmed, gone, too late, or a reader of another cadence."""
    published(store)
    assert "nobody of that address" in answer(store, a_slot(), READER)
    store.subscribers.ensure([READER], now=NOON)
    assert "never signed up for daily-papers" in answer(store, a_slot(), READER)
    reader = subscribed(store, confirmed=False)
    assert "has not confirmed" in answer(store, a_slot(), READER)
    subscribed(store, late=True)
    assert "after the issue was published" in answer(store, a_slot(), READER)
    store.subscribers.leave(reader, newsletter="daily-papers", now=NOON + 2 * HOUR)
    assert "left on 2026-11-20" in answer(store, a_slot(), READER)


def test_a_reader_of_another_cadence(store: Store) -> None:
    """Who chose the weekly issue gets no daily one."""
    subscribed(store, cadence="weekly")
    published(store)

    assert "reads the weekly issue" in answer(store, a_slot(), READER)
