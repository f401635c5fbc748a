from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from newsletter.archive import Archive
from newsletter.errors import NotReady
from newsletter.model import Entry
from newsletter.store import Store, open_store
from newsletter.topics.embedders import Learning
from tests.archives import SUBJECTS, a_paper, an_archive, own_words, papers
from tests.builders import HOUR, NOON, a_topic, an_entry


def collected(store: Store, entries: Sequence[Entry]) -> Archive:
    """An archive that has caught up with these."""
    store.entries.add(entries, now=NOON)
    archive = an_archive(store)
    archive.catch_up()
    return archive


def with_vectors(archive: Archive) -> int:
    """The number of stories in the index that can be compared."""
    return int(archive.index().vectors.rows.any(axis=1).sum())


def test_everything_collected_is_filed_and_embedded(store: Store) -> None:
    """All of it at once, and then what is new; what is done is not done again."""
    archive = collected(store, papers(9))
    assert (len(archive.index()), with_vectors(archive)) == (9, 9)
    assert archive.catch_up() == 0
    store.entries.add([a_paper(10, "bread")], now=NOON + HOUR)

    assert archive.catch_up() > 0
    assert (len(archive.index()), with_vectors(archive)) == (10, 10)


def test_a_step_is_bounded(store: Store) -> None:
    """However much waits, a call does about as much as it is asked for, and the next one goes on."""
    store.entries.add([an_entry(number) for number in range(1, 1_001)], now=NOON)
    archive = an_archive(store)

    assert archive.catch_up(most=1) <= 400
    assert len(archive.index()) == 200
    assert archive.catch_up(most=500) >= 500


def test_every_process_compares_alike(store: Store, database_url: str) -> None:
    """A second archive on the same database takes the embedder of the first, and its vectors."""
    first = collected(store, papers(9))
    other = open_store(database_url)
    second = an_archive(other)

    assert second.embedder.version == first.embedder.version
    assert (second.catch_up(), with_vectors(second)) == (0, 9)
    other.close()


def test_more_stories_teach_more(store: Store) -> None:
    """At the next stage the embedder learns anew, and all vectors are of what it learned then, in every process."""
    archive = collected(store, papers(49))
    reader = an_archive(store)
    assert with_vectors(reader) == 49
    before = archive.embedder.version
    store.entries.add([a_paper(50, "stars")], now=NOON)
    archive.catch_up()

    assert archive.embedder.version != before
    assert reader.embedder.version == archive.embedder.version
    assert (with_vectors(archive), with_vectors(reader)) == (50, 50)


def test_one_teacher(store: Store) -> None:
    """Of two archives that learn at once one is kept, and both go on with it."""
    store.entries.add(papers(9), now=NOON)
    first = an_archive(store)
    store.stories.file(first._described, most=99)

    def slow(kept: bytes, *, stories: int, texts: Callable[[int], Sequence[str]]) -> Learning:
        learned = own_words(kept, stories=stories, texts=lambda _: ["something else altogether"] if not kept else [])
        if not kept:
            assert first.embedder
        return learned

    second = Archive(store, current=slow)

    assert second.embedder.version == first.embedder.version


def test_words_answer_before_vectors_are_there(store: Store) -> None:
    """Stories whose vector is of another version, or of none, are in the index all the same."""
    archive = collected(store, papers(3))
    store.entries.add([a_paper(4, "bread")], now=NOON)
    store.stories.file(archive._described, most=9)

    assert (len(archive.index()), with_vectors(archive)) == (4, 3)


def test_topics_are_assigned_as_stories_come(store: Store) -> None:
    """Each story has the topic it belongs to, "" where there is none."""
    topics = [a_topic("birds", "songbird", "nest", about=SUBJECTS["birds"]), a_topic("bread", "dough", "loaf")]
    store.entries.add(papers(30), now=NOON)
    archive = an_archive(store, topics=topics)
    archive.catch_up()
    index = archive.index()

    stories = archive.stories(index.ids.tolist())
    assert {story.title.split(",")[0]: index.of(number)[1].topic for number, story in stories.items()} == {
        "Birds": "birds",
        "Bread": "bread",
        "Stars": "",
    }


def test_the_day_of_a_story(store: Store) -> None:
    """When it was published. A day to come is not believed, and where none is told the first sight counts."""
    entries = [
        an_entry(1, published=NOON - timedelta(days=400)),
        an_entry(2, published=NOON + timedelta(days=400)),
        an_entry(3, published=None),
    ]
    index = collected(store, entries).index()

    assert [index.of(story)[0] for story in (1, 2, 3)] == [
        (NOON - timedelta(days=400)).date(),
        NOON.date(),
        NOON.date(),
    ]


def test_recent_stories_have_their_vectors(store: Store) -> None:
    """As they are kept: what compose compares the day with."""
    archive = collected(store, papers(6))
    recent = archive.recent(2)

    assert [story.title for story in recent.stories] == ["Birds, part 6", "Stars, part 5"]
    assert (recent.vectors**2).sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_bad_entries_do_no_harm(store: Store) -> None:
    """An empty abstract, one of a megabyte, other scripts, hundreds of authors, thousands of one title."""
    entries = [
        an_entry(1, title="", summary="", authors=()),
        an_entry(2, summary="word " * 200_000),
        an_entry(3, title="大语言模型", summary="我们研究。", authors=("王小明",)),
        an_entry(4, title="تعلم الآلة 🙂", summary="\u202e\u0301" * 50),
        an_entry(5, authors=tuple(f"Author Number{number}" for number in range(2_664))),
        *(an_entry(number, title="The same title", summary="") for number in range(6, 506)),
    ]
    archive = collected(store, entries)

    assert len(archive.index()) == 505
    assert len(store.stories.words.texts([2])[2]) < 30_000


def test_nobody_waits_for_the_first_reading(store: Store) -> None:
    """Who searches while another thread reads a large archive hears of it; afterwards it answers."""
    collected(store, papers(3))
    begun, go_on = threading.Event(), threading.Event()

    def slow(kept: bytes, *, stories: int, texts: Callable[[int], Sequence[str]]) -> Learning:
        begun.set()
        go_on.wait(30)
        return own_words(kept, stories=stories, texts=texts)

    archive = Archive(store, current=slow)
    reading = threading.Thread(target=archive.index)
    reading.start()
    begun.wait(30)
    with pytest.raises(NotReady):
        archive.index()
    go_on.set()
    reading.join()

    assert len(archive.index()) == 3
