from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.store import Store
from newsletter.store.enrolment import Entrant
from newsletter.store.schema import applications, subscriptions
from tests.builders import HOUR, NOON


def enrol(store: Store, *people: Entrant | str, confirmed: bool = True) -> list[str]:
    """Import people into Daily Papers."""
    listed = [Entrant(email=who, evidence="list.csv") if isinstance(who, str) else who for who in people]
    return store.subscribers.enrol(listed, newsletter="daily-papers", confirmed=confirmed, now=NOON)


def left(email: str) -> Entrant:
    """Somebody who left there."""
    return Entrant(email=email, state="left", evidence="list.csv")


def states(store: Store) -> dict[str, str]:
    """The state of each reader."""
    return {who.email: who.state for who in store.subscribers.list("daily-papers")}


def log(store: Store, email: str) -> list[tuple[str, str, str]]:
    """What happened to somebody."""
    events = store.events.list(subscriber=store.subscribers.get(email))
    return [(event.kind, event.newsletter, event.detail) for event in events]


def test_a_list_is_enrolled_once(store: Store) -> None:
    """Enrolling a list again adds nobody and no event."""
    assert enrol(store, "a@example.org", "b@example.org") == ["added", "added"]
    assert enrol(store, "a@example.org", "B@example.org", "c@example.org") == ["known", "known", "added"]
    assert states(store) == dict.fromkeys(("a@example.org", "b@example.org", "c@example.org"), "confirmed")
    assert log(store, "a@example.org") == [("confirmed", "daily-papers", "list.csv")]


def test_nobody_is_enrolled_in_nothing(store: Store) -> None:
    """An empty batch is nothing to do."""
    assert enrol(store) == []


def test_an_address_that_is_listed_twice(store: Store) -> None:
    """Two rows of one address are one reader, who has left if one of them says so."""
    assert enrol(store, "a@example.org", "A@example.org") == ["added", "known"]
    assert enrol(store, "b@example.org", left("B@EXAMPLE.org")) == ["left", "left"]
    assert states(store) == {"a@example.org": "confirmed", "b@example.org": "left"}


def test_who_agreed_there_need_not_confirm(store: Store) -> None:
    """A list of people who agreed confirms those who wait here, but not those who wait there."""
    assert enrol(store, "a@example.org", "b@example.org", confirmed=False) == ["added", "added"]
    waiting = Entrant(email="b@example.org", state="pending")
    assert enrol(store, "a@example.org", waiting, Entrant(email="c@example.org", state="pending")) == [
        "confirmed",
        "known",
        "added",
    ]
    assert states(store) == {"a@example.org": "confirmed", "b@example.org": "pending", "c@example.org": "pending"}
    assert enrol(store, "a@example.org", confirmed=False) == ["known"]
    assert states(store)["a@example.org"] == "confirmed"


def test_who_left_stays_away(store: Store) -> None:
    """No list brings back somebody who left here or there."""
    enrol(store, "a@example.org", left("b@example.org"))
    store.subscribers.leave(store.subscribers.get("a@example.org"), newsletter="daily-papers", how="link", now=NOON)

    assert enrol(store, "a@example.org", "b@example.org") == ["left", "left"]
    assert set(states(store).values()) == {"left"}
    assert log(store, "a@example.org")[1:] == [("left", "daily-papers", "link")]
    assert log(store, "b@example.org") == [("left", "daily-papers", "list.csv")]


def test_who_left_there_leaves_here(store: Store) -> None:
    """A list of those who left takes them away, also after they were imported as readers."""
    enrol(store, "a@example.org", "b@example.org")

    assert enrol(store, left("a@example.org")) == ["left"]
    assert states(store) == {"a@example.org": "left", "b@example.org": "confirmed"}


def test_who_came_back_by_themselves_stays(store: Store) -> None:
    """An old list in which somebody left does not take them away again once they came back here."""
    enrol(store, left("a@example.org"))
    reader = store.subscribers.get("a@example.org")
    with store.db.writing() as connection:  # as a confirmed link does
        connection.execute(subscriptions.update().where(subscriptions.c.subscriber == reader).values(state="confirmed"))

    assert enrol(store, left("a@example.org")) == ["known"]
    assert states(store) == {"a@example.org": "confirmed"}


