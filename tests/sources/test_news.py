from __future__ import annotations

from datetime import timedelta

from newsletter.model import Entry
from newsletter.sources.news import FIRST_ENTRIES, news
from tests.builders import NOON, an_entry

DAY = timedelta(days=1)


def aged(number: int, days: float | None) -> Entry:
    """An entry so many days old."""
    return an_entry(number, published=None if days is None else NOON - days * DAY)


def told(*entries: Entry, of: int = 100, first: bool = False, known: tuple[str, ...] = ()) -> list[int]:
    """The numbers of those that are news."""
    keys = news(entries, of=of, first=first, known_titles=known, now=NOON)
    return sorted(int(key[-5:]) for key in keys)


def test_the_first_time_only_what_is_young() -> None:
    """A feed that was just added tells nothing that is older than a week."""
    assert told(aged(1, 0), aged(2, 6.9), aged(3, 7.1), aged(4, 4000), first=True) == [1, 2]


def test_the_first_time_only_the_newest() -> None:
    """A feed that was just added tells at most its ten newest entries."""
    assert told(*(aged(number, number / 10) for number in range(1, 40)), first=True) == list(
        range(1, FIRST_ENTRIES + 1)
    )


def test_without_dates_the_first_ones() -> None:
    """A feed without dates counts as of today, and is cut like any other."""
    assert told(*(aged(number, None) for number in range(1, 40)), first=True) == list(range(1, FIRST_ENTRIES + 1))


def test_later_everything_that_is_not_ancient() -> None:
    """What a known feed adds is news, backdated or not, unless it is older than a month."""
    assert told(aged(1, 0), aged(2, 29), aged(3, 31), aged(4, None)) == [1, 2, 4]


def test_new_guids_for_old_things() -> None:
    """When more than half of a known feed is suddenly new, only young entries with new titles are told."""
    entries = [aged(number, number - 1) for number in range(1, 9)]

    assert told(*entries, of=10, known=("paper number 1", "paper number 2")) == [3, 4, 5, 6, 7, 8]


def test_a_tiny_feed_is_no_upheaval() -> None:
    """Two new entries in a feed of two are two new entries."""
    assert told(aged(1, 20), aged(2, 10), of=2, known=("paper number 1",)) == [1, 2]


def test_what_has_no_title_is_never_told() -> None:
    """An entry of which nothing can be shown is known, and no news, the first time and later."""
    empty = an_entry(1, title="")

    assert told(empty, an_entry(2), first=True) == [2]
    assert told(empty, an_entry(2)) == [2]
