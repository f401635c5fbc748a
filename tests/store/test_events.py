"""The log of events, on both databases: what was written stays."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.store import Store
from newsletter.store.events import Event
from newsletter.store.subscribers import Applicant
from tests.builders import NOON

READER = "reader@example.org"
REWRITTEN = [
    "UPDATE events SET detail = 'by their own wish'",
    "UPDATE events SET detail = ''",
    "UPDATE events SET kind = 'left'",
    "UPDATE events SET newsletter = 'another'",
    "UPDATE events SET at = (SELECT MAX(created_at) FROM subscribers)",
    "UPDATE events SET id = id + 1000",
    "UPDATE events SET subscriber = NULL",
    "UPDATE events SET subscriber = (SELECT MAX(id) FROM subscribers)",
    "UPDATE events SET subscriber = (SELECT MAX(id) FROM subscribers), detail = ''",
    "DELETE FROM events",
    "DELETE FROM events WHERE kind = 'confirmed'",
    "DELETE FROM subscribers",  # whoever is in the log is erased there first
]
OF_EACH = {
    "sqlite": ["INSERT OR REPLACE INTO events SELECT * FROM events"],
    "postgresql": ["TRUNCATE events"],
}


def log(store: Store) -> list[Event]:
    """Everything that ever happened."""
    return store.events.list()


@pytest.fixture
def logged(store: Store) -> Store:
    """A store in which somebody joined, and somebody else came later."""
    for email, hour in ((READER, 12), ("other@example.org", 13)):
        people, now = [Applicant(email=email)], NOON.replace(hour=hour)
        store.subscribers.add(people, newsletter="daily-papers", confirmed=True, how="form, 10.0.0.0/24", now=now)
    return store


def test_nothing_that_was_logged_is_rewritten(logged: Store) -> None:
    """The database itself refuses every change and every deletion, and says why."""
    before = log(logged)

    for statement in (*REWRITTEN, *OF_EACH[logged.db.engine.dialect.name]):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), logged.db.writing() as connection:
            connection.execute(sa.text(statement))

    assert log(logged) == before


def test_erasing_somebody_takes_them_out_of_the_log(logged: Store) -> None:
    """What happened and when stays, without a person and without the words that may name one; nobody else's changes."""
    joined, other = log(logged)

    logged.subscribers.forget(logged.subscribers.get(READER))

    erased = Event(at=joined.at, kind="confirmed", newsletter="daily-papers")
    assert log(logged) == [erased, other]
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), logged.db.writing() as connection:
        connection.execute(sa.text("UPDATE events SET subscriber = (SELECT MAX(id) FROM subscribers)"))
    assert log(logged) == [erased, other]
