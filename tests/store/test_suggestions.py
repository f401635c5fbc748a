"""What readers suggest is kept once, whoever suggests it, within limits, and without them when they are erased."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from newsletter.errors import Conflict, NotFound
from newsletter.store import Store
from newsletter.store.suggestions import APPROVED, DECLINED, WAITING, Allowed, Taken
from tests.builders import DAY, HOUR, NOON, an_entry

ALLOWED = Allowed(most=2, within=DAY, waiting=3)


@pytest.fixture
def readers(store: Store) -> list[int]:
    """Two of them, by number."""
    return store.subscribers.ensure(["ada@example.org", "bob@example.org"], now=NOON)


def add(store: Store, key: str, reader: int, *, hours: float = 0, newsletter: str = "daily", **said: str) -> Taken:
    """Suggest a thing by its key; what came of it."""
    now = NOON + timedelta(hours=hours)
    url = f"https://example.org/{key}"
    return store.suggestions.add(newsletter, key, reader, url=url, allowed=ALLOWED, now=now, **said).taken


def test_one_thing_waits_once(store: Store, readers: list[int]) -> None:
    """With everybody who suggests it, and what they say."""
    ada, bob = readers
    taken = [add(store, "a", ada, title="Ann's"), add(store, "a", ada), add(store, "a", bob, note="Yes!")]

    (one,) = store.suggestions.list("daily", state=WAITING)
    assert taken == [Taken.NEW, Taken.KNOWN, Taken.JOINED]
    assert (one.key, one.title, one.readers, one.notes) == ("a", "Ann's", 2, ("Yes!",))
    assert store.suggestions.waiting() == {"daily": 1}
    assert add(store, "a", ada, newsletter="weekly") is Taken.NEW
    assert [mine.key for mine in store.suggestions.of("daily", bob, limit=9)] == ["a"]


def test_a_reader_suggests_so_much_in_a_time(store: Store, readers: list[int]) -> None:
    """Then it is said when they may again; others may meanwhile."""
    ada, bob = readers
    add(store, "a", ada), add(store, "b", ada, hours=1)

    answer = store.suggestions.add("daily", "c", ada, url="", allowed=ALLOWED, now=NOON + 2 * HOUR)

    assert (answer.taken, answer.again_at) == (Taken.ENOUGH, NOON + DAY)
    assert add(store, "c", bob, hours=2) is Taken.NEW
    assert add(store, "c", ada, hours=2) is Taken.ENOUGH
    assert add(store, "c", ada, hours=24.5) is Taken.JOINED


def test_so_much_waits_and_no_more(store: Store, readers: list[int]) -> None:
    """What waits already can still be joined, and what is decided makes room."""
    ada, bob = readers
    for number in range(3):
        add(store, f"{number}", ada, hours=30 * number)
    assert add(store, "x", bob, hours=90) is Taken.FULL
    assert add(store, "0", bob, hours=90) is Taken.JOINED
    store.suggestions.decide(store.suggestions.list("daily")[0].id, state=DECLINED, who="ann", now=NOON)
    assert add(store, "x", bob, hours=90) is Taken.NEW


def test_limits_hold_when_many_ask_at_once(store: Store, readers: list[int]) -> None:
    """Two at most of ten, by one reader in one moment."""
    with ThreadPoolExecutor(10) as threads:
        taken = list(threads.map(lambda number: add(store, f"{number}", readers[0]), range(10)))

    assert sorted(taken) == [Taken.ENOUGH] * 8 + [Taken.NEW] * 2


def test_the_editors_word_is_kept(store: Store, readers: list[int]) -> None:
    """Who said it and when; it is final, but that what was declined may still be approved."""
    add(store, "a", readers[0])
    (one,) = store.suggestions.list()
    declined = store.suggestions.decide(one.id, state=DECLINED, who="ann", now=NOON)

    assert (declined.state, declined.decided_by, declined.decided_at) == (DECLINED, "ann", NOON)
    assert add(store, "a", readers[1]) is Taken.DECLINED
    with pytest.raises(Conflict, match="declined by ann before"):
        store.suggestions.decide(one.id, state=DECLINED, who="bea", now=NOON)
    store.suggestions.decide(one.id, state=APPROVED, who="bea", now=NOON)
    with pytest.raises(Conflict, match="approved by bea before"):
        store.suggestions.decide(one.id, state=DECLINED, who="ann", now=NOON)
    assert add(store, "a", readers[1]) is Taken.APPROVED
    assert [event.detail for event in store.events.list()][-2:] == [
        "declined suggestion a, by ann",
        "approved suggestion a, by bea",
    ]
    assert [one.state for one in store.suggestions.decided("daily", limit=5)] == [APPROVED]
    with pytest.raises(NotFound):
        store.suggestions.decide(99, state=APPROVED, who="ann", now=NOON)


def test_what_a_source_says_is_kept(store: Store, readers: list[int]) -> None:
    """It is the title then, and nobody is asked again."""
    paper = an_entry(1, source="suggested")
    add(store, paper.key, readers[0], title="mine")
    add(store, "url:https://example.org/", readers[0])
    since = NOON - DAY
    assert store.suggestions.unknown(prefix="arxiv:", since=since, limit=9) == [paper.key]
    assert store.suggestions.unknown(prefix="arxiv:", since=NOON + HOUR, limit=9) == []

    store.suggestions.fill([paper, an_entry(2)])

    assert store.suggestions.unknown(prefix="arxiv:", since=since, limit=9) == []
    assert [(one.title, one.entry) for one in store.suggestions.list()] == [("Paper number 1", paper), ("", None)]


def test_an_erased_reader_leaves_the_link_alone(store: Store, readers: list[int]) -> None:
    """Nothing they said stays, and before that it is in what they get of their data."""
    add(store, "a", readers[0], title="mine", note="because of my work")
    (row,) = store.subscribers.dossier(readers[0])["suggesters"]
    assert (row["url"], row["note"]) == ("https://example.org/a", "because of my work")

    store.subscribers.forget(readers[0])

    (one,) = store.suggestions.list("daily")
    assert (one.readers, one.title, one.notes) == (0, "", ())
    assert add(store, "a", readers[1]) is Taken.JOINED
