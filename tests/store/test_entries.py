from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from newsletter.model import Entry, Signals
from newsletter.store import Store
from tests.builders import HOUR, MINUTE, NOON, an_entry


def test_counts_what_is_new_and_what_changed(store: Store) -> None:
    """An entry is new once; after that only a change of its text counts, not one of its signals."""
    first = store.entries.add([an_entry(1), an_entry(2)], now=NOON)
    again = store.entries.add(
        [an_entry(1, title="Another title"), an_entry(2, signals=Signals(upvotes=99)), an_entry(3)], now=NOON + HOUR
    )

    assert (first.new, first.changed) == (2, 0)
    assert (again.new, again.changed) == (1, 1)


def test_first_seen_stays(store: Store) -> None:
    """The time an entry was first seen never moves, its text and signals are those of the last run."""
    store.entries.add([an_entry(1)], now=NOON)
    store.entries.add([an_entry(1, title="Another title")], now=NOON + HOUR)

    (seen,) = store.entries.candidates(["hf-daily"], since=NOON - HOUR, until=NOON + HOUR)

    assert seen.first_seen == NOON
    assert seen.entry.title == "Another title"


def test_round_trip(store: Store) -> None:
    """An entry comes back from the store exactly as it went in."""
    entry = an_entry(1, content="<p>x</p>", listed=NOON.date(), aliases=("doi:10.1/x",), author_count=3)
    store.entries.add([entry], now=NOON)

    (seen,) = store.entries.candidates(["hf-daily"], since=NOON - HOUR, until=NOON)

    assert seen.entry == entry


def test_candidates_are_of_the_window_and_the_sources(store: Store) -> None:
    """A candidate was first seen after `since` and not after `until`, by one of the named sources."""
    store.entries.add([an_entry(1)], now=NOON)
    store.entries.add([an_entry(2)], now=NOON + MINUTE)
    store.entries.add([an_entry(3, source="other")], now=NOON + MINUTE)
    store.entries.add([an_entry(4)], now=NOON + HOUR)

    found = store.entries.candidates(["hf-daily"], since=NOON, until=NOON + MINUTE)

    assert [seen.entry.guid for seen in found] == ["2611.00002"]


def test_every_run_leaves_a_snapshot(store: Store) -> None:
    """Signals are kept as one snapshot per run, so that velocity can be computed from them."""
    store.entries.add([an_entry(1, signals=Signals(upvotes=3))], now=NOON)
    store.entries.add([an_entry(1, signals=Signals(upvotes=8, comments=1))], now=NOON + HOUR)

    assert store.entries.signals("hf-daily", "arxiv:2611.00001") == [
        (NOON, Signals(upvotes=3)),
        (NOON + HOUR, Signals(upvotes=8, comments=1)),
    ]


def test_one_answer_with_a_key_twice(store: Store) -> None:
    """Of two entries with one key in one answer the first is kept."""
    twice = [an_entry(1), dataclasses.replace(an_entry(1), title="The second")]

    added = store.entries.add(twice, now=NOON)

    assert added.new == 1
    assert store.entries.candidates(["hf-daily"], since=NOON - HOUR, until=NOON)[0].entry.title == "Paper number 1"


def test_many_at_once(store: Store) -> None:
    """An answer of thousands of entries is stored whole, and known again."""
    many = [an_entry(number) for number in range(1, 2501)]

    assert store.entries.add(many, now=NOON).new == 2500
    assert store.entries.add(many, now=NOON).new == 0
    assert store.entries.count() == {"hf-daily": 2500}


def test_what_is_left_out_is_kept(store: Store) -> None:
    """A page that tells less of a known entry takes nothing away, and counts as no change."""
    full = an_entry(1, signals=Signals(upvotes=3, comments=2))
    store.entries.add([full], now=NOON)

    bare = dataclasses.replace(full, authors=(), published=None, summary="", signals=Signals(upvotes=4))
    again = store.entries.add([bare], now=NOON + HOUR)

    (seen,) = store.entries.candidates(["hf-daily"], since=NOON - HOUR, until=NOON)
    assert again.changed == 0
    assert seen.entry == dataclasses.replace(full, signals=Signals(upvotes=4, comments=2))


def bare(number: int, source: str = "blog", **changes: Any) -> Entry:
    """A paper that a source merely names."""
    nothing = {"summary": "", "authors": (), "published": None, "signals": Signals()}
    return an_entry(number, source=source, **{**nothing, **changes})