def test_suppressed_there_is_suppressed_here(store: Store) -> None:
    """An address that takes no mail is never written to, and no list changes that."""
    bounced = Entrant(email="a@example.org", state="left", suppressed="cleaned", evidence="list.csv")
    enrol(store, "a@example.org")
    assert enrol(store, bounced, Entrant(email="b@example.org", suppressed="spam", evidence="x")) == ["left", "added"]
    enrol(store, "a@example.org", bounced, "b@example.org")

    assert [who.suppressed for who in store.subscribers.list("daily-papers")] == ["cleaned", "spam"]
    assert log(store, "a@example.org")[1:] == [
        ("left", "daily-papers", "list.csv"),
        ("suppressed", "", "cleaned; list.csv"),
    ]


def test_another_newsletter_is_another_matter(store: Store) -> None:
    """Who left one newsletter may be imported into another; a person is one whatever they read."""
    enrol(store, left("a@example.org"))
    people = [Entrant(email="a@example.org", name="Other")]

    assert store.subscribers.enrol(people, newsletter="weekly", confirmed=True, now=NOON) == ["added"]
    assert len({who.id for who in store.subscribers.list()}) == 1


def test_pages_of_readers(store: Store) -> None:
    """Each page goes on after the last, with filters by state and part of an address that are taken by the letter."""
    enrol(store, *(f"reader{number}@example.org" for number in range(5)), left("gone_1@example.org"), "goneX1@x.org")
    store.subscribers.suppress(store.subscribers.get("reader3@example.org"), reason="bounced", now=NOON)

    def page(**wanted: object) -> list[str]:
        found = store.subscribers.page(newsletter="daily-papers", **wanted)  # type: ignore[arg-type]
        return [who.email for who in found]

    first = store.subscribers.page(newsletter="daily-papers", limit=2)
    assert page(after=first[-1].id, limit=2) == [who.email for who in list(store.subscribers.each("daily-papers"))[2:4]]
    assert len(page()) == 7
    assert page(state="left") == ["gone_1@example.org"]
    assert page(state="suppressed") == ["reader3@example.org"]
    assert page(like="GONE_1@") == ["gone_1@example.org"]
    assert page(like="%") == []
    assert page(after=10**9) == []
    found = store.subscribers.each("daily-papers", state="confirmed", like="@X.org")
    assert [who.email for who in found] == ["goneX1@x.org"]


def test_everything_that_is_kept_on_a_person(store: Store) -> None:
    """A dossier has the rows of every table on a person, and nobody else's."""
    enrol(store, "a@example.org", "b@example.org")
    reader = store.subscribers.get("a@example.org")
    store.subscribers.leave(reader, newsletter="daily-papers", how="link", now=NOON + HOUR)

    kept = store.subscribers.dossier(reader)

    assert set(kept) >= {"subscribers", "subscriptions", "deliveries", "events"}
    assert [row["email"] for row in kept["subscribers"]] == ["a@example.org"]
    assert [(row["state"], row["since"]) for row in kept["subscriptions"]] == [("left", NOON + HOUR)]
    assert [row["detail"] for row in kept["events"]] == ["list.csv", "link"]
    assert store.subscribers.dossier(10**6)["subscribers"] == []


@pytest.mark.parametrize("name", ['Ann "the first", Countess', "a\nb", "愛 \u202e", "=1+1"])
def test_names_are_kept_as_they_are(store: Store, name: str) -> None:
    """A name is text."""
    enrol(store, Entrant(email="a@example.org", name=name, timezone="Europe/Paris", cadence="weekly"))

    (who,) = store.subscribers.list("daily-papers")
    assert (who.name, who.timezone, who.cadence) == (name, "Europe/Paris", "weekly")


def test_what_forms_asked_for_is_part_of_a_person(store: Store) -> None:
    """What was asked by a form in somebody's name is in the dossier, and is erased with them; nobody else's is."""
    enrol(store, "A@example.org", "b@example.org")
    form = {"at": NOON, "wish": "subscribe", "newsletter": "daily-papers", "due_at": NOON}
    with store.db.writing() as connection:
        rows = [{**form, "email": email, "mailbox": email} for email in ("a@example.org", "b@example.org")]
        connection.execute(applications.insert(), rows)
    first, second = (store.subscribers.get(email) for email in ("a@example.org", "b@example.org"))

    assert [row["email"] for row in store.subscribers.dossier(first)["applications"]] == ["a@example.org"]
    store.subscribers.forget(first)
    with store.db.reading() as connection:
        assert connection.execute(sa.select(applications.c.email)).scalars().all() == ["b@example.org"]
    assert [row["email"] for row in store.subscribers.dossier(second)["applications"]] == ["b@example.org"]
    assert store.subscribers.dossier(first)["applications"] == []
