from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from newsletter.errors import NotFound
from newsletter.model import Preferences
from newsletter.store import Store
from newsletter.store.subscribers import Applicant
from tests.builders import NOON


def add(store: Store, *emails: str, confirmed: bool = True) -> list[str]:
    """Add readers of Daily Papers."""
    applicants = [Applicant(email=email, timezone="Europe/Paris") for email in emails]
    return store.subscribers.add(applicants, newsletter="daily-papers", confirmed=confirmed, how="test", now=NOON)


def test_two_spellings_are_one_reader(store: Store) -> None:
    """An address in other letters is the same reader."""
    assert add(store, "Reader@Example.org", "reader@example.org") == ["added", "known"]
    assert [who.email for who in store.subscribers.list("daily-papers")] == ["Reader@Example.org"]
    assert store.subscribers.find("READER@example.ORG") == store.subscribers.get("reader@example.org")


def test_pending_becomes_confirmed(store: Store) -> None:
    """A reader who waits for confirmation can be confirmed, and never goes back to waiting."""
    assert add(store, "a@example.org", confirmed=False) == ["added"]
    assert add(store, "a@example.org") == ["confirmed"]
    assert add(store, "a@example.org", confirmed=False) == ["known"]
    assert [who.state for who in store.subscribers.list("daily-papers")] == ["confirmed"]


def test_whoever_left_stays_away(store: Store) -> None:
    """Adding somebody who left does not bring them back."""
    add(store, "a@example.org")
    store.subscribers.leave(store.subscribers.get("a@example.org"), newsletter="daily-papers", now=NOON)

    assert add(store, "a@example.org") == ["left"]
    assert [who.state for who in store.subscribers.list("daily-papers")] == ["left"]


def test_consent_leaves_a_trace(store: Store) -> None:
    """Every change of consent is an event, with how it came about."""
    add(store, "a@example.org", confirmed=False)
    add(store, "a@example.org")
    number = store.subscribers.get("a@example.org")
    store.subscribers.leave(number, newsletter="daily-papers", now=NOON)

    events = store.events.list(subscriber=number)

    assert [(event.kind, event.detail) for event in events] == [
        ("pending", "test"),
        ("confirmed", "test"),
        ("left", ""),
    ]


def test_forgetting_erases_a_person(store: Store) -> None:
    """Nothing is left of somebody who asked to be forgotten, and their number is not given to the next one."""
    add(store, "a@example.org")
    number = store.subscribers.get("a@example.org")
    store.subscribers.forget(number)
    add(store, "b@example.org")

    assert store.subscribers.find("a@example.org") is None
    assert store.subscribers.get("b@example.org") > number
    assert store.events.list(subscriber=number) == []


def test_zones_of_the_confirmed(store: Store) -> None:
    """The time zones of a newsletter are those of its confirmed readers."""
    add(store, "a@example.org")
    add(store, "b@example.org", confirmed=False)

    assert store.subscribers.timezones("daily-papers") == {"Europe/Paris"}
    assert store.subscribers.timezones("another") == set()


def test_languages_of_the_confirmed(store: Store) -> None:
    """Those that confirmed readers of a newsletter chose, each once; words that look like a choice are none."""
    add(store, *(f"{name}@example.org" for name in ("german", "too", "any", "left", "words", "other")))
    add(store, "pending@example.org", confirmed=False)

    def choose(name: str, **changes: Any) -> None:
        number, preferences = store.subscribers.get(f"{name}@example.org"), Preferences(**changes)
        store.subscribers.choose(number, "daily-papers", preferences, how="form", now=NOON)

    for name in ("german", "too"):
        choose(name, language="de", topics=(name,))
    choose("left", language="fr")
    store.subscribers.leave(store.subscribers.get("left@example.org"), newsletter="daily-papers", now=NOON)
    choose("pending", language="fr")
    choose("words", include=('"language": "fr"',))
    choose("other", language="x-\N{SNOWMAN}")

    assert store.subscribers.languages("daily-papers") == {"de", "x-\N{SNOWMAN}"}
    assert store.subscribers.languages("another") == set()


def test_an_unknown_address(store: Store) -> None:
    """Asking for an address nobody has says so."""
    with pytest.raises(NotFound, match="nobody@example.org"):
        store.subscribers.get("nobody@example.org")


def test_choices_come_back(store: Store) -> None:
    """What a reader chose is what they have; who never chose has what the newsletter gives."""
    add(store, "a@example.org", "b@example.org")
    reader, other = (store.subscribers.get(f"{letter}@example.org") for letter in "ab")
    chosen = Preferences(
        topics=("models",),
        include=("LLM",),
        exclude=("crypto", "Ä & Ö"),
        authors=("Ada Lovelace",),
        cadence="weekly",
        hour=6,
        timezone="Asia/Tokyo",
        language="fr",
        stories=5,
        paused_until=date(2026, 12, 24),
    )

    assert store.subscribers.choose(reader, "daily-papers", chosen, how="test", now=NOON)
    assert not store.subscribers.choose(reader, "another", chosen, how="test", now=NOON)

    assert store.subscribers.preferences([reader, other, 999], "daily-papers") == {
        reader: chosen,
        other: Preferences(timezone="Europe/Paris"),
    }
    assert store.subscribers.hours("daily-papers") == {("Asia/Tokyo", 6)}
    assert [event.kind for event in store.events.list(subscriber=reader)] == ["confirmed", "preferences"]


def test_leaving_is_one_event(store: Store) -> None:
    """However often it is asked; also by one who never signed up; nobody erased comes back."""
    add(store, "a@example.org")
    reader = store.subscribers.get("a@example.org")
    (stranger,) = store.subscribers.ensure(["b@example.org"], now=NOON)

    left = [store.subscribers.leave(reader, newsletter="daily-papers", now=NOON) for _ in range(3)]

    assert left == [True, False, False]
    assert [event.kind for event in store.events.list(subscriber=reader)] == ["confirmed", "left"]
    assert store.subscribers.leave(stranger, newsletter="daily-papers", now=NOON)
    assert not store.subscribers.leave(999, newsletter="daily-papers", now=NOON)
