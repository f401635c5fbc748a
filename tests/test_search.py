from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from newsletter.archive import Archive
from newsletter.errors import NotFound
from newsletter.search import Filters, Found, for_you, search
from newsletter.store import Store
from tests.archives import a_paper, an_archive, papers
from tests.builders import NOON, TODAY, a_topic, an_entry

LISTED = "title:birds part 3"


@pytest.fixture
def archive(store: Store) -> Archive:
    """Nine papers about three subjects: birds are 3, 6, 9, bread 1, 4, 7, stars 2, 5, 8."""
    store.entries.add(papers(9), now=NOON)
    opened = an_archive(store, topics=[a_topic("baking", "dough", "loaves", "oven")])
    opened.catch_up()
    return opened


def numbers(found: Sequence[Found]) -> list[int]:
    """The numbers of the papers that were found, in order."""
    return [int(one.story.key[-5:]) for one in found]


def test_the_best_come_first(archive: Archive) -> None:
    """By a word of their text, by one that means the same, by their title."""
    assert set(numbers(search(archive, "nests", limit=3))) == {3, 6, 9}
    assert numbers(search(archive, "stars part 5"))[0] == 5
    found = search(archive, "sourdough loaves", limit=3)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_nothing_asked_the_latest_answer(archive: Archive) -> None:
    """By the day they were published."""
    assert numbers(search(archive, limit=4)) == [1, 2, 3, 4]
    assert numbers(search(archive, "  ", limit=1)) == [1]


def test_no_question_is_an_error(archive: Archive) -> None:
    """Whatever is typed, there is an answer."""
    for text in ("'", '"', '" OR 1=1 --', "NEAR(a, b)", "words:*", "🙂", "大语言模型", "نص", "\0", "a" * 10_000):
        assert len(search(archive, text)) <= 9, text


def test_filters(archive: Archive) -> None:
    """Days include their ends; topics, sources and authors narrow what answers, with a question and without."""
    days = Filters(since=TODAY - timedelta(days=5), until=TODAY - timedelta(days=4))

    assert numbers(search(archive, filters=days)) == [4, 5]
    assert numbers(search(archive, "stars", filters=days))[0] == 5
    assert set(numbers(search(archive, filters=Filters(topics=("baking",))))) == {1, 4, 7}
    assert numbers(search(archive, "night", filters=Filters(author="Ada Number6"))) == [6]
    assert numbers(search(archive, filters=Filters(author="number6"))) == [6]
    assert len(search(archive, filters=Filters(author="hopper"))) == 9
    assert search(archive, "night", filters=Filters(author="Nobody")) == []
    assert search(archive, "night", filters=Filters(sources=("other",))) == []
    assert search(archive, "night", filters=Filters(since=date.max)) == []
    assert len(search(archive, "night", filters=Filters(sources=("hf-daily", "other")))) == 9


def test_more_like_one(archive: Archive) -> None:
    """Named by its key, id or address, a story finds others of its subject, and not itself."""
    for name in ("arxiv:2611.00003", "2611.00003v2", "https://arxiv.org/abs/2611.00003"):
        assert set(numbers(search(archive, like=[name], limit=2))) == {6, 9}, name


def test_more_like_several(archive: Archive) -> None:
    """Those like any of them come before the others; words may be added."""
    found = numbers(search(archive, like=["2611.00003", "2611.00001"]))

    assert set(found[:4]) == {6, 9, 4, 7}
    assert not {3, 1} & set(found)
    assert numbers(search(archive, "telescopes", like=["2611.00003"]))[0] in {2, 5, 6, 8, 9}


def test_for_somebody_who_liked_and_disliked(archive: Archive) -> None:
    """Like what was liked, unlike what was not; none of these, and within the filters."""
    liked = for_you(archive, ["2611.00003", "2611.00001"])
    assert set(numbers(liked)[:4]) == {6, 9, 4, 7}
    assert not {3, 1} & set(numbers(liked))
    spurned = for_you(archive, ["2611.00003", "2611.00001"], unlike=["2611.00004"], limit=2)
    assert set(numbers(spurned)) == {6, 9}
    assert numbers(for_you(archive, ["2611.00003"], filters=Filters(topics=("baking",)), limit=1))[0] in {1, 4, 7}
    with pytest.raises(NotFound, match="no story"):
        for_you(archive, ["2611.00003"], unlike=["2699.99999"])


def test_more_like_what_is_not_there(archive: Archive) -> None:
    """The name is told."""
    for name in ("2699.99999", "no such title", "", "\0", "https://example.org/nothing"):
        with pytest.raises(NotFound, match="no story"):
            search(archive, like=[name])


def test_one_story_from_two_sources_is_one_answer(archive: Archive, store: Store) -> None:
    """Under one key, under an alias, or known by its title only: one answer with all its sources, where the best is."""
    named = a_paper(3, "birds", source="arxiv-ai", aliases=("doi:10.1/x",))
    aliased = a_paper(3, "birds", key="doi:10.1/x", source="blog", url="https://example.org/x")
    titled = a_paper(3, "birds", key=LISTED, source="saved", url="")
    store.entries.add([named, aliased, titled], now=NOON)
    archive.catch_up()

    (first, *others) = search(archive, "birds part 3")
    assert first.story.key == "arxiv:2611.00003"
    assert {mention.source for mention in first.story.mentions} == {"hf-daily", "arxiv-ai", "blog", "saved"}
    assert not any(one.story.title == first.story.title for one in others)


def test_as_many_as_asked_for(archive: Archive) -> None:
    """Never more, and all there are if that is less."""
    assert len(search(archive, "night", limit=2)) == 2
    assert len(search(archive, "night", limit=1_000)) == 9


def test_what_was_collected_since_is_found(archive: Archive, store: Store) -> None:
    """The index in memory follows the database."""
    assert search(archive, "zeppelins") == []
    store.entries.add([an_entry(99, title="Zeppelins", summary="Airships of another age.")], now=NOON)
    archive.catch_up()

    assert search(archive, "zeppelins")[0].story.title == "Zeppelins"


def test_an_empty_archive(store: Store) -> None:
    """Has no answer to anything."""
    archive = an_archive(store)

    assert search(archive, "anything") == []
    assert search(archive) == []
