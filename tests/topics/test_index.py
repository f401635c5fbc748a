from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from newsletter.topics.index import Index, Placed, Shelf, Wanted
from newsletter.topics.vectors import packed

FIRST = date(2026, 1, 1)


def placed(story: int, *, day: int = 0, topic: str = "", sources: tuple[str, ...] = ("feed",)) -> Placed:
    """A story on a day of January, its vector made of its number."""
    vector = packed(np.array([[np.cos(story), np.sin(story)]], np.float32))[0]
    return Placed(story, FIRST + timedelta(days=day), Shelf(topic, sources), vector)


def an_index(*stories: Placed) -> Index:
    """An index of these."""
    return Index.empty(2).joined(stories)


def ids(index: Index, wanted: Wanted) -> list[int]:
    """The stories that are wanted."""
    mask = index.marked(wanted)
    return list((index.ids if mask is None else index.ids[mask]).tolist())


def test_rows_stand_by_id() -> None:
    """In whatever order stories come, a row is found by its id, and ids that nobody has are left out."""
    index = an_index(placed(30), placed(10)).joined([placed(20)])

    assert index.ids.tolist() == [10, 20, 30]
    assert index.places([30, 5, 10, 10**9]).tolist() == [2, 0]


def test_a_story_is_replaced() -> None:
    """One that comes again takes the place of what it was, with all of it."""
    before = an_index(placed(1), placed(2, topic="old"), placed(3))
    after = before.joined([placed(2, day=5, topic="new", sources=("other",))])

    assert len(after) == 3
    assert after.of(2) == (FIRST + timedelta(days=5), Shelf("new", ("other",)))
    assert ids(after, Wanted(topics=frozenset({"old"}))) == []
    assert ids(before, Wanted(topics=frozenset({"old"}))) == [2]
    assert before.joined([]) is before


def test_everything_is_wanted_by_default() -> None:
    """No filter, no mask."""
    assert an_index(placed(1)).marked(Wanted()) is None


def test_filters() -> None:
    """By days, both included, by topics and sources, any of each, and by ids; all that are given must fit."""
    index = an_index(
        placed(1, day=1, topic="birds"),
        placed(2, day=2, topic="bread", sources=("feed", "other")),
        placed(3, day=3, topic="stars", sources=("other",)),
    )
    second = FIRST + timedelta(days=2)

    assert ids(index, Wanted(since=second)) == [2, 3]
    assert ids(index, Wanted(until=second)) == [1, 2]
    assert ids(index, Wanted(topics=frozenset({"birds", "stars"}))) == [1, 3]
    assert ids(index, Wanted(sources=frozenset({"feed"}))) == [1, 2]
    assert ids(index, Wanted(ids=[3, 1, 99])) == [1, 3]
    assert ids(index, Wanted(ids=[])) == []
    assert ids(index, Wanted(since=second, sources=frozenset({"feed"}), topics=frozenset({"bread"}))) == [2]


def test_the_latest_come_first() -> None:
    """By day, then by when they came."""
    index = an_index(placed(1, day=3), placed(2, day=1), placed(3, day=3), placed(4, day=2))

    assert index.latest(Wanted(), 3) == [3, 1, 4]
    assert index.latest(Wanted(until=FIRST + timedelta(days=2)), 9) == [4, 2]
    assert Index.empty(2).latest(Wanted(), 3) == []


def test_what_was_made_of_rows_goes_on() -> None:
    """An index that was asked before answers as one that is made anew, after stories came, changed and came between."""
    stories = [placed(number) for number in range(10, 60)]
    index = an_index(*stories)
    index.prepare()
    for some in ([placed(70)], [placed(12, topic="new"), placed(5)], [placed(number) for number in range(80, 120)]):
        index = index.joined(some)
        stories = list({one.id: one for one in [*stories, *some]}.values())
    anew = an_index(*stories)
    question = np.array([0.6, 0.8], np.float32)
    rows = np.arange(len(anew))

    assert index.ids.tolist() == anew.ids.tolist()
    assert np.array_equal(index.vectors.likeness(question, rows), anew.vectors.likeness(question, rows))
    assert np.array_equal(index.vectors.standard(question, rows), anew.vectors.standard(question, rows))
