from __future__ import annotations

import dataclasses

from newsletter.model import Signals
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