@pytest.mark.parametrize(
    ("told", "lacking"),
    [
        ([an_entry(1)], []),
        ([bare(1)], [1]),
        ([an_entry(1, summary="")], [1]),
        ([an_entry(1, authors=())], [1]),
        ([bare(2), bare(1), bare(3)], [3, 1, 2]),  # the latest first
        ([bare(1), bare(1, "other")], [1]),
        ([bare(1), an_entry(1)], []),
        ([an_entry(1, summary=""), an_entry(1, source="blog", authors=())], []),
        ([bare(1, "elsewhere")], []),
        ([bare(1), an_entry(1, source="elsewhere")], [1]),
        ([bare(1, key="url:https://example.org/1")], []),
        ([bare(1, key="arxiv_2611.00001")], []),
    ],
)
def test_what_lacks_a_summary_or_authors(store: Store, told: Sequence[Entry], lacking: Sequence[int]) -> None:
    """A key is incomplete while none of the sources asked for tells the summary, or none of them the authors."""
    store.entries.add(told, now=NOON)

    found = store.entries.incomplete(["hf-daily", "blog", "other"], prefix="arxiv:", since=NOON, limit=10)

    assert found == [f"arxiv:2611.{number:05d}" for number in lacking]


def test_only_recent_news_is_incomplete(store: Store) -> None:
    """What was first seen before the moment asked for is too old, and the past of a feed is no news."""
    store.entries.add([bare(1)], now=NOON - MINUTE)
    store.entries.add([bare(1), bare(2), bare(3)], now=NOON, news=lambda _: {"arxiv:2611.00003"})
    store.entries.add([bare(4)], now=NOON + MINUTE)

    found = store.entries.incomplete(["blog"], prefix="arxiv:", since=NOON, limit=10)

    assert found == ["arxiv:2611.00004", "arxiv:2611.00003"]


def test_no_more_are_incomplete_than_asked_for(store: Store) -> None:
    """The limit counts what is incomplete, not what was looked at, and leaves out what was known before."""
    store.entries.add([bare(number) for number in range(1, 13)], now=NOON)
    store.entries.add([an_entry(number) for number in range(11, 20)], now=NOON + HOUR)

    found = store.entries.incomplete(["hf-daily", "blog"], prefix="arxiv:", since=NOON, limit=2)

    assert found == ["arxiv:2611.00010", "arxiv:2611.00009"]


def test_what_is_empty_is_filled(store: Store) -> None:
    """Every source's entry of the key takes what it leaves empty, and keeps what it tells."""
    store.entries.add([bare(1, title="A post", tags=("tea",)), an_entry(1, authors=()), bare(2)], now=NOON)
    whole = an_entry(1, source="arxiv-ai", title="The paper", summary="An abstract.", tags=("cs.CL",))

    gained = store.entries.fill([whole, dataclasses.replace(whole, summary="Of another answer.")])

    seen = store.entries.candidates(["blog", "hf-daily"], since=NOON - HOUR, until=NOON)
    post, paper, other = (found.entry for found in seen)
    assert gained == 2
    assert post == dataclasses.replace(
        whole, source="blog", title="A post", tags=("tea",), guid=post.guid, url=post.url
    )
    assert paper == an_entry(1, tags=("cs.CL",))
    assert other == bare(2)


def test_filling_adds_no_entries_and_makes_no_news(store: Store) -> None:
    """What nobody told of stays unknown; an entry stays news or past, and as old as it was."""
    store.entries.add([bare(1), bare(2)], now=NOON, news=lambda _: {"arxiv:2611.00001"})

    gained = store.entries.fill([an_entry(1), an_entry(2), an_entry(3)])

    (seen,) = store.entries.candidates(["blog", "hf-daily"], since=NOON - HOUR, until=NOON + HOUR)
    assert gained == 2
    assert (seen.entry.key, seen.first_seen) == ("arxiv:2611.00001", NOON)
    assert store.entries.count() == {"blog": 2}
    assert store.entries.fill([an_entry(1), an_entry(2)]) == 0
    assert store.entries.fill([]) == 0


def test_what_was_filled_stays(store: Store) -> None:
    """The source that leaves it out again takes nothing away, and counts as no change."""
    store.entries.add([bare(1)], now=NOON)
    store.entries.fill([an_entry(1)])

    again = store.entries.add([bare(1)], now=NOON + HOUR)

    (seen,) = store.entries.candidates(["blog"], since=NOON - HOUR, until=NOON)
    assert (again.new, again.changed) == (0, 0)
    assert seen.entry.authors == an_entry(1).authors


def test_many_are_filled_at_once(store: Store) -> None:
    """More keys than fit one query are filled all the same."""
    store.entries.add([bare(number) for number in range(1, 1202)], now=NOON)

    assert store.entries.fill([an_entry(number) for number in range(1, 1202)]) == 1201
    assert store.entries.incomplete(["blog"], prefix="arxiv:", since=NOON, limit=10) == []
