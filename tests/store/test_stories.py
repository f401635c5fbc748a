from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from newsletter.model import Signals
from newsletter.store import Store, open_store
from newsletter.store.entries import Seen
from newsletter.store.stories import Filed, Filing, Made
from newsletter.store.words import Held
from tests.builders import HOUR, NOON, an_entry

V1, V2 = "embedder/1", "embedder/2"


def describe(told: Mapping[str, Sequence[Seen]]) -> list[Filing]:
    """The title as words and as text, the sources as they are."""
    return [
        Filing(
            key=key,
            day=seen[0].first_seen.date(),
            sources=tuple(one.entry.source for one in seen),
            held=Held(words=seen[0].entry.title.lower(), authors=""),
            digest=seen[0].entry.title,
        )
        for key, seen in told.items()
    ]


def file(store: Store) -> int:
    """File everything, in steps of two."""
    done = 0
    while step := store.stories.file(describe, most=2):
        done += step
    return done


def embed(store: Store, version: str = V1) -> int:
    """A vector for each story that lacks one."""
    bare = store.stories.bare(version, most=100)
    store.stories.put({one: Made(bytes([one.id, 1]), "birds") for one in bare}, embedder=version)
    return len(bare)


def since(store: Store, revision: int = 0, version: str = V1) -> list[Filed]:
    """What was written after a revision."""
    return store.stories.since(revision, embedder=version, most=100)


def test_what_is_collected_waits_to_be_filed(store: Store) -> None:
    """New entries and those whose text changed, not those that were seen again with other signals."""
    store.entries.add([an_entry(1), an_entry(2)], now=NOON)
    assert store.stories.waiting()
    assert file(store) == 2
    store.entries.add([an_entry(1, signals=Signals(upvotes=99)), an_entry(2)], now=NOON + HOUR)
    assert not store.stories.waiting()
    store.entries.add([an_entry(1, title="Another title"), an_entry(3)], now=NOON + HOUR)

    assert file(store) == 2
    assert not store.stories.waiting()
    ids = store.stories.find(["arxiv:2611.00001", "arxiv:2611.00003"])
    assert [store.stories.words.holding(word, 9) for word in ("another", "3")] == [[story] for story in ids.values()]


def test_entries_of_one_key_are_one_story(store: Store) -> None:
    """Whatever number of sources has it; a further source is added to it."""
    store.entries.add([an_entry(1)], now=NOON)
    file(store)
    store.entries.add([an_entry(1, source="arxiv-ai")], now=NOON)
    file(store)

    (filed,) = since(store)
    assert filed.sources == ("hf-daily", "arxiv-ai")
    assert filed.day == date(2026, 11, 20)
    (told,) = store.stories.told([filed.id]).values()
    assert [seen.entry.source for seen in told] == ["hf-daily", "arxiv-ai"]


def test_a_vector_stays_with_its_text(store: Store) -> None:
    """It is made once, stays when a source is added, and is made anew when the text changes."""
    store.entries.add([an_entry(1), an_entry(2)], now=NOON)
    file(store)
    assert (embed(store), embed(store)) == (2, 0)
    store.entries.add([an_entry(1, source="arxiv-ai"), an_entry(2, title="Another title")], now=NOON)
    file(store)

    stories = {filed.id: filed for filed in since(store)}
    assert (stories[1].vector, stories[1].topic) == (bytes([1, 1]), "birds")
    assert (stories[2].vector, stories[2].topic) == (None, "")
    assert embed(store) == 1
    assert store.stories.latest(V1, most=1) == {2: bytes([2, 1])}


def test_vectors_are_of_one_version(store: Store) -> None:
    """Those of another embedder are not given out, and are made anew bit by bit."""
    store.entries.add([an_entry(1), an_entry(2)], now=NOON)
    file(store)
    embed(store)

    assert [filed.vector for filed in since(store, version=V2)] == [None, None]
    (one,) = store.stories.bare(V2, most=1)
    store.stories.put({one: Made(b"new", "")}, embedder=V2)
    assert sorted(filed.vector or b"" for filed in since(store, version=V2)) == [b"", b"new"]
    assert embed(store, V2) == 1


def test_a_vector_of_a_text_that_changed_meanwhile_is_dropped(store: Store) -> None:
    """What was embedded before the text changed is no vector of the story as it is now."""
    store.entries.add([an_entry(1)], now=NOON)
    file(store)
    (before,) = store.stories.bare(V1, most=9)
    store.entries.add([an_entry(1, title="Another title")], now=NOON)
    file(store)
    store.stories.put({before: Made(b"stale", "birds")}, embedder=V1)

    assert [(filed.vector, filed.topic) for filed in since(store)] == [(None, "")]


def test_every_change_has_a_later_revision(store: Store) -> None:
    """An index that knows everything up to one hears of everything after it, once."""
    store.entries.add([an_entry(1), an_entry(2)], now=NOON)
    file(store)
    first = since(store)
    embed(store)
    second = since(store, first[-1].revision)

    assert [filed.id for filed in second] == [1, 2]
    assert since(store, second[-1].revision) == []
    assert store.stories.since(0, embedder=V1, most=1) == second[:1]


def test_a_crash_while_filing_loses_nothing(store: Store) -> None:
    """Nothing of a step is kept that did not end; the next one does all of it."""
    store.entries.add([an_entry(1)], now=NOON)

    def crash(_: Mapping[str, Sequence[Seen]]) -> list[Filing]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.stories.file(crash, most=9)

    assert since(store) == []
    assert file(store) == 1


def test_the_archive_is_rebuilt_from_the_entries(store: Store) -> None:
    """Everything is made again, ids stay, and what no entry has is gone."""
    store.entries.add([an_entry(number) for number in range(1, 4)], now=NOON)
    file(store)
    embed(store)
    with store.db.writing() as connection:
        connection.exec_driver_sql("DELETE FROM snapshots")
        connection.exec_driver_sql("DELETE FROM entries WHERE key = 'arxiv:2611.00002'")
    store.stories.refile()

    assert store.stories.words.holding("paper", 9) == []
    assert file(store) == 3
    assert store.stories.words.holding("paper", 9) == [3, 1]
    assert store.stories.find(["arxiv:2611.00001", "arxiv:2611.00002"]) == {"arxiv:2611.00001": 1}
    assert embed(store) == 2


def test_two_processes_file_everything_once(store: Store, database_url: str) -> None:
    """Side by side they leave one story for each key, and revisions without a gap that a reader could miss."""
    store.entries.add([an_entry(number) for number in range(1, 31)], now=NOON)
    barrier = threading.Barrier(2)

    def race() -> None:
        opened = open_store(database_url)
        barrier.wait()
        file(opened)
        opened.close()

    threads = [threading.Thread(target=race) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [filed.revision for filed in since(store)] == list(range(1, 31))
    assert len(store.stories.words.holding("paper", 99)) == 30


def test_what_is_gone_is_absent(store: Store) -> None:
    """Ids and keys that no story has are left out."""
    store.entries.add([an_entry(1)], now=NOON)
    file(store)

    assert list(store.stories.told([99, 1])) == [1]
    assert store.stories.told([]) == {}
    assert store.stories.find(["nothing"]) == {}
    assert store.stories.first(9) == [1]
